//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	_ "unsafe" // for go:linkname
)

// The heap lies where the RAM does, one address for both, so that it may be full of
// holes and have no room for a large block. Then free pages are gathered, wherever
// they lie, behind a run of new addresses above the RAM. Their old addresses stay
// allocated for good: no other CPU has to forget a translation. A run costs 0.3 % of
// its size, for page tables and the index of the heap.

// memBeyondShare is the part of the limit by which the RAM in use may exceed it
// before free pages are gathered rather than more RAM taken.
const memBeyondShare = 64

var (
	// memMap has the n bytes at the address to, whole pages that nothing is
	// mapped at, lead to the same memory as those at from. It takes its page
	// tables with memTable. The machine sets it.
	//
	//go:linkname memMap
	memMap func(to, from, n uintptr) bool

	// memAbove is the next address above the RAM, memGathering tells that the heap
	// is to grow there. The heap's lock guards both.
	memAbove     uintptr
	memGathering bool
)

// memTable returns a zeroed page, 0 if there is none.
//
//go:linkname memTable
func memTable() uintptr { return uintptr(memReserve(physPageSize, physPageSize, false)) }

// memReserveAbove reserves size bytes of addresses above the RAM.
func memReserveAbove(size, align uintptr) uintptr {
	p := alignUp(memAbove, align)
	if p+size < p || p+size > 1<<osHeapAddrBits {
		return 0
	}
	memAbove = p + size
	return p
}

// memHeapFree returns how many bytes of the heap are free.
func memHeapFree() uintptr {
	return uintptr(gcController.heapFree.load() + gcController.heapReleased.load())
}

// memGrow gives the heap, whose lock is held, single arenas until it has n free
// bytes or there are no more.
//
//go:systemstack
func memGrow(h *mheap, n uintptr) {
	for memHeapFree() < n {
		v, size := h.sysAlloc(heapArenaBytes, &h.arenaHints, &h.heapArenas)
		if v == nil {
			return
		}
		sysMap(v, size, &gcController.heapReleased, "heap")
		stats := memstats.heapStats.acquire()
		atomic.Xaddint64(&stats.released, int64(size))
		memstats.heapStats.release()
		h.pages.grow(uintptr(v), size)
	}
}

// memBeyond reports whether the runtime has more than the limit and a little from
// the RAM if it takes n bytes more, free and not.
func memBeyond(n uintptr) bool {
	limit := osMemoryLimit()
	return int64(gcController.mappedReady.Load())+int64(gcController.heapReleased.load())+int64(n) > limit+limit/memBeyondShare
}

// osGather is called when the heap, whose lock is held, is about to grow by ask
// bytes, whole arenas, for npage contiguous pages. If that is too much it gathers
// free pages instead, and returns the bytes that the heap has gained room for. If
// there are not enough free pages it returns 0.
//
// There is a last call, after the RAM has turned out to have no such run.
//
//go:systemstack
func osGather(h *mheap, npage, ask uintptr, last bool) uintptr {
	if memMap == nil || !last && !memBeyond(ask) {
		return 0
	}
	if last {
		memGrow(h, npage*pageSize)
	}
	free := memHeapFree() / pageSize
	if free < npage {
		return 0
	}
	memGathering = true
	av, asize := h.sysAlloc(ask, &h.arenaHints, &h.heapArenas)
	memGathering = false
	if av == nil {
		return 0
	}
	to := uintptr(av)
	for a := to; a < to+asize; a += heapArenaBytes {
		ai := arenaIndex(a)
		h.arenas[ai.l1()][ai.l2()].zeroedBase = heapArenaBytes // nothing there is zero
	}

	// What is to spare of the arenas is of use for smaller blocks.
	npage = min(max(npage, free/2), asize/pageSize)
	got, ready, released := uintptr(0), uintptr(0), uintptr(0)
	for ; got < npage; got++ {
		p, scav := h.pages.alloc(1)
		if p == 0 {
			break
		}
		ready += pageSize - scav
		released += scav
		if !memMap(to+got*pageSize, p, pageSize) {
			break
		}
	}
	// These pages leave the heap at their old addresses
	gcController.heapFree.add(-int64(ready))
	gcController.heapReleased.add(-int64(released))
	gcController.mappedReady.Add(-int64(ready))
	// and come back at the new ones.
	sysMap(av, got*pageSize, &gcController.heapReleased, "heap")
	stats := memstats.heapStats.acquire()
	atomic.Xaddint64(&stats.committed, -int64(ready))
	atomic.Xaddint64(&stats.released, int64(got*pageSize)-int64(released))
	memstats.heapStats.release()
	h.pages.grow(to, asize)
	if n := asize/pageSize - got; n > 0 {
		h.pages.allocRange(to+got*pageSize, n) // behind which there is nothing
	}
	return got * pageSize
}
