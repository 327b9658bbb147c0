package syscalls

import (
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is a Program that keeps what reaches it.
type program struct {
	mu      sync.Mutex
	wants   Sigset
	ignores Sigset
	got     []syscall.Signal
	ended   []syscall.Signal
	traced  []syscall.Signal
	stopped []syscall.Signal
}

func (p *program) note(list *[]syscall.Signal, sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*list = append(*list, sig)
}

func (p *program) Handled(sig syscall.Signal) bool { return p.wants.Has(sig) }
func (p *program) Ignored(sig syscall.Signal) bool { return p.ignores.Has(sig) }
func (p *program) Stop(sig syscall.Signal)         { p.note(&p.stopped, sig) }

func (p *program) Notify(sig syscall.Signal) bool {
	if !p.wants.Has(sig) {
		return false
	}
	p.note(&p.got, sig)
	return true
}

func (p *program) Ignore(sig syscall.Signal) {
	p.wants &^= SigsetOf(sig)
	p.ignores |= SigsetOf(sig)
}

func (p *program) Reset(sig syscall.Signal) {
	p.wants &^= SigsetOf(sig)
	p.ignores &^= SigsetOf(sig)
}

func (p *program) Die(sig syscall.Signal, trace bool) {
	if trace {
		p.note(&p.traced, sig)
	} else {
		p.note(&p.ended, sig)
	}
}

func withProgram(t *testing.T) (*Kernel, *program) {
	k, p := newKernel(t), &program{}
	k.Program = p
	return k, p
}

func gets(t *testing.T, what string, got []syscall.Signal, want ...syscall.Signal) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: signals %v, want %v", what, got, want)
	}
}

// TestDefaultActions sends each signal to a program that has asked for none: what
// it does is what package os/signal documents.
func TestDefaultActions(t *testing.T) {
	k, p := withProgram(t)
	for sig := syscall.Signal(1); sig <= sigMax; sig++ {
		ok(t, k.Kill(pid, sig))
	}
	gets(t, "end", p.ended, syscall.SIGHUP, syscall.SIGINT, syscall.SIGKILL, syscall.SIGTERM)
	gets(t, "end with traces", p.traced, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT,
		syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS)
	gets(t, "stop", p.stopped, syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
	gets(t, "handled", p.got)
}

func TestSignalsHandledAndIgnored(t *testing.T) {
	k, p := withProgram(t)
	p.wants = ^Sigset(0)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTSTP, syscall.SIGQUIT, syscall.SIGUSR1, sigMax} {
		k.Deliver(Siginfo{Signo: sig})
	}
	gets(t, "handled", p.got, syscall.SIGINT, syscall.SIGTSTP, syscall.SIGQUIT, syscall.SIGUSR1, sigMax)
	p.wants, p.ignores = 0, ^Sigset(0)
	for sig := syscall.Signal(1); sig <= sigMax; sig++ {
		k.Deliver(Siginfo{Signo: sig})
	}
	// Two cannot be ignored.
	gets(t, "end", p.ended, syscall.SIGKILL)
	gets(t, "stop", p.stopped, syscall.SIGSTOP)
	newKernel(t).Deliver(Siginfo{Signo: syscall.SIGKILL}) // no program: nothing
}

// TestKillErrors compares with the host's kernel, where the process has another
// number.
func TestKillErrors(t *testing.T) {
	k, p := withProgram(t)
	p.wants = ^Sigset(0)
	self, none := syscall.Getpid(), 1<<22+1 // above PID_MAX_LIMIT
	for _, tt := range []struct{ to, host, sig int }{
		{pid, self, 0}, {pid, self, 65}, {pid, self, -1}, {none, none, 0}, {-none, -none, 0}, {none, none, 99},
	} {
		want, _ := syscall.Kill(tt.host, syscall.Signal(tt.sig)).(syscall.Errno)
		is(t, "kill", k.Kill(tt.to, syscall.Signal(tt.sig)), want)
	}
	for _, tt := range []struct{ tgid, tid, host, hostThread, sig int }{
		{0, 1, 0, self, 0}, {1, 0, self, 0, 0}, {1, -5, self, -5, 0}, {1, none, self, none, 0}, {none, 1, none, self, 0},
		{1, 1, self, self, 65}, {1, 1, self, self, 0},
	} {
		_, _, want := syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(tt.host), uintptr(tt.hostThread), uintptr(tt.sig))
		is(t, "tgkill", k.Tgkill(tt.tgid, tt.tid, syscall.Signal(tt.sig)), want)
	}
	gets(t, "nothing was to be sent", p.got)
	for _, to := range []int{0, -1, 1} {
		ok(t, k.Kill(to, syscall.SIGUSR1))
	}
	ok(t, k.Tgkill(1, 1, syscall.SIGUSR2))
	gets(t, "sent", p.got, syscall.SIGUSR1, syscall.SIGUSR1, syscall.SIGUSR1, syscall.SIGUSR2)
}

