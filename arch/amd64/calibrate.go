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

// timerRate returns the rate of the timer, and the part of it by which that may be wrong,
// at most. counted are its counts within span counts of a clock of hz, which were looked
// at apart counts from each other. Where there is a hypervisor a rate that may be its is
// taken for that.
func timerRate(counted, span, apart, hz uint64, hypervisor bool) (rate uint64, accuracy int64) {
	const usual = hypervisorBus / timerDivider
	rate = max(mulDiv(counted, hz, span), 1000)
	// The middles of the looks are half of apart off at most; the clock that was
	// measured by may be wrong by a little, too.
	accuracy = int64(min(max(span/(apart/2+1), 8), 64))
	if diff := max(rate, usual) - min(rate, usual); hypervisor && diff <= rate/uint64(accuracy) {
		return usual, 1024
	}
	return rate, accuracy
}
