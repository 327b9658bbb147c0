package virtio

import (
	"fmt"
	"sync"
	"syscall"
)

// Queue is a virtqueue of requests that somebody waits for, safe for concurrent
// use. Requests wait for room when it is full. In the steady state a request
// allocates nothing.
type Queue struct {
	virtqueue
	free chan *Request // idle ones
	dead chan struct{} // closed by abort

	turn sync.Mutex // held by the one who waits for descriptors

	// The virtqueue's mutex guards these.
	watch
	room    sync.Cond // descriptors have come free
	made    int       // requests that exist, at most as many as the ring has descriptors
	urgent  int       // requests in flight whose reply somebody awaits
	waiting int       // requests that wait for room
}

func newQueue(d *Device, index int, name string, max int) (*Queue, error) {
	q := &Queue{watch: newWatch(), dead: make(chan struct{})}
	if err := q.open(d, index, name, max); err != nil {
		return nil, err
	}
	q.free = make(chan *Request, q.size)
	q.room.L = &q.mu
	return q, nil
}

// Do sends the parts of in and waits for the device, which writes into the
// parts of out, in order. It returns how many bytes the device says that it
// wrote, at most the sum of len(out). When it returns, for whatever reason, the
// device is done with all parts.
func (q *Queue) Do(in, out [][]byte) (n int, err error) {
	r, err := q.start(in, out, urgent)
	if err != nil {
		return 0, err
	}
	return r.Wait()
}

// Start is the first half of Do: it waits for room only. The parts must stay
// unchanged until Wait returns, which is to be called exactly once. Requests
// that a device answers in order may be waited for in order.
func (q *Queue) Start(in, out [][]byte) (*Request, error) {
	return q.start(in, out, urgent)
}

// Defer is Start for a request that can wait. The device may see it only with the
// next request or Flush, and announces its reply only together with others: Done
// delivers after a Flush at the latest, if the reply is there. Wait makes it urgent.
func (q *Queue) Defer(in, out [][]byte) (*Request, error) {
	return q.start(in, out, deferred)
}

// Flush notifies the device of what was deferred and takes what it has used.
func (q *Queue) Flush() {
	q.mu.Lock()
	notify := q.err == nil && q.publish()
	fault := q.reap()
	q.unlock(notify, fault)
}

// Post sends the parts of in, which belong to the queue from then on, and does
// not wait for the device, except for room. No interrupt comes for it alone.
func (q *Queue) Post(in [][]byte) error {
	_, err := q.start(in, nil, posted)
	return err
}

// Wait is the second half of Do. The request must not be used after it.
func (r *Request) Wait() (n int, err error) {
	if r.kind == deferred {
		r.q.hurry(r)
	}
	r.q.await(r)
	return r.Result()
}

// Done delivers one value once the device is done with the request. Whoever
// receives it calls Result next, in place of Wait.
func (r *Request) Done() <-chan struct{} { return r.done }

// Result is Wait after Done has delivered.
func (r *Request) Result() (n int, err error) {
	r.finish()
	n, err = r.n, r.err
	r.q.release(r)
	return n, err
}

func (q *Queue) start(in, out [][]byte, k kind) (*Request, error) {
	if k != urgent {
		q.Poll()
	}
	r, err := q.idle()
	if err != nil {
		return nil, err
	}
	r.n, r.err, r.kind, r.complete = 0, nil, k, false
	r.in, r.out = in, out // keeps them alive
	if err = r.prepare(in, out); err == nil {
		err = q.enter(r)
	}
	if err != nil {
		r.finish()
		q.release(r)
		return nil, err
	}
	return r, nil
}

// idle takes an idle request, or makes one, or waits for one when the ring is
// full.
func (q *Queue) idle() (*Request, error) {
	select {
	case r := <-q.free:
		return r, nil
	default:
	}
	if q.another() {
		return &Request{q: q, v: &q.virtqueue, done: make(chan struct{}, 1)}, nil
	}
	q.wait(1)
	defer q.wait(-1)
	select {
	case r := <-q.free:
		return r, nil
	case <-q.dead:
		return nil, q.failure()
	}
}

// another reports whether one more request may be made, and counts it.
func (q *Queue) another() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.made == q.size {
		return false
	}
	q.made++
	return true
}

// wait counts requests that wait for room in or out. While there are any, the
// device announces whatever it uses.
func (q *Queue) wait(n int) {
	q.mu.Lock()
	q.waiting += n
	var fault *fault
	notify := false
	if n > 0 {
		q.stats.Full++
		notify = q.err == nil && q.publish()
		fault = q.reap()
	}
	q.unlock(notify, fault)
}

