//go:build tamago

package runtime

import (
	"internal/runtime/atomic"
	"internal/runtime/sys"
	"unsafe"
)

// Interrupts take the place of the network poller: a goroutine parks until an
// interrupt vector has fired, and the scheduler finds it in netpoll. The
// handler itself, in the machine's code, only sets the vector's bit.

const interruptVectors = 256

const (
	interruptHeeded = 2 // see interruptNew

	// interruptSlice is how long a goroutine runs that an interrupt finds, before who waits for
	// the interrupt takes its place, in nanoseconds. However many come, who computes gets that
	// much between two that are heeded.
	interruptSlice = 500e3
)

var (
	// interruptPending has a bit for each vector that has fired and that its
	// goroutine has not seen yet. The handlers set the bits.
	//
	//go:linkname interruptPending
	interruptPending [interruptVectors / 64]uint64
	// interruptNew is 1 behind a bit of interruptPending, and 0 when somebody then looks at
	// them all, so that the scheduler sees in one word that there is nothing to see. It is
	// interruptHeeded when the scheduler will look soon (interruptTrap).
	//
	//go:linkname interruptNew
	interruptNew uint32
	// interruptWaiter holds the goroutine that waits for a vector.
	interruptWaiter [interruptVectors]guintptr
	// interruptMask has a bit for each vector that has a waiter.
	//
	//go:linkname interruptMask
	interruptMask [interruptVectors / 64]uint64

	netpollInited  atomic.Uint32 // for time.go
	netpollWaiters atomic.Uint32
	netpollBroken  atomic.Uint32
)

// interruptWait parks the goroutine until vector v has fired since the last
// call. One goroutine may wait for a vector at a time.
//
//go:linkname interruptWait
func interruptWait(v uint8) {
	for !interruptTake(v) {
		gopark(interruptPark, unsafe.Pointer(&interruptWaiter[v]), waitReasonIOWait, traceBlockNet, 2)
	}
}

// interruptWake makes the waiter for v, now or later, return once.
//
//go:linkname interruptWake
func interruptWake(v uint8) {
	atomic.Or64(&interruptPending[v/64], 1<<(v%64))
	atomic.Store(&interruptNew, 1)
	netpollBreak()
}

func interruptTake(v uint8) bool {
	bit := uint64(1) << (v % 64)
	return atomic.And64(&interruptPending[v/64], ^bit)&bit != 0
}

// interruptPark makes gp the waiter, unless the interrupt came in between.
func interruptPark(gp *g, arg unsafe.Pointer) bool {
	v := (uintptr(arg) - uintptr(unsafe.Pointer(&interruptWaiter))) / unsafe.Sizeof(interruptWaiter[0])
	w, bit := v/64, uint64(1)<<(v%64)
	if !interruptWaiter[v].cas(0, guintptr(unsafe.Pointer(gp))) {
		throw("two goroutines wait for one interrupt")
	}
	atomic.Or64(&interruptMask[w], bit)
	netpollWaiters.Add(1)
	if atomic.Load64(&interruptPending[w])&bit != 0 && interruptWaiter[v].cas(guintptr(unsafe.Pointer(gp)), 0) {
		atomic.And64(&interruptMask[w], ^bit)
		netpollWaiters.Add(-1)
		return false
	}
	return true
}

// interruptFired reports whether an interrupt has fired that a goroutine waits
// for.
//
//go:nosplit
func interruptFired() bool {
	for i := range interruptPending {
		if atomic.Load64(&interruptPending[i])&atomic.Load64(&interruptMask[i]) != 0 {
			return true
		}
	}
	return false
}

// interruptsWanted reports whether a thread in netpoll has to go on.
//
//go:nosplit
func interruptsWanted() bool { return interruptFired() || netpollBroken.Load() != 0 }

func netpollGenericInit()     { netpollInited.Store(1) }
func netpollinited() bool     { return true }
func netpollAnyWaiters() bool { return netpollWaiters.Load() > 0 }

