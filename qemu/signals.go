package qemu

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/yolkos/yolk/kernel/control"
)

// SignalError is the end of a run by a signal to this process.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return fmt.Sprintf("ended by signal: %v", e.Signal) }

// signal passes a signal of this process on to the program, which decides what
// becomes of it. The error is why the guest has to be ended instead: whoever sends
// a second SIGINT does not want to wait for the program's answer to the first.
func (g *guest) signal(s os.Signal) error {
	sig, ok := s.(syscall.Signal)
	if !ok {
		return nil
	}
	switch {
	case sig == syscall.SIGINT && g.interrupted:
		return &SignalError{sig}
	case sig == syscall.SIGINT:
		g.interrupted = true
	case sig == syscall.SIGTERM && g.stopLimit == nil && g.o.StopTimeout > 0:
		g.stopLimit = time.After(g.o.StopTimeout)
	case sig == syscall.SIGWINCH:
		g.tellSize()
	case sig == syscall.SIGCONT:
		g.terminal.again()
	}
	g.link.tell(control.Signal, strconv.Itoa(int(sig)))
	return nil
}

// suspend stops the machine and this process as a job of a shell: until that
// continues it. The machine's clocks go on, as those of a stopped process.
func (g *guest) suspend(sig syscall.Signal) {
	if g.o.Suspend != nil && stops(sig) {
		g.qemu.signal(syscall.SIGSTOP)
		for _, m := range g.mergers {
			m.settle()
		}
		g.terminal.restore()
		g.o.Suspend(sig)
		g.terminal.again()
		g.qemu.signal(syscall.SIGCONT)
	}
	g.link.tell(control.Continued)
}

// stops reports whether sig stops a process unless it says otherwise. The guest,
// which names it, is a stranger.
func stops(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		return true
	}
	return false
}

// endNow ends the guest, whose profiles are saved and whose output is passed on
// until ctx ends and nobody takes it.
func (g *guest) endNow(ctx context.Context) {
	if closed(g.control.main) {
		g.askForProfiles()
	}
	g.qemu.kill()
	g.drain(ctx)
}

// endSoon is endNow for the reason err, which it returns.
func (g *guest) endSoon(err error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(err)
	g.endNow(ctx)
	return err
}
