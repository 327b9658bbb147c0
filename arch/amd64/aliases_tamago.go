//go:build tamago

package amd64

import (
	"fmt"
	"sync/atomic"
	"syscall"
	_ "unsafe" // for go:linkname
)

// Addresses from aliasStart to aliasEnd, which are nobody's else: devices lie
// below them (MapDevice), the window of GrowTLB above.
const (
	aliasStart = 1 << 46
	aliasEnd   = 3 << 45
)

// mapped are the same tables as those of the boot, for these addresses. mapLock
// guards them, but for faults.
var mapped = pageTables{root: pml4Addr, ram: new(Range), more: mappedTable, free: memPageFree}

func mappedTable() Range {
	p := uint64(memPage(false))
	if p == 0 {
		p = uint64(memPage(true)) // to take something away must not fail
	}
	if p == 0 {
		return Range{}
	}
	return Range{p, p + pageSize}
}

// memPage takes a zeroed page from the runtime and returns its physical address,
// at which it can be read and written; 0: there is none. With spare it is one of
// those that are kept for faults at which the runtime's locks are held.
//
//go:linkname memPage runtime.memPage
func memPage(spare bool) uintptr

//go:linkname memPageFree runtime.memPageFree
func memPageFree(p uintptr)

// memExpect has the heap collected if n bytes of pages could not be had otherwise.
//
//go:linkname memExpect runtime.memExpect
func memExpect(n uintptr)

//go:linkname memPhysical runtime.memPhysical
var memPhysical = func(addr uintptr) uintptr {
	phys, _ := heapPages.lookup(uint64(addr))
	return uintptr(phys)
}

//go:linkname memFault runtime.memFault
var memFault = fault

// Bits of a page fault's error code (Intel SDM vol. 3, 4.7).
const (
	faultWrite    = 1 << 1
	faultReserved = 1 << 3
	faultFetch    = 1 << 4
)

// fault serves a page fault at a: served tells that the access can be made again,
// short that there is no memory for it. It runs on the signal stack of the thread
// that has faulted, and may wait for other threads unless spare is set.
func fault(a, code uintptr, spare bool) (served, short bool) {
	if a < aliasStart || a >= aliasEnd || code&faultReserved != 0 {
		return false, false
	}
	bits := uint64(pteRead)
	if code&faultWrite != 0 {
		bits |= pteWrite
	}
	var page uintptr
	for {
		// A CPU that takes no interrupts has not answered flushTLB, behind which
		// tables are freed.
		cli()
		r := mapped.touch(uint64(a), bits, code&faultFetch != 0, page)
		sti()
		switch r {
		case touchWants:
			if page == 0 {
				if page = memPage(spare); page == 0 {
					return false, true
				}
			}
			continue
		case touchTable:
			page = 0
			continue
		case touchPage:
			return true, false
		}
		if page != 0 {
			memPageFree(page)
		}
		return r == touchServed, false
	}
}

// Aliases are the addresses at which mmap puts pages. It implements
// syscalls.Memory. A page there is one of a file, ordinary memory of the program
// that lies at its own address all the time; or it belongs to an anonymous mapping,
// and was taken from the heap's free pages when it was touched. Nothing but the
// tables knows of what lies here: the collector does not look at it, devices
// cannot be given it.
type Aliases struct{}

// Bounds are the first address and the one behind the last.
func (Aliases) Bounds() (low, high uintptr) { return aliasStart, aliasEnd }

// Pages returns n zeroed pages.
func (Aliases) Pages(n int) []byte {
	b := make([]byte, n*pageSize)
	if address(b)%pageSize == 0 {
		return b
	}
	b = make([]byte, (n+1)*pageSize)
	skip := -int(address(b)) & (pageSize - 1)
	return b[skip:][:n*pageSize]
}

// aliasRange is where b lies.
func aliasRange(b []byte) Range {
	start := uint64(address(b))
	r := Range{start, start + uint64(len(b)+pageSize-1)&^(pageSize-1)}
	if r.Start%pageSize != 0 || r.Start < aliasStart || r.End > aliasEnd {
		panic(fmt.Sprintf("amd64: %#x-%#x are no addresses of mappings", r.Start, r.End))
	}
	return r
}

// Map puts pages at b, one each.
func (Aliases) Map(b []byte, pages []*[pageSize]byte, prot int) error {
	r := aliasRange(b)
	r.End = min(r.End, r.Start+uint64(len(pages))*pageSize)
	bits := access(prot)&(pteWrite|pteNoExec) | ptePresent | pteAccessed
	mapLock.Lock()
	defer mapLock.Unlock()
	defer flushTLB()
	// Each page on its own: a large entry is none for a page.
	for i, p := range pages {
		a := r.Start + uint64(i)*pageSize
		if a >= r.End {
			break
		}
		physical, _ := tables.lookup(uint64(address(p[:])))
		ok := mapped.cover(Range{a, a + pageSize}, true, func(a uint64, shift int, e *uint64) bool {
			old, ok := change(e, shift, func(v uint64) uint64 {
				if v&ptePresent != 0 && v&pteAddrMask == physical {
					return physical | bits | v&pteDirty
				}
				return physical | bits
			})
			if ok && stale(old, physical|bits) {
				flushLater(a)
			}
			return ok
		})
		if !ok {
			return syscall.ENOMEM
		}
	}
	return nil
}

