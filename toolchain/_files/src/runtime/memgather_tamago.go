//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

// The heap lies where the RAM does, one address for both, so that it may be full of
// holes and have no room for a large block. Then pages are gathered, free ones of the
// heap and RAM that it does not have yet, wherever they lie, behind a run of new
// addresses above the RAM. The old addresses of the heap's stay allocated for good: no
// other CPU has to forget a translation. A run costs 0.3 % of its size, for page
// tables and the index of the heap.
//
// The rule for who asks whether something fits: only what a run can be made of
// counts, by the heap's lists and not by its counters. Those have pages as free that
// a P keeps in its cache, and those that another CPU is about to take.

// memBeyondShare is the part of the limit by which the RAM in use may exceed it
// before pages are gathered rather than more RAM taken.
const memBeyondShare = 64

// memStep is how many pages are gathered for small blocks if they come from the RAM.
const memStep = 64

var (
	// memPrepare makes the page tables for the n bytes at the address to, and
	// reports whether there was memory for them (memTable's). The machine sets it.
	//
	//go:linkname memPrepare
	memPrepare func(to, n uintptr) bool
	// memMap has the n bytes at the address to, whole pages that are prepared, lead
	// to the same memory as those at from. The machine sets it.
	//
	//go:linkname memMap
	memMap func(to, from, n uintptr)

	// memAbove is the next address above the RAM, memGathering tells that the heap
	// is to grow there. The heap's lock guards both.
	memAbove     uintptr
	memGathering bool
)

// memTable returns a zeroed page, 0 if there is none.
//
//go:linkname memTable
func memTable() uintptr { return uintptr(memReserve(physPageSize, physPageSize, false)) }

// memTables returns how many bytes of RAM the page tables and the index of the heap
// take for n bytes of addresses, at most.
func memTables(n uintptr) uintptr {
	arenas := alignUp(n, heapArenaBytes) / heapArenaBytes
	tables := arenas*(heapArenaBytes>>21) + 3
	return tables*physPageSize + arenas*(unsafe.Sizeof(heapArena{})+512) + persistentChunkSize
}

// memReserveAbove reserves size bytes of addresses above the RAM.
func memReserveAbove(size, align uintptr) uintptr {
	p := alignUp(memAbove, align)
	if p+size < p || p+size > 1<<osHeapAddrBits {
		return 0
	}
	memAbove = p + size
	return p
}

// memHeapFree returns how many bytes of the heap are free, those included that are
// about to be taken.
func memHeapFree() uintptr {
	return uintptr(gcController.heapFree.load() + gcController.heapReleased.load())
}

// memFreePages counts the free pages of the heap, whose lock is held.
//
//go:systemstack
func memFreePages(h *mheap) (n uintptr) {
	for _, r := range h.pages.inUse.ranges {
		for c := chunkIndex(r.base.addr()); c < chunkIndex(r.limit.addr()-1)+1; c++ {
			n += pallocChunkPages - uintptr((*pageBits)(&h.pages.chunkOf(c).pallocBits).popcntRange(0, pallocChunkPages))
		}
	}
	return n
}

// memGatherable returns how many pages a run for npage pages could be made of: free
// ones of the heap, whose lock is held, and in the RAM.
//
//go:systemstack
func memGatherable(h *mheap, npage uintptr) (free, ram uintptr) {
	lock(&memlock)
	ram, left := memLoose(), memLeft
	unlock(&memlock)
	if memMap == nil || left < memTables(npage*pageSize) {
		return 0, 0
	}
	return memFreePages(h), ram
}

// memBeyond reports whether the runtime has more than the limit and a little from
// the RAM if it takes n bytes more, free and not.
func memBeyond(n uintptr) bool {
	limit := osMemoryLimit()
	return int64(gcController.mappedReady.Load())+int64(gcController.heapReleased.load())+int64(n) > limit+limit/memBeyondShare
}

// osGather is called when the heap, whose lock is held, is about to grow by ask
// bytes, whole arenas, for npage contiguous pages. If that is too much it gathers
// pages instead, of the RAM only as many as the heap lacks, and returns the bytes
// that the heap has gained room for. If there are not enough it returns 0.
//
// There is a last call, after the RAM has turned out to have no such run.
//
//go:systemstack
func osGather(h *mheap, npage, ask uintptr, last bool) uintptr {
	if memMap == nil || !last && !memBeyond(ask) {
		return 0
	}
	free, ram := memGatherable(h, ask/pageSize)
	if free+ram < npage {
		return 0
	}
	memGathering = true
	av, asize := h.sysAlloc(ask, &h.arenaHints, &h.heapArenas)
	memGathering = false
	if av == nil || !memPrepare(uintptr(av), asize) {
		return 0
	}
	to := uintptr(av)
	for a := to; a < to+asize; a += heapArenaBytes {
		ai := arenaIndex(a)
		h.arenas[ai.l1()][ai.l2()].zeroedBase = heapArenaBytes // nothing there is zero
	}

	// What is to spare of the arenas is of use for smaller blocks.
	want := max(npage, free/2)
	if ask == heapArenaBytes && free < npage {
		want = max(npage, memStep)
	}
	want = min(want, free+ram, asize/pageSize)
	got, ready, released := uintptr(0), uintptr(0), uintptr(0)
	for ; got < min(want, free); got++ {
		p, scav := h.pages.alloc(1)
		if p == 0 {
			throw("a free page is not there")
		}
		ready += pageSize - scav
		released += scav
		memMap(to+got*pageSize, p, pageSize)
	}
	// These pages leave the heap at their old addresses
	gcController.heapFree.add(-int64(ready))
	gcController.heapReleased.add(-int64(released))
	gcController.mappedReady.Add(-int64(ready))
	for got < want {
		p, n := memPiece((want - got) * pageSize)
		if n == 0 {
			break // another CPU was faster, and has used up what is kept as well
		}
		memMap(to+got*pageSize, p, n)
		got += n / pageSize
	}
	// and come, with those of the RAM, at the new ones.
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
