//go:build tamago

package kernel

import (
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/fs"
)

// streams are the console and the program's standard streams: ports of a
// virtio console that the launcher gives, else the serial console.
type streams struct {
	console *amd64.Console
}

func (s *streams) port(name string) fs.Stream { return s.console }

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
