package virtio

import (
	"fmt"
	"math/bits"
	"sync"
	"time"
)

// virtqueue is what all kinds of queue have in common.
type virtqueue struct {
	dev   *Device
	t     Transport
	mem   Memory
	index int
	name  string
	size  int

	mu     sync.Mutex
	ring   *splitRing
	broken bool // the ring's content is not to be looked at any more
	err    error
	freed  bool
	stats  Stats
}

// Stats are the counters of a queue since it was set up.
type Stats struct {
	Requests      uint64        // put into the ring
	Notifications uint64        // sent to the device
	Interrupts    uint64        // received, spurious ones included
	BytesOut      uint64        // from driver to device
	BytesIn       uint64        // from device to driver, as the device says
	Full          uint64        // waits for room
	Watched       time.Duration // how long somebody looked in vain, by one look to the next
	Bad           uint64        // replies with an impossible length
	InFlight      int
	Size          int // descriptors
}

func (q *virtqueue) open(d *Device, index int, name string, max int) error {
	limit := d.t.QueueMax(index)
	if limit == 0 {
		return Errorf(d.t, "queue size", "there is no queue %d (%s)", index, name)
	}
	size := min(limit, max)
	if size < 2 || size > 1<<15 {
		return Errorf(d.t, "queue size", "queue %d (%s) has %d descriptors, want 2 to 32768", index, name, size)
	}
	size = 1 << (bits.Len(uint(size)) - 1) // a power of two (§2.7)
	ring, err := newSplitRing(d.mem, size, d.features)
	if err != nil {
		return fmt.Errorf("queue %d (%s): %w", index, name, err)
	}
	q.dev, q.t, q.mem, q.index, q.name, q.size, q.ring = d, d.t, d.mem, index, name, size, ring
	return nil
}

// enable tells the device where the queue lies.
func (q *virtqueue) enable() error {
	return q.t.EnableQueue(q.index, q.size, q.ring.desc, q.ring.driver, q.ring.device)
}

// freeRing gives the ring back, once: it reports whether that was now. The device has
// been stopped, and q.mu is held.
func (q *virtqueue) freeRing() bool {
	if q.freed {
		return false
	}
	q.freed = true
	if q.err == nil {
		q.err = ErrClosed
	}
	q.mem.Free(q.ring.block)
	return true
}

// Index is the queue's number in its device.
func (q *virtqueue) Index() int { return q.index }

// Name says what the queue is for.
func (q *virtqueue) Name() string { return q.name }

// Size is the number of its descriptors.
func (q *virtqueue) Size() int { return q.size }

// Stats returns the counters.
func (q *virtqueue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.InFlight, s.Size = q.ring.inflight, q.size
	return s
}

// label names the queue for messages.
func (q *virtqueue) label() string { return fmt.Sprintf("queue %d (%s)", q.index, q.name) }

// report has the device stopped if fault is not nil. q.mu is not held.
func (q *virtqueue) report(f *fault) {
	if f != nil {
		q.dev.fail(&Error{q.t.Name(), q.label(), f.field, f.problem})
	}
}

// Direct reports whether the device can reach b itself, in one piece; otherwise a
// request may copy it.
func (q *virtqueue) Direct(b []byte) bool {
	_, n := q.mem.Phys(b)
	return n == len(b) && n > 0
}
