package syscalls

import (
	"slices"
	"syscall"
)

// signalWait is a call that a signal ends: pause, or one that has been given a mask
// for as long as it waits, as ppoll. What the mask lets through ends it once the
// program gets the signal, and if nothing else did. Until then the signal stays
// where the process's own mask holds it: a call that finds a file ready leaves it
// there, as on Linux.
//
// All methods may be called on nil, which no signal ends.
type signalWait struct {
	k     *Kernel
	mask  *Sigset       // nil: the process's
	woken chan struct{} // has an element if interrupted is to be asked
	got   bool          // the program got a signal that ends the call
}

// waitForSignal begins a call under mask; nil: that of the process.
func (k *Kernel) waitForSignal(mask *Sigset) *signalWait {
	w := &signalWait{k: k, woken: make(chan struct{}, 1)}
	if mask != nil {
		set := *mask &^ unblockable
		w.mask = &set
	}
	s := &k.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = append(s.waits, w)
	return w
}

// waitUnder is waitForSignal for a call that signals end only if it is given a mask.
func (k *Kernel) waitUnder(mask *Sigset) *signalWait {
	if mask == nil {
		return nil
	}
	return k.waitForSignal(mask)
}

// wakes is what is sent to when interrupted is to be asked.
func (w *signalWait) wakes() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.woken
}

func (w *signalWait) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// interrupted has the signals arrive that w's mask lets through, and reports
// whether the program has got one since the call began.
func (w *signalWait) interrupted() bool {
	if w == nil {
		return false
	}
	s := &w.k.signals
	for {
		s.mu.Lock()
		info, ok := Siginfo{}, false
		if w.mask != nil {
			info, ok = s.take(^*w.mask)
		}
		got := w.got
		s.mu.Unlock()
		if !ok {
			return got
		}
		w.k.act(info.Signo)
	}
}

// end is the end of the call: its mask counts no longer.
func (w *signalWait) end() {
	if w == nil {
		return
	}
	s := &w.k.signals
	s.mu.Lock()
	s.waits = slices.DeleteFunc(s.waits, func(x *signalWait) bool { return x == w })
	s.mu.Unlock()
	w.k.release()
}

// masked reports whether sig has to wait: behind the process's mask, where w may
// take it, or because each mask that is there for as long as a call waits has it.
// s.mu is held.
func (s *signals) masked(sig syscall.Signal) (blocked bool, w *signalWait) {
	blocked = s.blocked.Has(sig)
	masks, let := 0, (*signalWait)(nil)
	for _, w := range s.waits {
		if w.mask == nil {
			continue
		}
		masks++
		if let == nil && !w.mask.Has(sig) {
			let = w
		}
	}
	return blocked || masks > 0 && let == nil, let
}

// arrived tells the calls that sig ends that the program got it.
func (s *signals) arrived(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.waits {
		mask := s.blocked
		if w.mask != nil {
			mask = *w.mask
		}
		if !mask.Has(sig) {
			w.got = true
			w.wake()
		}
	}
}
