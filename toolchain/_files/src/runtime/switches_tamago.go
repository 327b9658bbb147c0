//go:build tamago

package runtime

import _ "unsafe" // for go:linkname

// Switches of goroutines, for a trace of the machine. Where nobody traces they cost no instruction: the scheduler comes
// here by way of what it looks at anyway. What it does of itself without a choice, as iter.Pull has coroutines change, is
// not seen.

// switchHooks are called on the system stack of the core. They must not block, allocate or write pointers. What leads to
// them is called for each switch, and does not look for room on that stack.
var switchHooks struct {
	// run is called when the goroutine with the number id is about to run on this core; left is why the one
	// before does not.
	run func(id uint64, left uint32)
	// wake is called when the goroutine with the number id can run again because of another one, by; 0 if it is
	// because of a timer, or of the runtime.
	wake func(id, by uint64)
}

// switchTraced in m.profilehz has it differ from sched.profilehz, whatever that is, so that execute
// calls setThreadCPUProfiler each time.
const switchTraced = 1 << 30

// traceSwitches has the hooks called from now on.
//
//go:linkname traceSwitches
func traceSwitches(run func(id uint64, left uint32), wake func(id, by uint64)) {
	lock(&sched.lock)
	switchHooks.run, switchHooks.wake = run, wake
	for mp := allm; mp != nil; mp = mp.alllink {
		mp.profilehz |= switchTraced
	}
	unlock(&sched.lock)
}

// lastRun is the last goroutine that was chosen for a core, until it is known why it does not run any more.
type lastRun struct {
	m  muintptr // whose thread ran it
	g  guintptr
	id uint64
}

// is reports whether gp, on the thread mp, is the last one.
func (l *lastRun) is(mp *m, gp *g) bool {
	return l.m.ptr() == mp && l.g.ptr() == gp && l.id == gp.goid
}

// Why a goroutine does not run any more. A wait has its waitReason besides.
const (
	leftUnknown  = iota // there was none, or that has been told
	leftRunnable        // others have their turn
	leftEnded
	leftHeld // it goes on when its thread does, which waits for others of the runtime's
	leftWaits
)

// notParked is what waitTraceSkip of an m is until its goroutine parks, which sets it.
const notParked = -1

// switchTo tells that mp is about to run its curg.
//
//go:nosplit
func switchTo(mp *m) {
	c, gp := mp.thread.core.ptr(), mp.curg
	if gp.waits&waitServed != 0 {
		gp.waits = gp.waits&^waitServed | waitTraced
		return
	}
	left := c.left()
	c.last.m.set(mp)
	c.last.g.set(gp)
	c.last.id = gp.goid
	mp.waitTraceSkip = notParked
	gp.waits |= waitTraced
	switchHooks.run(gp.goid, left)
}

// switchLeft tells, on a core that is about to idle, why its goroutine does not run any more.
//
//go:linkname switchLeft
func switchLeft() uint32 { return coreOf(getg()).left() }

// left tells once why the last goroutine of c does not run any more.
//
//go:nosplit
func (c *core) left() uint32 {
	mp, gp := c.last.m.ptr(), c.last.g.ptr()
	if mp == nil {
		return leftUnknown
	}
	c.last.m = 0
	switch {
	case mp.waitTraceSkip != notParked && gp.goid == c.last.id:
		return leftWaits + uint32(gp.waitreason)
	case mp.waitTraceSkip != notParked:
		return leftWaits
	case mp.curg == gp && gp.goid == c.last.id:
		return leftHeld
	case gp.goid != c.last.id || readgstatus(gp)&^_Gscan == _Gdead:
		return leftEnded
	}
	return leftRunnable
}

// switchWoken tells that gp can run again.
//
//go:nosplit
func switchWoken(gp *g) {
	by := uint64(0)
	if waker := getg().m.curg; waker != nil {
		by = waker.goid
	}
	switchHooks.wake(gp.goid, by)
}

// switchWaitsForFile is waitsForFile where switches are traced.
//
//go:linkname switchWaitsForFile
func switchWaitsForFile(on bool) {
	waitsForFile(on)
	getg().waits |= waitTraced
}

// switchForget has no core remember mp, which ends.
func switchForget(mp *m) {
	if switchHooks.run == nil {
		return
	}
	for i := range coreCount {
		if c := coreAt(i); c.last.m.ptr() == mp {
			c.last.m = 0
		}
	}
}

// switchReason has words for why a goroutine does not run any more.
//
//go:linkname switchReason
func switchReason(left uint32) string {
	switch left {
	case leftUnknown:
		return ""
	case leftRunnable:
		return "runnable"
	case leftEnded:
		return "ended"
	case leftHeld:
		return "runtime"
	case leftWaits:
		return "waits"
	}
	return waitReason(left - leftWaits).String()
}