func netpollAdjustWaiters(delta int32) {
	if delta != 0 {
		netpollWaiters.Add(delta)
	}
}

// netpollBreak ends a netpoll that blocks.
func netpollBreak() {
	netpollBroken.Store(1)
	systemstack(func() {
		threadAcquire()
		if threadPolls > 0 {
			threadExpire()
			coreWake()
		}
		threadRelease()
	})
}

// netpollBlock blocks until an interrupt that is waited for, a break, or for about
// delay nanoseconds.
func netpollBlock(delay int64) {
	systemstack(func() {
		mp := getg().m
		threadAcquire()
		mp.thread.poll = true
		atomic.Xadd(&threadPolls, 1) // before interrupts are looked for: handlers do it the other way round
		mp.thread.deadline = nanotime1() + delay
		threadBlock(mp)
	})
}

// netpollWait is netpollBlock for up to delay nanoseconds, without end if delay is
// negative, that looks whether the program is dead when nothing comes for a while.
func netpollWait(delay int64) {
	quiet := int64(deadQuiet)
	for delay != 0 && !interruptsWanted() {
		if delay > 0 && delay <= quiet {
			netpollBlock(delay)
			return
		}
		netpollBlock(quiet)
		if interruptsWanted() {
			return
		}
		if delay > 0 {
			delay = max(delay-quiet, 1)
		}
		if deadCheck() {
			quiet = maxWhen / 2
		} else {
			quiet = min(2*quiet, deadQuietMax)
		}
	}
}

// netpoll returns the goroutines whose interrupt has fired. It blocks for up to
// delay nanoseconds, without end if delay is negative, until there is one.
func netpoll(delay int64) (gList, int32) {
	netpollWait(delay)
	if delay != 0 {
		netpollBroken.Store(0)
	}
	var list gList
	delta := int32(0)
	atomic.Store(&interruptNew, 0)
	for gp := interruptNext(); gp != nil; gp = interruptNext() {
		list.push(gp)
		delta--
	}
	return list, delta
}

// interruptNext returns a goroutine whose interrupt has fired, which then does not wait any
// more; nil if there is none.
func interruptNext() *g {
	for w := range interruptPending {
		fired := atomic.Load64(&interruptPending[w]) & atomic.Load64(&interruptMask[w])
		for fired != 0 {
			i := sys.TrailingZeros64(fired)
			fired &^= 1 << i
			gw := &interruptWaiter[w*64+i]
			gp := gw.ptr()
			if gp == nil || !gw.cas(guintptr(unsafe.Pointer(gp)), 0) {
				continue
			}
			atomic.And64(&interruptMask[w], ^(uint64(1) << i))
			return gp
		}
	}
	return nil
}

// interruptFirst returns a goroutine that waits for an interrupt that has fired; nil if there is
// none. The scheduler takes it before all others, as the work of an interrupt comes first
// elsewhere: others wait for what it brings. But there are never two in a row, so that interrupts
// that come all the time leave the others their turns: syscalltick, which only sysmon has a use for
// elsewhere, is the schedtick of the slice that was given to one, until another one had its turn.
func interruptFirst(pp *p) *g {
	if t := &pp.sysmontick; t.syscalltick == pp.schedtick {
		t.syscalltick--
		if interruptFired() && tickSoon != nil {
			tickSoon(interruptSlice)
		}
		return nil
	}
	atomic.Store(&interruptNew, 0)
	gp := interruptNext()
	if gp == nil {
		return nil
	}
	atomic.Store(&interruptNew, 1) // there may be more
	netpollAdjustWaiters(-1)
	makeRunnable(gp)
	pp.sysmontick.syscalltick = pp.schedtick + 1
	return gp
}

// makeRunnable has gp, which waits, run as the caller sees fit.
func makeRunnable(gp *g) {
	gp.waits &^= waitComputes
	trace := traceAcquire()
	casgstatus(gp, _Gwaiting, _Grunnable)
	if trace.ok() {
		trace.GoUnpark(gp, 0)
		traceRelease(trace)
	}
}
