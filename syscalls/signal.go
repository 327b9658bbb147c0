package syscalls

import (
	"slices"
	"sync"
	"syscall"
)

// Program is the running program as its Go runtime knows it: what becomes of a
// signal that arrives. In a guest it is package kernel's.
type Program interface {
	// Notify passes sig to os/signal and reports whether the program has asked
	// for it.
	Notify(sig syscall.Signal) bool
	// Ignored reports whether the program ignores sig, by signal.Ignore.
	Ignored(sig syscall.Signal) bool
	// Handled reports whether Notify would pass sig on.
	Handled(sig syscall.Signal) bool
	// Ignore and Reset set what happens to sig: nothing, or its default.
	Ignore(sig syscall.Signal)
	Reset(sig syscall.Signal)
	// Die ends the program by sig, with the traces of its goroutines if trace
	// is set. It does not return in a guest.
	Die(sig syscall.Signal, trace bool)
	// Stop stops the program and returns when it goes on: at once, if nobody
	// could have it go on.
	Stop(sig syscall.Signal)
}

// Siginfo is a signal on its way to the process, with what siginfo_t tells of it.
type Siginfo struct {
	Signo syscall.Signal
	Code  int32 // SI_USER and so on: who sent it
	Pid   int32 // of the sender; 0: the kernel, or a process of the host
	Uid   uint32
	Value uint64 // of rt_sigqueueinfo
}

// Codes of a Siginfo (siginfo.h).
const (
	SI_USER   = 0
	SI_KERNEL = 0x80
	SI_QUEUE  = -1
	SI_TIMER  = -2
	SI_TKILL  = -6
)

// Signals from sigRTMin on queue, each with its own value; of a lower one, only
// the first waits (signal(7)).
const (
	sigRTMin  = 32
	sigMax    = 64
	sigQueued = 1024 // most that wait (RLIMIT_SIGPENDING)
)

// Sigset is a set of signals: bit n-1 is signal n, as in the kernel's sigset_t.
type Sigset uint64

// SigsetOf returns the set of some signals.
func SigsetOf(signals ...syscall.Signal) (s Sigset) {
	for _, sig := range signals {
		s |= 1 << (sig - 1)
	}
	return s
}

// Has reports whether sig, a valid signal, is in the set.
func (s Sigset) Has(sig syscall.Signal) bool { return s>>(sig-1)&1 != 0 }

// unblockable are the signals that no mask holds back.
var unblockable = SigsetOf(syscall.SIGKILL, syscall.SIGSTOP)

// signals are the process's: its mask and what waits behind it.
//
// A program knows of one thread, whose mask this is, and of which Linux would say
// that the process has others: those of the Go runtime, that block nothing. So a
// signal to the process passes the mask by, unless somebody reads it from behind
// there, as by signalfd; one to the thread waits in any case.
type signals struct {
	mu      sync.Mutex
	blocked Sigset
	pending []Siginfo // oldest first
	readers []*SignalReader
	waits   []*signalWait
	stack   SignalStack // of Sigaltstack
}

// SignalReader takes signals from behind the mask. It counts from AddSignalReader
// until RemoveSignalReader.
type SignalReader struct {
	set  Sigset // guarded by signals.mu
	wake func()
}

// AddSignalReader has the signals of set wait while they are blocked. wake is
// called, without locks held, whenever one has come.
func (k *Kernel) AddSignalReader(set Sigset, wake func()) *SignalReader {
	r := &SignalReader{set, wake}
	s := &k.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers = append(s.readers, r)
	return r
}

// SetSignals changes what r takes.
func (k *Kernel) SetSignals(r *SignalReader, set Sigset) {
	s := &k.signals
	s.mu.Lock()
	r.set = set
	s.mu.Unlock()
	r.wake()
}

// RemoveSignalReader ends r. What waits goes on waiting.
func (k *Kernel) RemoveSignalReader(r *SignalReader) {
	s := &k.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers = slices.DeleteFunc(s.readers, func(x *SignalReader) bool { return x == r })
}

// TakeSignal takes a signal of r's that waits: the lowest first, as Linux does. ok
// is false if there is none.
func (k *Kernel) TakeSignal(r *SignalReader) (info Siginfo, ok bool) {
	s := &k.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(r.set)
}

// HasSignal reports whether TakeSignal would find one.
func (k *Kernel) HasSignal(r *SignalReader) bool {
	s := &k.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting()&r.set != 0
}

// take takes the lowest signal of set that waits. s.mu is held.
func (s *signals) take(set Sigset) (info Siginfo, ok bool) {
	best := -1
	for i, p := range s.pending {
		if set.Has(p.Signo) && (best < 0 || p.Signo < s.pending[best].Signo) {
			best = i
		}
	}
	if best < 0 {
		return info, false
	}
	info = s.pending[best]
	s.pending = slices.Delete(s.pending, best, best+1)
	return info, true
}

// waiting is the set of signals that wait. s.mu is held.
func (s *signals) waiting() (set Sigset) {
	for _, p := range s.pending {
		set |= SigsetOf(p.Signo)
	}
	return set
}

// hold has info wait behind the mask if it belongs there. thread: it is for the
// thread alone. EAGAIN: too many wait.
func (s *signals) hold(info Siginfo, thread bool) (held bool, e syscall.Errno) {
	s.mu.Lock()
	var wake []func()
	defer func() {
		s.mu.Unlock()
		for _, f := range wake {
			f()
		}
	}()
	blocked, w := s.masked(info.Signo)
	if !blocked {
		return false, 0
	}
	if w != nil {
		wake = append(wake, w.wake)
	}
	for _, r := range s.readers {
		if r.set.Has(info.Signo) {
			wake = append(wake, r.wake)
		}
	}
	if len(wake) == 0 && !thread {
		return false, 0
	}
	switch {
	case info.Signo < sigRTMin && s.waiting().Has(info.Signo):
		wake = nil
	case len(s.pending) >= sigQueued && info.Signo >= sigRTMin:
		return true, syscall.EAGAIN
	default:
		s.pending = append(s.pending, info)
	}
	return true, 0
}

// Deliver is where every signal arrives at the process: one of the host's, of the
// terminal, of a timer, of the program itself. It may stop or end the program.
func (k *Kernel) Deliver(info Siginfo) { k.send(info, false) }

func (k *Kernel) send(info Siginfo, thread bool) syscall.Errno {
	held, e := k.signals.hold(info, thread)
	if !held {
		k.act(info.Signo)
	}
	return e
}

// act does what the program has chosen for a signal, or what is the default of a
// Go program (os/signal, "Default behavior of signals in Go programs").
func (k *Kernel) act(sig syscall.Signal) {
	p := k.Program
	if p == nil {
		return
	}
	if sig != syscall.SIGKILL && sig != syscall.SIGSTOP {
		if p.Notify(sig) {
			k.signals.arrived(sig)
			return
		}
		if p.Ignored(sig) {
			return
		}
	}
	switch sig {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL:
		p.Die(sig, false)
	case syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS,
		syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS:
		p.Die(sig, true)
	case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		p.Stop(sig)
	}
}
