package console

import (
	"fmt"
	"io"
	"io/fs"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Reading ahead: QEMU fills a buffer with at most 4096 bytes, so that many
// smaller ones serve better than a large one.
const (
	readBuffers    = 16
	readBufferSize = 4096
)

// Writing: the device reads the caller's own memory, in pieces of writePiece
// bytes at most. What has to be copied first goes in smaller ones.
const (
	writePiece = 1 << 20
	copyPiece  = 32 << 10
)

// Port is one byte stream in both directions. It is safe for concurrent use; a
// Write is never mixed with another.
type Port struct {
	c                 *Console
	id                int
	receive, transmit *virtio.Queue

	// Under Console.mu.
	name     string
	added    bool          // the device has it
	hostOpen bool          // someone is at the other end
	wasOpen  bool          // hostOpen once was true
	opened   bool          // the device knows that someone is at this end
	closed   bool          // Close was called
	changed  chan struct{} // closed, and replaced, when any of these changes

	readMu sync.Mutex
	flight []*readBuffer // with the device, which fills them in this order
	idle   []*readBuffer // not with the device
	rest   []byte        // of an idle one, what has not been read yet

	writeMu sync.Mutex
	parts   [1][]byte
	several [][]byte
}

type readBuffer struct {
	parts   [1][]byte
	request *virtio.Request
}

// update changes the state of the port and wakes those who look at it.
func (p *Port) update(change func()) {
	p.c.mu.Lock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
	p.c.mu.Unlock()
}

// Name is the name that the host gave to the port.
func (p *Port) Name() string {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	return p.name
}

// open tells the device that someone is at this end.
func (p *Port) open() error {
	first := false
	p.update(func() {
		first = !p.opened
		p.opened, p.closed = true, false
	})
	if !first || !p.c.multiport {
		return nil
	}
	return p.c.send(uint32(p.id), eventPortOpen, 1)
}

// Close tells the device that nobody is at this end any more. What reads or
// writes fails with fs.ErrClosed.
func (p *Port) Close() error {
	tell := false
	p.update(func() {
		tell = p.opened && p.c.multiport
		p.opened, p.closed = false, true
	})
	if !tell {
		return nil
	}
	return p.c.send(uint32(p.id), eventPortOpen, 0)
}

// fail puts the port before an error.
func (p *Port) fail(op string, err error) error {
	return fmt.Errorf("%s: %s port %q: %w", p.c.name, op, p.Name(), err)
}

// Read waits until there is something and returns what there is. It returns
// io.EOF when the host has closed its end and everything before was read.
func (p *Port) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	p.readMu.Lock()
	defer p.readMu.Unlock()
	p.layOut()
	for n < len(b) {
		if len(p.rest) == 0 {
			ready, err := p.wait(n == 0)
			if err != nil || !ready {
				return n, err
			}
			continue
		}
		k := copy(b[n:], p.rest)
		n += k
		p.rest = p.rest[k:]
	}
	return n, nil
}

// layOut makes the buffers, before the first Read.
func (p *Port) layOut() {
	if p.flight != nil {
		return
	}
	n := min(readBuffers, p.receive.Size())
	room := make([]byte, n*readBufferSize)
	buffers := make([]readBuffer, n)
	p.flight, p.idle = make([]*readBuffer, 0, n), make([]*readBuffer, 0, n)
	for i := range buffers {
		buffers[i].parts[0] = room[i*readBufferSize : (i+1)*readBufferSize]
		p.idle = append(p.idle, &buffers[i])
	}
}

// supply gives the device all buffers that are idle. That not all of them can be
// given is an error only if the device has none at all.
func (p *Port) supply() error {
	for len(p.idle) > 0 {
		b := p.idle[0]
		request, err := p.receive.Start(nil, b.parts[:])
		if err != nil {
			if len(p.flight) > 0 && p.c.dev.Err() == nil {
				return nil
			}
			return p.fail("read", err)
		}
		b.request = request
		p.flight = append(p.flight, b)
		p.idle = p.idle[:copy(p.idle, p.idle[1:])]
	}
	return nil
}

