//go:build tamago

package amd64

import (
	"encoding/binary"
	"strings"
)

// CPUInfo is what CPUID tells of the processor.
type CPUInfo struct {
	Vendor, Name            string
	Family, Model, Stepping int
	Flags                   string // names of Linux, separated by spaces
	PhysBits, VirtBits      int
}

// CPU describes the processor.
func CPU() CPUInfo {
	_, b, c, d := cpuid(0, 0)
	sig, _, ecx, edx := cpuid(1, 0)
	i := CPUInfo{Vendor: words(b, d, c), Name: brand(), Stepping: int(sig & 15)}
	i.Family = int(sig >> 8 & 15)
	i.Model = int(sig >> 4 & 15)
	if i.Family == 6 || i.Family == 15 {
		i.Model |= int(sig >> 12 & 0xf0)
	}
	if i.Family == 15 {
		i.Family += int(sig >> 20 & 0xff)
	}
	i.VirtBits, i.PhysBits = addressBits()
	_, ebx7, _, _ := cpuid(7, 0)
	_, _, _, edx81 := cpuid(0x80000001, 0)
	var flags []string
	for _, f := range cpuFlags {
		reg := [...]uint32{edx, ecx, ebx7, edx81}[f.reg]
		if reg>>f.bit&1 != 0 {
			flags = append(flags, f.name)
		}
	}
	i.Flags = strings.Join(flags, " ")
	return i
}

// cpuFlags names some bits of leaves 1 (EDX, ECX), 7 (EBX) and 0x80000001 (EDX),
// numbered 0 to 3, that say what programs may use.
var cpuFlags = []struct {
	reg, bit uint8
	name     string
}{
	{0, 0, "fpu"}, {0, 4, "tsc"}, {0, 5, "msr"}, {0, 6, "pae"}, {0, 8, "cx8"}, {0, 9, "apic"}, {0, 13, "pge"},
	{0, 15, "cmov"}, {0, 16, "pat"}, {0, 19, "clflush"}, {0, 23, "mmx"}, {0, 24, "fxsr"}, {0, 25, "sse"}, {0, 26, "sse2"},
	{3, 11, "syscall"}, {3, 20, "nx"}, {3, 26, "pdpe1gb"}, {3, 27, "rdtscp"}, {3, 29, "lm"},
	{1, 0, "pni"}, {1, 1, "pclmulqdq"}, {1, 9, "ssse3"}, {1, 12, "fma"}, {1, 13, "cx16"}, {1, 19, "sse4_1"},
	{1, 20, "sse4_2"}, {1, 21, "x2apic"}, {1, 22, "movbe"}, {1, 23, "popcnt"}, {1, 24, "tsc_deadline_timer"},
	{1, 25, "aes"}, {1, 26, "xsave"}, {1, 28, "avx"}, {1, 29, "f16c"}, {1, 30, "rdrand"}, {1, 31, "hypervisor"},
	{2, 3, "bmi1"}, {2, 5, "avx2"}, {2, 7, "smep"}, {2, 8, "bmi2"}, {2, 9, "erms"}, {2, 16, "avx512f"},
	{2, 18, "rdseed"}, {2, 19, "adx"}, {2, 20, "smap"}, {2, 29, "sha_ni"},
}

// addressBits returns the widths of addresses.
func addressBits() (virtual, physical int) {
	if top, _, _, _ := cpuid(0x80000000, 0); top < 0x80000008 {
		return 48, 36
	}
	a, _, _, _ := cpuid(0x80000008, 0)
	return int(a >> 8 & 0xff), int(a & 0xff)
}

// brand returns the brand string.
func brand() string {
	if top, _, _, _ := cpuid(0x80000000, 0); top < 0x80000004 {
		return ""
	}
	s := ""
	for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
		s += words(cpuid(leaf, 0))
	}
	s, _, _ = strings.Cut(s, "\x00")
	return strings.TrimSpace(s)
}

func words(list ...uint32) string {
	var b []byte
	for _, x := range list {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return string(b)
}
