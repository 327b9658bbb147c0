package syscalls

import (
	"syscall"
	"time"
)

// How RtSigprocmask changes the mask (asm-generic/signal-defs.h).
const (
	SIG_BLOCK   = 0
	SIG_UNBLOCK = 1
	SIG_SETMASK = 2
)

// RtSigprocmask changes the mask by set, unless that is nil, and returns what it
// was. What is no longer blocked arrives before the call returns.
func (k *Kernel) RtSigprocmask(how int, set *Sigset) (old Sigset, e syscall.Errno) {
	s := &k.signals
	s.mu.Lock()
	old = s.blocked
	if set != nil {
		switch how {
		case SIG_BLOCK:
			s.blocked |= *set
		case SIG_UNBLOCK:
			s.blocked &^= *set
		case SIG_SETMASK:
			s.blocked = *set
		default:
			e = syscall.EINVAL
		}
		s.blocked &^= unblockable
	}
	s.mu.Unlock()
	k.release()
	return old, e
}

// release lets go what waits and is no longer blocked.
func (k *Kernel) release() {
	s := &k.signals
	for {
		s.mu.Lock()
		info, ok := s.take(^s.blocked)
		s.mu.Unlock()
		if !ok {
			return
		}
		k.act(info.Signo)
	}
}

// RtSigpending returns the signals that wait behind the mask.
func (k *Kernel) RtSigpending() Sigset {
	k.signals.mu.Lock()
	defer k.signals.mu.Unlock()
	return k.signals.waiting()
}

// RtSigtimedwait takes a signal of set from behind the mask. It waits for one for
// timeout, for ever if that is negative; EAGAIN: none came.
func (k *Kernel) RtSigtimedwait(set Sigset, timeout time.Duration) (Siginfo, syscall.Errno) {
	set &^= unblockable
	came := make(chan struct{}, 1)
	r := k.AddSignalReader(set, func() {
		select {
		case came <- struct{}{}:
		default:
		}
	})
	defer k.RemoveSignalReader(r)
	var over <-chan time.Time // nil: never
	if timeout >= 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		over = t.C
	}
	w := k.waitForSignal(nil)
	defer w.end()
	for {
		if info, ok := k.TakeSignal(r); ok {
			return info, 0
		}
		select {
		case <-came:
		case <-over:
			if info, ok := k.TakeSignal(r); ok {
				return info, 0
			}
			return Siginfo{}, syscall.EAGAIN
		case <-w.woken:
			if w.interrupted() {
				return Siginfo{}, syscall.EINTR
			}
		}
	}
}

// Pause waits for a signal that the program gets: EINTR.
func (k *Kernel) Pause() syscall.Errno { return k.sigsuspend(nil) }

// RtSigsuspend is Pause under another mask.
func (k *Kernel) RtSigsuspend(set Sigset) syscall.Errno { return k.sigsuspend(&set) }

func (k *Kernel) sigsuspend(set *Sigset) syscall.Errno {
	w := k.waitForSignal(set)
	defer w.end()
	for !w.interrupted() {
		<-w.woken
	}
	return syscall.EINTR
}

// Sigaction is what happens to a signal, the kernel's struct sigaction.
type Sigaction struct {
	Handler  uintptr
	Flags    uint64
	Restorer uintptr
	Mask     Sigset
}

// The handlers that are no functions.
const (
	SIG_DFL = 0
	SIG_IGN = 1
)

// sigHandler stands for the Go runtime, which passes the signal to os/signal; no
// instruction is there. Its flags are those that the runtime asks for on Linux:
// SA_SIGINFO, SA_RESTORER, SA_ONSTACK and SA_RESTART.
const (
	sigHandler      = 0x1000
	sigHandlerFlags = 0x4 | 0x04000000 | 0x08000000 | 0x10000000
)

// RtSigaction tells what happens to a signal and, with act, changes that: to the
// default or to nothing. The old action of a signal that goes to os/signal may be
// set again. Another handler cannot run, as signals interrupt nobody here: ENOSYS.
func (k *Kernel) RtSigaction(sig syscall.Signal, act *Sigaction) (old Sigaction, e syscall.Errno) {
	if sig < 1 || sig > sigMax || act != nil && (sig == syscall.SIGKILL || sig == syscall.SIGSTOP) {
		return old, syscall.EINVAL
	}
	p := k.Program
	switch {
	case p == nil:
	case p.Ignored(sig):
		old.Handler = SIG_IGN
	case p.Handled(sig):
		old = Sigaction{Handler: sigHandler, Flags: sigHandlerFlags, Mask: ^Sigset(0)}
	}
	switch {
	case act == nil || p == nil || act.Handler == old.Handler:
	case act.Handler == SIG_IGN:
		p.Ignore(sig)
	case act.Handler == SIG_DFL:
		p.Reset(sig)
	default:
		return old, syscall.ENOSYS
	}
	return old, 0
}

// SignalStack is stack_t: where handlers of signals would run.
type SignalStack struct {
	Sp    uintptr
	Flags int32
	_     int32
	Size  uint64
}

// Of SignalStack: there is none; and its least size (asm-generic/signal.h).
const (
	SS_DISABLE  = 2
	minSigStack = 2048
)

// Sigaltstack keeps a stack, on which nothing ever runs, and tells of it.
func (k *Kernel) Sigaltstack(set *SignalStack) (old SignalStack, e syscall.Errno) {
	s := &k.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	old = s.stack
	if old.Size == 0 {
		old = SignalStack{Flags: SS_DISABLE}
	}
	switch {
	case set == nil:
	case set.Flags&SS_DISABLE != 0:
		s.stack = SignalStack{}
	case set.Flags&^ssOnstack != 0:
		return old, syscall.EINVAL
	case set.Size < minSigStack:
		return old, syscall.ENOMEM
	default:
		s.stack = SignalStack{Sp: set.Sp, Size: set.Size}
	}
	return old, 0
}

// ssOnstack may be set and means nothing, as on Linux.
const ssOnstack = 1
