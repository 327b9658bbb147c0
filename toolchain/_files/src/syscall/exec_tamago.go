//go:build tamago

package syscall

import _ "unsafe" // for go:linkname

// ProcAttr and SysProcAttr say how a process would be started.

type ProcAttr struct {
	Dir   string
	Env   []string
	Files []uintptr
	Sys   *SysProcAttr
}

type Credential struct {
	Uid         uint32
	Gid         uint32
	Groups      []uint32
	NoSetGroups bool
}

type SysProcAttr struct {
	Chroot     string
	Credential *Credential
	Setsid     bool
	Setpgid    bool
	Setctty    bool
	Noctty     bool
	Ctty       int
	Foreground bool
	Pgid       int
	Pdeathsig  Signal
}

func StartProcess(argv0 string, argv []string, attr *ProcAttr) (pid int, handle uintptr, err error) {
	return 0, 0, ENOSYS
}

func ForkExec(argv0 string, argv []string, attr *ProcAttr) (pid int, err error) {
	return 0, ENOSYS
}

func Exec(argv0 string, argv []string, envv []string) error { return ENOSYS }

// Wait4 finds no child to wait for.
func Wait4(pid int, wstatus *WaitStatus, options int, rusage *Rusage) (wpid int, err error) {
	return -1, ECHILD
}

// WaitStatus is how a process ended: a status in the second byte, or the
// signal in the lowest seven bits.
type WaitStatus uint32

const (
	statusSignal    = 0x7f
	statusCore      = 0x80
	statusStopped   = 0x7f
	statusContinued = 0xffff
)

func (w WaitStatus) Exited() bool    { return w&statusSignal == 0 }
func (w WaitStatus) Stopped() bool   { return w&0xff == statusStopped }
func (w WaitStatus) Continued() bool { return w == statusContinued }
func (w WaitStatus) Signaled() bool {
	return !w.Exited() && w&statusSignal != statusStopped
}
func (w WaitStatus) CoreDump() bool { return w.Signaled() && w&statusCore != 0 }
func (w WaitStatus) TrapCause() int { return -1 }

func (w WaitStatus) ExitStatus() int {
	if !w.Exited() {
		return -1
	}
	return int(w >> 8 & 0xff)
}

func (w WaitStatus) Signal() Signal {
	if !w.Signaled() {
		return -1
	}
	return Signal(w & statusSignal)
}

func (w WaitStatus) StopSignal() Signal {
	if !w.Stopped() {
		return -1
	}
	return Signal(w >> 8 & 0xff)
}

//go:linkname sigsend runtime.sigsend
func sigsend(sig uint32) bool

//go:linkname signalIgnored os/signal.signal_ignored
func signalIgnored(sig uint32) bool

// Kill sends a signal to the only process there is, where os/signal takes it.
// If the program has not asked for it, signals that end a Go program elsewhere
// end it, with 128 and the number of the signal as its status.
func Kill(pid int, sig Signal) error {
	switch {
	case sig < 0 || sig > 64:
		return EINVAL
	case pid > Getpid() || pid < -Getpgrp():
		return ESRCH
	case sig == 0:
		return nil
	}
	if sig != SIGKILL && (sigsend(uint32(sig)) || signalIgnored(uint32(sig))) {
		return nil
	}
	switch sig {
	case SIGHUP, SIGINT, SIGTERM, SIGKILL,
		SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSTKFLT, SIGSYS:
		Exit(128 + int(sig))
	}
	return nil
}
