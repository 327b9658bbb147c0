//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	"unsafe"
)

// A stack that grows needs a block of twice its size. If there is none, a
// goroutine of the runtime's collects the heap while the one that wants to grow
// waits; if there is none then, that is a stack overflow, and the limit is
// what fits. Who is told that a stack fits has the block: another CPU may take what
// was free a moment ago.

// memStackCheck is the size in bytes from which stacks are checked.
const memStackCheck = 256 << 10

// memStackShare is the part of the RAM that a stack must leave for the rest.
const memStackShare = 32

// memHelper is the goroutine that collects.
var memHelper struct {
	lock mutex
	g    *g
	idle bool // it waits for lock to be taken and itself to be made ready
	done atomic.Uint32

	waiter guintptr // the goroutine that wants to grow; the next one waits for it
	until  uint32   // what done has to be for waiter to give up
}

func memHelp() {
	memHelper.g = getg()
	for {
		lock(&memHelper.lock)
		memHelper.idle = true
		goparkunlock(&memHelper.lock, waitReasonForceGCIdle, traceBlockSystemGoroutine, 1)
		memSweep(memCollect())
		memHelper.done.Add(1)
	}
}

// osStackFits reports whether the running goroutine gp can have a stack of size
// bytes. It may have gp try again later and not return.
//
//go:systemstack
func osStackFits(gp *g, size uintptr) bool {
	if size < memStackCheck || memStackFits(size) && memStackTake(gp.m, size) {
		memHelper.waiter.cas(guintptr(unsafe.Pointer(gp)), 0)
		return true
	}
	if !canPreemptM(gp.m) || !memstats.enablegc || memHelper.g == nil || gp == memHelper.g {
		return true // it gets what there is
	}
	h := &memHelper
	lock(&h.lock)
	if h.waiter == 0 {
		h.waiter.set(gp)
		h.until = h.done.Load() + 2 // one that runs already may be late
	}
	overflow := h.waiter.ptr() == gp && int32(h.done.Load()-h.until) >= 0
	wake := h.idle && !overflow
	if wake {
		h.idle = false
	}
	unlock(&h.lock)
	if overflow {
		return false
	}
	if wake {
		ready(h.g, 0, true)
	}
	gp.syncSafePoint = true
	gopreempt_m(gp) // which enters the function again
	return true
}

func memStackFits(size uintptr) bool {
	if memAvailable() < size+memTotal/memStackShare {
		return false
	}
	run, ram, gathers := memFits(size)
	return run || ram || gathers
}

// memStackTake takes a block for a stack of mp's goroutine, for osStackSpan.
//
//go:systemstack
func memStackTake(mp *m, size uintptr) bool {
	mp.tries = true
	s := mheap_.allocManual(size/pageSize, spanAllocStack)
	mp.tries = false
	if s != nil {
		s.elemsize = size
	}
	mp.stackSpan = s
	return s != nil
}

// osStackSpan returns the block of npage pages that osStackFits has taken, nil if
// it has taken none.
func osStackSpan(npage uintptr) *mspan {
	mp := getg().m
	s := mp.stackSpan
	if s != nil && s.npages != npage {
		throw("a stack of another size than was asked for")
	}
	mp.stackSpan = nil
	return s
}
