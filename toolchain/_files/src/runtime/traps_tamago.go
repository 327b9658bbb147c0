//go:build tamago

package runtime

import (
	"internal/abi"
	"internal/goarch"
	"internal/runtime/atomic"
	"runtime/goos"
	"unsafe"
)

// Exceptions and timer ticks. The machine's entry code saves the registers and
// calls trap (sys_tamago_amd64.s), which switches to the signal stack of the
// running m, as a signal handler has it elsewhere.

// trapFrame is the interrupted state as the machine's entry code lays it out;
// what the handler changes becomes the state to go on with.
type trapFrame struct {
	r15, r14, r13, r12, r11, r10, r9, r8 uint64
	rdi, rsi, rbp, rdx, rcx, rbx, rax    uint64
	cr2                                  uint64
	vector, code                         uint64
	rip, cs, rflags, rsp, ss             uint64
}

// Exception vectors (Intel SDM volume 3, table 6-1) that Go has a panic for.
const (
	trapDivide  = 0
	trapGeneral = 13
	trapPage    = 14
	trapFloat   = 16
	trapSIMD    = 19

	trapExceptions = 32 // vectors below are exceptions

	// Vectors of the local APIC that the machine's entry code passes on.
	trapTimer   = 0xf0
	trapPreempt = 0xf1

	_SIGFPE  = 8
	_SIGSEGV = 11
)

var trapNames = [trapExceptions]string{
	0: "divide error", 1: "debug", 2: "non-maskable interrupt", 3: "breakpoint", 4: "overflow",
	5: "bound range", 6: "invalid opcode", 7: "device not available", 8: "double fault",
	10: "invalid TSS", 11: "segment not present", 12: "stack fault", 13: "general protection",
	14: "page fault", 16: "x87 floating point", 17: "alignment check", 18: "machine check",
	19: "SIMD floating point", 20: "virtualization", 21: "control protection",
}

// trapgo handles a trap on the signal stack. gp is the g that it interrupted.
//
//go:nowritebarrierrec
func trapgo(f *trapFrame, gp *g) {
	switch f.vector {
	case trapTimer:
		tick(f, gp)
		return
	case trapPreempt:
		preemptTrap(f, gp)
		return
	case trapPage, trapGeneral:
		if f.vector == trapPage && memServe(f, gp) {
			return
		}
		gp.sig = _SIGSEGV
	case trapDivide, trapFloat, trapSIMD:
		gp.sig = _SIGFPE
	default:
		if f.vector >= trapExceptions {
			interruptTrap(f, gp)
			return
		}
		trapFatal(f, gp, "")
	}
	// A panic needs a goroutine whose stack may grow.
	if gp.throwsplit || gp != gp.m.curg || isAbortPC(uintptr(f.rip)) {
		trapFatal(f, gp, "")
	}
	gp.sigcode0 = uintptr(f.vector)
	gp.sigcode1 = uintptr(f.cr2)
	if f.vector == trapGeneral {
		gp.sigcode1 = ^uintptr(0) // no address is known
	}
	gp.sigpc = uintptr(f.rip)
	// Go on in sigpanic as if the instruction had called it.
	if shouldPushSigpanic(gp, uintptr(f.rip), callerOf(f)) {
		f.pushCall(abi.FuncPCABI0(sigpanic0), uintptr(f.rip))
	} else {
		f.rip = uint64(abi.FuncPCABI0(sigpanic0))
	}
}

// callerOf returns the word on top of the stack, the return address if the trap
// came at the first instruction of a function or in a call to no code.
//
//go:nosplit
func callerOf(f *trapFrame) uintptr {
	if f.rsp%goarch.PtrSize != 0 {
		return 0
	}
	return *(*uintptr)(unsafe.Pointer(uintptr(f.rsp)))
}

func (f *trapFrame) pushCall(target, resume uintptr) {
	f.rsp -= goarch.PtrSize
	*(*uintptr)(unsafe.Pointer(uintptr(f.rsp))) = resume
	f.rip = uint64(target)
}

// sigpanic turns a trap of Go code into a panic. It runs on the goroutine that
// trapped, called as it were by the faulting instruction.
func sigpanic() {
	gp := getg()
	if !canpanic() {
		throw("unexpected exception during runtime execution")
	}
	switch gp.sigcode0 {
	case trapPage, trapGeneral:
		if gp.sigcode1 < 0x1000 {
			panicmem()
		}
		if gp.paniconfault {
			panicmemAddr(gp.sigcode1)
		}
		if inUserArenaChunk(gp.sigcode1) {
			print("accessed data from freed user arena ", hex(gp.sigcode1), "\n")
		} else if gp.sigcode0 == trapGeneral {
			print("unexpected general protection exception\n")
		} else {
			print("unexpected fault address ", hex(gp.sigcode1), "\n")
		}
		throw("fault")
	case trapDivide:
		panicdivide()
	case trapFloat, trapSIMD:
		panicfloat()
	}
	throw("unexpected exception")
}