// Unmap takes away what is at b, and calls stored for the pages of files that were
// written.
func (Aliases) Unmap(b []byte, stored func(page int)) error {
	r := aliasRange(b)
	var list []int
	mapLock.Lock()
	ok := mapped.clear(r, func(a, old uint64) {
		if old&ptePresent != 0 {
			flushLater(a)
		}
		switch {
		case old&pteOwn != 0:
			freeLater(uintptr(old & pteAddrMask))
		case old&pteDirty != 0:
			list = append(list, int((a-r.Start)/pageSize))
		}
	})
	mapped.prune(r, func(a uint64, table uintptr) {
		flushLater(a) // the CPUs keep addresses of tables, too
		freeLater(table)
	})
	flushTLB()
	mapLock.Unlock()
	for _, i := range list {
		stored(i)
	}
	if !ok {
		return syscall.ENOMEM
	}
	return nil
}

// Stored calls stored for the pages that were written, and with clear forgets
// that they were.
func (Aliases) Stored(b []byte, clear bool, stored func(page int)) {
	r := aliasRange(b)
	var list []int
	mapLock.Lock()
	mapped.present(r, func(a uint64, e *uint64) {
		if atomic.LoadUint64(e)&pteDirty == 0 {
			return
		}
		list = append(list, int((a-r.Start)/pageSize))
		if clear {
			atomic.AndUint64(e, ^uint64(pteDirty))
			flushLater(a)
		}
	})
	flushTLB() // behind which no CPU writes without setting the bit again
	mapLock.Unlock()
	for _, i := range list {
		stored(i)
	}
}

// Protect gives the anonymous mapping at b, which may be a new one, a protection.
func (Aliases) Protect(b []byte, prot int) error {
	r := aliasRange(b)
	if prot != 0 {
		memExpect(uintptr(len(b)))
	}
	mapLock.Lock()
	defer mapLock.Unlock()
	defer flushTLB()
	if !mapped.protect(r, access(prot), flushLater) {
		return syscall.ENOMEM
	}
	return nil
}

// Discard takes the pages of the anonymous mapping at b away: they are zero again.
func (Aliases) Discard(b []byte) {
	mapLock.Lock()
	defer mapLock.Unlock()
	mapped.discard(aliasRange(b), func(a, old uint64) {
		if old&ptePresent != 0 {
			flushLater(a)
		}
		freeLater(uintptr(old & pteAddrMask))
	})
	flushTLB()
}

// Resident calls f for the pages of the anonymous mapping at b that take memory.
func (Aliases) Resident(b []byte, f func(page int)) {
	r := aliasRange(b)
	mapLock.Lock()
	defer mapLock.Unlock()
	mapped.kept(r, func(a uint64, _ *uint64) { f(int((a - r.Start) / pageSize)) })
}

// Populate makes the pages of the anonymous mapping at b that may be accessed.
func (Aliases) Populate(b []byte) error {
	r := aliasRange(b)
	mapLock.Lock()
	defer mapLock.Unlock()
	for a := r.Start; a < r.End; {
		page := memPage(false)
		if page == 0 {
			return syscall.ENOMEM
		}
		switch mapped.touch(a, pteRead, false, page) {
		case touchTable, touchWants:
		case touchPage:
			a += pageSize
		default:
			memPageFree(page)
			a += pageSize
		}
	}
	return nil
}

// Move has the pages of the anonymous mapping at from lie at to, an anonymous
// mapping that nobody has touched. ENOMEM: nothing was changed.
func (Aliases) Move(to, from []byte) error {
	src, dst := aliasRange(from), aliasRange(to)
	mapLock.Lock()
	defer mapLock.Unlock()
	ok := true
	there := func(a uint64) Range {
		a = a - src.Start + dst.Start
		return Range{a, a + pageSize}
	}
	mapped.kept(src, func(a uint64, _ *uint64) {
		ok = ok && mapped.cover(there(a), true, func(_ uint64, shift int, _ *uint64) bool { return true })
	})
	if !ok {
		return syscall.ENOMEM
	}
	// A page must not be seen at both: first they go, then the CPUs forget, then
	// they come.
	var moved [flushMax]struct{ a, entry uint64 }
	n := 0
	put := func() {
		flushTLB()
		for _, m := range moved[:n] {
			mapped.cover(there(m.a), true, func(_ uint64, shift int, e *uint64) bool {
				_, ok := change(e, shift, func(uint64) uint64 { return m.entry })
				return ok
			})
		}
		n = 0
	}
	mapped.kept(src, func(a uint64, e *uint64) {
		old := atomic.SwapUint64(e, 0)
		flushLater(a)
		moved[n].a, moved[n].entry = a, old
		if n++; n == len(moved) {
			put()
		}
	})
	put()
	return nil
}
