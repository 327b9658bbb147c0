//go:build tamago

package runtime

import (
	"internal/abi"
	"internal/runtime/atomic"
	"internal/runtime/sys"
	"runtime/goos"
	"unsafe"
)

// A core is a CPU of the machine. It runs threads (threads_tamago.go) or, while
// none is ready, its idle context: a stack and a g of its own without an m, on
// which it halts. Every change from one to the other happens under threadLock,
// which the one that goes takes and the one that comes releases, so that nobody
// runs a thread before its registers have been saved.
//
// The first core starts the runtime. The machine brings the others to coreEnter
// when it likes; until then the first one does the work of all.
type core struct {
	g     g       // of the idle context
	sp    uintptr // of the idle context, while a thread runs
	index int32
	// slice is when the running thread should let others run, 0 if that is to
	// be decided.
	slice int64
	// until is when the core that idles wakes by itself, 0 for never.
	until int64
	// dead belongs to a thread that ended here: its stack may be freed once
	// another one runs.
	dead  *atomic.Uint32
	last  lastRun
	stack [coreStack]byte
}

// coreptr is a *core without write barriers: cores are no heap objects.
type coreptr uintptr

func (p coreptr) ptr() *core   { return (*core)(unsafe.Pointer(p)) }
func (p *coreptr) set(c *core) { *p = coreptr(unsafe.Pointer(c)) }

const (
	maxCores  = 64 // coresIdle has a bit for each
	coreStack = 8 << 10
)

var (
	// coreCount is how many the machine has. It says so before the runtime
	// starts.
	//
	//go:linkname coreCount
	coreCount int32 = 1
	// coresIdle has a bit for each core that halts or is about to. It is set
	// under threadLock; who clears it has the core look for work (coreKick).
	//
	//go:linkname coresIdle
	coresIdle uint64
	cores     uintptr // coreCount of them

	// threadLock guards threads and cores. Interrupt handlers don't take it.
	threadLock uint32
	// threadWaits is how many had to wait for it, and threadWaited how long they did, in
	// ticks of the time-stamp counter, since osMutexProfile last took them away. It guards them.
	threadWaits, threadWaited int64
)

// coreKick interrupts core i, which is at least made to leave its idle wait and,
// if preempt is set, gets a trap with the vector trapPreempt. The machine sets it
// if it has several.
//
//go:linkname coreKick
var coreKick func(i int32, preempt bool)

// coreInit makes all cores, the running one the first.
func coreInit() {
	coreCount = min(max(coreCount, 1), maxCores)
	lock(&memlock)
	cores = memAlloc(uintptr(coreCount)*unsafe.Sizeof(core{}), physPageSize, false)
	unlock(&memlock)
	if cores == 0 {
		throw("no memory for the CPUs")
	}
	for i := int32(0); i < coreCount; i++ {
		coreAt(i).index = i
	}
	// The frame that threadSwitch returns from: frame pointer and address.
	c := coreAt(0)
	frame := (*[2]uintptr)(unsafe.Pointer(&c.stack[coreStack-32]))
	frame[1] = abi.FuncPCABI0(coreStart)
	c.sp = uintptr(unsafe.Pointer(frame))
	getg().m.thread.core.set(c)
}

//go:nosplit
func coreAt(i int32) *core {
	return coreptr(cores + uintptr(i)*unsafe.Sizeof(core{})).ptr()
}

// coreOf returns the core whose idle context gp is.
//
//go:nosplit
func coreOf(gp *g) *core {
	return coreptr(uintptr(unsafe.Pointer(gp)) - unsafe.Offsetof(core{}.g)).ptr()
}

// coreContext tells the machine what core i has to load before it jumps to
// coreEnter: its stack pointer and its g.
//
//go:linkname coreContext
func coreContext(i int32) (sp, gp uintptr) {
	c := coreAt(i)
	return uintptr(unsafe.Pointer(&c.stack[coreStack-16])), uintptr(unsafe.Pointer(&c.g))
}