// trapFatal prints why, or else the vector, with registers and the trace, and ends
// the machine with status 2.
func trapFatal(f *trapFrame, gp *g, why string) {
	if getg().m.dying > 0 {
		exit(2) // an exception in the report of another
	}
	gp.m.throwing = throwTypeRuntime
	gp.m.caughtsig.set(gp)
	startpanic_m()
	if why != "" {
		print("fatal error: ", why, "\n")
	}
	name := "reserved"
	if f.vector < trapExceptions && trapNames[f.vector] != "" {
		name = trapNames[f.vector]
	}
	if why == "" {
		print("fatal error: ")
	}
	print("exception ", f.vector, " (", name, "), code ", hex(f.code), "\n")
	print("rax    ", hex(f.rax), "\nrbx    ", hex(f.rbx), "\nrcx    ", hex(f.rcx), "\nrdx    ", hex(f.rdx), "\n")
	print("rdi    ", hex(f.rdi), "\nrsi    ", hex(f.rsi), "\nrbp    ", hex(f.rbp), "\nrsp    ", hex(f.rsp), "\n")
	print("r8     ", hex(f.r8), "\nr9     ", hex(f.r9), "\nr10    ", hex(f.r10), "\nr11    ", hex(f.r11), "\n")
	print("r12    ", hex(f.r12), "\nr13    ", hex(f.r13), "\nr14    ", hex(f.r14), "\nr15    ", hex(f.r15), "\n")
	print("rip    ", hex(f.rip), "\nrflags ", hex(f.rflags), "\ncr2    ", hex(f.cr2), "\n\n")
	level, _, _ := gotraceback()
	if level > 0 {
		goroutineheader(gp)
		tracebacktrap(uintptr(f.rip), uintptr(f.rsp), 0, gp)
		if gp != gp.m.curg && gp.m.curg != nil && gp == gp.m.g0 {
			goroutineheader(gp.m.curg)
			traceback(^uintptr(0), ^uintptr(0), 0, gp.m.curg)
		}
		tracebackothers(gp)
	}
	exit(2)
}

// tickSlice is how long after the one before it a tick judges slices, in nanoseconds: those that come
// sooner, by tickSoon, do not.
const tickSlice = 9e6

// tick handles an interrupt of the timer: a goroutine that has run for a whole
// tick, that keeps other threads waiting, or that somebody wants to preempt, gives way at the
// next safe point, which may be here; one that computes also if a timer is due or somebody waits for an
// interrupt that has come. Whoever runs after one that a tick has ended began with that tick: that
// is the next slice, or the same one if a timer has woken who runs. Goroutines that hand over to each
// other share a slice, which ends wherever the tick finds them, in the scheduler too.
//
//go:nowritebarrierrec
func tick(f *trapFrame, gp *g) {
	mp := gp.m
	if profileDue(mp) {
		sigprof(uintptr(f.rip), uintptr(f.rsp), 0, gp, mp)
	}
	pp := mp.p.ptr()
	if pp == nil {
		return
	}
	// syscallwhen, which only sysmon has a use for elsewhere, is when a tick has judged last.
	t := &pp.sysmontick
	over := false
	if now := nanotime(); now-t.syscallwhen >= tickSlice {
		t.syscallwhen = now
		if now >= atomic.Loadint64(&forceGCAt) {
			atomic.Store(&interruptNew, 1) // the scheduler looks, which may not know the time
		}
		over = t.schedtick-pp.schedtick <= 1
		t.schedtick = pp.schedtick
	}
	if over {
		t.schedtick++ // see sliceOver
		if gp := mp.curg; gp != nil {
			gp.waits |= waitComputes
		}
	}
	if over || threadReady.head != 0 || computes(mp) && (interruptFired() || timerDue(pp)) {
		preemptSoon(mp, pp)
	}
	if gp == mp.curg {
		preemptTrap(f, gp)
	}
}

// computes reports whether a tick has ended a slice of the goroutine of mp since that last waited.
// Others, such as those that serve interrupts, are left alone: they wait soon, and
// would come behind all who compute.
func computes(mp *m) bool { return mp.curg != nil && mp.curg.waits&waitComputes != 0 }

// sliceOver reports whether a tick has found the slice of pp to be over.
func sliceOver(pp *p) bool { return pp.sysmontick.schedtick == pp.schedtick+1 }

// preemptSoon has the goroutine of mp, which has pp, give way at its next safe point. If there is
// none the scheduler is about to choose one, and ends the slice (osSchedule).
//
//go:nowritebarrierrec
func preemptSoon(mp *m, pp *p) {
	if gp := mp.curg; gp != nil {
		gp.preempt = true
		gp.stackguard0 = stackPreempt
	}
	pp.preempt = true
}

// timerDue reports whether a timer of pp should have run.
func timerDue(pp *p) bool {
	when := pp.timers.wakeTime()
	return when != 0 && when <= nanotime1()
}

// interruptTrap handles the interrupt of a device, which a goroutine waits for while every core has
// work. One that computes gives way as soon as it has run for interruptSlice since the scheduler chose
// it, at once as a rule; after others the scheduler looks soon enough.
//
//go:nowritebarrierrec
func interruptTrap(f *trapFrame, gp *g) {
	atomic.Store(&interruptNew, interruptHeeded)
	mp := gp.m
	left := int64(interruptSlice) // in the scheduler, which may have looked already
	if pp := mp.p.ptr(); pp != nil && gp == mp.curg {
		if !computes(mp) {
			return
		}
		left = pp.sysmontick.schedwhen + interruptSlice - nanotime()
		if left <= 0 {
			preemptSoon(mp, pp)
			if preemptTrap(f, gp) {
				return
			}
			left = interruptSlice
		}
	}
	if tickSoon != nil {
		tickSoon(left) // it preempts for interrupts that wait
	}
}

// preemptTrap preempts gp here if somebody wants that and it is safe, which it reports.
//
//go:nowritebarrierrec
func preemptTrap(f *trapFrame, gp *g) (done bool) {
	if gp == gp.m.curg && debug.asyncpreemptoff == 0 && wantAsyncPreempt(gp) {
		if ok, pc := isAsyncSafePoint(gp, uintptr(f.rip), uintptr(f.rsp), 0); ok {
			f.pushCall(abi.FuncPCABI0(asyncPreempt), pc)
			done = true
		}
	}
	gp.m.preemptGen.Add(1)
	return done
}

// osMain is called by the main goroutine before the first package is
// initialised.
func osMain() {
	goos.Hwinit1()
	go memHelp()
}
