package fs

import (
	"sync"
	"syscall"
)

// PipeSize is how many bytes a pipe holds.
const PipeSize = 64 << 10

const (
	pipeBuf = 4096 // PIPE_BUF in bytes: writes up to it are not mixed with others
)

// pipe is the buffer between the ends of a pipe.
type pipe struct {
	mu               sync.Mutex
	buf              []byte // ring
	start, count     int
	readers, writers int
	opens            [2]uint64     // how often it was opened for reading, for writing
	changed          chan struct{} // closed at the next change; nil if nobody waits
	queue            WaitQueue
	users            int    // of a FIFO, under fifos.mu
	fifos            *fifos // of a FIFO
}

// What changes of a pipe may bring about.
const (
	pipeFuller  = PollIn | PollRdNorm
	pipeEmptier = PollOut | PollWrNorm
	pipeOpened  = pipeFuller | pipeEmptier | PollHup | PollErr // or closed
)

// signal wakes whoever waits for a change to events; p.mu is held.
func (p *pipe) signal(events uint32) {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	p.queue.Wake(events)
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

// pipeEnd is one end of a pipe, or both of a FIFO that was opened so.
type pipeEnd struct {
	UnsupportedFile
	pipe          *pipe
	node          Node
	reads, writes bool
}

func (e *pipeEnd) Read(b []byte) (int, error) { return e.ReadUntil(b, nil) }

// ReadUntil implements Interruptible.
func (e *pipeEnd) ReadUntil(b []byte, end <-chan struct{}) (int, error) {
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
	p.signal(pipeEmptier)
	return n, nil
}

func (e *pipeEnd) Write(b []byte) (int, error) { return e.WriteUntil(b, nil) }

// WriteUntil implements Interruptible.
func (e *pipeEnd) WriteUntil(b []byte, end <-chan struct{}) (n int, err error) {
	if !e.writes {
		return 0, syscall.EBADF
	}
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf == nil {
		p.buf = make([]byte, PipeSize)
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
		p.signal(pipeFuller)
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

// room tells that a write would not block; p.mu is held.
func (p *pipe) room() bool { return p.buf == nil || len(p.buf)-p.count >= pipeBuf }

// Poll implements PollFile. A FIFO that nobody has opened for writing yet reads
// as one that all have closed.
func (e *pipeEnd) Poll(events uint32) (uint32, error) {
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	var now uint32
	if e.reads && p.count > 0 {
		now |= PollIn | PollRdNorm
	}
	if e.reads && p.writers == 0 {
		now |= PollHup
	}
	if e.writes && p.room() {
		now |= PollOut | PollWrNorm
	}
	if e.writes && p.readers == 0 {
		now |= PollErr
	}
	return now & events, nil
}

// Watch implements NotifyFile.
func (e *pipeEnd) Watch(w *Waiter) bool {
	var events uint32
	if e.reads {
		events |= PollReads
	}
	if e.writes {
		events |= PollWrites
	}
	e.pipe.queue.Add(w, events)
	return true
}

// Getattr implements File.
func (e *pipeEnd) Getattr(a *Attr) error { return e.node.Getattr(a) }

// Setattr implements File.
func (e *pipeEnd) Setattr(s *SetAttr, a *Attr) error { return e.node.Setattr(s, a) }

// Release implements File.
func (e *pipeEnd) Release() {
	p := e.pipe
	p.mu.Lock()
	if e.reads {
		p.readers--
	}
	if e.writes {
		p.writers--
	}
	p.signal(pipeOpened)
	p.mu.Unlock()
	p.done(e.node)
}