// TestSignalMask: a blocked signal to the thread waits; one to the process waits
// only for who reads it from behind the mask.
func TestSignalMask(t *testing.T) {
	k, p := withProgram(t)
	p.wants = ^Sigset(0)
	set := SigsetOf(syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGKILL, syscall.SIGSTOP, 40)
	old, e := k.RtSigprocmask(SIG_BLOCK, &set)
	ok(t, e)
	if old != 0 {
		t.Errorf("old mask %#x", old)
	}
	if now, _ := k.RtSigprocmask(99, nil); now != set&^unblockable {
		t.Errorf("mask %#x", now)
	}
	_, e = k.RtSigprocmask(3, &set)
	is(t, "how", e, syscall.EINVAL)
	ok(t, k.Kill(1, syscall.SIGUSR1))
	gets(t, "other threads get it", p.got, syscall.SIGUSR1)
	p.got = nil
	ok(t, k.Tgkill(1, 1, syscall.SIGUSR2))
	ok(t, k.Tgkill(1, 1, syscall.SIGUSR2)) // is the same
	gets(t, "waits", p.got)
	if got := k.RtSigpending(); got != SigsetOf(syscall.SIGUSR2) {
		t.Errorf("pending %#x", got)
	}

	woken := 0
	r := k.AddSignalReader(SigsetOf(syscall.SIGUSR1, 40), func() { woken++ })
	if k.HasSignal(r) {
		t.Error("a signal that is not in the set")
	}
	for i := range 3 {
		ok(t, k.RtSigqueueinfo(1, Siginfo{Signo: 40, Code: SI_QUEUE, Value: uint64(i)}))
	}
	ok(t, k.Kill(1, syscall.SIGUSR1))
	ok(t, k.Kill(1, syscall.SIGTERM)) // not blocked
	gets(t, "not blocked", p.got, syscall.SIGTERM)
	p.got = nil
	if woken != 4 || !k.HasSignal(r) {
		t.Errorf("woken %d times", woken)
	}
	for _, want := range []Siginfo{
		{Signo: syscall.SIGUSR1, Code: SI_USER, Pid: 1}, {Signo: 40, Code: SI_QUEUE}, {Signo: 40, Code: SI_QUEUE, Value: 1},
	} {
		if got, ok := k.TakeSignal(r); !ok || got != want {
			t.Errorf("took %+v, %v; want %+v", got, ok, want)
		}
	}
	k.RemoveSignalReader(r)
	none := Sigset(0)
	_, e = k.RtSigprocmask(SIG_SETMASK, &none)
	ok(t, e)
	gets(t, "arrive when unblocked", p.got, syscall.SIGUSR2, 40)
	if got := k.RtSigpending(); got != 0 {
		t.Errorf("pending %#x", got)
	}
}

// TestSignalQueue: the signals that wait have a bound.
func TestSignalQueue(t *testing.T) {
	k, _ := withProgram(t)
	all := ^Sigset(0)
	_, e := k.RtSigprocmask(SIG_SETMASK, &all)
	ok(t, e)
	for range sigQueued {
		ok(t, k.Tgkill(1, 1, sigMax))
	}
	is(t, "one more", k.Tgkill(1, 1, sigMax), syscall.EAGAIN)
	ok(t, k.Tgkill(1, 1, syscall.SIGUSR1)) // of these there is room for each
}

