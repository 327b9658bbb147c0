package nic

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// Options are what both ends of a wire have in common.
type Options struct {
	MTU      int // 0: 1500
	Queues   int // in each direction; 0: 1
	Depth    int // frames that a queue takes; 0: 256
	Offloads Offloads
	// Lose, if not nil, reports whether a frame is lost on its way. It is called for
	// one frame at a time.
	Lose func(f *Frame) bool
}

const (
	pairMTU   = 1500
	pairDepth = 256
	// As a device that merges receive buffers does it, a frame is cut over buffers
	// of pairBuffer bytes, the first of which has pairHeadroom bytes before it.
	pairBuffer   = 4096
	pairHeadroom = 12
	pairBatch    = 64 // frames of one Receive at most
)

// End is one end of a wire. It implements Device.
type End struct {
	name    string
	address Address
	options Options
	peer    *End
	queues  []*direction // towards this end

	running sync.WaitGroup

	wire *sync.Mutex // of both ends; guards what follows
	// stack, once it was started
	stack  Stack
	filter Filter
	all    bool // filter was never set
	up     bool
	closed bool
	stats  Stats
}

// direction is one queue towards an end, and is guarded by its wire.
type direction struct {
	frames []Frame
	more   chan struct{}
	room   chan struct{}
	full   bool
}

// Pair returns two devices with the addresses a and b that are joined by a wire.
func Pair(a, b Address, o Options) (*End, *End) {
	if o.MTU == 0 {
		o.MTU = pairMTU
	}
	o.Queues, o.Depth = max(o.Queues, 1), max(o.Depth, 0)
	if o.Depth == 0 {
		o.Depth = pairDepth
	}
	wire := new(sync.Mutex)
	ends := [2]*End{}
	for i, addr := range [2]Address{a, b} {
		e := &End{name: fmt.Sprintf("wire end %d (%s)", i, addr), address: addr, options: o, wire: wire, all: true, up: true}
		for range o.Queues {
			e.queues = append(e.queues, &direction{more: make(chan struct{}, 1), room: make(chan struct{}, 1)})
		}
		ends[i] = e
	}
	ends[0].peer, ends[1].peer = ends[1], ends[0]
	return ends[0], ends[1]
}

// Name implements Device.
func (e *End) Name() string { return e.name }

// Address implements Device.
func (e *End) Address() Address { return e.address }

// MTU implements Device.
func (e *End) MTU() int { return e.options.MTU }

// Offloads implements Device.
func (e *End) Offloads() Offloads { return e.options.Offloads }

// Queues implements Device.
func (e *End) Queues() int { return e.options.Queues }

// Link implements Device.
func (e *End) Link() bool {
	e.wire.Lock()
	defer e.wire.Unlock()
	return e.up
}

// Start implements Device.
func (e *End) Start(s Stack) error {
	e.wire.Lock()
	defer e.wire.Unlock()
	if e.closed || e.stack != nil {
		return fmt.Errorf("%s is closed, or was started: %w", e.name, errors.ErrUnsupported)
	}
	e.stack = s
	for i, q := range e.queues {
		e.running.Add(1)
		go e.deliver(i, q)
	}
	return nil
}

