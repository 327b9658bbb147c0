package amd64

import (
	"encoding/binary"
	"testing"
	"unsafe"
)

// leaves is a processor that tells only these.
type leaves map[uint32][4]uint32

func (l leaves) cpuid(leaf, _ uint32) (a, b, c, d uint32) {
	r := l[leaf]
	return r[0], r[1], r[2], r[3]
}

// named is a hypervisor's first leaf.
func named(last uint32, name string) [4]uint32 {
	var b [12]byte
	copy(b[:], name)
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }
	return [4]uint32{last, word(0), word(4), word(8)}
}

func TestHypervisors(t *testing.T) {
	guest := [4]uint32{2: cpuidHypervisor}
	for _, tt := range []struct {
		name         string
		l            leaves
		wall, time   uint32
		rate, counts bool
	}{
		{"hardware, whose leaves beyond its last are anything", leaves{0x40000000: named(0x40000001, "KVMKVMKVM"), 0x40000001: {kvmClock2}}, 0, 0, false, false},
		{"TCG", leaves{1: guest, 0x40000000: named(0x40000001, "TCGTCGTCGTCG"), 0x40000001: {kvmClock2}}, 0, 0, false, false},
		{"KVM", leaves{1: guest, 0x40000000: named(0x40000001, "KVMKVMKVM"), 0x40000001: {kvmClock | kvmClock2}}, 0x4b564d00, 0x4b564d01, false, false},
		{"old KVM, which tells no last leaf", leaves{1: guest, 0x40000000: named(0, "KVMKVMKVM"), 0x40000001: {kvmClock}}, 0x11, 0x12, false, false},
		{"KVM without a clock", leaves{1: guest, 0x40000000: named(0x40000001, "KVMKVMKVM")}, 0, 0, false, false},
		{"Hyper-V", leaves{1: guest, 0x40000000: named(0x40000006, "Microsoft Hv"), 0x40000003: {hvFrequencies | hvReferenceCounter, 0, 0, hvFrequenciesThere}}, 0, 0, true, true},
		{"Hyper-V that does not tell", leaves{1: guest, 0x40000000: named(0x40000006, "Microsoft Hv"), 0x40000003: {hvFrequencies}}, 0, 0, false, false},
		{"KVM with both", leaves{1: guest, 0x40000000: named(0x40000006, "Microsoft Hv"), 0x40000003: {hvReferenceCounter},
			0x40000100: named(0x40000101, "KVMKVMKVM"), 0x40000101: {kvmClock2}}, 0x4b564d00, 0x4b564d01, false, true},
	} {
		if w, c := kvmClockMSRs(tt.l.cpuid); w != tt.wall || c != tt.time {
			t.Errorf("%s: KVM's clock at %#x, %#x", tt.name, w, c)
		}
		if r, c := hyperV(tt.l.cpuid); r != tt.rate || c != tt.counts {
			t.Errorf("%s: Hyper-V's rate %v, counter %v", tt.name, r, c)
		}
	}
}

func TestKVMTime(t *testing.T) {
	if n := unsafe.Sizeof(kvmTime{}); n != 32 {
		t.Errorf("%d bytes", n)
	}
	for _, tt := range []struct {
		k    kvmTime
		rate uint64
		at   uint64 // 10,000,000,000 counts later
	}{
		// 2.5 GHz: 0.4 ns are 0.8 of half a count's.
		{kvmTime{version: 2, count: 1000, ns: 5, multiplier: 3435973837, shift: -1}, 2_500_000_000, 4_000_000_005},
		{kvmTime{version: 2, count: 1000, ns: 5, multiplier: 1 << 31, shift: 0}, 2_000_000_000, 5_000_000_005},
		{kvmTime{version: 2, count: 1000, ns: 5, multiplier: 1 << 31, shift: 1}, 1_000_000_000, 10_000_000_005},
	} {
		if hz := tt.k.rate(); max(hz, tt.rate)-min(hz, tt.rate) > 2 {
			t.Errorf("%+v: %d Hz, want %d", tt.k, hz, tt.rate)
		}
		if ns := tt.k.at(1000 + 10_000_000_000); max(ns, tt.at)-min(ns, tt.at) > 2 {
			t.Errorf("%+v: %d ns, want %d", tt.k, ns, tt.at)
		}
	}
	for _, k := range []kvmTime{{}, {version: 2}, {version: 1, multiplier: 1 << 31}, {version: 2, multiplier: 1, shift: 100}, {version: 2, multiplier: 1, shift: -128}} {
		if hz := k.rate(); hz != 0 {
			t.Errorf("%+v: %d Hz", k, hz)
		}
	}
}
