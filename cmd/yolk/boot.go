package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
	"github.com/yolkos/yolk/cmd/yolk/internal/signals"
	"github.com/yolkos/yolk/kernel/logline"
	"github.com/yolkos/yolk/qemu"
)

// boot runs a guest with this process's streams and signals, and returns an error
// that carries its exit status.
func boot(ctx context.Context, o *qemu.Options) error {
	o.Stdin = os.Stdin
	ownOutputs(o)
	return bootWith(ctx, o)
}

// ownOutputs has a guest's output go where that of this process goes.
func ownOutputs(o *qemu.Options) {
	o.Stdout, o.Stderr, o.Console, o.Notes = os.Stdout, os.Stderr, os.Stderr, os.Stderr
}

// bootWith is boot with the streams that o has.
func bootWith(ctx context.Context, o *qemu.Options) error {
	if o.Suspend == nil {
		o.Suspend = suspend
	}
	var done func()
	o.Signals, done = signals.Process.ToGuest()
	defer done()
	return runGuest(ctx, o)
}

// runGuest is bootWith without signals.
func runGuest(ctx context.Context, o *qemu.Options) error {
	o.Self = []string{"/proc/self/exe", serveCommand}
	o.SelfNet = []string{"/proc/self/exe", serveNetCommand}
	status, err := qemu.Run(ctx, o)
	switch {
	case errors.Is(err, qemu.ErrTimeout):
		notes := o.Notes
		if o.JSON {
			notes = qemu.JSONNotes(notes, logline.Error)
		}
		fmt.Fprintf(notes, "yolk: ended after %v, the time limit\n", o.Timeout.Round(time.Millisecond))
		return exit.Status(exit.Timeout)
	case err != nil:
		return err
	case status != 0:
		return exit.Status(status)
	}
	return nil
}

// accelerate decides how the guest's instructions are run, and says on notes
// when it has to do without KVM.
func accelerate(ctx context.Context, o *qemu.Options, notes io.Writer) (err error) {
	var reason string
	o.Accel, reason, err = qemu.ChooseAccel(ctx, o.Accel, o.Machine, o.Trace)
	if reason != "" {
		fmt.Fprintf(notes, "yolk: no KVM here, yolk doctor tells why: the guest runs under TCG, which is slower\n")
	}
	return err
}