// coreStart is where the first core's idle context begins, coreEnter is where
// the machine brings the others, on the idle stack and with the idle g.
func coreStart()
func coreEnter()

// coreJoin begins the idle context of a core that the machine has started.
func coreJoin() {
	threadAcquire()
	coreRun()
}

// coreRun is the idle context: it runs threads and halts while there are none.
// threadLock is held.
func coreRun() {
	c := coreOf(getg())
	bit := uint64(1) << uint(c.index)
	for {
		earliest := threadExpire()
		if next := threadTake(); next != nil {
			c.run(next, &c.sp, earliest)
			c.bury()
			continue
		}
		c.until = earliest
		atomic.Or64(&coresIdle, bit)
		threadRelease()
		idle(earliest)
		threadAcquire()
		atomic.And64(&coresIdle, ^bit)
	}
}

// idle stops the core until an interrupt or the time until (0: none), unless
// there is something to do already.
func idle(until int64) {
	if goos.Idle == nil {
		return
	}
	if until == 0 {
		until = maxWhen
	}
	goos.Idle(until)
}

// interruptIdle reports whether the core that idles has nothing to do. The
// machine asks with interrupts disabled before it halts.
//
//go:linkname interruptIdle
//go:nosplit
func interruptIdle() bool {
	bit := uint64(1) << uint(coreOf(getg()).index)
	return atomic.Load64(&coresIdle)&bit != 0 && (threadPolls == 0 || !interruptsWanted())
}

// run has next, taken from threadReady, run on c until c comes back to the
// context whose stack pointer *save holds then; earliest is from threadExpire.
// threadLock is held, before and after.
func (c *core) run(next *m, save *uintptr, earliest int64) {
	if threadReady.head != 0 {
		coreWake()
		if threadReady.head != 0 && tickSoon != nil {
			tickSoon(threadSliceTime)
		}
	}
	coreCover(earliest)
	c.slice = 0
	next.thread.core.set(c)
	threadSwitch(save, next.thread.sp, unsafe.Pointer(next.thread.g.ptr()))
}

// bury frees the stack of the thread that has ended on c.
//
//go:nosplit
func (c *core) bury() {
	if c.dead != nil {
		c.dead.Store(freeMStack)
		*(*uintptr)(unsafe.Pointer(&c.dead)) = 0
	}
}

// coreWake has a core that idles look for a ready thread. threadLock is held.
//
//go:nosplit
func coreWake() {
	if idle := atomic.Load64(&coresIdle); idle != 0 {
		coreAlert(int32(sys.TrailingZeros64(idle)))
	}
}

// coreCover sees to it that some core wakes at the time earliest (0: none)
// although this one may be busy then. threadLock is held.
//
//go:nosplit
func coreCover(earliest int64) {
	idle := atomic.Load64(&coresIdle)
	if earliest == 0 || idle == 0 {
		return
	}
	for left := idle; left != 0; left &= left - 1 {
		if until := coreAt(int32(sys.TrailingZeros64(left))).until; until != 0 && until <= earliest {
			return
		}
	}
	coreAlert(int32(sys.TrailingZeros64(idle)))
}

// coreAlert ends the idle wait of core i. threadLock is held.
//
//go:nosplit
func coreAlert(i int32) {
	atomic.And64(&coresIdle, ^(uint64(1) << uint(i)))
	if coreKick != nil {
		coreKick(i, false)
	}
}

// threadAcquire takes threadLock. Holders run on a stack of the system's, so no
// interrupt takes them away from their core.
//
//go:nosplit
func threadAcquire() {
	if atomic.Cas(&threadLock, 0, 1) {
		return
	}
	start := cputicks()
	for {
		for atomic.Load(&threadLock) != 0 {
			procyield(10)
		}
		if atomic.Cas(&threadLock, 0, 1) {
			break
		}
	}
	threadWaits++
	threadWaited += cputicks() - start
}

//go:nosplit
func threadRelease() { atomic.Store(&threadLock, 0) }
