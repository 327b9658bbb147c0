package virtionet

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
)

const (
	// sendBatch is how many frames are sent, and taken back, under one lock.
	sendBatch = 32

	// The device says nothing of frames that it has sent, unless the queue is full:
	// they are taken back when others are sent or received, and where that is not so,
	// after lingerTime, which doubles up to lingerMost while the device sends nothing.
	lingerTime = time.Millisecond
	lingerMost = 128 * time.Millisecond

	headerStep = 16 // from one frame's header to the next, in bytes
)

// transmitter is one transmit queue.
type transmitter struct {
	n       *Net
	q       *virtio.BufferQueue
	room    chan struct{} // for nic.Device's Room
	asked   chan struct{} // there is an interrupt to wait for
	timer   *time.Timer   // runs linger
	lingers sync.Mutex    // held by it
	headers []byte        // of the device's memory, headerStep for each slot

	// The lock of q guards the rest.
	sent      []nic.Frame // by slot
	idle      []int       // slots that the device does not have
	parts     [][]byte    // of the frame that is put
	full      bool        // somebody waits for room
	awaits    bool        // an interrupt was asked for, and nothing taken back since
	lingering bool        // the timer runs
	wait      time.Duration

	frames, bytes, errors, dropped uint64
}

func newTransmitter(n *Net, d *virtio.Device, pair int) (*transmitter, error) {
	t := &transmitter{n: n, room: make(chan struct{}, 1), asked: make(chan struct{}, 1)}
	q, err := d.AddBufferQueue(2*pair+1, "transmit "+strconv.Itoa(pair), queueSize, t.serve)
	if err != nil {
		return nil, err
	}
	t.q = q
	if t.headers, err = n.mem.Alloc(q.Size()*headerStep, headerStep); err != nil {
		return nil, fmt.Errorf("headers of %d frames: %w", q.Size(), err)
	}
	t.sent = make([]nic.Frame, q.Size())
	for i := range q.Size() {
		t.idle = append(t.idle, i)
	}
	t.timer = time.AfterFunc(time.Hour, t.linger)
	t.timer.Stop()
	return t, nil
}

// end waits for what the timer began. The device has been closed, so that what begins
// later finds nothing.
func (t *transmitter) end() {
	t.timer.Stop()
	t.lingers.Lock()
	defer t.lingers.Unlock()
}

func (t *transmitter) freeMemory() {
	if t.headers != nil {
		t.n.mem.Free(t.headers)
		t.headers = nil
	}
}

// owners are those of frames that nobody reads any more, to be told without a lock.
type owners struct {
	list [2 * sendBatch]nic.Owner
	n    int
}

func (o *owners) add(f *nic.Frame) {
	if f.Owner != nil {
		o.list[o.n] = f.Owner
		o.n++
	}
}

func (o *owners) tell() {
	for i, owner := range o.list[:o.n] {
		owner.Release()
		o.list[i] = nil
	}
	o.n = 0
}

// send is nic.Device's Send.
func (t *transmitter) send(frames []nic.Frame) (n int, err error) {
	var done owners
	for more := true; n < len(frames) && more && err == nil; {
		var k int
		t.q.Lock()
		if err = t.q.Ended(); err == nil {
			k, more = t.sendBatch(frames[n:min(n+sendBatch, len(frames))], &done)
		}
		t.q.Unlock()
		done.tell()
		n += k
	}
	if err == nil {
		return n, nil
	}
	for i := n; i < len(frames); i++ {
		if o := frames[i].Owner; o != nil {
			o.Release()
		}
	}
	return len(frames), err
}

// sendBatch puts frames into the queue and returns how many it took, and whether
// there is room for more. The lock is held, here and below.
func (t *transmitter) sendBatch(frames []nic.Frame, done *owners) (n int, more bool) {
	offloads, mtu := t.n.Offloads(), t.n.mtu
	t.reap(done)
	defer t.remember()
	for i := range frames {
		f := &frames[i]
		if !offloads.Sendable(f, mtu) {
			t.errors++
			done.add(f)
			continue
		}
		switch err := t.put(f); {
		case err == nil:
		case errors.Is(err, virtio.ErrFull):
			t.full = true
			return i, t.ask(max(1, t.flying()/2))
		default:
			t.dropped++
			done.add(f)
		}
	}
	return len(frames), true
}