// wait takes what came next, if block is set not before something came. There is
// no rest any more.
func (p *Port) wait(block bool) (ready bool, err error) {
	if err := p.supply(); err != nil {
		if !block {
			err = nil // the next Read meets it again
		}
		return false, err
	}
	request := p.flight[0].request
	for {
		select {
		case <-request.Done():
			return true, p.filled()
		default:
		}
		if !block {
			return false, nil
		}
		p.c.mu.Lock()
		hostOpen, wasOpen, closed, changed := p.hostOpen, p.wasOpen, p.closed, p.changed
		p.c.mu.Unlock()
		if closed {
			return false, p.fail("read", fs.ErrClosed)
		}
		if wasOpen && !hostOpen {
			// The news came over another queue than the data: look whether
			// some of that is left.
			p.receive.Poll()
			select {
			case <-request.Done():
				return true, p.filled()
			default:
				return false, io.EOF
			}
		}
		select {
		case <-request.Done():
			return true, p.filled()
		case <-changed:
		}
	}
}

// filled takes what is in the first buffer, which the device has given back.
func (p *Port) filled() error {
	b := p.flight[0]
	p.flight = p.flight[:copy(p.flight, p.flight[1:])]
	p.idle = append(p.idle, b)
	n, err := b.request.Result()
	b.request = nil
	if err != nil {
		return p.fail("read", err)
	}
	// The buffer stays idle, and so its content as it is, while there is a
	// rest: only wait supplies.
	p.rest = b.parts[0][:n]
	return nil
}

// Write sends b and waits until the device took all of it. It returns EPIPE once
// the host has closed its end.
func (p *Port) Write(b []byte) (n int, err error) {
	p.writeMu.Lock()
	defer p.writeMu.Unlock()
	return p.write(b)
}

// WriteParts writes parts one behind the other, as Write does. Where the device reaches all of them, they are one request.
func (p *Port) WriteParts(parts ...[]byte) (err error) {
	p.writeMu.Lock()
	defer p.writeMu.Unlock()
	total := 0
	p.several = p.several[:0]
	for _, b := range parts {
		if len(b) == 0 {
			continue
		}
		if total += len(b); total > writePiece || len(p.several) == maxParts || !p.transmit.Direct(b) {
			p.several = p.several[:0]
			break
		}
		p.several = append(p.several, b)
	}
	if len(p.several) > 0 {
		if err = p.writable(); err == nil {
			if _, err = p.transmit.Do(p.several, nil); err != nil {
				err = p.fail("write", err)
			}
		}
		clear(p.several)
		return err
	}
	for _, b := range parts {
		if _, err := p.write(b); err != nil {
			return err
		}
	}
	return nil
}

// maxParts is how many parts one request may have: less than the 128 descriptors of QEMU's queue.
const maxParts = 8

// writable tells why nothing can be written.
func (p *Port) writable() error {
	p.c.mu.Lock()
	gone, closed := p.wasOpen && !p.hostOpen, p.closed
	p.c.mu.Unlock()
	if closed {
		return p.fail("write", fs.ErrClosed)
	}
	if err := p.c.dev.Err(); err != nil {
		return p.fail("write", err)
	}
	if gone {
		return p.fail("write", syscall.EPIPE)
	}
	return nil
}

// write is Write. p.writeMu is held.
func (p *Port) write(b []byte) (n int, err error) {
	for n < len(b) {
		if err := p.writable(); err != nil {
			return n, err
		}
		piece := b[n:min(len(b), n+writePiece)]
		if !p.transmit.Direct(piece) {
			piece = piece[:min(len(piece), copyPiece)]
		}
		p.parts[0] = piece
		_, err := p.transmit.Do(p.parts[:], nil)
		p.parts[0] = nil
		if err != nil {
			return n, p.fail("write", err)
		}
		n += len(piece)
	}
	return n, nil
}

// drain takes the buffers back after the device was closed.
func (p *Port) drain() {
	p.readMu.Lock()
	defer p.readMu.Unlock()
	for _, b := range p.flight {
		b.request.Wait()
		p.idle = append(p.idle, b)
	}
	p.flight = p.flight[:0]
}