func TestSigtimedwait(t *testing.T) {
	k, p := withProgram(t)
	p.wants = SigsetOf(syscall.SIGHUP)
	set := SigsetOf(syscall.SIGUSR1)
	_, e := k.RtSigprocmask(SIG_BLOCK, &set)
	ok(t, e)
	_, e = k.RtSigtimedwait(set, 0)
	is(t, "none", e, syscall.EAGAIN)
	_, e = k.RtSigtimedwait(set, time.Millisecond)
	is(t, "none in time", e, syscall.EAGAIN)
	got := make(chan Siginfo)
	go func() {
		info, _ := k.RtSigtimedwait(set, -1)
		got <- info
	}()
	for k.Kill(1, syscall.SIGUSR1) == 0 {
		select {
		case info := <-got:
			if info.Signo != syscall.SIGUSR1 || info.Pid != 1 {
				t.Errorf("%+v", info)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// TestPause: a signal that the program gets ends the wait, no other does.
func TestPause(t *testing.T) {
	k, p := withProgram(t)
	p.wants = SigsetOf(syscall.SIGUSR1)
	wait := func(what string, f func() syscall.Errno) {
		done := make(chan syscall.Errno)
		go func() { done <- f() }()
		k.Deliver(Siginfo{Signo: syscall.SIGWINCH})
		for {
			k.Deliver(Siginfo{Signo: syscall.SIGUSR1})
			select {
			case e := <-done:
				is(t, what, e, syscall.EINTR)
				return
			case <-time.After(time.Millisecond):
			}
		}
	}
	wait("pause", k.Pause)
	wait("sigsuspend", func() syscall.Errno { return k.RtSigsuspend(SigsetOf(syscall.SIGUSR2)) })
	if mask, _ := k.RtSigprocmask(0, nil); mask != 0 {
		t.Errorf("mask %#x", mask)
	}
}

func TestSigaction(t *testing.T) {
	k, p := withProgram(t)
	act := func(sig syscall.Signal, a *Sigaction, want uintptr) Sigaction {
		t.Helper()
		old, e := k.RtSigaction(sig, a)
		ok(t, e)
		if old.Handler != want {
			t.Errorf("%v: handler %#x, want %#x", sig, old.Handler, want)
		}
		return old
	}
	act(syscall.SIGINT, nil, SIG_DFL)
	act(syscall.SIGINT, &Sigaction{Handler: SIG_IGN}, SIG_DFL)
	act(syscall.SIGINT, nil, SIG_IGN)
	k.Deliver(Siginfo{Signo: syscall.SIGINT})
	gets(t, "ignored", p.ended)
	act(syscall.SIGINT, &Sigaction{Handler: SIG_DFL}, SIG_IGN)
	k.Deliver(Siginfo{Signo: syscall.SIGINT})
	gets(t, "default", p.ended, syscall.SIGINT)
	p.wants = SigsetOf(syscall.SIGTERM)
	old := act(syscall.SIGTERM, nil, sigHandler)
	act(syscall.SIGTERM, &old, sigHandler) // as it was
	if !p.Handled(syscall.SIGTERM) {
		t.Error("no longer handled")
	}
	_, e := k.RtSigaction(syscall.SIGHUP, &Sigaction{Handler: 0x400000})
	is(t, "a handler", e, syscall.ENOSYS)
	for _, sig := range []syscall.Signal{0, -1, 65, syscall.SIGKILL, syscall.SIGSTOP} {
		_, e := k.RtSigaction(sig, &Sigaction{})
		is(t, "signal", e, syscall.EINVAL)
	}
	act(syscall.SIGKILL, nil, SIG_DFL) // may be asked for
}

func TestSigaltstack(t *testing.T) {
	k := newKernel(t)
	old, e := k.Sigaltstack(nil)
	if ok(t, e); old != (SignalStack{Flags: SS_DISABLE}) {
		t.Errorf("%+v", old)
	}
	_, e = k.Sigaltstack(&SignalStack{Sp: 4096, Size: minSigStack - 1})
	is(t, "small", e, syscall.ENOMEM)
	_, e = k.Sigaltstack(&SignalStack{Sp: 4096, Size: 8192, Flags: 4})
	is(t, "flags", e, syscall.EINVAL)
	_, e = k.Sigaltstack(&SignalStack{Sp: 4096, Size: 8192})
	ok(t, e)
	old, e = k.Sigaltstack(&SignalStack{Flags: SS_DISABLE})
	if ok(t, e); old != (SignalStack{Sp: 4096, Size: 8192}) {
		t.Errorf("%+v", old)
	}
	if old, _ = k.Sigaltstack(nil); old.Flags != SS_DISABLE {
		t.Errorf("%+v", old)
	}
}

func TestItimer(t *testing.T) {
	k, p := withProgram(t)
	p.wants = SigsetOf(syscall.SIGALRM)
	_, _, e := k.Setitimer(ITIMER_REAL, time.Hour, time.Minute)
	ok(t, e)
	left, interval, e := k.Getitimer(ITIMER_REAL)
	ok(t, e)
	if left <= 59*time.Minute || left > time.Hour || interval != time.Minute {
		t.Errorf("%v left, interval %v", left, interval)
	}
	if n := k.Alarm(5); n < 3590 || n > 3600 {
		t.Errorf("alarm: %d s left", n)
	}
	if n := k.Alarm(0); n < 1 || n > 5 {
		t.Errorf("alarm: %d s left", n)
	}
	if n := k.Alarm(0); n != 0 {
		t.Errorf("alarm: %d s left of none", n)
	}
	for _, which := range []int{-1, ITIMER_VIRTUAL, ITIMER_PROF, 3} {
		_, _, e = k.Setitimer(which, 1, 0)
		is(t, "setitimer", e, syscall.EINVAL)
	}
	_, _, e = k.Getitimer(3)
	is(t, "getitimer", e, syscall.EINVAL)
	gets(t, "none was due", p.got)

	w := k.waitForSignal(nil)
	defer w.end()
	_, _, e = k.Setitimer(ITIMER_REAL, time.Microsecond, time.Microsecond)
	ok(t, e)
	<-w.woken
	<-w.woken // and again
	_, _, e = k.Setitimer(ITIMER_REAL, 0, 0)
	ok(t, e)
}
