package main

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// suspend stops this process by a signal, as if it took no notice of it, and
// returns when it goes on. In a process group that no shell looks after that is at
// once.
func suspend(sig syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if sig != syscall.SIGSTOP {
		// signal.Reset leaves the runtime's handler in place for a signal that
		// was asked for once, and that handler does not stop the process.
		handler := setAction(sig, sigaction{})
		defer setAction(sig, handler)
	}
	// To this thread, so that it is stopped before the call returns.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
}

// sigaction is the kernel's struct sigaction; all zero it is the default.
type sigaction struct {
	handler, flags, restorer, mask uint64
}

// setAction sets what a signal does and returns what it did.
func setAction(sig syscall.Signal, act sigaction) (old sigaction) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(&act)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(act.mask), 0, 0)
	return old
}
