package fs

import (
	"sync"
	"syscall"
)

const (
	pipeSize = 64 << 10 // bytes
	pipeBuf  = 4096     // PIPE_BUF: writes up to it are not mixed with others
)

// pipe is the buffer between the ends of a pipe.
type pipe struct {
	ino              uint64
	mu               sync.Mutex
	buf              []byte // ring
	start, count     int
	readers, writers int
	changed          chan struct{} // closed at the next change; nil if nobody waits
	time             Time
}

// signal wakes whoever waits for a change; p.mu is held.
func (p *pipe) signal() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// wait lets go of p.mu until something changes or end is closed.
func (p *pipe) wait(end <-chan struct{}) error {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	c := p.changed
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-c:
		return nil
	case <-end:
		return syscall.EINTR
	}
}

// PipeEnd is one end of a pipe, or both of a FIFO that was opened so.
type PipeEnd struct {
	UnsupportedFile
	pipe          *pipe
	reads, writes bool
	attr          func(*Attr) error // of a FIFO's node
	released      func()
}

// NewPipe makes a pipe in memory.
func NewPipe() (r, w *PipeEnd) {
	p := &pipe{readers: 1, writers: 1}
	return &PipeEnd{pipe: p, reads: true}, &PipeEnd{pipe: p, writes: true}
}

func (e *PipeEnd) Read(b []byte) (int, error) { return e.ReadUntil(b, nil) }

// ReadUntil implements Interruptible.
func (e *PipeEnd) ReadUntil(b []byte, end <-chan struct{}) (int, error) {
	if !e.reads {
		return 0, syscall.EBADF
	}
	if len(b) == 0 {
		return 0, nil
	}
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.count == 0 {
		if p.writers == 0 {
			return 0, nil
		}
		if err := p.wait(end); err != nil {
			return 0, err
		}
	}
	n := 0
	for n < len(b) && p.count > 0 {
		m := copy(b[n:], p.buf[p.start:min(len(p.buf), p.start+p.count)])
		n += m
		p.count -= m
		p.start = (p.start + m) % len(p.buf)
	}
	p.signal()
	return n, nil
}

func (e *PipeEnd) Write(b []byte) (int, error) { return e.WriteUntil(b, nil) }

// WriteUntil implements Interruptible.
func (e *PipeEnd) WriteUntil(b []byte, end <-chan struct{}) (n int, err error) {
	if !e.writes {
		return 0, syscall.EBADF
	}
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf == nil {
		p.buf = make([]byte, pipeSize)
	}
	need := 1
	if len(b) <= pipeBuf {
		need = len(b)
	}
	for n < len(b) {
		if p.readers == 0 {
			err = syscall.EPIPE
			break
		}
		if len(p.buf)-p.count < need {
			if err = p.wait(end); err != nil {
				break
			}
			continue
		}
		for n < len(b) && p.count < len(p.buf) {
			at := (p.start + p.count) % len(p.buf)
			m := copy(p.buf[at:min(len(p.buf), at+len(p.buf)-p.count)], b[n:])
			n += m
			p.count += m
		}
		p.signal()
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

// Getattr implements File.
func (e *PipeEnd) Getattr(a *Attr) error {
	if e.attr != nil {
		return e.attr(a)
	}
	*a = Attr{Ino: e.pipe.ino, Mode: syscall.S_IFIFO | 0o600, Nlink: 1, Blksize: pipeBuf,
		Atime: e.pipe.time, Mtime: e.pipe.time, Ctime: e.pipe.time}
	return nil
}

// Release implements File.
func (e *PipeEnd) Release() {
	p := e.pipe
	p.mu.Lock()
	if e.reads {
		p.readers--
	}
	if e.writes {
		p.writers--
	}
	p.signal()
	p.mu.Unlock()
	if e.released != nil {
		e.released()
	}
}
