//go:build tamago

package syscall

import _ "unsafe" // for go:linkname

// System calls by number. What is behind them is Go, and the stack of a goroutine
// moves when it grows: so nothing of this may split it, until the runtime has seen
// whether a word leads there, and has the stack stay if so.
//
// go:linkname, as in the original, has these called from assembly of other
// packages.
//
// The second result is the register of the third argument, DX, which Linux leaves
// as it was; of a call that fails it is 0.

// Of package runtime. systemCallOnStack returns the result, or the negative error
// number.
func onStack(a1, a2, a3, a4, a5, a6 uintptr) bool
func systemCallOnStack(num, a1, a2, a3, a4, a5, a6 uintptr) uintptr

//go:uintptrkeepalive
//go:nosplit
//go:linkname Syscall6
func Syscall6(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err Errno) {
	if !onStack(a1, a2, a3, a4, a5, a6) {
		r1, err = below().Call(trap, a1, a2, a3, a4, a5, a6)
	} else if r1 = systemCallOnStack(trap, a1, a2, a3, a4, a5, a6); r1 > ^uintptr(4095) {
		err = Errno(-r1)
	}
	if err != 0 {
		return ^uintptr(0), 0, err
	}
	return r1, a3, 0
}

//go:uintptrkeepalive
//go:nosplit
//go:linkname Syscall
func Syscall(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err Errno) {
	return Syscall6(trap, a1, a2, a3, 0, 0, 0)
}

// There is no scheduler to tell that a call may take long: raw calls are as
// others.

//go:uintptrkeepalive
//go:nosplit
//go:linkname RawSyscall6
func RawSyscall6(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err Errno) {
	return Syscall6(trap, a1, a2, a3, a4, a5, a6)
}

//go:uintptrkeepalive
//go:nosplit
//go:linkname RawSyscall
func RawSyscall(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err Errno) {
	return Syscall6(trap, a1, a2, a3, 0, 0, 0)
}

//go:uintptrkeepalive
//go:nosplit
func rawSyscallNoError(trap, a1, a2, a3 uintptr) (r1, r2 uintptr) {
	r1, r2, _ = Syscall6(trap, a1, a2, a3, 0, 0, 0)
	return r1, r2
}

// encoded is a call with its result as Linux has it: errors are negative.
func encoded(num, a1, a2, a3, a4, a5, a6 uintptr) uintptr {
	r, e := below().Call(num, a1, a2, a3, a4, a5, a6)
	if e != 0 {
		return -uintptr(e)
	}
	return r
}

// systemCallHook is what the runtime calls, for systemCallOnStack and for code that
// has the instruction SYSCALL itself.
//
//go:linkname systemCallHook runtime.systemCallHook
var systemCallHook func(num, a1, a2, a3, a4, a5, a6 uintptr) uintptr

// runtime_doAllThreadsSyscall is for what Linux keeps for each thread. There is
// one of it here. What calls it has the memory of its arguments on the heap.
func runtime_doAllThreadsSyscall(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, err uintptr) {
	r1, r2, e := Syscall6(trap, a1, a2, a3, a4, a5, a6)
	return r1, r2, uintptr(e)
}

func rawVforkSyscall(trap, a1, a2, a3 uintptr) (r1 uintptr, err Errno) { return ^uintptr(0), ENOSYS }

func now() (sec int64, nsec int32) // in package runtime

//go:linkname gettimeofday
func gettimeofday(tv *Timeval) Errno {
	sec, nsec := now()
	*tv = Timeval{sec, int64(nsec) / 1000}
	return 0
}

// oneProgram: there are no processes.
const oneProgram = true

// errOneProgram is what comes of starting another program. It is
// [errors.ErrUnsupported].
var errOneProgram error = oneProgramError{}

type oneProgramError struct{}

func (oneProgramError) Error() string {
	return "there are no processes: this program is the whole system and cannot start another"
}

func (oneProgramError) Is(target error) bool { return target == ENOSYS || ENOSYS.Is(target) }
