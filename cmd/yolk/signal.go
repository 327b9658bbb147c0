package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the reason of a context that a signal has ended.
type signalError struct{ sig syscall.Signal }

func (e *signalError) Error() string { return fmt.Sprintf("ended by signal: %v", e.sig) }

// onSignal returns a context that the signals that ask to end bring to its
// end. A guest has to be ended in good order whatever asks.
func onSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	// A terminal's answer to a read from the background: an error of that
	// read, not a halt of the guest.
	signal.Ignore(syscall.SIGTTIN)
	go func() {
		if sig, ok := (<-signals).(syscall.Signal); ok {
			cancel(&signalError{sig})
		}
	}()
	return ctx
}
