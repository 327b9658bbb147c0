//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

// Anonymous mappings get their pages from the heap's free ones, half a page of
// the heap each, when they are touched. To the collector and its memory limit they
// are memory that is in use and no part of the heap.
//
// The rule for a fault: it is served on the signal stack of the thread that has
// faulted, which stays a thread: it may wait for the runtime's locks. Where the
// thread holds such locks itself, or does not run a goroutine, there are a few
// spare pages; behind those, that is the end of the program.

const (
	memPageSize = 4096 // of the machine
	memSpares   = 32
)

var (
	// memFault serves a page fault at an address, see [trapgo]. The machine sets it.
	//
	//go:linkname memFault
	memFault func(addr, code uintptr, spare bool) (served, short bool)
	// memPhysical gives the physical address of a page of the heap. The machine
	// sets it.
	//
	//go:linkname memPhysical
	memPhysical func(addr uintptr) uintptr

	// memFrames has, by the physical address, what is known of pages of the heap
	// that mappings use: the number of the page in the heap, and in the lowest two
	// bits which halves are free. The heap's lock guards it, and what follows.
	memFrames    unsafe.Pointer
	memFramesLen uintptr
	// memHalf heads the list of free halves whose other one is in use. It goes
	// through the pages themselves.
	memHalf uintptr

	memSpare [memSpares]atomic.Uintptr
)

// memHalfLink is what a free half holds.
type memHalfLink struct{ next, prev uintptr }

func memHalfAt(p uintptr) *memHalfLink { return (*memHalfLink)(unsafe.Pointer(p)) }

// memFrame is the entry of the page of the heap in which the physical address p
// lies.
func memFrame(p uintptr) *uint32 {
	i := p / pageSize
	if i >= memFramesLen {
		throw("no page of a mapping")
	}
	return (*uint32)(add(memFrames, i*4))
}

// memPage takes a zeroed page and returns its physical address, at which it can
// be used, too; 0: there is none.
//
//go:linkname memPage
func memPage(spare bool) uintptr {
	if spare {
		for i := range memSpare {
			if p := memSpare[i].Swap(0); p != 0 {
				return p
			}
		}
		return 0
	}
	p := memPageTake()
	if p == 0 {
		return 0
	}
	for i := range memSpare {
		if memSpare[i].Load() != 0 {
			continue
		}
		q := memPageTake()
		if q == 0 {
			break
		}
		if !memSpare[i].CompareAndSwap(0, q) {
			memPageFree(q)
		}
	}
	return p
}

func memPageTake() (p uintptr) {
	systemstack(func() {
		lock(&mheap_.lock)
		p = memTake(&mheap_)
		unlock(&mheap_.lock)
	})
	if p != 0 {
		memclrNoHeapPointers(unsafe.Pointer(p), memPageSize)
	}
	return p
}

// memTake takes half a page of the heap, whose lock is held.
//
//go:systemstack
func memTake(h *mheap) uintptr {
	if p := memHalf; p != 0 {
		memUnlinkHalf(p)
		*memFrame(p) &^= 3
		return p
	}
	if memFrames == nil {
		lock(&memlock)
		memFramesLen = alignUp(memTop, pageSize) / pageSize
		memFrames = unsafe.Pointer(memAlloc(memFramesLen*4, physPageSize, false))
		unlock(&memlock)
		if memFrames == nil {
			return 0
		}
	}
	if memAvailable() < memTotal/memLowShare {
		return 0 // the rest is for the runtime
	}
	base, scav := h.pages.alloc(1)
	if base == 0 {
		mp := getg().m
		tries := mp.tries
		mp.tries = true
		h.grow(1)
		mp.tries = tries
		if base, scav = h.pages.alloc(1); base == 0 {
			return 0
		}
	}
	h.allocNeedsZero(base, 1) // from now on: it is back some day, and written
	memCount(1, scav)
	p := memPhysical(base)
	memForget(h, base)
	memForget(h, p)
	*memFrame(p) = uint32(base/pageSize) << 2
	memFreeHalfAt(p + memPageSize)
	return p
}

// memForget has the heap's index lead nowhere for a page that is not the heap's any
// more. Pointers to it, as to entries of page tables, may lie on stacks, and the
// collector takes one to a span that is gone for a fault of the program.
//
//go:systemstack
func memForget(h *mheap, addr uintptr) {
	i := arenaIndex(addr)
	if i.l2() >= uint(len(h.arenas[0])) {
		return
	}
	if arena := h.arenas[0][i.l2()]; arena != nil {
		arena.spans[addr/pageSize%pagesPerArena] = nil
	}
}

// memCount counts a page of the heap, with scav bytes that are released, as one
// of mappings (n is 1), or back (-1).
//
//go:systemstack
func memCount(n int64, scav uintptr) {
	ready := int64(pageSize - scav)
	gcController.heapFree.add(-n * ready)
	gcController.heapReleased.add(-n * int64(scav))
	gcController.mappedReady.Add(n * int64(scav))
	memstats.other_sys.add(n * pageSize)
	stats := memstats.heapStats.acquire()
	atomic.Xaddint64(&stats.committed, -n*ready)
	atomic.Xaddint64(&stats.released, -n*int64(scav))
	memstats.heapStats.release()
}

// memPageFree gives back what memPage has returned.
//
//go:linkname memPageFree
func memPageFree(p uintptr) {
	systemstack(func() {
		lock(&mheap_.lock)
		memGive(&mheap_, p)
		unlock(&mheap_.lock)
	})
}

//go:systemstack
func memGive(h *mheap, p uintptr) {
	frame, half := memFrame(p), p/memPageSize%2
	if *frame == 0 || *frame>>half&1 != 0 {
		throw("a page of a mapping is freed twice")
	}
	other := p ^ memPageSize
	if *frame&3 == 0 {
		memFreeHalfAt(p)
		return
	}
	memUnlinkHalf(other)
	base := uintptr(*frame>>2) * pageSize
	*frame = 0
	memCount(-1, 0)
	h.pages.free(base, 1)
}

// memFreeHalfAt adds the half at p to the free ones.
func memFreeHalfAt(p uintptr) {
	*memFrame(p) |= 1 << (p / memPageSize % 2)
	*memHalfAt(p) = memHalfLink{next: memHalf}
	if memHalf != 0 {
		memHalfAt(memHalf).prev = p
	}
	memHalf = p
}

func memUnlinkHalf(p uintptr) {
	f := memHalfAt(p)
	if f.prev != 0 {
		memHalfAt(f.prev).next = f.next
	} else {
		memHalf = f.next
	}
	if f.next != 0 {
		memHalfAt(f.next).prev = f.prev
	}
}

// memExpect has the heap collected if n bytes of pages could not be had otherwise.
//
//go:linkname memExpect
func memExpect(n uintptr) {
	if memAvailable() < n+memTotal/memLowShare && n < memTotal && memGain() {
		memSweep(memCollect())
	}
}

// memServe serves the page fault f of gp.
func memServe(f *trapFrame, gp *g) bool {
	if memFault == nil {
		return false
	}
	mp := gp.m
	spare := gp != mp.curg || mp.locks != 0 || mp.mallocing != 0
	served, short := memFault(uintptr(f.cr2), uintptr(f.code), spare)
	if short {
		trapFatal(f, gp, "out of memory")
	}
	return served
}
