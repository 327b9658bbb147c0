//go:build tamago

package runtime

import (
	"internal/abi"
	"internal/runtime/atomic"
	"runtime/goos"
	"unsafe"
)

// Threads of the kernel that the runtime is: every m is a thread, and the CPU
// runs one of them until it blocks or yields, always on its g0 stack. There are
// seldom more than GOMAXPROCS that want to run; further ones belong to
// goroutines that are locked to their thread.
//
// Interrupt handlers touch none of this: they set bits that waiting threads
// look at (see interrupts_tamago.go).

// thread is the state of an m while it does not run.
type thread struct {
	sp    uintptr  // stack pointer, of threadSwitch's frame
	next  muintptr // in threadReady
	ready bool     // in threadReady

	// What a blocked thread waits for; all zero otherwise.
	futex    *uint32
	poll     bool  // interrupts, in netpoll
	deadline int64 // nanotime, 0 for none
}

var (
	threadReady struct{ head, tail muintptr } // first in, first out
	threadCount int32                         // threads besides m0 that live
	// threadSlice is when the running thread should let others run.
	threadSlice int64
)

// threadSliceTime is how long a thread runs while others are ready, in
// nanoseconds. Threads wait for each other when the world stops, so it is short.
const threadSliceTime = 1e6

// tickSoon has the machine's timer tick after ns nanoseconds. The machine sets it
// before the runtime starts.
//
//go:linkname tickSoon
var tickSoon func(ns int64)

func threadInit() {
	getg().m.procid = 1
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
		// The m is no heap object that a barrier would have to see, and
		// addr lies in an m or a note of one.
		*(*uintptr)(unsafe.Pointer(&mp.thread.futex)) = uintptr(unsafe.Pointer(addr))
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
		for mp := threadFirst(); mp != nil && cnt > 0; mp = mp.alllink {
			if mp.thread.futex == addr {
				threadWake(mp)
				cnt--
			}
		}
	})
}

//go:nosplit
func threadFirst() *m { return (*m)(atomic.Loadp(unsafe.Pointer(&allm))) }

// threadWake makes a blocked thread ready.
//
//go:nosplit
func threadWake(mp *m) {
	t := &mp.thread
	*(*uintptr)(unsafe.Pointer(&t.futex)) = 0
	t.poll = false
	t.deadline = 0
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

// threadTake takes the first ready thread, nil if there is none.
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
// has come, and returns the earliest deadline that is left (0: none).
//
//go:nosplit
func threadExpire() (earliest int64) {
	now := int64(0)
	for mp := threadFirst(); mp != nil; mp = mp.alllink {
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

// threadBlock gives the CPU away until something wakes mp, the running thread.
// The CPU idles while no thread is ready.
//
//go:systemstack
func threadBlock(mp *m) {
	for {
		earliest := threadExpire()
		next := threadTake()
		if next != nil {
			threadTo(mp, next)
			return
		}
		idle(earliest)
	}
}

// idle stops the CPU until an interrupt or the time until (0: none), unless
// there is something to do already.
//
//go:systemstack
func idle(until int64) {
	if goos.Idle == nil {
		return
	}
	if until == 0 {
		until = maxWhen
	}
	mp := getg().m
	mp.idle = true
	goos.Idle(until)
	mp.idle = false
}

// threadTo runs next in place of mp until mp is taken again.
//
//go:systemstack
func threadTo(mp, next *m) {
	threadSlice = 0
	if threadReady.head != 0 && tickSoon != nil {
		tickSoon(threadSliceTime)
	}
	if next == mp {
		return
	}
	threadSwitch(&mp.thread.sp, next.thread.sp, unsafe.Pointer(next.g0))
}

// threadSwitch saves the stack pointer in *save and goes on at the stack
// pointer to, on the stack of newg, as returned from its own threadSwitch.
func threadSwitch(save *uintptr, to uintptr, newg unsafe.Pointer)

// threadStart is where a new thread begins.
func threadStart()

//go:nosplit
func osyield() {
	if gp := getg(); gp == gp.m.gsignal {
		return // in a handler, which the CPU cannot leave
	}
	systemstack(func() {
		threadExpire()
		if threadReady.head == 0 {
			return
		}
		mp := getg().m
		threadWake(mp)
		threadTo(mp, threadTake())
	})
}

//go:nosplit
func osyield_no_g() { osyield() }

//go:nosplit
func usleep(usec uint32) {
	systemstack(func() {
		mp := getg().m
		mp.thread.deadline = nanotime1() + int64(usec)*1000
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
	threadCount++
	mp.procid = uint64(mp.id) + 1
	threadWake(mp)
}

// exitThread ends the running thread. wait tells that its stack is free, which
// it is as soon as another thread runs: there is one CPU.
//
//go:nosplit
func exitThread(wait *atomic.Uint32) {
	wait.Store(freeMStack)
	systemstack(func() {
		threadCount--
		threadBlock(getg().m)
	})
}

// osSchedule is called by the scheduler before it chooses a goroutine. It does
// what sysmon does elsewhere: goroutines that wait for interrupts become
// runnable however busy the others are, other threads get their turn, and the
// heap is collected now and then.
func osSchedule() {
	// A spinning thread must not get goroutines here; it looks for them next.
	if !getg().m.spinning && interruptFired() {
		list, delta := netpoll(0)
		injectglist(&list)
		netpollAdjustWaiters(delta)
	}
	if forceGCDue() {
		lock(&forcegc.lock)
		forcegc.idle.Store(false)
		var list gList
		list.push(forcegc.g)
		injectglist(&list)
		unlock(&forcegc.lock)
	}
	if threadCount > 0 {
		now := nanotime1()
		if threadSlice == 0 {
			threadSlice = now + threadSliceTime
		} else if now >= threadSlice {
			osyield()
		}
	}
}

// forceGCDue reports whether the heap was last collected so long ago that it is
// time for a collection without need.
func forceGCDue() bool {
	if getg().m.spinning || !forcegc.idle.Load() || getg().m.p == 0 {
		return false
	}
	pp := getg().m.p.ptr()
	if pp.schedtick%16 != 0 {
		return false // seldom enough for the clock to cost nothing
	}
	t := gcTrigger{kind: gcTriggerTime, now: nanotime1()}
	return t.test()
}

const preemptMSupported = true

// preemptM asks for the preemption of the goroutine that mp runs: the next tick
// of the timer sees the request in the goroutine itself.
func preemptM(mp *m) {}
