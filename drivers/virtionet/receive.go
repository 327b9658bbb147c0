package virtionet

import (
	"strconv"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
)

// Receive buffers, in bytes. A frame that needs several is put together of them
// (VIRTIO_NET_F_MRG_RXBUF, §5.1.6.3).
const (
	smallBuffer = 2048    // holds a frame of an ordinary MTU
	largeBuffer = 4096    // where frames are longer
	ringMemory  = 1 << 20 // that the buffers of a queue take at most, but for
	leastPosted = 16      // so many
	vlanTag     = 4       // that a frame may have more than the MTU says

	// A frame that fills no more than a copyShare-th of its buffer is copied out of
	// it, so that a few bytes do not hold a large buffer for long.
	copyShare = 4

	receiveBatch = 64 // frames given to the stack at a time
)

// receiver is one receive queue.
type receiver struct {
	n     *Net
	index int // of the pair
	q     *virtio.BufferQueue
	stack nic.Stack

	// The lock of q guards the rest.
	size    int          // of a buffer
	posted  int          // buffers with the device
	most    int          // that there are to be
	longest int          // chain, with room for a device that does not fill each buffer
	buffers []nic.Buffer // by slot
	parts   [][1][]byte  // what of them the device has
	idle    []int        // slots that it does not have

	// The frame that is being put together.
	want   int // buffers of it that are to come
	broken bool
	header header
	length int
	chain  []nic.Part

	batch []nic.Received // complete ones
	arena []nic.Part     // of them

	frames, bytes, errors uint64
}

func newReceiver(n *Net, d *virtio.Device, pair int) (*receiver, error) {
	r := &receiver{n: n, index: pair}
	q, err := d.AddBufferQueue(2*pair, "receive "+strconv.Itoa(pair), queueSize, r.serve)
	if err != nil {
		return nil, err
	}
	r.q = q
	r.size = bufferSize(n.mtu, d.Features())
	r.most = min(q.Size(), max(leastPosted, ringMemory/r.size))
	r.longest = 2 * (nic.MaxFrame/r.size + 1)
	r.buffers, r.parts = make([]nic.Buffer, q.Size()), make([][1][]byte, q.Size())
	for i := range q.Size() {
		r.idle = append(r.idle, i)
	}
	return r, nil
}

// bufferSize is the size of receive buffers (§5.1.6.3.1).
func bufferSize(mtu int, features uint64) int {
	frame := headerSize + nic.HeaderLen + vlanTag + mtu
	switch {
	case frame <= smallBuffer && features&guestGSO == 0:
		return smallBuffer
	case features&featureMrgRxBuf != 0:
		return largeBuffer
	}
	return frame
}

// start has the device receive.
func (r *receiver) start(s nic.Stack) {
	r.q.Lock()
	defer r.q.Unlock()
	if r.q.Ended() != nil {
		return // serve gives nothing back any more
	}
	r.stack = s
	r.refill()
	r.q.Arm(1)
}

// serve runs for as long as the device does.
func (r *receiver) serve(q *virtio.BufferQueue) {
	for q.Wait() {
		for r.round() {
		}
	}
	q.Lock()
	defer q.Unlock()
	for {
		slot, _, _ := q.Take()
		if slot < 0 {
			break
		}
		r.idle = append(r.idle, slot)
	}
	for i, b := range r.buffers {
		if b != nil {
			b.Release()
			r.buffers[i] = nil
		}
	}
	r.drop()
}

// round gives the stack what has been received, and reports whether there may be
// more.
func (r *receiver) round() (more bool) {
	r.q.Lock()
	if r.q.Ended() != nil || r.stack == nil {
		r.q.Unlock()
		return false
	}
	r.q.Lazy()
	r.batch, r.arena = r.batch[:0], r.arena[:0]
	taken := 0
	for ; taken < receiveBatch; taken++ {
		slot, n, err := r.q.Take()
		if slot < 0 {
			break
		}
		r.collect(slot, n, err)
	}
	r.refill()
	more = taken > 0 || r.q.Arm(1)
	r.q.Unlock()
	if len(r.batch) > 0 {
		r.stack.Receive(r.index, r.batch)
		clear(r.batch)
		clear(r.arena)
	}
	r.n.tx[r.index].poll()
	return more
}

// refill gives the device buffers in place of those that it has used.
func (r *receiver) refill() {
	for r.posted < r.most && len(r.idle) > 0 {
		slot := r.idle[len(r.idle)-1]
		if r.buffers[slot] == nil {
			b := r.stack.Alloc(r.size)
			r.buffers[slot], r.parts[slot][0] = b, b.Bytes()[:r.size]
		}
		if r.q.Put(slot, nil, r.parts[slot][:]) != nil {
			return // no room, or no memory to copy through
		}
		r.idle = r.idle[:len(r.idle)-1]
		r.posted++
	}
}

// collect takes a buffer that the device has used, n bytes of it, or err. A frame of
// which anything is wrong is dropped, with all buffers that it is said to have.
func (r *receiver) collect(slot, n int, err error) {
	r.idle = append(r.idle, slot)
	r.posted--
	written := r.parts[slot][0][:n]
	part := nic.Part{Buffer: r.buffers[slot], Len: n}
	if r.want == 0 {
		part.Offset = r.begin(written)
		part.Len -= part.Offset
		if part.Len < nic.HeaderLen {
			r.broken = true
		}
	}
	r.want--
	r.length += part.Len
	if err != nil || part.Len <= 0 || r.length > nic.MaxFrame || len(r.chain) > r.longest {
		r.broken = true
	}
	switch {
	case r.broken:
		clear(written) // it is used again
		r.drop()
		if r.want == 0 {
			r.errors++
		}
		return
	case r.want == 0 && len(r.chain) == 0 && part.Len <= r.size/copyShare:
		b := r.stack.Alloc(part.Len)
		copy(b.Bytes(), written[part.Offset:])
		clear(written)
		part.Buffer, part.Offset = b, 0
	default:
		r.buffers[slot] = nil // the stack's
	}
	r.chain = append(r.chain, part)
	if r.want == 0 {
		r.end()
	}
}

// begin takes the header of a frame from its first buffer, and returns its length.
func (r *receiver) begin(b []byte) int {
	r.broken, r.length, r.want = false, 0, 1
	if len(b) < headerSize {
		r.broken = true
		return len(b)
	}
	r.header.decode(b)
	if r.n.has(featureMrgRxBuf) {
		r.want = int(r.header.numBuffers)
		if r.want == 0 {
			r.broken, r.want = true, 1
		}
	}
	return headerSize
}

// end completes a frame, or drops it for what its header says.
func (r *receiver) end() {
	o, ok := r.header.offload(r.length, r.n.dev.Features())
	if !ok {
		r.errors++
		r.drop()
		return
	}
	at := len(r.arena)
	r.arena = append(r.arena, r.chain...)
	r.batch = append(r.batch, nic.Received{Parts: r.arena[at:len(r.arena):len(r.arena)], Offload: o})
	r.frames++
	r.bytes += uint64(r.length)
	clear(r.chain)
	r.chain = r.chain[:0]
}

// drop gives the stack back what there is of a frame.
func (r *receiver) drop() {
	for i, p := range r.chain {
		p.Buffer.Release()
		r.chain[i] = nic.Part{}
	}
	r.chain = r.chain[:0]
}

// count adds the counters to s.
func (r *receiver) count(s *nic.Stats) {
	r.q.Lock()
	defer r.q.Unlock()
	s.RxFrames += r.frames
	s.RxBytes += r.bytes
	s.RxErrors += r.errors
}
