package fs

import (
	"sync"
	"syscall"
)

// Interruptible is a Stream whose blocked calls can be ended: when end is
// closed they return EINTR, unless they can do something at once. A nil end
// never ends them. Poll tells when a read or a write would not block, and Watch,
// where it is a NotifyFile, when to ask again.
type Interruptible interface {
	Stream
	PollFile
	ReadUntil(p []byte, end <-chan struct{}) (int, error)
	WriteUntil(p []byte, end <-chan struct{}) (int, error)
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
	queue   WaitQueue
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

// pumpAhead is how much is read, in bytes, for who only wants to know if there is
// something.
const pumpAhead = 512

// Poll implements PollFile. To know whether there is something to read, it is
// read.
func (p *Pump) Poll(events uint32) (uint32, error) {
	now := uint32(PollOut | PollWrNorm)
	if events&(PollIn|PollRdNorm) != 0 {
		p.mu.Lock()
		if len(p.data) > 0 || p.err != nil || p.ended {
			now |= PollIn | PollRdNorm
		} else {
			p.start(pumpAhead)
		}
		p.mu.Unlock()
	}
	return now & events, nil
}

// Watch implements NotifyFile.
func (p *Pump) Watch(w *Waiter) bool {
	p.queue.Add(w, PollReads)
	return true
}

// start has at most n bytes read, unless that is under way; p.mu is held.
func (p *Pump) start(n int) {
	if !p.reading {
		p.reading = true
		p.done = make(chan struct{})
		go p.fill(min(n, 64<<10))
	}
}

// wait waits for a read of at most n bytes to come back. It unlocks p.mu.
func (p *Pump) wait(n int, end <-chan struct{}) error {
	p.start(n)
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
	p.queue.Wake(PollIn | PollRdNorm)
}
