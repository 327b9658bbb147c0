//go:build tamago

package runtime

import (
	"runtime/goos"
	"unsafe"
)

// Memory comes from the RAM that the machine has, in up to maxMemRegions ranges
// of addresses (RAM goes on above the hole below 4 GiB). All of it is mapped
// from the start, so reserving is allocating, and mapping does nothing. What is left
// of RAM when the heap has no run that is long enough, see memgather_tamago.go.

const isSbrkPlatform = true

const maxMemRegions = 8

// memRegion is a range of RAM that the machine offers beyond goos.RamStart.
type memRegion struct{ start, end uintptr }

// memExtra holds ranges of RAM besides [RamStart, RamStart+RamSize). The machine
// fills it before the runtime starts.
//
//go:linkname memExtra
var memExtra [maxMemRegions]memRegion

// memFresh holds ranges of RAM that nobody has written since the machine was made,
// so that it is zero but for the heads of free blocks, and the host may not have given
// it a page yet. The machine fills it before the runtime starts, by address. memlock
// guards it.
//
//go:linkname memFresh
var memFresh [maxMemRegions]memRegion

// memBlock heads a free block of memory; blocks are page-aligned, a multiple of
// the page size long, sorted by address and never adjacent.
type memBlock struct {
	next *memBlock
	size uintptr
}

var (
	memlock     mutex
	memFreeList *memBlock
	memTotal    uintptr // bytes of RAM behind the image
	memTop      uintptr // the end of it
	memLeft     uintptr // bytes in memFreeList
)

// memInit takes all RAM behind the image, but for the boot stack, as free.
func memInit() {
	bloc := goos.Bloc
	if bloc == 0 {
		bloc = firstmoduledata.end
	}
	memAdd(bloc, uintptr(goos.RamStart+goos.RamSize-goos.RamStackOffset)-osStackSize)
	for _, r := range memExtra {
		memAdd(r.start, r.end)
	}
	for i, end := 0, uintptr(0); i < len(memFresh); i++ { // what is not in order is not told
		if memFresh[i].start < end {
			memFresh[i] = memRegion{}
		}
		end = max(end, memFresh[i].end)
	}
	memTotal = memLeft
	memAbove = 1 << 32 // the devices end there
	for b := memFreeList; b != nil; b = b.next {
		memTop = max(memTop, uintptr(unsafe.Pointer(b))+b.size)
	}
	memAbove = max(memAbove, memTop)
}

// memTaken returns how many bytes of RAM the runtime has taken, the image's included.
//
//go:linkname memTaken
func memTaken() uintptr {
	return memTotal - memLeft + firstmoduledata.end - uintptr(goos.RamStart)
}

// osStackSize is what rt0_go takes for the stack of g0, with some room.
const osStackSize = 72 << 10

func memAdd(start, end uintptr) {
	start = alignUp(start, physPageSize)
	end = alignDown(min(end, 1<<osHeapAddrBits), physPageSize)
	if start < end {
		memFree(start, end-start)
	}
}

// memFind returns the link to the first free block that has n bytes, a multiple
// of the page size, at a multiple of align; to nil if there is none. memlock must
// be held.
//
//go:systemstack
func memFind(n, align uintptr) **memBlock {
	link := &memFreeList
	for ; *link != nil; link = &(*link).next {
		start := uintptr(unsafe.Pointer(*link))
		p := alignUp(start, align)
		if p >= start && p+n >= p && p+n <= start+(*link).size {
			break
		}
	}
	return link
}

// memAlloc takes n bytes at a multiple of align from the free list, zeroed, or
// returns 0. The heap takes them from the start of a block (low), so that what it
// has is contiguous, everything else from the end. memlock must be held.
//
//go:systemstack
func memAlloc(n, align uintptr, low bool) uintptr {
	n = alignUp(n, physPageSize)
	link := memFind(n, align)
	b := *link
	if b == nil {
		return 0
	}
	start := uintptr(unsafe.Pointer(b))
	end := start + b.size
	p := alignUp(start, align)
	if !low {
		p = alignDown(end-n, align)
	}
	next := b.next
	if p+n < end {
		rest := (*memBlock)(unsafe.Pointer(p + n))
		memLink(&rest.next, next)
		rest.size = end - (p + n)
		next = rest
	}
	if p > start {
		b.size = p - start
		memLink(&b.next, next)
	} else {
		memLink(link, next)
	}
	memLeft -= n
	if p == start {
		memHeadless(b)
	}
	memClear(p, n)
	return p
}

// memKept is what the heap leaves of the RAM, for its own index and the rest of the
// runtime, which cannot do without.
func memKept() uintptr { return memTotal / memLowShare }

