//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	_ "unsafe" // for go:linkname
)

// waitsForFile tells of the calling goroutine that what wakes it next is a file, or that
// it does not wait any more. It then comes to the end of the queue of those that can
// run, as what the poller of other systems finds, and not to its head: of many pairs that
// answer each other all get their turns.
//
//go:linkname waitsForFile
func waitsForFile(on bool) {
	waits := uint8(0)
	if on {
		waits = waitForFile
	}
	getg().waits = waits
}

// othersReady reports whether other goroutines can run on the processor of the calling one, or
// wait for any processor.
//
//go:linkname othersReady
func othersReady() bool {
	mp := acquirem()
	ready := sched.runq.size != 0 || !runqempty(mp.p.ptr())
	releasem(mp)
	return ready
}

// What g.waits has. The fields that Go's own runtime has for a goroutine's wait are not for ticks to
// change: one may come in the midst of gopark, and bubbles of testing/synctest count by them.
const (
	waitForFile  = 1 << iota
	waitTraced   // switchHooks.wake is called
	waitServed   // the switch to it is not told, see systemCallSwitch
	waitComputes // a tick has ended a slice of the goroutine, which has not waited since
)

// osReady puts a goroutine that can run into the queues. A processor's own queue, which it
// looks into first, holds 256, and what does not fit goes to the global one: where that has
// any, or would soon, all that files wake goes there, or those in it would wait for as long as
// the others wake each other.
func osReady(pp *p, gp *g, next bool) {
	waits := gp.waits
	if waits == 0 {
		runqput(pp, gp, next)
		return
	}
	gp.waits = waits &^ (waitComputes | waitServed)
	if waits&waitTraced != 0 {
		switchWoken(gp)
	}
	if !next || waits&waitForFile == 0 {
		runqput(pp, gp, next)
		return
	}
	if sched.runq.size == 0 && pp.runqtail-atomic.Load(&pp.runqhead) < uint32(len(pp.runq))/2 {
		runqput(pp, gp, false)
		return
	}
	lock(&sched.lock)
	globrunqput(gp)
	unlock(&sched.lock)
}
