//go:build tamago

package runtime

import _ "unsafe" // for go:linkname

// systemCallHook does a system call: the result, or the negative error number.
// Package syscall sets it.
//
//go:linkname systemCallHook
var systemCallHook func(num, a1, a2, a3, a4, a5, a6 uintptr) uintptr

// systemCallArgs are the number and the arguments, as systemCallFrame keeps them.
type systemCallArgs struct{ num, a1, a2, a3, a4, a5, a6 uintptr }

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
		return ^uintptr(0) - 37 // -ENOSYS
	}
	if gp.syscallsp == 0 {
		return systemCallDo(args)
	}
	pc, sp, bp := gp.syscallpc, gp.stack.hi-gp.syscallsp, gp.stack.hi-gp.syscallbp
	exitsyscall()
	r = systemCallDo(args)
	gp = getg()
	reentersyscall(pc, gp.stack.hi-sp, gp.stack.hi-bp)
	return r
}

//go:noinline
func systemCallDo(args *systemCallArgs) uintptr {
	return systemCallHook(args.num, args.a1, args.a2, args.a3, args.a4, args.a5, args.a6)
}
