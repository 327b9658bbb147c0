package qemu

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/yolkos/yolk/kernel/control"
)

// grace is how long QEMU may take to end after the kernel has told the exit
// status; powering off takes it a few milliseconds. Nothing is lost after it:
// what the guest has written has left it by then.
const grace = 2 * time.Second

// wait waits for the guest's end, or brings it about.
func (g *guest) wait(ctx context.Context) (int, error) {
	main, exited, held := g.control.main, g.control.exited, g.link.held
	var late, settled <-chan time.Time
	var unsettled []*shareServer // that have ended, perhaps with QEMU
	network := g.networkDone()
	for {
		select {
		case <-g.qemu.done:
			whole := g.drain(ctx)
			g.announce(unsettled)
			status, err := g.verdict()
			if !whole && err == nil {
				err = context.Cause(ctx)
			}
			return status, err
		case <-main:
			main = nil
			g.o.Network.closeSockets() // there is no other attempt: when the network ends, nobody listens
			if g.o.OnMain != nil {
				g.o.OnMain()
			}
			if g.o.OnGuest != nil && g.o.Hold == "" {
				go g.o.OnGuest(&Guest{g.link})
			}
		case <-held:
			held = nil
			if g.o.OnGuest != nil {
				go g.o.OnGuest(&Guest{g.link})
			}
		case <-exited:
			exited = nil
			if g.o.Debug == nil { // a debugger may stop it there as well
				late = time.After(grace)
			}
		case <-late:
			g.qemu.kill()
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrTimeout) {
				g.hangs()
			}
			g.endNow(ctx)
			return 0, context.Cause(ctx)
		case sig := <-g.o.Signals:
			if err := g.signal(sig); err != nil {
				return 0, g.endSoon(err)
			}
		case <-g.stopLimit:
			g.note("the program has not ended within %v of SIGTERM", g.o.StopTimeout)
			g.hangs()
			return 0, g.endSoon(errStopTime)
		case sig := <-g.link.stop:
			g.suspend(sig)
		case <-g.keyboard.hangs:
			g.note("the program takes no notice of Ctrl-C")
			return 0, g.endSoon(&SignalError{syscall.SIGINT})
		case s := <-g.servers.ended:
			if g.serverEnded(s) {
				unsettled = append(unsettled, s)
				settled = time.After(settleTime)
			}
		case <-network:
			network = nil
			if err := g.networkEnded(); err != nil && !closed(g.control.main) {
				g.qemu.kill()
				g.drain(ctx)
				return 0, err
			} else if err != nil {
				g.note("%v; the guest has no network any more", err)
				g.link.tell(control.NetworkEnded)
			}
		case <-settled:
			if !closed(g.control.main) {
				g.qemu.kill()
				g.drain(ctx)
				return 0, &serverError{unsettled[0].end()}
			}
			g.announce(unsettled)
			unsettled = nil
		}
	}
}

// verdict finds out how a guest whose QEMU has ended by itself did.
func (g *guest) verdict() (int, error) {
	switch {
	case closed(g.control.exited):
		return g.control.status, nil
	case g.qemu.err == nil:
		return 0, errors.New("the guest stopped without an exit status (reset, triple fault or power-off)")
	}
	// isa-debug-exit: QEMU's own failures have the even status 1<<1 or a signal.
	if code := g.qemu.cmd.ProcessState.ExitCode(); code > 1 && code&1 == 1 {
		return code >> 1, nil
	}
	if g.lacksStream() {
		return 0, errNoStream
	}
	if err := g.lacksSandbox(); err != nil {
		return 0, err
	}
	if err := g.serverFailure(); err != nil {
		return 0, err
	}
	return 0, g.qemu.end()
}
