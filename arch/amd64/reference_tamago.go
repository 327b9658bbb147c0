//go:build tamago

package amd64

import (
	"time"
	"unsafe"

	"github.com/yolkos/yolk/arch/amd64/acpi"
	"github.com/yolkos/yolk/arch/amd64/reg"
)

// kvmShared is where KVM puts kvmTime and kvmWall: 64 bytes at a multiple of 64, so
// that they lie in one page.
var kvmShared [16]uint64

func kvmPlace() uintptr { return (uintptr(unsafe.Pointer(&kvmShared)) + 63) &^ 63 }

// kvmNow asks KVM for its line from the counter to the time. It returns false if there
// is no KVM, or it does not answer.
func kvmNow() (k kvmTime, ok bool) {
	_, msr := kvmClockMSRs(cpuid)
	if msr == 0 {
		return k, false
	}
	p := kvmPlace()
	wrmsr(msr, uint64(p)|kvmTimeStart) // which fills it before the next instruction
	k = *at[kvmTime](p)
	wrmsr(msr, 0)
	return k, k.rate() != 0
}

// HypervisorTime returns the time of day as the hypervisor tells it, which is for a
// machine without a real-time clock.
func HypervisorTime() (time.Time, bool) {
	msr, _ := kvmClockMSRs(cpuid)
	k, ok := kvmNow()
	if !ok {
		return time.Time{}, false
	}
	p := kvmPlace()
	wrmsr(msr, uint64(p))
	w := *at[kvmWall](p)
	if w.version == 0 || w.version&1 != 0 || w.seconds == 0 {
		return time.Time{}, false
	}
	return time.Unix(int64(w.seconds), int64(w.ns)).Add(time.Duration(k.at(rdtsc()))), true
}

// hypervisorRate returns the rate of the time-stamp counter that KVM's clock or
// Hyper-V tells, in Hz; 0: neither does.
func hypervisorRate() uint64 {
	if k, ok := kvmNow(); ok && plausible(k.rate()) {
		return k.rate()
	}
	if told, _ := hyperV(cpuid); told {
		if hz := rdmsr(msrHVFrequency); plausible(hz) {
			return hz
		}
	}
	return 0
}

// reference is a counter of a known rate, by which that of the time-stamp counter is
// measured where there is no interval timer.
type reference struct {
	name string
	hz   uint64
	mask uint64 // of the bits that count
	kind referenceKind
}

type referenceKind uint8

const (
	referenceHyperV referenceKind = iota
	referencePM
	referenceHPET
)

// Registers of the HPET (IA-PC HPET specification 1.0a, 2.3).
const (
	hpetPeriod  = 0x004 // femtoseconds a count, 32 bits
	hpetConfig  = 0x010
	hpetCounter = 0x0f0
	hpetEnable  = 1 << 0
	hpetLongest = 100_000_000 // period, fs

	pmHz = 3579545
)

// references appends the counters that the machine has to list. It works before there
// is a heap, if list has room for three.
func references(list []reference) []reference {
	if _, counter := hyperV(cpuid); counter {
		list = append(list, reference{"Hyper-V's reference time", hvReferenceHz, 1<<64 - 1, referenceHyperV})
	}
	if firmware.Timers.PM.Is() {
		mask := uint64(1<<24 - 1)
		if firmware.Timers.PMWide {
			mask = 1<<32 - 1
		}
		list = append(list, reference{"the ACPI timer", pmHz, mask, referencePM})
	}
	if base := uintptr(firmware.Timers.HPET); base != 0 {
		if p := reg.Read32(base + hpetPeriod); p != 0 && p <= hpetLongest {
			reg.Write32(base+hpetConfig, reg.Read32(base+hpetConfig)|hpetEnable)
			list = append(list, reference{"the HPET", 1e15 / uint64(p), 1<<32 - 1, referenceHPET})
		}
	}
	return list
}

func (r *reference) read() uint64 {
	switch r.kind {
	case referenceHyperV:
		return rdmsr(msrHVReference)
	case referencePM:
		if t := firmware.Timers.PM; t.Space == acpi.InPorts {
			return uint64(reg.In32(uint16(t.Addr)))
		} else {
			return uint64(reg.Read32(uintptr(t.Addr)))
		}
	default:
		return uint64(reg.Read32(uintptr(firmware.Timers.HPET) + hpetCounter))
	}
}

// look reads the counter, and the time-stamp counter in the middle of that; of a few
// looks the shortest counts.
func (r *reference) look() (count, at uint64) {
	best := ^uint64(0)
	for range 3 {
		before := rdtsc()
		c := r.read()
		if took := rdtsc() - before; took < best {
			best, count, at = took, c, before+took/2
		}
	}
	return count, at
}

// measure returns the rate of the time-stamp counter, measured over 2.5 ms; 0: the
// reference does not count.
func (r *reference) measure() uint64 {
	c0, t0 := r.look()
	for range 1 << 20 {
		c1, t1 := r.look()
		if ticks := (c1 - c0) & r.mask; ticks >= r.hz/400 {
			return mulDiv(t1-t0, r.hz, ticks)
		}
	}
	return 0
}

// referenceRate returns the rate of the time-stamp counter by the first reference that
// counts; 0: there is none. Two measurements in a row have to agree, as a host that is
// busy may stop the machine in the midst of one.
func referenceRate() uint64 {
	var room [3]reference
	for _, r := range references(room[:0]) {
		last := uint64(0)
		for range calibrations {
			hz := r.measure()
			if hz == 0 {
				break
			}
			if diff := max(hz, last) - min(hz, last); diff < hz/200 {
				return (hz + last) / 2
			}
			last = hz
		}
		if last != 0 {
			return last
		}
	}
	return 0
}

// pitThere reports whether there is an interval timer: channel 0, which has been set to
// mode 0, says so of itself (Intel 8254, read-back command).
func pitThere() bool {
	const (
		readBackStatus = 0xe2
		modeMask       = 0x3f
		mode0          = 0x30 // both bytes, mode 0, binary
	)
	reg.Out8(pitCommand, readBackStatus)
	return reg.In8(pitChannel0)&modeMask == mode0
}