// Send implements Device.
func (e *End) Send(queue int, frames []Frame) (n int, err error) {
	e.wire.Lock()
	defer e.wire.Unlock()
	if e.closed {
		for i := range frames {
			drop(&frames[i])
		}
		return len(frames), fmt.Errorf("%s: %w", e.name, fs.ErrClosed)
	}
	q := e.peer.queues[queue%len(e.peer.queues)]
	for i := range frames {
		f := &frames[i]
		if !e.options.Offloads.Sendable(f, e.options.MTU) {
			e.stats.TxErrors++
			drop(f)
			continue
		}
		if !e.up || e.peer.closed || e.peer.stack == nil || e.options.Lose != nil && e.options.Lose(f) {
			e.stats.TxDropped++
			drop(f)
			continue
		}
		if len(q.frames) >= e.options.Depth {
			q.full = true
			wake(q.more) // the other end is open: it has frames
			return i, nil
		}
		q.frames = append(q.frames, *f)
		e.stats.TxFrames++
		e.stats.TxBytes += uint64(f.Len())
	}
	if len(q.frames) > 0 {
		wake(q.more)
	}
	return len(frames), nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// drop tells the owner of a frame that nobody reads it any more.
func drop(f *Frame) {
	if f.Owner != nil {
		f.Owner.Release()
	}
}

// Room implements Device.
func (e *End) Room(queue int) <-chan struct{} {
	return e.peer.queues[queue%len(e.peer.queues)].room
}

// deliver gives what arrives in a queue to the stack.
func (e *End) deliver(queue int, q *direction) {
	defer e.running.Done()
	var batch []Received
	for range q.more {
		for {
			batch = e.take(q, batch[:0])
			if len(batch) == 0 {
				break
			}
			e.stack.Receive(queue, batch)
		}
	}
}

// take copies the next frames of a queue into buffers of the stack.
func (e *End) take(q *direction, batch []Received) []Received {
	e.wire.Lock()
	defer e.wire.Unlock()
	if e.closed {
		return batch
	}
	n := min(len(q.frames), pairBatch)
	for i := range q.frames[:n] {
		if f := &q.frames[i]; e.wants(f) {
			r := e.copy(f)
			e.stats.RxFrames++
			e.stats.RxBytes += uint64(r.Len())
			batch = append(batch, r)
		} else {
			e.stats.RxDropped++
		}
		drop(&q.frames[i])
	}
	left := copy(q.frames, q.frames[n:])
	clear(q.frames[left:])
	q.frames = q.frames[:left]
	if q.full && n > 0 {
		q.full = false
		wake(q.room)
	}
	return batch
}

// wants reports whether a frame passes the filter.
func (e *End) wants(f *Frame) bool {
	if e.all || e.filter.Promiscuous {
		return true
	}
	var to Address
	n := 0
	for _, p := range f.Data {
		n += copy(to[n:], p)
	}
	if to == e.address || to == Broadcast || to.Multicast() && e.filter.AllMulticast {
		return true
	}
	for _, a := range e.filter.Addresses {
		if a == to {
			return true
		}
	}
	return false
}

// copy puts a frame into buffers of the stack.
func (e *End) copy(f *Frame) Received {
	r := Received{Offload: f.Offload}
	room, part := []byte(nil), (*Part)(nil)
	for _, p := range f.Data {
		for len(p) > 0 {
			if len(room) == 0 {
				b := e.stack.Alloc(pairBuffer)
				r.Parts = append(r.Parts, Part{Buffer: b})
				part, room = &r.Parts[len(r.Parts)-1], b.Bytes()[:pairBuffer]
				if len(r.Parts) == 1 {
					part.Offset, room = pairHeadroom, room[pairHeadroom:]
				}
			}
			n := copy(room, p)
			p, room = p[n:], room[n:]
			part.Len += n
		}
	}
	return r
}

// SetFilter implements Device.
func (e *End) SetFilter(f Filter) error {
	e.wire.Lock()
	defer e.wire.Unlock()
	f.Addresses = append([]Address(nil), f.Addresses...)
	e.filter, e.all = f, false
	return nil
}

// SetLink takes the wire off both ends, or puts it back.
func (e *End) SetLink(up bool) {
	e.wire.Lock()
	changed := e.up != up
	e.up, e.peer.up = up, up
	stacks := [2]Stack{e.stack, e.peer.stack}
	e.wire.Unlock()
	for _, s := range stacks {
		if changed && s != nil {
			s.LinkChanged(up)
		}
	}
}

// Announce has the stack of this end tell its addresses, as the device of a machine
// does that has moved.
func (e *End) Announce() {
	e.wire.Lock()
	s := e.stack
	e.wire.Unlock()
	if s != nil {
		s.Announce()
	}
}

// Stats implements Device.
func (e *End) Stats() Stats {
	e.wire.Lock()
	defer e.wire.Unlock()
	return e.stats
}

// Close implements Device. What it has sent and the other end has not received is
// lost.
func (e *End) Close() error {
	e.wire.Lock()
	first := !e.closed
	e.closed = true
	if first {
		for _, q := range append(append([]*direction(nil), e.queues...), e.peer.queues...) {
			for i := range q.frames {
				drop(&q.frames[i])
			}
			q.frames = nil
			wake(q.room)
		}
		for _, q := range e.queues {
			close(q.more)
		}
	}
	e.wire.Unlock()
	e.running.Wait()
	return nil
}

var _ Device = (*End)(nil)
