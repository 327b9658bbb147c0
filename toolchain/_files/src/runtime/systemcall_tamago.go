//go:build tamago

package runtime

import (
	"internal/abi"
	"internal/runtime/sys"
	"unsafe"
)

// systemCallHook does a system call: the result, or the negative error number.
// Package syscall sets it.
//
//go:linkname systemCallHook
var systemCallHook func(num, a1, a2, a3, a4, a5, a6 uintptr) uintptr

// noSystemCall is -ENOSYS.
const noSystemCall = ^uintptr(37)

// systemCallArgs are the number and the arguments, as systemCallFrame keeps them.
type systemCallArgs struct{ num, a1, a2, a3, a4, a5, a6 uintptr }

// onStack tells whether one of the arguments of a system call leads to the stack of
// the goroutine. Nothing up to here may split the stack, which would leave the
// arguments behind.
//
//go:linkname onStack syscall.onStack
//go:nosplit
func onStack(a1, a2, a3, a4, a5, a6 uintptr) bool {
	gp := getg()
	lo, size := gp.stack.lo, gp.stack.hi-gp.stack.lo
	return a1-lo < size || a2-lo < size || a3-lo < size || a4-lo < size || a5-lo < size || a6-lo < size
}

// systemCallOnStack is a call for which onStack is true.
//
//go:linkname systemCallOnStack syscall.systemCallOnStack
//go:nosplit
func systemCallOnStack(num, a1, a2, a3, a4, a5, a6 uintptr) uintptr {
	if systemCallHook == nil {
		return noSystemCall
	}
	args := systemCallArgs{num, a1, a2, a3, a4, a5, a6}
	return systemCallHeld((*systemCallArgs)(noescape(unsafe.Pointer(&args))))
}

// systemCallGo is for the instruction SYSCALL. Code that has announced the call
// to the scheduler, by entersyscall, finds it announced afterwards: in between
// the goroutine runs as any other, and its stack may move.
//
// Until exitsyscall has returned, the stack cannot grow, and all that is called has
// to do with what every function leaves below it, also where nothing is optimised.
// So frames are kept small down to there, and the call itself has its own.
//
//go:nosplit
func systemCallGo(args *systemCallArgs) (r uintptr) {
	gp := getg()
	if gp == gp.m.g0 || gp == gp.m.gsignal || systemCallHook == nil {
		return noSystemCall
	}
	held := onStack(args.a1, args.a2, args.a3, args.a4, args.a5, args.a6)
	if gp.syscallsp == 0 {
		if held {
			return systemCallHeld(args)
		}
		return systemCallDo(args)
	}
	pc, sp, bp := gp.syscallpc, gp.stack.hi-gp.syscallsp, gp.stack.hi-gp.syscallbp
	gp.parkingOnChan.Store(held) // exitsyscall may wait
	exitsyscall()
	if held {
		r = systemCallHeld(args)
	} else {
		r = systemCallDo(args)
	}
	gp = getg()
	reentersyscall(pc, gp.stack.hi-sp, gp.stack.hi-bp)
	return r
}

//go:noinline
func systemCallDo(args *systemCallArgs) uintptr {
	return systemCallHook(args.num, args.a1, args.a2, args.a3, args.a4, args.a5, args.a6)
}

// A call with an argument that leads to the stack of its goroutine is made by
// another one, a server, while the goroutine waits: its stack cannot grow then,
// and parkingOnChan keeps the collector from shrinking it.

// systemCallHeld has a server make the call, and returns the result.
//
//go:nosplit
func systemCallHeld(args *systemCallArgs) uintptr {
	gp := getg()
	gp.parkingOnChan.Store(true)
	gp.param = unsafe.Pointer(args)
	mcall(systemCallWait)
	gp.parkingOnChan.Store(false)
	return args.num
}

// systemCallIdle are servers that wait for a call.
var systemCallIdle struct {
	lock mutex
	list gList
}

// systemCallServers is how many servers are kept.
const systemCallServers = 16

// systemCallWait has gp wait for a server, which goes on in its place.
func systemCallWait(gp *g) {
	lock(&systemCallIdle.lock)
	var server *g
	if !systemCallIdle.list.empty() {
		server = systemCallIdle.list.pop()
	}
	unlock(&systemCallIdle.lock)
	if server == nil {
		f := systemCallServe
		bubble := gp.bubble // which the server is not to be part of
		gp.bubble = nil
		server = newproc1(*(**funcval)(unsafe.Pointer(&f)), gp, sys.GetCallerPC(), true, waitReasonIOWait)
		gp.bubble = bubble
	}
	server.param = unsafe.Pointer(gp)
	server.labels = gp.labels
	systemCallPark(gp)
	systemCallSwitch(server, gp)
}

// systemCallServe is a server. It makes the call of the goroutine in param, which is
// in coroarg meanwhile.
func systemCallServe() {
	me := getg()
	for me.param != nil {
		gp := (*g)(me.param)
		me.param = nil
		args := (*systemCallArgs)(gp.param)
		gp.param = nil
		me.coroarg = (*coro)(unsafe.Pointer(gp))
		args.num = systemCallDo(args)
		me.labels = nil
		mcall(systemCallDone)
	}
}

// systemCallDone has the goroutine that a server has worked for go on in its place.
// One server too many ends.
func systemCallDone(server *g) {
	gp := (*g)(unsafe.Pointer(server.coroarg))
	server.coroarg = nil
	lock(&systemCallIdle.lock)
	if systemCallIdle.list.size < systemCallServers {
		systemCallPark(server)
		systemCallIdle.list.push(server)
		unlock(&systemCallIdle.lock)
		systemCallSwitch(gp, gp)
	}
	unlock(&systemCallIdle.lock)
	ready(gp, 0, true)
	gogo(&server.sched)
}

// systemCallPark has gp, which runs on this thread, wait.
func systemCallPark(gp *g) {
	trace := traceAcquire()
	if trace.ok() {
		trace.GoPark(traceBlockGeneric, 1)
	}
	casGToWaiting(gp, _Grunning, waitReasonIOWait)
	if trace.ok() {
		traceRelease(trace)
	}
	dropg()
}

// systemCallSwitch has gp, which waits, run on this thread, if nothing else is to
// come first. It does not return. What gp does next is part of what caller does: a trace of
// switches that has that one on this core goes on with it.
func systemCallSwitch(gp, caller *g) {
	mp := getg().m
	if pp := mp.p.ptr(); gp.lockedm != 0 || mp.lockedg != 0 || sched.gcwaiting.Load() || pp.runSafePointFn != 0 || pp.preempt {
		ready(gp, 0, true)
		schedule()
	}
	gp.waits &^= waitComputes
	trace := traceAcquire()
	casgstatus(gp, _Gwaiting, _Grunnable)
	if trace.ok() {
		trace.GoUnpark(gp, 0)
		traceRelease(trace)
	}
	if switchHooks.run != nil && mp.thread.core.ptr().last.is(mp, caller) {
		gp.waits |= waitServed
	}
	execute(gp, true)
}

// systemCallers is Callers of the goroutine for which a server makes the call in
// which it is called; 0: there is none.
//
//go:linkname systemCallers
func systemCallers(pcs []uintptr) (n int) {
	me := getg()
	if me.startpc != abi.FuncPCABIInternal(systemCallServe) || me.coroarg == nil {
		return 0
	}
	gp := (*g)(unsafe.Pointer(me.coroarg))
	systemstack(func() { n = gcallers(gp, 0, pcs) })
	return n
}