// memLoose counts the pages of the heap's size that it can still have from the RAM,
// wherever they lie. memlock must be held.
//
//go:systemstack
func memLoose() (n uintptr) {
	for b := memFreeList; b != nil; b = b.next {
		start := uintptr(unsafe.Pointer(b))
		if first, end := alignUp(start, pageSize), alignDown(start+b.size, pageSize); first < end {
			n += (end - first) / pageSize
		}
	}
	return n - min(n, memKept()/pageSize)
}

// memPiece takes up to n bytes, pages of the heap's size, in one piece from the free
// list; got is 0 if there is no such page.
//
//go:systemstack
func memPiece(n uintptr) (p, got uintptr) {
	lock(&memlock)
	if b := *memFind(pageSize, pageSize); b != nil {
		start := uintptr(unsafe.Pointer(b))
		got = min(n, alignDown(start+b.size, pageSize)-alignUp(start, pageSize))
		p = memAlloc(got, pageSize, false)
	}
	unlock(&memlock)
	return p, got
}

// memClear zeroes [p, p+n), which has been taken, unless it is zero, and is not fresh
// from now on. Of a fresh range that it divides the larger part stays one, or both if
// there is room for them.
//
//go:systemstack
func memClear(p, n uintptr) {
	end := p + n
	for i := range memFresh {
		r := &memFresh[i]
		from, to := max(p, r.start), min(end, r.end)
		if from >= to {
			continue
		}
		memclrNoHeapPointers(unsafe.Pointer(p), from-p)
		p = to
		if rest := memFresh[i+1:]; len(rest) > 0 && rest[len(rest)-1].end == 0 && r.start < from && to < r.end {
			copy(rest[1:], rest)
			rest[0] = memRegion{to, r.end}
			r.end = from
		} else if from-r.start < r.end-to {
			r.start = to
		} else {
			r.end = from
		}
	}
	memclrNoHeapPointers(unsafe.Pointer(p), end-p)
}

// memFree adds [p, p+n), whole pages, to the free list. memlock must be held.
//
//go:systemstack
func memFree(p, n uintptr) {
	memLeft += n
	link := &memFreeList
	var before *memBlock
	for *link != nil && uintptr(unsafe.Pointer(*link)) < p {
		before = *link
		link = &before.next
	}
	b := (*memBlock)(unsafe.Pointer(p))
	b.size = n
	memLink(&b.next, *link)
	if after := b.next; after != nil && p+n == uintptr(unsafe.Pointer(after)) {
		b.size += after.size
		memLink(&b.next, after.next)
		memHeadless(after)
	}
	if before != nil && uintptr(unsafe.Pointer(before))+before.size == p {
		before.size += b.size
		memLink(&before.next, b.next)
		memHeadless(b)
	} else {
		memLink(link, b)
	}
}

// memHeadless clears the head of a block that has become a part of another one.
//
//go:nosplit
func memHeadless(b *memBlock) {
	memLink(&b.next, nil)
	b.size = 0
}

// memLink stores without a write barrier: the blocks are not heap objects.
//
//go:nosplit
func memLink(link **memBlock, b *memBlock) {
	*(*uintptr)(unsafe.Pointer(link)) = uintptr(unsafe.Pointer(b))
}

func sysAllocOS(n uintptr, _ string) unsafe.Pointer {
	return memReserve(n, physPageSize, false)
}

func memReserve(n, align uintptr, low bool) unsafe.Pointer {
	var p uintptr
	systemstack(func() {
		lock(&memlock)
		if !low || memLeft >= n+memKept() {
			p = memAlloc(n, align, low)
		}
		unlock(&memlock)
	})
	return unsafe.Pointer(p)
}

func sysFreeOS(v unsafe.Pointer, n uintptr) {
	systemstack(func() {
		lock(&memlock)
		memFree(uintptr(v), alignUp(n, physPageSize))
		unlock(&memlock)
	})
}

func sysReserveOS(v unsafe.Pointer, n uintptr, _ string) unsafe.Pointer {
	if v != nil {
		return nil // no address can be asked for
	}
	return memReserve(n, physPageSize, false)
}

func sysReserveAlignedSbrk(size, align uintptr) (unsafe.Pointer, uintptr) {
	if memGathering {
		return unsafe.Pointer(memReserveAbove(size, align)), size
	}
	p := memReserve(size, align, true)
	if p == nil {
		return nil, 0
	}
	return p, size
}

func sysMapOS(v unsafe.Pointer, n uintptr, _ string)    {}
func sysUnusedOS(v unsafe.Pointer, n uintptr)           {}
func sysUsedOS(v unsafe.Pointer, n uintptr)             {}
func sysHugePageOS(v unsafe.Pointer, n uintptr)         {}
func sysNoHugePageOS(v unsafe.Pointer, n uintptr)       {}
func sysHugePageCollapseOS(v unsafe.Pointer, n uintptr) {}
func sysFaultOS(v unsafe.Pointer, n uintptr)            {}
func needZeroAfterSysUnusedOS() bool                    { return true }
