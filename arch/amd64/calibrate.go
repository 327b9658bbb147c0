package amd64

// How fast counters run, from what the machine tells and from what was measured.

const (
	pitHz = 1193182

	calibrateTicks = pitHz / 10_000 // of the interval timer, 0.1 ms
	calibrateMost  = pitHz / 400    // 2.5 ms
	calibrations   = 20
)

// timerDivider is what the timer of the local APIC divides its clock by.
const timerDivider = 16

// hypervisorBus is the rate of the local APIC's clock in machines of QEMU and of KVM.
const hypervisorBus = 1_000_000_000

// toldRates returns the rates, in Hz, of the time-stamp counter and of the local
// APIC's clock that a hypervisor tells at leaf 0x40000010, in kHz; 0: it does not.
func toldRates(cpuid func(leaf, sub uint32) (a, b, c, d uint32)) (tsc, bus uint64) {
	if _, _, c, _ := cpuid(1, 0); c&cpuidHypervisor == 0 {
		return 0, 0
	}
	max, _, _, _ := cpuid(0x40000000, 0)
	if max < 0x40000010 || max >= 0x40000100 {
		return 0, 0
	}
	a, b, _, _ := cpuid(0x40000010, 0)
	if tsc = uint64(a) * 1000; tsc < 100_000_000 {
		return 0, 0
	}
	if bus = uint64(b) * 1000; bus < 1_000_000 {
		bus = 0
	}
	return tsc, bus
}

// crystalRate returns the rate, in Hz, of the time-stamp counter by leaf 0x15: that
// of the crystal times a ratio (Intel SDM vol. 3, 19.7.3); 0: the processor does not
// tell. A hypervisor may have left the leaf as it was where it has changed the rate.
func crystalRate(cpuid func(leaf, sub uint32) (a, b, c, d uint32)) uint64 {
	if max, _, _, _ := cpuid(0, 0); max < 0x15 {
		return 0
	}
	a, b, c, _ := cpuid(0x15, 0)
	if a == 0 || b == 0 || c == 0 {
		return 0
	}
	return uint64(c) * uint64(b) / uint64(a)
}

// agree reports whether two rates are the same as far as short measurements can
// tell: those of calibrateTicks, each of which may be a tick and a half wrong.
func agree(a, b uint64) bool {
	return max(a, b)-min(a, b) <= min(a, b)/32
}

// timerMeasure is a measurement of the timer's rate against a clock, of several the one in
// which the looks at both came closest together.
type timerMeasure struct {
	counted uint64 // by the timer
	span    uint64 // counts of the clock from the middle of the first look to that of the last
	apart   uint64 // counts of the clock that the two looks took
}

// add takes a measurement: counted between a look from t0 to t1 and one from t2 to t3, in counts
// of the clock.
func (m *timerMeasure) add(counted, t0, t1, t2, t3 uint64) {
	span, apart := (t2+t3-t0-t1)/2, t1-t0+t3-t2
	if m.span == 0 || float64(apart)/float64(span) < float64(m.apart)/float64(m.span) {
		*m = timerMeasure{counted, span, apart}
	}
}

// within reports whether the looks took less than this part of the time between them.
func (m *timerMeasure) within(part uint64) bool { return m.apart < m.span/part }

// rate returns the rate of the timer, and the part of it by which that may be too high, at
// most, for a clock of hz. A host that stopped the machine in each look leaves it at a half,
// and that is said: who is told of less sleeps too long, for as long as the machine runs.
// Where there is a hypervisor a rate that may be its is taken for that.
func (m *timerMeasure) rate(hz uint64, hypervisor bool) (rate uint64, accuracy int64) {
	const usual = hypervisorBus / timerDivider
	rate = max(mulDiv(m.counted, hz, m.span), 1000)
	// The middles of the looks are half of apart off at most; the clock that was
	// measured by may be wrong by a little, too.
	off := max(m.apart/2+1, m.span/64)
	accuracy = int64(min(max(m.span/off, 2), 64))
	lowest, highest := mulDiv(m.counted, hz, m.span+off), ^uint64(0)
	if off < m.span {
		highest = mulDiv(m.counted, hz, m.span-off)
	}
	if hypervisor && lowest <= usual && usual <= highest {
		if accuracy >= 8 {
			return usual, 1024 // no other one is as near
		}
		rate = min(rate, usual)
	}
	return rate, accuracy
}
