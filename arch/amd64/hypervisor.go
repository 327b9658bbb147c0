package amd64

// What hypervisors tell of the time-stamp counter and of the time.

// cpuidFunc is CPUID.
type cpuidFunc func(leaf, sub uint32) (a, b, c, d uint32)

const cpuidHypervisor = 1 << 31 // leaf 1, ECX

// hypervisorLeaf returns the first leaf of the hypervisor that gives itself a name of
// twelve bytes, in three words; 0: there is none. One that offers the interface of
// another has them one after the other (Linux, Documentation/virt/kvm/x86/cpuid.rst).
func hypervisorLeaf(cpuid cpuidFunc, name [3]uint32) uint32 {
	if _, _, c, _ := cpuid(1, 0); c&cpuidHypervisor == 0 {
		return 0
	}
	for leaf := uint32(0x40000000); leaf < 0x40010000; leaf += 0x100 {
		if a, b, c, d := cpuid(leaf, 0); [3]uint32{b, c, d} == name && (a == 0 || a > leaf) {
			return leaf
		}
	}
	return 0
}

var (
	nameKVM    = [3]uint32{0x4b4d564b, 0x564b4d56, 0x0000004d} // KVMKVMKVM
	nameHyperV = [3]uint32{0x7263694d, 0x666f736f, 0x76482074} // Microsoft Hv
)

// KVM's clock (Linux, Documentation/virt/kvm/x86/msr.rst): two registers take the
// address of a structure each, which KVM fills.
const (
	kvmFeatures  = 1      // leaf
	kvmClock     = 1 << 0 // bits of EAX
	kvmClock2    = 1 << 3
	msrKVMWall   = 0x11
	msrKVMTime   = 0x12
	msrKVMWall2  = 0x4b564d00
	msrKVMTime2  = 0x4b564d01
	kvmTimeStart = 1 // in the address
)

// kvmClockMSRs returns the registers of KVM's clock; 0, 0: there is none.
func kvmClockMSRs(cpuid cpuidFunc) (wall, time uint32) {
	leaf := hypervisorLeaf(cpuid, nameKVM)
	if leaf == 0 {
		return 0, 0
	}
	switch a, _, _, _ := cpuid(leaf+kvmFeatures, 0); {
	case a&kvmClock2 != 0:
		return msrKVMWall2, msrKVMTime2
	case a&kvmClock != 0:
		return msrKVMWall, msrKVMTime
	}
	return 0, 0
}

// kvmTime is pvclock_vcpu_time_info: a straight line from the time-stamp counter to
// the nanoseconds since the machine was started.
type kvmTime struct {
	version    uint32 // odd while it is changed
	_          uint32
	count      uint64 // of the counter
	ns         uint64 // the time then
	multiplier uint32
	shift      int8
	flags      uint8
	_          [2]uint8
}

// rate returns the rate of the counter, in Hz; 0: the line makes no sense.
func (k *kvmTime) rate() uint64 {
	if k.version == 0 || k.version&1 != 0 || k.multiplier == 0 || k.shift < -16 || k.shift > 16 {
		return 0
	}
	// A count takes 2^shift * multiplier / 2^32 ns.
	hz := mulDiv(1e9, 1<<32, uint64(k.multiplier))
	if k.shift < 0 {
		return hz << uint(-k.shift)
	}
	return hz >> uint(k.shift)
}

// at returns the time at a count.
func (k *kvmTime) at(count uint64) uint64 {
	d := count - k.count
	if k.shift < 0 {
		d >>= uint(-k.shift)
	} else {
		d <<= uint(k.shift)
	}
	return k.ns + uint64(span(d, uint64(k.multiplier)))
}

// kvmWall is pvclock_wall_clock: the time of day when the machine was started.
type kvmWall struct {
	version, seconds, ns uint32
}

// Hyper-V's registers (Hypervisor Top-Level Functional Specification 6.0b, 2.4 and 12).
const (
	hvFeatures         = 3 // leaf
	hvReferenceCounter = 1 << 1
	hvFrequencies      = 1 << 11 // of EAX: they may be read
	hvFrequenciesThere = 1 << 8  // of EDX
	msrHVReference     = 0x40000020
	msrHVFrequency     = 0x40000022 // of the time-stamp counter, in Hz
	hvReferenceHz      = 10_000_000
)

// hyperV returns what a machine of Hyper-V, or one that offers the same, tells: the
// rate of the time-stamp counter, and a counter.
func hyperV(cpuid cpuidFunc) (frequency, counter bool) {
	leaf := hypervisorLeaf(cpuid, nameHyperV)
	if leaf == 0 {
		return false, false
	}
	a, _, _, d := cpuid(leaf+hvFeatures, 0)
	return a&hvFrequencies != 0 && d&hvFrequenciesThere != 0, a&hvReferenceCounter != 0
}

// plausible reports whether a time-stamp counter may run at so many Hz.
func plausible(hz uint64) bool { return hz >= 100_000_000 && hz < 20_000_000_000 }
