package unixsocket

import (
	"encoding/binary"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs/socket"
)

// options are those of SOL_SOCKET that are kept and have no effect here.
type options struct {
	mu     sync.Mutex
	values map[int]int32
	linger [8]byte // struct linger
}

// Options of SOL_SOCKET that package syscall does not name.
const (
	soPeerGroups = 59
	soZeroCopy   = 60
	bufferMin    = 2304 // bytes: SOCK_MIN_RCVBUF
	sndMin       = 4608 // bytes: SOCK_MIN_SNDBUF
)

// kept are the options of an int that are only kept, with what they are at first.
// True: they are 0 or 1.
var kept = map[int]struct {
	first int32
	flag  bool
}{
	syscall.SO_DEBUG:     {0, true},
	syscall.SO_REUSEADDR: {0, true},
	syscall.SO_DONTROUTE: {0, true},
	syscall.SO_BROADCAST: {0, true},
	syscall.SO_KEEPALIVE: {0, true},
	syscall.SO_OOBINLINE: {0, true},
	syscall.SO_NO_CHECK:  {0, true},
	syscall.SO_PRIORITY:  {0, false},
	syscall.SO_RCVLOWAT:  {1, false},
	syscall.SO_TIMESTAMP: {0, true},
	syscall.SO_PASSSEC:   {0, true},
	syscall.SO_MARK:      {0, false},
}

// Option implements socket.Socket, like SetOption.
func (s *sock) Option(level, name int, dst []byte) (int, error) {
	if level != syscall.SOL_SOCKET {
		return 0, syscall.EOPNOTSUPP
	}
	if k, ok := kept[name]; ok {
		s.options.mu.Lock()
		defer s.options.mu.Unlock()
		v, set := s.options.values[name]
		if !set {
			v = k.first
		}
		return integer(dst, v)
	}
	switch name {
	case syscall.SO_ERROR:
		s.mu.Lock()
		e := s.err
		s.err = 0
		s.mu.Unlock()
		return integer(dst, int32(e))
	case syscall.SO_SNDBUF:
		return integer(dst, int32(s.sndbuf.Load()))
	case syscall.SO_RCVBUF:
		return integer(dst, int32(s.rcvbuf.Load()))
	case syscall.SO_SNDLOWAT:
		return integer(dst, 1)
	case syscall.SO_TYPE:
		return integer(dst, int32(s.typ)) // also where SOCK_RAW was given
	case syscall.SO_PROTOCOL:
		return integer(dst, 0) // also where PF_UNIX was given
	case syscall.SO_ACCEPTCONN:
		return integer(dst, flag(s.state.Load() == listening))
	case syscall.SO_PASSCRED:
		return integer(dst, flag(s.passCreds.Load()))
	case syscall.SO_LINGER:
		s.options.mu.Lock()
		defer s.options.mu.Unlock()
		return copy(dst, s.options.linger[:]), nil
	case syscall.SO_PEERCRED:
		c := socket.Creds{Uid: ^uint32(0), Gid: ^uint32(0)}
		if p := s.creds.Load(); p != nil {
			c = *p
		}
		var b [12]byte
		binary.NativeEndian.PutUint32(b[:], c.Pid)
		binary.NativeEndian.PutUint32(b[4:], c.Uid)
		binary.NativeEndian.PutUint32(b[8:], c.Gid)
		return copy(dst, b[:]), nil
	case syscall.SO_PEERNAME:
		p := s.peer.Load()
		if p == nil {
			return 0, syscall.ENOTCONN
		}
		a := p.address()
		if len(a) < len(dst) {
			dst = dst[:len(a)]
		} else if len(a) > len(dst) {
			return 0, syscall.EINVAL
		}
		return copy(dst, a), nil
	}
	return 0, syscall.ENOPROTOOPT
}

func flag(is bool) int32 {
	if is {
		return 1
	}
	return 0
}

// integer stores an int, or its first bytes.
func integer(dst []byte, n int32) (int, error) {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], uint32(n))
	return copy(dst, b[:]), nil
}

func (s *sock) SetOption(level, name int, value []byte) error {
	if level != syscall.SOL_SOCKET {
		return syscall.EOPNOTSUPP
	}
	if len(value) < 4 {
		return syscall.EINVAL
	}
	n := int32(binary.NativeEndian.Uint32(value))
	if k, ok := kept[name]; ok {
		if k.flag {
			n = flag(n != 0)
		}
		s.options.mu.Lock()
		defer s.options.mu.Unlock()
		if s.options.values == nil {
			s.options.values = map[int]int32{}
		}
		s.options.values[name] = n
		return nil
	}
	switch name {
	case syscall.SO_SNDBUF:
		n = min(max(n, 0), bufferMax)
		fallthrough
	case syscall.SO_SNDBUFFORCE:
		s.sndbuf.Store(max(2*max(int64(n), 0), sndMin))
		s.queue.Wake(pollWrite)
	case syscall.SO_RCVBUF:
		n = min(max(n, 0), bufferMax)
		fallthrough
	case syscall.SO_RCVBUFFORCE:
		s.rcvbuf.Store(max(2*max(int64(n), 0), bufferMin))
	case syscall.SO_PASSCRED:
		s.passCreds.Store(n != 0)
	case syscall.SO_LINGER:
		if len(value) < 8 {
			return syscall.EINVAL
		}
		s.options.mu.Lock()
		copy(s.options.linger[:], value)
		s.options.mu.Unlock()
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}
