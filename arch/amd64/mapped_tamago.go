//go:build tamago

package amd64

import "github.com/yolkos/yolk/arch/amd64/goos"

// The image, of which the part before imageData is only read, and the RAM behind
// it up to lowRAM are in one piece; other RAM lies where memory.extra says. What the image carries besides the program lies
// between its variables and the RAM, and is only read: from written on, which is
// imageData without such parts, all may be written. initTables sets them.
var imageStart, imageData, written, lowRAM uint64

// Mapped tells how many of the n bytes from addr on are memory of the program,
// which it may read, or with write, write. Registers of devices and what the machine
// has set up for itself below the image are not.
func Mapped(addr, n uintptr, write bool) uintptr {
	// Nearly all addresses are here: data, heap, stacks.
	if a := uint64(addr); a >= written && a < lowRAM {
		return uintptr(min(uint64(n), lowRAM-a))
	}
	return mappedElsewhere(uint64(addr), uint64(n), write)
}

func mappedElsewhere(a, n uint64, write bool) uintptr {
	switch {
	case a >= aliasStart && a < aliasEnd:
		mapLock.Lock()
		defer mapLock.Unlock()
		return uintptr(mapped.reach(Range{a, min(a+n, aliasEnd)}, write))
	case a >= 1<<32 && a < 1<<goos.HeapAddrBits:
		return uintptr(tables.reach(Range{a, min(a+n, 1<<goos.HeapAddrBits)}, write))
	case a >= imageStart && a < written && !write:
		return uintptr(min(n, lowRAM-a))
	case a >= imageData && a < parts.Start:
		return uintptr(min(n, parts.Start-a))
	}
	for _, r := range memory.extra[:memory.n] { // below 4 GiB
		if a >= r.Start && a < r.End {
			return uintptr(min(n, r.End-a))
		}
	}
	return 0
}
