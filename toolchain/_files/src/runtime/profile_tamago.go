//go:build tamago

package runtime

import (
	"internal/abi"
	"internal/runtime/sys"
	_ "unsafe" // for go:linkname
)

// CPU profiles. The timer's ticks sample what they interrupt, whatever stack it
// is on. While the program is profiled they come at a steady pace, and those that
// find the CPU idle do not count.

// tickEvery has the machine's timer tick every ns nanoseconds at least, be the
// CPU busy or not; 0 ends that. The machine sets it before the runtime starts.
//
//go:linkname tickEvery
var tickEvery func(ns int64)

// setProcessCPUProfiler is called when the rate, in samples a second, changes; 0
// ends a profile.
func setProcessCPUProfiler(hz int32) {
	switch {
	case tickEvery == nil:
	case hz == 0:
		tickEvery(0)
	default:
		tickEvery(1e9 / int64(hz))
	}
}

// setThreadCPUProfiler sets the rate for the running m. The scheduler calls it, on g0, before it runs a goroutine, if the
// rate has changed or somebody traces switches.
//
//go:nosplit
func setThreadCPUProfiler(hz int32) {
	mp := getg().m
	if switchHooks.run == nil {
		mp.profilehz = hz
		return
	}
	mp.profilehz = hz | switchTraced
	if getg() == mp.g0 {
		switchTo(mp)
	}
}

// profileDue reports whether a tick on mp is to take a sample. Where threads take
// turns, more ticks come than samples are asked for.
//
//go:nosplit
func profileDue(mp *m) bool {
	hz := mp.profilehz &^ switchTraced
	if hz == 0 {
		return false
	}
	now := nanotime1()
	if now < mp.profileNext {
		return false
	}
	period := 1e9 / int64(hz)
	mp.profileNext = now + period - period/8
	return true
}

// kernelLocks has the profile of contention tell of the kernel's locks as well.
// kernel/profile/locks sets it.
//
//go:linkname kernelLocks
var kernelLocks bool

// osBlocksInKernel reports whether stk, of a profile of blocking or of contention,
// leads through the kernel. What waits there, for a lock of the kernel or for a file,
// is not in such profiles elsewhere either.
func osBlocksInKernel(stk []uintptr, which bucketType) bool {
	if which == mutexProfile && kernelLocks {
		return false
	}
	for _, pc := range stk {
		if f := findfunc(pc - 1); f.valid() && deadInKernel(funcname(f)) {
			return true
		}
	}
	return false
}

// osMutexProfile is called before the profile of contention is looked at. If that tells
// of the kernel's locks, what has been waited for threadLock, which is no mutex, is moved
// there: all of it, whatever the fraction is.
func osMutexProfile() {
	if !kernelLocks || threadWaits == 0 {
		return
	}
	stk := [...]uintptr{logicalStackSentinel, abi.FuncPCABIInternal(threadAcquire) + sys.PCQuantum}
	mp := acquirem()
	b := stkbucket(mutexProfile, 0, stk[:], true)
	lock(&profBlockLock)
	var n, ticks int64
	systemstack(func() {
		threadAcquire()
		n, ticks = threadWaits, threadWaited
		threadWaits, threadWaited = 0, 0
		threadRelease()
	})
	bp := b.bp()
	bp.count += float64(n)
	bp.cycles += ticks
	unlock(&profBlockLock)
	releasem(mp)
}
