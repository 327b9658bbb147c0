package netstack

import (
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/fs/socket"
)

// sendDatagram sends a message of a socket that has no connection: as one datagram,
// or as several of the length of UDP_SEGMENT.
func (k *sock) sendDatagram(m *socket.Message, c *sendControl, o tcpip.WriteOptions) (int, error) {
	b := newBuffers(m.Buffers)
	size := c.segment
	if size == 0 {
		size = int(k.settings.segment.Load())
	}
	if size == 0 || b.size <= size || k.protocol != syscall.IPPROTO_UDP {
		return k.writeOne(&b, o, c)
	}
	if (b.size+size-1)/size > udpMaxSegments {
		return 0, syscall.EINVAL
	}
	total := 0
	for b.size > 0 {
		part := segment{&b, min(size, b.size)}
		n, err := k.writeOne(&part, o, c)
		switch {
		case err == syscall.ECONNREFUSED && total > 0:
			continue // it is of one of these, which are sent at once elsewhere
		case err != nil && total > 0:
			return total, nil
		case err != nil:
			return 0, err
		}
		total += n
	}
	return total, nil
}

// segment is the next bytes of buffers.
type segment struct {
	of   *buffers
	left int
}

func (s *segment) Len() int { return s.left }

func (s *segment) Read(p []byte) (int, error) {
	n, err := s.of.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// writeOne sends one datagram.
func (k *sock) writeOne(p tcpip.Payloader, o tcpip.WriteOptions, c *sendControl) (int, error) {
	if k.special(c, o.To) {
		return k.writeBuilt(p, o, c)
	}
	return k.write(p, o)
}

// write sends one by the stack's socket.
func (k *sock) write(p tcpip.Payloader, o tcpip.WriteOptions) (int, error) {
	n, err := k.ep.Write(p, o)
	switch err.(type) {
	case *tcpip.ErrClosedForSend:
		return 0, syscall.EPIPE
	case *tcpip.ErrInvalidEndpointState:
		return 0, syscall.EDESTADDRREQ
	}
	return int(n), errno(err)
}