// put puts a frame into the queue.
func (t *transmitter) put(f *nic.Frame) error {
	if len(t.idle) == 0 {
		return virtio.ErrFull
	}
	slot := t.idle[len(t.idle)-1]
	h := t.headers[slot*headerStep:][:headerSize:headerSize]
	encode(h, &f.Offload)
	t.parts = append(append(t.parts[:0], h), f.Data...)
	err := t.q.Put(slot, t.parts, nil)
	clear(t.parts)
	if err != nil {
		return err
	}
	t.idle = t.idle[:len(t.idle)-1]
	t.sent[slot] = *f
	t.frames++
	t.bytes += uint64(f.Len())
	return nil
}

// flying counts the frames that the device has.
func (t *transmitter) flying() int { return len(t.sent) - len(t.idle) }

// remember sees to it that what has been put comes back.
func (t *transmitter) remember() {
	if t.flying() == 0 {
		return
	}
	if quarter := len(t.sent) / 4; t.flying() > quarter && !t.full {
		t.ask(quarter)
	}
	if !t.lingering {
		t.lingering, t.wait = true, lingerTime
		t.timer.Reset(t.wait)
	}
}

// ask asks for an interrupt after n frames more, and reports whether they are there.
func (t *transmitter) ask(n int) (more bool) {
	if !t.awaits {
		t.awaits = true
		signal(t.asked)
	}
	return t.q.Arm(n)
}

// reap takes back up to sendBatch of the frames that the device has sent, and reports
// whether there may be more.
func (t *transmitter) reap(done *owners) (more bool) {
	n := 0
	for ; n < sendBatch; n++ {
		slot, _, _ := t.q.Take()
		if slot < 0 {
			break
		}
		done.add(&t.sent[slot])
		t.sent[slot] = nic.Frame{}
		t.idle = append(t.idle, slot)
	}
	if n > 0 {
		t.wait = lingerTime
		if t.full && len(t.idle) >= len(t.sent)/4 {
			t.full = false
			signal(t.room)
		}
		t.awaits = t.full
	}
	return n == sendBatch
}

// signal wakes the one who waits for c, or who waits next.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// poll takes back all frames that the device has sent. The lock is not held.
func (t *transmitter) poll() {
	var done owners
	for more := true; more; {
		t.q.Lock()
		more = t.reap(&done)
		t.q.Unlock()
		done.tell()
	}
}

// linger does so for frames after which nothing happened.
func (t *transmitter) linger() {
	t.lingers.Lock()
	defer t.lingers.Unlock()
	t.poll()
	t.q.Lock()
	defer t.q.Unlock()
	t.lingering = t.flying() > 0 && t.q.Ended() == nil
	if t.lingering {
		t.timer.Reset(t.wait)
		t.wait = min(2*t.wait, lingerMost)
	}
}

// serve runs for as long as the device does. It waits only for interrupts that were
// asked for: where queues share one, each wakes all who wait.
func (t *transmitter) serve(q *virtio.BufferQueue) {
	for ok := true; ok; {
		for ok && t.expects() {
			ok = q.Wait()
			t.poll()
		}
		select {
		case <-t.asked:
		case <-q.Stopped():
			ok = false
		}
	}
	t.poll() // all that the device had
	signal(t.room)
}

// expects reports whether there is an interrupt to wait for, and has the device send
// none if not.
func (t *transmitter) expects() bool {
	t.q.Lock()
	defer t.q.Unlock()
	if !t.awaits {
		t.q.Lazy()
	}
	return t.awaits
}

// count adds the counters to s.
func (t *transmitter) count(s *nic.Stats) {
	t.q.Lock()
	defer t.q.Unlock()
	s.TxFrames += t.frames
	s.TxBytes += t.bytes
	s.TxErrors += t.errors
	s.TxDropped += t.dropped
}
