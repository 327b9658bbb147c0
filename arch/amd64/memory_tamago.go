//go:build tamago

package amd64

import _ "unsafe" // for go:linkname

//go:linkname memTable runtime.memTable
func memTable() uintptr

//go:linkname memPrepare runtime.memPrepare
var memPrepare = prepareMemory

//go:linkname memMap runtime.memMap
var memMap = mapMemory

// heapPages are the same tables as those of the boot, for addresses above the RAM
// that nothing else uses. The heap's lock guards it.
var heapPages = pageTables{root: pml4Addr, ram: new(Range), more: heapTable}

// heapTable gives a page for a table.
func heapTable() Range {
	p := uint64(memTable())
	if p == 0 {
		return Range{}
	}
	return Range{p, p + pageSize}
}

// prepareMemory makes the tables for n bytes at the address to. It runs in the midst
// of an allocation, as mapMemory does, and must not allocate.
func prepareMemory(to, n uintptr) bool {
	for a := uint64(to) &^ (largePage - 1); a < uint64(to+n); a += largePage {
		if heapPages.page(a) == nil {
			return false
		}
	}
	return true
}

// mapMemory has n bytes at the address to, which is prepared, lead to the memory at
// from, both whole pages.
func mapMemory(to, from, n uintptr) {
	for i := uintptr(0); i < n; i += pageSize {
		phys, _ := heapPages.lookup(uint64(from + i))
		heapPages.mapPage(uint64(to+i), phys, ptePresent|pteWrite|pteNoExec)
	}
}

// PhysicalRun returns the physical address of what lies at addr in the heap, and
// how many of the n bytes from there on are contiguous. Aliases are left out: what
// a device writes there, the tables would not tell.
func PhysicalRun(addr uintptr, n int) (phys uint64, run int) {
	if addr >= aliasStart {
		return 0, 0
	}
	phys, size := heapPages.lookup(uint64(addr))
	for size > 0 && size < uint64(n) {
		next, more := heapPages.lookup(uint64(addr) + size)
		if next != phys+size || more == 0 {
			break
		}
		size += more
	}
	return phys, int(min(size, uint64(n)))
}
