//go:build tamago

package runtime

import (
	"internal/abi"
	"internal/runtime/atomic"
	"unsafe"
)

// Threads of the kernel that the runtime is: every m is a thread, which runs on
// a core (cores_tamago.go) until it blocks or yields, on its g0 stack or, in a page
// fault, on its signal stack.
// There are seldom more than GOMAXPROCS that want to run; further ones belong to
// goroutines that are locked to their thread.
//
// Interrupt handlers touch none of this: they set bits that waiting threads
// look at (see interrupts_tamago.go).

// thread is the part of an m that makes it one. threadLock guards it.
type thread struct {
	core  coreptr  // that runs it, 0 if none does
	sp    uintptr  // while none does, of threadSwitch's frame
	g     guintptr // while none does: g0, or gsignal in a page fault
	link  muintptr // in threads
	next  muintptr // in threadReady
	ready bool     // in threadReady

	// What a blocked thread waits for; all zero otherwise.
	futex    uintptr // address of a uint32 in an m or a note of one
	poll     bool    // interrupts, in netpoll
	deadline int64   // nanotime, 0 for none
}

var (
	threads     muintptr                      // all that live
	threadReady struct{ head, tail muintptr } // first in, first out
	threadCount int32                         // threads besides m0 that live
	// threadPolls is how many threads block in netpoll. Interrupt handlers read it.
	//
	//go:linkname threadPolls
	threadPolls uint32
)

// threadSliceTime is how long a thread runs while others are ready, in
// nanoseconds. Threads wait for each other when the world stops, so it is short.
const threadSliceTime = 1e6

// tickSoon has the timer of the running core tick after ns nanoseconds. The
// machine sets it before the runtime starts.
//
//go:linkname tickSoon
var tickSoon func(ns int64)

func threadInit() {
	mp := getg().m
	mp.procid = 1
	threads.set(mp)
	coreInit()
}

// futexsleep blocks while *addr is val, for at most ns nanoseconds (none if
// negative), until futexwakeup. It may return early.
//
//go:nosplit
func futexsleep(addr *uint32, val uint32, ns int64) {
	if atomic.Load(addr) != val {
		return
	}
	systemstack(func() {
		mp := getg().m
		threadAcquire()
		if atomic.Load(addr) != val {
			threadRelease()
			return
		}
		mp.thread.futex = uintptr(unsafe.Pointer(addr))
		if ns >= 0 {
			mp.thread.deadline = max(nanotime1()+ns, 1)
		}
		threadBlock(mp)
	})
}

// futexwakeup wakes up to cnt threads that sleep on addr.
//
//go:nosplit
func futexwakeup(addr *uint32, cnt uint32) {
	systemstack(func() {
		threadAcquire()
		for mp := threads.ptr(); mp != nil && cnt > 0; mp = mp.thread.link.ptr() {
			if mp.thread.futex == uintptr(unsafe.Pointer(addr)) {
				threadWake(mp)
				coreWake()
				cnt--
			}
		}
		threadRelease()
	})
}

// threadWake makes a blocked thread ready. threadLock is held.
//
//go:nosplit
func threadWake(mp *m) {
	t := &mp.thread
	t.futex = 0
	t.deadline = 0
	if t.poll {
		t.poll = false
		atomic.Xadd(&threadPolls, -1)
	}
	if t.ready {
		return
	}
	t.ready = true
	t.next = 0
	if threadReady.head == 0 {
		threadReady.head.set(mp)
	} else {
		threadReady.tail.ptr().thread.next.set(mp)
	}
	threadReady.tail.set(mp)
}

// threadTake takes the first ready thread, nil if there is none. threadLock is
// held.
//
//go:nosplit
func threadTake() *m {
	mp := threadReady.head.ptr()
	if mp != nil {
		threadReady.head = mp.thread.next
		mp.thread.next = 0
		mp.thread.ready = false
	}
	return mp
}

// threadExpire wakes the threads whose deadline has passed or whose interrupt
// has come, and returns the earliest deadline that is left (0: none). threadLock
// is held.
//
//go:nosplit
func threadExpire() (earliest int64) {
	now := int64(0)
	for mp := threads.ptr(); mp != nil; mp = mp.thread.link.ptr() {
		t := &mp.thread
		if t.poll && interruptsWanted() {
			threadWake(mp)
			continue
		}
		if t.deadline == 0 {
			continue
		}
		if now == 0 {
			now = nanotime1()
		}
		if t.deadline <= now {
			threadWake(mp)
		} else if earliest == 0 || t.deadline < earliest {
			earliest = t.deadline
		}
	}
	return earliest
}

// threadBlock gives the core of mp, the running thread, to another one or to
// its idle context until something wakes mp. threadLock is held, and released on
// return, maybe on another core.
//
//go:systemstack
func threadBlock(mp *m) {
	earliest := threadExpire()
	next := threadTake()
	if next == mp {
		threadRelease()
		return
	}
	c := mp.thread.core.ptr()
	mp.thread.core = 0
	mp.thread.g.set(getg())
	if next != nil {
		c.run(next, &mp.thread.sp, earliest)
	} else {
		threadSwitch(&mp.thread.sp, c.sp, unsafe.Pointer(&c.g))
	}
	threadBegin()
}

// threadBegin is the first that a thread does when a core has switched to it,
// which gives it threadLock.
//
//go:nosplit
func threadBegin() {
	getg().m.thread.core.ptr().bury()
	threadRelease()
}

// threadSwitch saves the stack pointer in *save and goes on at the stack
// pointer to, on the stack of newg, as returned from its own threadSwitch.
func threadSwitch(save *uintptr, to uintptr, newg unsafe.Pointer)

