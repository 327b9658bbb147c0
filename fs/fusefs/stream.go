package fusefs

import (
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// streamFile is a file of the server without positions (FOPEN_NONSEEKABLE,
// FOPEN_STREAM). It implements fs.Interruptible.
type streamFile struct {
	file
	rpos, wpos atomic.Int64 // what the server may like to know; 0 with FOPEN_STREAM
}

// advance counts n bytes in pos.
func (s *streamFile) advance(pos *atomic.Int64, n int) {
	if s.openFlags&fuse.FOPEN_STREAM == 0 {
		pos.Add(int64(n))
	}
}

// Read implements fs.Stream.
func (s *streamFile) Read(p []byte) (int, error) { return s.ReadUntil(p, nil) }

// ReadUntil implements fs.Interruptible, by way of INTERRUPT.
func (s *streamFile) ReadUntil(p []byte, end <-chan struct{}) (int, error) {
	p = p[:min(len(p), s.node.fs.session.maxRead)]
	if len(p) == 0 {
		return 0, nil
	}
	n, err := s.read(p, s.rpos.Load(), end)
	s.advance(&s.rpos, n)
	return n, err
}

// Write implements fs.Stream.
func (s *streamFile) Write(p []byte) (int, error) { return s.WriteUntil(p, nil) }

// WriteUntil implements fs.Interruptible, by way of INTERRUPT.
func (s *streamFile) WriteUntil(p []byte, end <-chan struct{}) (int, error) {
	s.wrote.Store(true)
	n, err := s.writeAll(p, s.wpos.Load(), 0, end)
	s.advance(&s.wpos, n)
	s.node.dropData()
	return n, err
}

// Events of poll(2).
const (
	pollIn  = 0x1
	pollOut = 0x4
	pollErr = 0x8 | 0x10 // POLLERR, POLLHUP
)

// Pauses between two POLLs: the server cannot call back.
const (
	pollPauseMin = time.Millisecond
	pollPauseMax = 100 * time.Millisecond
)

// WaitUntil implements fs.Interruptible. A server without POLL is always ready.
func (s *streamFile) WaitUntil(write bool, end <-chan struct{}) error {
	want := uint32(pollIn)
	if write {
		want = pollOut
	}
	for pause := pollPauseMin; ; pause = min(2*pause, pollPauseMax) {
		got, err := s.Poll(want | pollErr)
		if err != nil || got&(want|pollErr) != 0 {
			return err
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-end:
			t.Stop()
			return syscall.EINTR
		}
	}
}
