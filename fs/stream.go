package fs

import (
	"sync"
	"syscall"
)

// Interruptible is a Stream whose blocked calls can be ended: when end is
// closed they return EINTR, unless they can do something at once. A nil end
// never ends them.
type Interruptible interface {
	Stream
	ReadUntil(p []byte, end <-chan struct{}) (int, error)
	WriteUntil(p []byte, end <-chan struct{}) (int, error)
	// WaitUntil waits until a read (or a write) would not block.
	WaitUntil(write bool, end <-chan struct{}) error
}

// Pump makes any Stream Interruptible: its reads are done by a goroutine into
// a buffer of the Pump, so that what an interrupted reader no longer takes is
// there for the next. Everybody who reads the stream has to use the same Pump.
// Writes are passed on as they are and cannot be ended.
type Pump struct {
	s Stream

	mu      sync.Mutex
	buf     []byte
	data    []byte        // of buf, not yet taken
	err     error         // of the last read, for whoever finds no data
	ended   bool          // the last read said end of file, ditto
	reading bool          // the goroutine is at it
	done    chan struct{} // closed when it has something
}

// NewPump makes a Pump for s, which must not be read otherwise from now on.
func NewPump(s Stream) *Pump { return &Pump{s: s} }

func (p *Pump) Read(b []byte) (int, error) { return p.ReadUntil(b, nil) }

func (p *Pump) Write(b []byte) (int, error) { return p.s.Write(b) }

func (p *Pump) WriteUntil(b []byte, _ <-chan struct{}) (int, error) { return p.s.Write(b) }

func (p *Pump) ReadUntil(b []byte, end <-chan struct{}) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		p.mu.Lock()
		n, ok, err := p.take(b)
		if ok {
			p.mu.Unlock()
			return n, err
		}
		if err := p.wait(len(b), end); err != nil {
			return 0, err
		}
	}
}

func (p *Pump) WaitUntil(write bool, end <-chan struct{}) error {
	if write {
		return nil
	}
	p.mu.Lock()
	if len(p.data) > 0 || p.err != nil || p.ended {
		p.mu.Unlock()
		return nil
	}
	return p.wait(512, end)
}

// wait waits for a read of at most n bytes to come back. It unlocks p.mu.
func (p *Pump) wait(n int, end <-chan struct{}) error {
	if !p.reading {
		p.reading = true
		p.done = make(chan struct{})
		go p.fill(min(n, 64<<10))
	}
	done := p.done
	p.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-end:
		return syscall.EINTR
	}
}

// take hands out what has been read, if anything; p.mu is held.
func (p *Pump) take(b []byte) (n int, ok bool, err error) {
	switch {
	case len(p.data) > 0:
		n = copy(b, p.data)
		p.data = p.data[n:]
		return n, true, nil
	case p.err != nil:
		err, p.err = p.err, nil
		return 0, true, err
	case p.ended:
		p.ended = false
		return 0, true, nil
	}
	return 0, false, nil
}

// fill reads once, at most n bytes. Nobody looks at p.buf meanwhile.
func (p *Pump) fill(n int) {
	if len(p.buf) < n {
		p.buf = make([]byte, max(n, 512))
	}
	n, err := p.s.Read(p.buf[:n])
	p.mu.Lock()
	p.data, p.err, p.ended = p.buf[:n], err, n == 0 && err == nil
	p.reading = false
	close(p.done)
	p.mu.Unlock()
}