// threadStart is where a new thread begins.
func threadStart()

//go:nosplit
func osyield() {
	if gp := getg(); gp.m.gsignal == gp {
		procyield(30) // a trap handler stays on its core
		return
	}
	systemstack(func() {
		threadAcquire()
		threadExpire()
		if threadReady.head == 0 {
			threadRelease()
			return
		}
		mp := getg().m
		threadWake(mp)
		threadBlock(mp)
	})
}

//go:nosplit
func osyield_no_g() { osyield() }

// usleepSpin is how long a sleep is for which a core would not halt, in
// microseconds.
const usleepSpin = 20

//go:nosplit
func usleep(usec uint32) {
	systemstack(func() {
		deadline := nanotime1() + int64(usec)*1000
		if usec <= usleepSpin && coreCount > 1 {
			for nanotime1() < deadline {
				osyield()
				procyield(10)
			}
			return
		}
		mp := getg().m
		threadAcquire()
		mp.thread.deadline = deadline
		threadBlock(mp)
	})
}

//go:nosplit
func usleep_no_g(usec uint32) { usleep(usec) }

// newosproc starts the thread of mp, whose g0 has a stack.
//
//go:nowritebarrier
func newosproc(mp *m) {
	// The frame that threadSwitch returns from: frame pointer and address.
	sp := mp.g0.stack.hi - 4*8
	*(*uintptr)(unsafe.Pointer(sp)) = 0
	*(*uintptr)(unsafe.Pointer(sp + 8)) = abi.FuncPCABI0(threadStart)
	mp.thread.sp = sp
	mp.thread.g.set(mp.g0)
	mp.procid = uint64(mp.id) + 1
	systemstack(func() {
		threadAcquire()
		threadCount++
		mp.thread.link = threads
		threads.set(mp)
		threadWake(mp)
		coreWake()
		threadRelease()
	})
}

// exitThread ends the running thread. wait tells that its stack is free, which
// it is as soon as its core runs another one.
//
//go:nosplit
func exitThread(wait *atomic.Uint32) {
	systemstack(func() {
		mp := getg().m
		threadAcquire()
		threadCount--
		switchForget(mp)
		link := &threads
		for link.ptr() != mp {
			link = &link.ptr().thread.link
		}
		*link = mp.thread.link
		*(*uintptr)(unsafe.Pointer(&mp.thread.core.ptr().dead)) = uintptr(unsafe.Pointer(wait))
		threadBlock(mp)
	})
}

// osSchedule is called by the scheduler before it chooses a goroutine. It does
// what sysmon does elsewhere: time slices end, and other threads get their turn.
func osSchedule() {
	pp := getg().m.p.ptr()
	if pp.preempt {
		pp.sysmontick.syscalltick = pp.schedtick - 1 // who waits for an interrupt may come next
		if sliceOver(pp) {
			sliceEnd(pp)
		}
	}
	if threadCount > 0 {
		now := nanotime1()
		if c := getg().m.thread.core.ptr(); c.slice == 0 {
			c.slice = now + threadSliceTime
		} else if now >= c.slice {
			c.slice = 0
			osyield()
		}
	}
}

// osFirst returns a goroutine that is to run before all others, nil if there is none. It notes now,
// the time, as that at which the scheduler chose the next one for pp (interruptTrap); 0, where
// nobody waits for a time, is long ago.
func osFirst(pp *p, now int64) *g {
	pp.sysmontick.schedwhen = now
	if atomic.Load(&interruptNew) == 0 && now < atomic.Loadint64(&forceGCAt) {
		return nil
	}
	return firstOf(pp, now)
}

// firstOf is osFirst where there may be one.
func firstOf(pp *p, now int64) *g {
	if now == 0 {
		now = nanotime()
	}
	if now >= atomic.Loadint64(&forceGCAt) {
		atomic.Storeint64(&forceGCAt, now+forceGCEvery)
		if gp := forceGC(now); gp != nil {
			return gp
		}
	}
	return interruptFirst(pp)
}

// sliceEnd ends the time slice of pp, which a tick has found to be over. Who would share it comes
// behind all that can run already, and behind who has been preempted: of goroutines that wake each
// other there would always be one that comes next.
func sliceEnd(pp *p) {
	next := pp.runnext
	if next == 0 || !pp.runnext.cas(next, 0) {
		return // another core may have taken it
	}
	lock(&sched.lock)
	globrunqput(next.ptr())
	unlock(&sched.lock)
}

// forceGCAt is when it is looked again whether the heap has not been collected for long: by the time, not by
// how often goroutines are chosen, as those that timers wake may share one slice for ever.
var forceGCAt int64

const forceGCEvery = 100e6 // ns

// forceGC returns the goroutine that collects the heap without need, if it is time for that; else nil.
func forceGC(now int64) *g {
	if t := (gcTrigger{kind: gcTriggerTime, now: now}); !forcegc.idle.Load() || !t.test() {
		return nil
	}
	lock(&forcegc.lock)
	if !forcegc.idle.Load() { // another core was first
		unlock(&forcegc.lock)
		return nil
	}
	forcegc.idle.Store(false)
	gp := forcegc.g
	unlock(&forcegc.lock)
	makeRunnable(gp)
	return gp
}

const preemptMSupported = true

// preemptM asks for the preemption of the goroutine that mp runs: by a trap if
// that is on another core, else the next tick of the timer sees the request in
// the goroutine itself.
func preemptM(mp *m) {
	c := mp.thread.core.ptr()
	if c != nil && mp != getg().m && coreKick != nil {
		coreKick(c.index, true)
	}
}
