//go:build tamago

package kernel

import (
	"io"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/drivers/console"
	"github.com/yolkos/yolk/fs"
)

// streams are the console and the program's standard streams: ports of a
// virtio console that the launcher gives, else the serial console.
type streams struct {
	console *amd64.Console
	virtio  *console.Console
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

func (s *streams) port(name string) fs.Stream {
	if p, ok := s.find(name); ok {
		return portStream{p}
	}
	return s.console
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

func (s *streams) in() fs.Stream  { return s.port("yolk.stdin") }
func (s *streams) out() fs.Stream { return s.port("yolk.stdout") }
func (s *streams) err() fs.Stream { return s.port("yolk.stderr") }

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
