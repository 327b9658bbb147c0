//go:build tamago

package kernel

import (
	"io"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/console"
	"github.com/yolkos/yolk/fs"
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
}

// found takes c for the standard streams, the first one that has them.
func (s *streams) found(c *console.Console) {
	if _, ok := c.Port("yolk.stdout"); ok && s.virtio == nil {
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
	if p, ok := s.virtio.Port("yolk.stdin"); ok {
		s.in = portStream{p}
	}
	if out := m.outStream("stdout"); out != nil {
		s.out = out
		s.err = out
	}
	if m.flags["stderr"] != "stdout" {
		if err := m.outStream("stderr"); err != nil {
			s.err = err
		}
	}
	if s.link != nil {
		go s.link.listen()
	}
}

// outStream opens the port of a stream of output; nil: there is none.
func (m *machine) outStream(name string) *outStream {
	p, ok := m.streams.virtio.Port("yolk." + name)
	if !ok {
		return nil
	}
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

// openStreams makes the descriptors 0, 1 and 2.
func (m *machine) openStreams() {
	for fd, open := range []struct {
		path  string
		flags int
	}{{"/dev/stdin", syscall.O_RDONLY}, {"/dev/stdout", syscall.O_WRONLY}, {"/dev/stderr", syscall.O_WRONLY}} {
		if err := m.calls.OpenAs(fd, open.path, open.flags); err != 0 {
			m.logf("opening %s: %v", open.path, err)
		}
	}
}
