package virtio

import (
	"errors"
	"fmt"
)

// BufferQueue is a virtqueue through which a driver passes buffers in batches and
// gets them back once the device is done with them, where nobody waits for a single
// one. Each buffer has a number, its slot, which the driver chooses out of those that
// the device does not have, from 0 to Size()-1.
//
// Put, Take, Arm, Lazy and Ended are called between Lock and Unlock, which guard the
// driver's own account of the slots as well. What is put between them is one batch:
// Unlock shows it to the device and notifies it once, if it wants that. In the steady
// state nothing allocates.
type BufferQueue struct {
	virtqueue
	serve func(*BufferQueue)
	slots []*Request // nil: was never used

	fault   *fault        // what the device got wrong, to be reported by Unlock
	stopped chan struct{} // closed by abort
	head    int           // abort: slots before it have been taken
}

// ErrFull says that a queue has no room for a buffer now.
var ErrFull = errors.New("virtqueue is full")

func newBufferQueue(d *Device, index int, name string, max int, serve func(*BufferQueue)) (*BufferQueue, error) {
	q := &BufferQueue{serve: serve, stopped: make(chan struct{})}
	if err := q.open(d, index, name, max); err != nil {
		return nil, err
	}
	q.slots = make([]*Request, q.size)
	return q, nil
}

// Lock begins a batch.
func (q *BufferQueue) Lock() { q.mu.Lock() }

// Unlock ends it. It must not be called with a lock that Driver.Failed takes.
func (q *BufferQueue) Unlock() {
	notify := false
	if !q.gone() && q.ring.publish() {
		q.stats.Notifications++
		notify = true
	}
	f := q.fault
	q.fault = nil
	q.mu.Unlock()
	if notify {
		q.t.Notify(q.index)
	}
	q.report(f)
}

// gone reports whether the ring is not to be touched any more.
func (q *BufferQueue) gone() bool { return q.err != nil || q.broken }

// Ended returns why the queue takes no more, nil while it does.
func (q *BufferQueue) Ended() error { return q.err }

// Put gives the parts of in, which the device reads, and those of out, which it
// writes into, to the device as the buffer slot. The parts, but not the slices of
// them, must stay reachable and unchanged until Take has returned the slot; parts of
// out that the device cannot reach itself, also the slice. It returns ErrFull if there
// is no room, and Ended's error.
func (q *BufferQueue) Put(slot int, in, out [][]byte) error {
	if q.err != nil {
		return q.err
	}
	if slot < 0 || slot >= q.size {
		return fmt.Errorf("%s: slot %d of %d", q.label(), slot, q.size)
	}
	r := q.slots[slot]
	if r == nil {
		r = &Request{v: &q.virtqueue, slot: slot}
		q.slots[slot] = r
	}
	if r.placed {
		return fmt.Errorf("%s: slot %d is with the device", q.label(), slot)
	}
	if q.ring.nfree == 0 {
		return ErrFull
	}
	err := r.prepare(in, out)
	if err == nil && q.ring.need(r) > q.ring.nfree {
		err = ErrFull
	}
	if err != nil {
		r.finish()
		return err
	}
	q.ring.put(r)
	r.placed = true
	q.stats.Requests++
	q.stats.BytesOut += r.readable
	return nil
}

// Take returns the slot of a buffer that the device is done with and how many bytes
// it says that it wrote, at most as many as there were to be written; with an error if
// it says that it wrote more. It returns -1 if there is none. Once the queue has ended
// it returns, each once, all slots that the device still had, with Ended's error.
func (q *BufferQueue) Take() (slot, n int, err error) {
	if q.gone() {
		return q.takeBack()
	}
	pending, fault := q.ring.pending()
	var r *Request
	var length uint32
	if fault == nil {
		if pending == 0 {
			return -1, 0, nil
		}
		r, length, fault = q.ring.take()
	}
	if fault != nil {
		q.fault, q.broken = fault, true
		return -1, 0, nil
	}
	r.placed, r.n = false, int(length)
	if uint64(length) > r.writable {
		q.stats.Bad++
		r.n = 0
		err = &Error{q.t.Name(), q.label(), "used length", fmt.Sprintf("%d bytes into a buffer of %d", length, r.writable)}
	}
	q.stats.BytesIn += uint64(r.n)
	r.finish()
	return r.slot, r.n, err
}

// takeBack is Take of a queue that has ended.
func (q *BufferQueue) takeBack() (slot, n int, err error) {
	if q.err == nil {
		return -1, 0, nil // the device may write yet
	}
	for ; q.head < len(q.slots); q.head++ {
		if r := q.slots[q.head]; r != nil && r.placed {
			r.placed, r.n = false, 0
			r.finish()
			return r.slot, 0, q.err
		}
	}
	return -1, 0, nil
}

// Arm asks for an interrupt once n more buffers were used, n from 1 to Size(), or as
// soon as it can be had. It reports whether there is already something to Take.
func (q *BufferQueue) Arm(n int) (more bool) {
	if q.gone() {
		return false
	}
	q.ring.armAfter(n)
	pending, fault := q.ring.pending()
	return pending >= n || fault != nil
}

// Lazy asks for no interrupts until Arm.
func (q *BufferQueue) Lazy() {
	if !q.gone() && !q.ring.eventIdx {
		q.ring.quiet() // with an event index there is one interrupt for each Arm
	}
}

// Wait parks until the device has sent an interrupt, or now and then without one. It
// returns false once the queue has ended; Take then returns what the device had.
func (q *BufferQueue) Wait() bool {
	if q.t.WaitInterrupt(q.index) {
		q.mu.Lock()
		q.stats.Interrupts++
		q.mu.Unlock()
		return true
	}
	<-q.stopped // what ended the wait is on its way there
	return false
}

// Stopped is closed once the queue has ended, for those who Wait only at times.
func (q *BufferQueue) Stopped() <-chan struct{} { return q.stopped }

// abort ends the use of the queue. The device has been stopped.
func (q *BufferQueue) abort(err error) {
	q.mu.Lock()
	q.err = err
	q.mu.Unlock()
	close(q.stopped)
}

// freeMemory gives the ring back. The device has been stopped.
func (q *BufferQueue) freeMemory() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.freeRing() {
		return
	}
	for _, r := range q.slots {
		if r != nil {
			r.freeTable()
		}
	}
}
