package qemu

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/kernel/control"
)

// Crash is what is known of a machine that has not ended as it should.
type Crash struct {
	Why       string
	Status    int // of the program, if Crashed
	Crashed   bool
	Started   time.Time // of QEMU
	Console   []byte    // the serial port without the log: panics, traces, exceptions
	Log       []byte    // the kernel's
	Registers string    // of all processors, or why there are none
	QEMU      string    // its version
	Command   string    // its command line
}

// recorder keeps what a Crash is made of, while all may still end well.
type recorder struct {
	log, console tail
	monitor      *monitor

	mu        sync.Mutex
	registers string
	missing   error // why there are none
}

// How much of the log and of the console is kept, from its beginning and up to its
// end each, in bytes.
const (
	crashLog     = 256 << 10
	crashConsole = 1 << 20
)

// lastWords is how long a program that hangs gets to print its traces.
const lastWords = 10 * time.Second

// addRecorder has the monitor and the log kept for a crash, if anybody wants to know.
func (g *guest) addRecorder() error {
	if g.o.OnCrash == nil {
		return nil
	}
	ours, theirs, err := pair()
	if err != nil {
		return err
	}
	g.closers = append(g.closers, ours)
	g.config.Monitor = g.files.add(theirs)
	r := &recorder{log: tail{size: crashLog}, console: tail{size: crashConsole}}
	r.monitor = openMonitor(ours, func() {
		r.examine()
		r.monitor.quit()
	})
	g.recorder = r
	return nil
}

// examine asks for the registers, once.
func (r *recorder) examine() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.registers == "" && r.missing == nil {
		r.registers, r.missing = r.monitor.registers()
	}
}

// hangs examines a machine that is going to be ended because its program does not end,
// and has the program print its traces, if it can.
func (g *guest) hangs() {
	if g.recorder == nil {
		return
	}
	g.recorder.examine()
	g.link.tell(control.Signal, strconv.Itoa(int(syscall.SIGQUIT)))
	select {
	case <-g.qemu.done:
	case <-time.After(lastWords):
	}
}

// errStopTime is the end of a program that has not ended after SIGTERM.
var errStopTime = fmt.Errorf("the program has not ended after SIGTERM: %w", &SignalError{syscall.SIGTERM})

// crashed reports why a run that has ended with status and err is a crash; "" if it is
// none.
func (g *guest) crashed(status int, err error) string {
	var server *serverError
	var signal *SignalError
	switch {
	case errors.Is(err, ErrTimeout), errors.Is(err, errStopTime):
		return err.Error()
	case closed(g.control.crashed):
		return fmt.Sprintf("the program, or the kernel below it, has crashed, with status %d", status)
	case err == nil, errors.As(err, &signal), errors.As(err, &server), errors.Is(err, errNoStream), errors.Is(err, errNoSandbox), errors.Is(err, context.Canceled):
		return ""
	case !closed(g.control.main) && g.qemu.cmd.ProcessState.ExitCode() == 1:
		return "" // QEMU does not want to
	}
	return err.Error()
}

// report tells of a crash, if it is one.
func (g *guest) report(path string, status int, err error) {
	r := g.recorder
	if r == nil {
		return
	}
	why := g.crashed(status, err)
	if why == "" {
		return
	}
	c := &Crash{
		Why: why, Status: status, Crashed: closed(g.control.crashed), Started: g.begun,
		Console: r.console.bytes(), Log: r.log.bytes(), Registers: r.registers,
		QEMU: version(context.Background(), path), Command: CommandLine(path, g.config.Args()),
	}
	switch {
	case r.missing != nil:
		c.Registers = r.missing.Error()
	case r.registers == "" && c.Crashed:
		c.Registers = "those of an exception are with its trace, and a panic has none"
	case r.registers == "":
		c.Registers = "QEMU has ended, and they with it"
	}
	g.note("%s", g.o.OnCrash(c))
}