// enter puts r into the ring and notifies the device if it wants that.
func (q *Queue) enter(r *Request) error {
	if !q.ring.indirect {
		// One waits for descriptors, the others wait for their turn, so that a
		// long chain is not overtaken for ever by short ones. With indirect
		// descriptors every request has its descriptor.
		q.turn.Lock()
		defer q.turn.Unlock()
	}
	q.mu.Lock()
	if q.err == nil && q.ring.need(r) > q.ring.nfree {
		q.mu.Unlock()
		q.wait(1)
		q.mu.Lock()
		for q.err == nil && q.ring.need(r) > q.ring.nfree {
			q.room.Wait()
		}
		q.waiting--
	}
	if q.err != nil {
		defer q.mu.Unlock()
		return q.err
	}
	q.ring.put(r)
	q.stats.Requests++
	q.stats.BytesOut += r.readable
	notify := false
	var fault *fault
	if r.kind == deferred || r.kind == urgent && q.hold() {
		q.ring.expose()
	} else {
		notify = q.publish()
	}
	if r.kind == urgent {
		fault = q.expect()
	}
	q.unlock(notify, fault)
	return nil
}

// unlock releases q.mu, and then does what must not be done with it: it notifies
// the device and reports a fault.
func (q *Queue) unlock(notify bool, f *fault) {
	q.mu.Unlock()
	if notify {
		q.t.Notify(q.index)
	}
	q.report(f)
}

// publish shows the device all that is in the ring, and reports whether it is to
// be notified. q.mu is held.
func (q *Queue) publish() (notify bool) {
	q.held = false
	if notify = q.ring.publish(); notify {
		q.stats.Notifications++
	}
	return notify
}

// expect counts one more request whose reply is awaited, for which the device
// must send an interrupt unless somebody watches. q.mu is held.
func (q *Queue) expect() *fault {
	q.urgent++
	if q.urgent > 1 || q.watching > 0 {
		return nil
	}
	return q.reap()
}

// hurry makes a deferred request urgent.
func (q *Queue) hurry(r *Request) {
	notify := false
	var fault *fault
	q.mu.Lock()
	if !r.complete && q.err == nil {
		r.kind = urgent
		notify = q.publish()
		fault = q.expect()
	}
	q.unlock(notify, fault)
}

// complete runs for as long as the device does and hands out its replies.
func (q *Queue) complete() {
	defer q.dev.running.Done()
	for q.t.WaitInterrupt(q.index) {
		q.mu.Lock()
		q.stats.Interrupts++
		fault := q.reap()
		q.mu.Unlock()
		if fault != nil {
			q.report(fault)
			return
		}
	}
}

// Poll takes what the device has used up to now, without waiting for its
// interrupt.
func (q *Queue) Poll() {
	q.mu.Lock()
	fault := q.reap()
	q.mu.Unlock()
	q.report(fault)
}

// reap takes everything that the device has used. q.mu is held.
func (q *Queue) reap() *fault {
	for armed := false; ; {
		if q.broken || q.err != nil {
			return nil
		}
		n, fault := q.ring.pending()
		if n == 0 && fault == nil {
			if armed || q.watching > 0 {
				return nil
			}
			q.ring.arm(q.urgent == 0 && q.waiting == 0)
			armed = true
			continue
		}
		armed = false
		for ; n > 0 && fault == nil; n-- {
			var r *Request
			var length uint32
			if r, length, fault = q.ring.take(); fault == nil {
				q.done(r, length)
			}
		}
		if fault != nil {
			q.broken = true
			return fault
		}
		q.room.Signal()
	}
}

// done hands r to whoever waits for it. q.mu is held.
func (q *Queue) done(r *Request, length uint32) {
	if uint64(length) > r.writable {
		q.stats.Bad++
		r.err = &Error{q.t.Name(), q.label(), "used length", fmt.Sprintf("%d bytes into a buffer of %d", length, r.writable)}
	} else {
		r.n = int(length)
		q.stats.BytesIn += uint64(length)
	}
	q.deliver(r)
}

// deliver has the owner of r find it complete. q.mu is held.
func (q *Queue) deliver(r *Request) {
	if r.kind == posted {
		r.finish()
		q.put(r)
		return
	}
	q.unpark(r)
	if r.kind == urgent {
		q.urgent--
	}
	r.complete = true
	r.wake()
}

// abort fails every request in flight and all that come later. The device has
// been stopped.
func (q *Queue) abort(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err = err
	for head, r := range q.ring.owner {
		if r != nil {
			q.ring.drop(uint16(head))
			r.err = err
			q.deliver(r)
		}
	}
	close(q.dead)
	q.room.Broadcast()
}

func (q *Queue) failure() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		return syscall.EIO
	}
	return q.err
}

// release makes r idle again.
func (q *Queue) release(r *Request) {
	q.mu.Lock()
	q.put(r)
	q.mu.Unlock()
}

// put is release with q.mu held.
func (q *Queue) put(r *Request) {
	if q.freed {
		r.freeTable()
		return
	}
	q.free <- r // never blocks: there is a place for each
}

// freeMemory gives the ring back. The device has been stopped; requests whose
// owners are still at work give back their own parts when they are released.
func (q *Queue) freeMemory() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.freeRing() {
		return
	}
	for {
		select {
		case r := <-q.free:
			r.freeTable()
		default:
			return
		}
	}
}
