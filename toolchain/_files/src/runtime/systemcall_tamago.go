//go:build tamago

package runtime

import _ "unsafe" // for go:linkname

// systemCallHook does a system call: the result, or the negative error number.
// Package syscall sets it.
//
//go:linkname systemCallHook
var systemCallHook func(num, a1, a2, a3, a4, a5, a6 uintptr) uintptr

// systemCallGo is for the instruction SYSCALL. Code that has announced the call
// to the scheduler, by entersyscall, finds it announced afterwards: in between
// the goroutine runs as any other, and its stack may move.
//
//go:nosplit
func systemCallGo(num, a1, a2, a3, a4, a5, a6 uintptr) (r uintptr) {
	gp := getg()
	if gp == gp.m.g0 || gp == gp.m.gsignal || systemCallHook == nil {
		return ^uintptr(0) - 37 // -ENOSYS
	}
	if gp.syscallsp == 0 {
		return systemCallHook(num, a1, a2, a3, a4, a5, a6)
	}
	pc, sp, bp := gp.syscallpc, gp.stack.hi-gp.syscallsp, gp.stack.hi-gp.syscallbp
	exitsyscall()
	r = systemCallHook(num, a1, a2, a3, a4, a5, a6)
	gp = getg()
	reentersyscall(pc, gp.stack.hi-sp, gp.stack.hi-bp)
	return r
}
