package qemu

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/kernel/control"
)

// addStreams connects the channels from the guest and to it: what the kernel
// says, the serial port, the program's streams, its profiles.
func (g *guest) addStreams() error {
	for _, c := range []struct {
		fd     *int
		conn   **net.UnixConn
		wanted bool
	}{
		{&g.config.Control, &g.conns.control, true},
		{&g.config.Link, &g.conns.link, true},
		{&g.config.Time, &g.conns.time, !g.o.Count},
		{&g.config.Profile, &g.conns.profile, g.o.Profile != nil},
		{&g.config.Locks, &g.conns.locks, g.o.Locks != nil},
		{&g.config.Events, &g.conns.events, g.o.Events != nil},
	} {
		if !c.wanted {
			continue
		}
		ours, theirs, err := pair()
		if err != nil {
			return err
		}
		g.closers = append(g.closers, ours)
		*c.fd, *c.conn = g.files.add(theirs), ours
	}
	if err := g.addOutputs(); err != nil {
		return err
	}
	if err := g.addInputs(); err != nil {
		return err
	}
	g.control = watch(g.conns.control)
	g.link = openLink(g.conns.link, &hostFiles{image: g.o.Kernel, getenv: os.Getenv}, func(n uint64) {
		for _, m := range g.mergers {
			if m.console != nil {
				m.ask(n)
			}
		}
	}, g.keyboard.taken)
	for _, m := range g.mergers {
		m.start()
	}
	for _, in := range g.inputs {
		go g.copyInput(in.port, in.from)
	}
	if g.terminal != nil {
		go g.serveTerminal()
	}
	if g.conns.time != nil {
		go serveTime(g.conns.time)
	}
	if g.conns.profile != nil {
		g.profiles = append(g.profiles, receiveProfile("CPU profile", g.conns.profile, g.o.Profile))
	}
	if g.conns.locks != nil {
		g.profiles = append(g.profiles, receiveProfile("lock profile", g.conns.locks, g.o.Locks))
	}
	if g.conns.events != nil {
		g.events = receiveEvents(g.conns.events, g.o.Events())
	}
	return nil
}

// addOutputs makes the outputs, and one port for each that streams of the
// program go to.
func (g *guest) addOutputs() error {
	o := g.o
	add := func(w io.Writer, name string, number *int) (*source, error) {
		s := &source{name: name}
		fd, theirs, err := rawPair()
		if err != nil {
			return nil, err
		}
		s.fd, *number = fd, g.files.add(theirs)
		if name == ttyName {
			if g.conns.keys, err = duplicate(fd); err != nil {
				unix.Close(fd)
				return nil, err
			}
			g.closers = append(g.closers, g.conns.keys)
		}
		for _, m := range g.mergers {
			if sameOutput(m.out.w, w) {
				return s, m.add(s)
			}
		}
		m := &merger{out: newOutput(w), lines: g.terminal.linesOf(w), done: make(chan struct{}), failed: g.outputFailed, answer: g.consolePassed}
		g.mergers = append(g.mergers, m)
		return s, m.add(s)
	}
	if g.terminal != nil {
		g.settings += g.terminal.settings()
		if _, err := add(g.terminal.file, ttyName, &g.config.TTY); err != nil {
			return err
		}
	}
	shared := sameOutput(o.Stdout, o.Stderr) && accessOf(o.Stdout) != readOnly && accessOf(o.Stderr) != readOnly
	access := ""
	for _, s := range g.standardStreams() {
		access += accessOf(s.stream)
		kind := ttyName
		if !g.terminal.is(s.stream) {
			kind = kindOf(s.stream)
		}
		g.settings += "file." + s.name + "=" + kind + "\n"
		switch {
		case g.terminal.is(s.stream) || s.reads():
		case s.name == "stderr" && shared:
			g.settings += "stderr=stdout\n"
		default:
			to, _ := s.stream.(io.Writer)
			if _, err := add(to, s.name, s.port); err != nil {
				return err
			}
		}
	}
	if access != noFile+noFile+noFile {
		g.settings += "access=" + access + "\n"
	}
	if _, err := add(o.Console, "", &g.config.Console); err != nil {
		return err
	}
	for _, m := range g.mergers {
		if m.console != nil && (o.Log != nil || g.recorder != nil) {
			m.log, m.recorder = &logLines{take: g.takeLog}, g.recorder
		}
		for _, s := range m.streams {
			if m.console != nil {
				g.settings += "console." + s.name + "=1\n"
			}
		}
	}
	return nil
}

// takeLog takes a line of the kernel's log, and says whether it is to be shown.
func (g *guest) takeLog(line []byte) (show bool) {
	if g.recorder != nil {
		_, _ = g.recorder.log.Write(line)
	}
	show = !g.o.Quiet
	if g.o.Log != nil {
		show = g.o.Log(line) && show
	}
	return show
}

