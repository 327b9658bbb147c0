//go:build tamago

package amd64

import "unsafe"

// Types of the auxiliary vector's entries (elf.h, getauxval(3)).
const (
	atNull        = 0
	atPhdr        = 3
	atPhent       = 4
	atPhnum       = 5
	atPagesz      = 6
	atBase        = 7
	atFlags       = 8
	atEntry       = 9
	atUID         = 11
	atEUID        = 12
	atGID         = 13
	atEGID        = 14
	atPlatform    = 15
	atHwcap       = 16
	atClktck      = 17
	atSecure      = 23
	atRandom      = 25
	atHwcap2      = 26
	atExecfn      = 31
	atMinsigstksz = 51
)

// auxvSize is room for the vector, in bytes.
const auxvSize = 24 * 16

var (
	// auxvRandom is what AT_RANDOM leads to.
	auxvRandom   [16]byte
	auxvPlatform = [...]byte{'x', '8', '6', '_', '6', '4', 0}
)

// putAuxv writes the auxiliary vector to p, as Linux has it for a program without
// an interpreter that belongs to root. There is no AT_SYSINFO_EHDR: no vDSO.
// execfn is the address of the program's name.
func putAuxv(p, execfn uintptr) {
	_, _, _, features := cpuid(1, 0)
	start, _ := imageBounds()
	header := at[[64]byte](start) // of the ELF file, which is loaded with the code
	word := func(off uintptr) uintptr { return *at[uintptr](start + off) }
	half := func(off uintptr) uintptr { return uintptr(*at[uint16](start + off)) }
	put := func(tag, value uintptr) {
		*at[[2]uintptr](p) = [2]uintptr{tag, value}
		p += 16
	}
	put(atMinsigstksz, 2048)
	put(atHwcap, uintptr(features))
	put(atPagesz, pageSize)
	put(atClktck, 100)
	if header[0] == 0x7f && header[1] == 'E' && header[2] == 'L' && header[3] == 'F' {
		put(atPhdr, start+word(32))
		put(atPhent, half(54))
		put(atPhnum, half(56))
		put(atEntry, word(24))
	}
	put(atBase, 0)
	put(atFlags, 0)
	put(atUID, 0)
	put(atEUID, 0)
	put(atGID, 0)
	put(atEGID, 0)
	put(atSecure, 0)
	put(atRandom, uintptr(unsafe.Pointer(&auxvRandom)))
	put(atHwcap2, 0)
	put(atExecfn, execfn)
	put(atPlatform, uintptr(unsafe.Pointer(&auxvPlatform)))
	put(atNull, 0)
}
