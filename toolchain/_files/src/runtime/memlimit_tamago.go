//go:build tamago

package runtime

// RAM is a hard limit; the collector's memory limit is a soft one. A goroutine
// that has assisted a mark phase has credit for what it may allocate before it
// assists again, in a heap with few pointers tens of MiB, and it takes them
// whether the mark phase ends in time or not: elsewhere the process grows beyond
// the limit for a while.
//
// So here whoever would take memory beyond the limit waits for the mark phase to
// end, and no allocation fails before a collection has shown that nothing else
// can be freed.

const (
	// memLimitShare is the part of the RAM that the limit leaves: for what the
	// heap takes beyond it until everybody waits.
	memLimitShare = 16
	// memLowShare is the part of the RAM that is kept for the last allocations
	// before and during a collection.
	memLowShare = 64
	// memGainShare is the part of the RAM that must have been allocated since the
	// last collection for another one to be worth its while.
	memGainShare = 64
)

// osMemoryLimit is the memory limit in bytes unless GOMEMLIMIT gives one.
func osMemoryLimit() int64 { return int64(memTotal - memTotal/memLimitShare) }

// memExceeds reports whether n bytes more exceed the limit.
func memExceeds(n uintptr) bool {
	limit := min(gcController.memoryLimit.Load(), osMemoryLimit())
	// Free pages of the heap are used before others.
	return int64(gcController.mappedReady.Load())-int64(gcController.heapFree.load())+int64(n) > limit
}

// memLow reports whether hardly any RAM is left.
func memLow() bool {
	return memAvailable() < memTotal/memLowShare
}

// memGain reports whether a collection may free a good deal.
func memGain() bool {
	return int64(gcController.heapLive.Load())-int64(gcController.heapMarked) >= int64(memTotal/memGainShare)
}

// osMemoryShort is asked when an allocation has taken another span: whether to
// wait for the mark phase that is under way, or else to start a collection.
func osMemoryShort() bool {
	if !memExceeds(0) {
		return false
	}
	if gcphase == _GCmark {
		return !gcCPULimiter.limiting() || memLow()
	}
	return gcphase == _GCoff && memLow() && memGain()
}

// osWaitForMark waits for the end of the mark phase if there is one and memory is
// short, and reports whether it was so.
func osWaitForMark(t gcTrigger) bool {
	if t.kind != gcTriggerHeap || gcphase != _GCmark {
		return false
	}
	if osMemoryShort() {
		gcWaitOnMark(work.cycles.Load())
	}
	return true
}

// osReserve is called before size bytes are allocated that take pages of their
// own. It collects the heap first if they exceed the limit or do not fit.
func osReserve(size uintptr) {
	exceeds := memExceeds(size)
	if !exceeds && size < heapArenaBytes/4 && memLeft >= 2*heapArenaBytes {
		return
	}
	mp := acquirem()
	gp := getg()
	wait := gp != mp.g0 && gp != mp.gsignal && mp.locks == 1 && mp.preemptoff == "" &&
		memstats.enablegc && panicking.Load() == 0
	releasem(mp)
	if !wait {
		return
	}
	if exceeds && !gcCPULimiter.limiting() {
		if gcphase == _GCmark {
			gcWaitOnMark(work.cycles.Load())
		} else if memGain() {
			memCollect()
		}
	}
	// What was allocated during a mark phase outlives it: two collections free
	// all that can be.
	for i := 0; i < 2; i++ {
		run, ram, gathers := memFits(size)
		if run || ram && !memBeyond(size) || (ram || gathers) && !memGain() {
			return
		}
		memSweep(memCollect())
	}
}

// memTries is how often a large block is asked for. Another CPU, or whoever ran in
// between, may have taken what a collection had freed.
const memTries = 8

// osTries reports whether it is no error if the memory asked for is not there.
func osTries() bool { return getg().m.tries }

// osAllocLarge allocates a span for size bytes on the thread *mp, which it may
// change, and with it the cache *c.
func osAllocLarge(mp **m, c **mcache, size uintptr, noscan bool) *mspan {
	for i := 1; ; i++ {
		(*mp).tries = i < memTries && memGain()
		s := (*c).allocLarge(size, noscan)
		(*mp).tries = false
		if s != nil {
			return s
		}
		(*mp).mallocing = 0
		releasem(*mp)
		osReserve(size)
		*mp = acquirem()
		(*mp).mallocing = 1
		*c = getMCache(*mp)
	}
}

// memCollect runs a collection up to its sweep phase and returns its number.
func memCollect() uint32 {
	n := work.cycles.Load()
	gcWaitOnMark(n)
	gcStart(gcTrigger{kind: gcTriggerCycle, n: n + 1})
	gcWaitOnMark(n + 1)
	return n + 1
}

// memSweep frees what collection n has found to be garbage.
func memSweep(n uint32) {
	for work.cycles.Load() == n && sweepone() != ^uintptr(0) {
		Gosched()
	}
	for work.cycles.Load() == n && !isSweepDone() {
		Gosched()
	}
}

// memAvailable returns about how many bytes the heap has free and can still get.
func memAvailable() uintptr {
	left := memLeft
	return left - min(left, memKept()) + memHeapFree()
}

// memFits reports whether the heap has a run of free memory of size bytes, whether
// the RAM has one for the heap to grow by, and if neither, whether one can be gathered.
func memFits(size uintptr) (run, ram, gathers bool) {
	npages := alignUp(size, pageSize) / pageSize
	systemstack(func() {
		lock(&mheap_.lock)
		base, _ := mheap_.pages.find(npages)
		run = base != 0
		lock(&memlock)
		ask := alignUp(size, heapArenaBytes)
		ram = memLeft >= ask+memKept() && *memFind(ask, heapArenaBytes) != nil
		unlock(&memlock)
		if !run && !ram {
			free, loose := memGatherable(&mheap_, npages)
			gathers = free+loose >= npages
		}
		unlock(&mheap_.lock)
	})
	return run, ram, gathers
}
