package fusefs

import (
	"sync/atomic"

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
