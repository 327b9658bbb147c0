// Package signals takes the signals that yolk gets to whom they are for: to the guest while one
// runs, else to yolk itself, which ends in good order.
package signals

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/qemu"
)

// ending are the signals that ask yolk to end, as long as there is no guest that
// they could be passed on to.
var ending = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// relayed are the signals that a guest's program gets besides: all that nothing
// else raises but somebody who means the program.
func relayed() []os.Signal {
	list := []os.Signal{
		syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGWINCH, syscall.SIGIO, syscall.SIGPWR,
		syscall.SIGTSTP, syscall.SIGCONT,
	}
	for sig := firstQueued; sig <= lastSignal; sig++ {
		list = append(list, sig)
	}
	return list
}

// The real-time signals that the C library and Go leave to programs.
const (
	firstQueued syscall.Signal = 35
	lastSignal  syscall.Signal = 64
)

// relay takes the signals of this process to whom they are for.
type relay struct {
	in chan os.Signal

	mu    sync.Mutex
	guest chan os.Signal // nil: there is none
}

// Process is the relay of this process, once Context has started it.
var Process = relay{in: make(chan os.Signal, 64)}

// Context returns a context that the signals that ask to end bring to its
// end, while they are not passed on to a guest: what there is has to be ended in
// good order whatever asks.
func Context() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	Process.notify(ending)
	// A terminal's answer to a read from the background: an error of that
	// read, not a halt of the guest.
	signal.Ignore(syscall.SIGTTIN)
	go func() {
		for s := range Process.in {
			if sig := s.(syscall.Signal); !Process.pass(sig) {
				cancel(&qemu.SignalError{Signal: sig})
			}
		}
	}()
	return ctx
}

// notify has signals come in, but those that whoever started this process has it
// ignore, as nohup does.
func (r *relay) notify(list []os.Signal) {
	for _, sig := range list {
		if !signal.Ignored(sig) {
			signal.Notify(r.in, sig)
		}
	}
}

// pass passes a signal on to the guest and reports whether it need not be taken
// for a wish that yolk itself should end.
func (r *relay) pass(sig syscall.Signal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.guest == nil {
		for _, s := range ending {
			if s == sig {
				return false
			}
		}
		return true // a guest has just ended
	}
	select {
	case r.guest <- sig:
	default: // it has not taken many others either
	}
	return true
}

// ToGuest has the signals of this process go to a guest until done is called.
func (r *relay) ToGuest() (guest <-chan os.Signal, done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan os.Signal, cap(r.in))
	r.guest = c
	r.notify(relayed())
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.guest = nil
		signal.Reset(relayed()...)
	}
}

// Hold has the signals that ask to end go to whom it returns the channel to, until done is
// called.
func (r *relay) Hold() (taken <-chan os.Signal, done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan os.Signal, cap(r.in))
	r.guest = c
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.guest = nil
		close(c)
	}
}

// AsError is errors.As for the end by a signal.
func AsError(err error) (sig syscall.Signal, ok bool) {
	var s *qemu.SignalError
	if ok = errors.As(err, &s); ok {
		sig = s.Signal
	}
	return sig, ok
}
