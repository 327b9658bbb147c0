package fs

import (
	"sync/atomic"
	"syscall"
)

// pipeEnd is one end of a pipe, or both of a FIFO that was opened so.
type pipeEnd struct {
	UnsupportedFile
	pipe          *pipe
	node          Node
	reads, writes bool
	packets       atomic.Bool // O_DIRECT
	// alone is how often the pipe had been opened for writing when this end of a
	// FIFO was opened without a writer: until another comes nobody has hung up.
	alone uint64
}

func (e *pipeEnd) Read(b []byte) (int, error) { return e.ReadUntil(b, nil) }

// ReadUntil implements Interruptible.
func (e *pipeEnd) ReadUntil(b []byte, end <-chan struct{}) (n int, err error) {
	if !e.reads {
		return 0, syscall.EBADF
	}
	if n, err = e.readNow(b); err == syscall.EAGAIN {
		n, err = e.readLater(b, end)
	}
	return n, err
}

func (e *pipeEnd) readNow(b []byte) (n int, err error) {
	e.pipe.mu.Lock()
	n, err = e.pipe.read(b)
	e.pipe.mu.Unlock()
	return n, err
}

func (e *pipeEnd) readLater(b []byte, end <-chan struct{}) (n int, err error) {
	err = await(e, PollIn, end, 0, func() (err error) {
		n, err = e.readNow(b)
		return err
	})
	return n, err
}

func (e *pipeEnd) Write(b []byte) (int, error) { return e.WriteUntil(b, nil) }

// WriteUntil implements Interruptible.
func (e *pipeEnd) WriteUntil(b []byte, end <-chan struct{}) (n int, err error) {
	if !e.writes {
		return 0, syscall.EBADF
	}
	if n, err = e.writeNow(b); err == syscall.EAGAIN {
		n, err = e.writeLater(b, n, end)
	}
	return n, err
}

// writeNow writes what there is room for. EAGAIN: that is not all.
func (e *pipeEnd) writeNow(b []byte) (n int, err error) {
	e.pipe.mu.Lock()
	n, err = e.pipe.write(b, e.packets.Load())
	e.pipe.mu.Unlock()
	if err == nil && n < len(b) {
		err = syscall.EAGAIN
	}
	return n, err
}

// writeLater writes what is behind the first n bytes of b.
func (e *pipeEnd) writeLater(b []byte, n int, end <-chan struct{}) (int, error) {
	err := await(e, PollOut, end, 0, func() error {
		k, err := e.writeNow(b[n:])
		n += k
		return err
	})
	if n > 0 {
		return n, nil
	}
	if err == syscall.EINTR {
		e.pipe.queue.Wake(pipeFuller) // readers are told of the try, as by Linux
	}
	return 0, err
}

// Poll implements PollFile. A FIFO that nobody has opened for writing yet reads
// as one that all have closed.
func (e *pipeEnd) Poll(events uint32) (uint32, error) {
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	var now uint32
	if e.reads && len(p.pages) > 0 {
		now |= PollIn | PollRdNorm
	}
	if e.reads && p.writers == 0 && e.alone != p.opens[1]+1 {
		now |= PollHup
	}
	if e.writes && !p.full() {
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
		events |= pipeReaders
	}
	if e.writes {
		events |= pipeWriters
	}
	e.pipe.queue.Add(w, events)
	return true
}

// Inside implements InsideFile.
func (e *pipeEnd) Inside() bool { return true }

// SetFlags implements FlagFile.
func (e *pipeEnd) SetFlags(flags int) error {
	e.packets.Store(flags&syscall.O_DIRECT != 0)
	return nil
}

// Readable implements ReadableFile.
func (e *pipeEnd) Readable() (int, error) {
	e.pipe.mu.Lock()
	defer e.pipe.mu.Unlock()
	return e.pipe.readable(), nil
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
	if (p.readers == 0) != (p.writers == 0) {
		p.queue.Wake(pipeReaders | pipeWriters)
	}
	p.mu.Unlock()
	p.done(e.node)
}
