package kernel

import (
	"io"
	"sync"
	"sync/atomic"
	"syscall"
)

// outStream is standard output or error on a port of the launcher.
//
// The launcher takes what is written before it has passed it on. If that fails,
// it says so later, and every write from then on gets the error: bytes that
// followed a gap would be worse than none.
type outStream struct {
	port  io.ReadWriter
	told  func() // called when the program gets the error for the first time
	order func() // called before each write; nil: nothing to do

	mu     sync.Mutex // one write at a time
	knows  bool       // told was called
	failed atomic.Uint32
}

// outPiece is how much of a long write goes out before the launcher's word is
// heard again, in bytes.
const outPiece = 1 << 20

// fail has further writes fail with errno.
func (s *outStream) fail(errno syscall.Errno) { s.failed.CompareAndSwap(0, uint32(errno)) }

func (s *outStream) Write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(p) {
		if errno := syscall.Errno(s.failed.Load()); errno != 0 {
			if n > 0 {
				return n, nil // as write(2) does; the next one gets it
			}
			if !s.knows {
				s.knows = true
				s.told()
			}
			return 0, errno
		}
		if s.order != nil {
			s.order()
		}
		k, err := s.port.Write(p[n:min(len(p), n+outPiece)])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Read is for those who read what they may only write.
func (s *outStream) Read(p []byte) (int, error) {
	n, err := s.port.Read(p)
	if err == io.EOF {
		err = nil
	}
	return n, err
}