// outputFailed tells the guest, and keeps in mind for the end, that an output
// takes no more.
func (g *guest) outputFailed(name string, errno unix.Errno) {
	g.mu.Lock()
	g.failed = append(g.failed, failedStream{name, errno})
	g.mu.Unlock()
	g.link.tell(control.StreamFailed, name, strconv.Itoa(int(errno)))
}

func (g *guest) consolePassed(n uint64) {
	g.link.tell(control.ConsolePassed, strconv.FormatUint(n, 10))
}

// failedStream is a stream whose output has failed.
type failedStream struct {
	name  string
	errno unix.Errno
}

// lost returns an error if output was lost without the program having been told.
// That nobody reads it is no loss.
func (g *guest) lost() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.failed {
		if f.errno != unix.EPIPE && !g.link.hasTold(f.name) {
			return fmt.Errorf("writing the program's %s: %w; the rest of it is lost", f.name, f.errno)
		}
	}
	return nil
}

// ttyName is the name of the terminal's port, and the kind of a stream that is the
// terminal.
const ttyName = "tty"

// kindOf tells the kernel what fstat(2) says of a stream. One that is no file is a
// pipe.
func kindOf(stream any) string {
	st := unix.Stat_t{Mode: unix.S_IFIFO | 0o600}
	if f, ok := stream.(*os.File); ok && f != nil {
		withFD(f, func(fd int) { _ = unix.Fstat(fd, &st) })
	}
	return fmt.Sprintf("%o %d %d", st.Mode, st.Rdev, st.Size)
}

// duplicate makes a connection of a copy of a socket's descriptor.
func duplicate(fd int) (*net.UnixConn, error) {
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// started waits for the program's start and reports whether there is one.
func (g *guest) started() bool {
	select {
	case <-g.control.main:
		return true
	case <-g.control.done:
		return closed(g.control.main)
	}
}

// copyInput feeds a port of the program's input, once there is a program. The
// end of the input closes the port, which is what the guest takes for the end
// of the file.
func (g *guest) copyInput(port *net.UnixConn, in io.Reader) {
	if !g.started() {
		return
	}
	if in != nil {
		// Errors end the copy like an end of input; those of the socket
		// come when the guest ends.
		_, _ = io.Copy(port, input{in})
	}
	_ = port.CloseWrite()
}

// serveTerminal hands the terminal over once there is a program: what is typed, and
// the size of the window if that has changed since the machine was started.
func (g *guest) serveTerminal() {
	if !g.started() {
		return
	}
	if g.terminal.size() != g.terminal.told {
		g.tellSize()
		g.link.tell(control.Signal, strconv.Itoa(int(unix.SIGWINCH)))
	}
	if g.terminal.keys != nil {
		g.terminal.hand(true)
		_, _ = io.Copy(g.conns.keys, g.keyboard) // as in copyInput; but the port goes on
	}
}

// tellSize tells the kernel the size of the terminal's window, if there is one.
func (g *guest) tellSize() {
	if g.terminal != nil {
		g.link.tell(control.WindowSize, strings.Fields(g.terminal.size().String())...)
	}
}

// input is a reader that waits where somebody else has made a file non-blocking.
type input struct{ r io.Reader }

func (i input) Read(p []byte) (int, error) {
	for {
		n, err := i.r.Read(p)
		f, ok := i.r.(*os.File)
		if n > 0 || !ok || err == nil || errnoOf(err) != unix.EAGAIN {
			return n, err
		}
		conn, err := f.SyscallConn()
		if err != nil {
			return 0, err
		}
		var failed error
		if err := conn.Control(func(fd uintptr) { failed = waitFor(int(fd), unix.POLLIN) }); err != nil || failed != nil {
			return 0, err
		}
	}
}

// copyOutput copies until the guest's end. When w takes no more, the rest is
// read all the same so that the guest does not block on it.
func copyOutput(w io.Writer, r io.Reader) {
	if w == nil {
		w = io.Discard
	}
	if _, err := io.Copy(w, r); err != nil {
		_, _ = io.Copy(io.Discard, r)
	}
}

// drain waits until everything that the guest has written is passed on. It
// gives up, and reports false, when ctx has ended and nobody takes any of it.
func (g *guest) drain(ctx context.Context) bool {
	<-g.control.done
	<-g.link.done
	for _, p := range g.profiles {
		<-p.done
	}
	if g.events != nil {
		<-g.events.done
	}
	for _, m := range g.mergers {
		if !m.wait(ctx) {
			return false
		}
	}
	return true
}

// wait waits for the end of all streams.
func (m *merger) wait(ctx context.Context) bool {
	select {
	case <-m.done:
		return true
	case <-ctx.Done():
	}
	for moved := m.moved.Load(); ; {
		select {
		case <-m.done:
			return true
		case <-time.After(grace):
		}
		now := m.moved.Load()
		if now == moved {
			return false
		}
		moved = now
	}
}
