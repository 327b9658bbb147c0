//go:build tamago

package kernel

import (
	"io"
	"slices"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/console"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
	"github.com/yolkos/yolk/fs/tty"
	"github.com/yolkos/yolk/kernel/control"
)

// streams are the console and the program's standard streams: ports of a
// virtio console that the launcher gives, else the serial console.
type streams struct {
	console *amd64.Console
	virtio  *console.Console // nil: the serial console it is

	in       fs.Stream
	out, err fs.Stream
	link     *link // nil: the launcher has no such port

	ttys     *tty.Terminals
	terminal *tty.TTY // the launcher's; nil: it has none
}

// found takes c for the standard streams, the first one that has them.
func (s *streams) found(c *console.Console) {
	if s.virtio != nil {
		return
	}
	ok := slices.Contains(c.Ports(), ttyPort)
	if !ok {
		_, ok = c.Port("yolk.stdout") // which may be told of late
	}
	if ok {
		s.virtio = c
	}
}

// find opens a port of the launcher's console.
func (s *streams) find(name string) (*console.Port, bool) {
	if s.virtio == nil {
		return nil, false
	}
	return s.virtio.Port(name)
}

// connectStreams opens the ports. A launcher whose standard output and error are
// one file gives one port for both.
func (m *machine) connectStreams() {
	s := &m.streams
	s.in, s.out, s.err = s.console, s.console, s.console
	if s.virtio == nil {
		return
	}
	if p, ok := s.virtio.Port(control.PortName); ok {
		s.link = newLink(p)
		s.link.shareEnded, s.link.shareStarted = m.shareEnded, m.shareStarted
		s.link.console = amd64.ConsoleBytes
	}
	if in := m.stream(0); in != nil {
		s.in = in
	}
	if out := m.stream(1); out != nil {
		s.out = out
		s.err = out
	}
	if m.flags["stderr"] != "stdout" {
		if err := m.stream(2); err != nil {
			s.err = err
		}
	}
	m.connectTerminal()
	if s.link != nil {
		go s.link.listen()
	}
}

// port opens the port of a stream. A stream that is the terminal has none.
func (m *machine) port(name string) (*console.Port, bool) {
	if m.flags["file."+name] == ttyKind {
		return nil, false
	}
	return m.streams.virtio.Port("yolk." + name)
}

// streamAccess is how a standard stream is open, by its descriptor. One that is open for
// both is so only where its bytes go both ways too, in /dev/null; else they go as usual.
func (m *machine) streamAccess(fd int, isNull bool) int {
	usual := syscall.O_WRONLY
	if fd == 0 {
		usual = syscall.O_RDONLY
	}
	access := m.flags.access(fd, usual)
	if access == syscall.O_RDWR && !isNull {
		return usual
	}
	return access
}

// stream opens the port of a standard stream; nil: there is none.
func (m *machine) stream(fd int) fs.Stream {
	name := streamNames[fd]
	p, ok := m.port(name)
	switch {
	case !ok:
		return nil
	case m.streamAccess(fd, false) == syscall.O_RDONLY:
		return portStream{p}
	}
	return m.outStream(p, name)
}

// outStream makes a stream of output of its port.
func (m *machine) outStream(p *console.Port, name string) *outStream {
	s := &outStream{port: p, told: func() {}}
	if l := m.streams.link; l != nil {
		l.streams[name] = s
		s.told = func() { l.tell(control.StreamTold, name) }
		if m.flags["console."+name] != "" {
			s.order = l.orderConsole
		}
	}
	return s
}

// portStream has no io.EOF: as with read(2), an end is no bytes.
type portStream struct{ *console.Port }

func (s portStream) Read(p []byte) (int, error) {
	n, err := s.Port.Read(p)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// openStreams makes the descriptors 0, 1 and 2. Those that are the terminal share
// an open file, as those that a shell hands down do; what is one stream of the
// launcher's is one file.
func (m *machine) openStreams() {
	s := &m.streams
	host := devfs.NewHostStreams()
	mnt := m.vfs.Internal(host)
	nodes := make(map[fs.Stream]fs.Node)
	terminal := -1
	for fd, stream := range []fs.Stream{s.in, s.out, s.err} {
		name := streamNames[fd]
		k, ok := m.flags.kind(name)
		if !ok {
			k = devfs.Kind{Mode: syscall.S_IFIFO | 0o600}
		}
		isNull := k.Mode&syscall.S_IFMT == syscall.S_IFCHR && k.Rdev == nullDev
		flags := m.streamAccess(fd, isNull)
		var err syscall.Errno
		switch {
		case m.onTerminal(name) && terminal >= 0:
			err = m.calls.Dup3(terminal, fd, 0)
		case m.onTerminal(name):
			terminal = fd
			err = m.calls.OpenAs(fd, "/dev/console", syscall.O_RDWR)
		case isNull:
			err = m.calls.OpenAs(fd, "/dev/null", flags)
		case stream == fs.Stream(s.console):
			err = m.calls.OpenAs(fd, "/dev/console", flags)
		default:
			if nodes[stream] == nil {
				nodes[stream] = host.New(stream, k)
			}
			err = m.calls.OpenNodeAs(fd, mnt, nodes[stream], flags)
		}
		if err != 0 {
			m.logf("opening standard stream %s: %v", name, err)
		}
	}
}

// streamNames are the launcher's names of the standard streams.
var streamNames = [...]string{"stdin", "stdout", "stderr"}

// nullDev is the device number of /dev/null.
const nullDev = 1<<8 | 3
