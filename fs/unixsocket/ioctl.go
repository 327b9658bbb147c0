package unixsocket

import (
	"encoding/binary"
	"syscall"
)

// Readable implements fs.ReadableFile: of a stream all that can be read, else the
// first message.
func (s *sock) Readable() (n int, err error) {
	if s.state.Load() == listening {
		return 0, syscall.EINVAL
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.packets {
		n += len(p.data)
		if s.typ == syscall.SOCK_DGRAM {
			break
		}
	}
	return n, nil
}

// Ioctl implements fs.IoctlFile.
func (s *sock) Ioctl(cmd uint32, _ uint64, _, out []byte) (int32, int, error) {
	switch {
	case cmd == syscall.TIOCOUTQ: // SIOCOUTQ
		binary.NativeEndian.PutUint32(out, uint32(s.charged.Load()))
	case cmd == syscall.SIOCATMARK && s.typ == syscall.SOCK_STREAM:
		binary.NativeEndian.PutUint32(out, 0) // there are no urgent data
	case cmd == syscall.SIOCATMARK:
		return 0, 0, syscall.EOPNOTSUPP
	default:
		return 0, 0, syscall.ENOTTY
	}
	return 0, 4, nil
}
