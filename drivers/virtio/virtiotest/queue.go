package virtiotest

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/yolkos/yolk/drivers/virtio"
)

// queue is the device's side of a split virtqueue (virtio 1.2 §2.7).
type queue struct {
	dev           *Device
	index         int
	irq           chan struct{}
	kicks         chan struct{}
	notifications atomic.Int64
	interrupts    atomic.Int64

	mu                sync.Mutex
	size              int
	desc, avail, used []byte
	lastAvail         uint16
	usedIdx           uint16
	quit              chan struct{}
	busy              map[uint16]bool // heads that the device has
	spare             []*Chain

	serving sync.WaitGroup
}

func newQueue(d *Device, index int) *queue {
	return &queue{dev: d, index: index, irq: make(chan struct{}, 1), kicks: make(chan struct{}, 1)}
}

// Chain is one request: what the device may read, and what it may write.
type Chain struct {
	Queue       int
	Read, Write [][]byte

	q    *queue
	head uint16
	gone bool
	used UsedElement
}

// word is the 32-bit word at b[off], which is shared with the driver.
func word(b []byte, off int) *uint32 {
	return (*uint32)(unsafe.Pointer(unsafe.SliceData(b[off : off+4])))
}

func (q *queue) enable(size int, desc, driver, device uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if size <= 0 || size&(size-1) != 0 || size > q.dev.QueueSizes[q.index] {
		return virtio.Errorf(q.dev, "queue size", "%d for queue %d", size, q.index)
	}
	if desc%16 != 0 || driver%2 != 0 || device%4 != 0 {
		q.dev.fault("queue %d: parts at %#x %#x %#x are not aligned (§2.7)", q.index, desc, driver, device)
	}
	var err [3]error
	q.desc, err[0] = q.dev.mem.At(desc, 16*size)
	q.avail, err[1] = q.dev.mem.At(driver, 8+2*size)
	q.used, err[2] = q.dev.mem.At(device, 8+8*size)
	for _, e := range err {
		if e != nil {
			return e
		}
	}
	q.size, q.lastAvail, q.usedIdx = size, 0, 0
	q.quit, q.busy = make(chan struct{}), make(map[uint16]bool)
	q.serving.Add(1)
	go q.serve(q.quit)
	return nil
}

// stop ends the use of memory.
func (q *queue) stop() {
	q.mu.Lock()
	if q.quit != nil {
		close(q.quit)
	}
	q.quit, q.desc, q.avail, q.used, q.busy = nil, nil, nil, nil, nil
	q.mu.Unlock()
}

func (q *queue) kick() {
	select {
	case q.kicks <- struct{}{}:
	default:
	}
}

func (q *queue) serve(quit chan struct{}) {
	defer q.serving.Done()
	for {
		select {
		case <-quit:
			return
		case <-q.kicks:
		}
		if !q.dev.live() {
			continue // SetStatus kicks again
		}
		for {
			c := q.next(quit)
			if c == nil {
				break
			}
			if q.dev.Serve != nil {
				q.dev.Serve(c)
			}
		}
	}
}

// next takes the next available chain, nil if there is none; the driver then
// notifies of the one after.
func (q *queue) next(quit chan struct{}) *Chain {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.quit != quit || q.desc == nil {
		return nil
	}
	for try := 0; ; try++ {
		w := atomic.LoadUint32(word(q.avail, 0))
		idx := uint16(w >> 16)
		if n := idx - q.lastAvail; int(n) > q.size {
			q.dev.fault("queue %d: available index %d is more than a ring ahead of %d", q.index, idx, q.lastAvail)
			return nil
		}
		if idx != q.lastAvail {
			q.noNotify(1)
			return q.take()
		}
		if try == 1 {
			return nil
		}
		// Ask to be notified, then look again.
		q.noNotify(0)
		if q.dev.has(virtio.FeatureEventIdx) {
			atomic.StoreUint32(word(q.used, 4+8*q.size), uint32(q.lastAvail))
		}
	}
}

func (q *queue) noNotify(flag uint32) {
	if !q.dev.has(virtio.FeatureEventIdx) {
		atomic.StoreUint32(word(q.used, 0), uint32(q.usedIdx)<<16|flag)
	}
}

func (q *queue) take() *Chain {
	head := binary.LittleEndian.Uint16(q.avail[4+2*(int(q.lastAvail)%q.size):])
	q.lastAvail++
	var c *Chain
	if n := len(q.spare); n > 0 {
		c, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		c = &Chain{q: q, Queue: q.index}
	}
	c.head, c.gone = head, false
	c.Read, c.Write = c.Read[:0], c.Write[:0]
	if int(head) >= q.size {
		q.dev.fault("queue %d: head %d of %d", q.index, head, q.size)
		return nil
	}
	if q.busy[head] {
		q.dev.fault("queue %d: head %d is with the device already", q.index, head)
	}
	q.busy[head] = true
	q.walk(c, q.desc, head, false)
	return c
}

// walk gathers the buffers of a chain (§2.7.5).
func (q *queue) walk(c *Chain, table []byte, i uint16, indirect bool) {
	total := uint64(0)
	for n := 0; ; n++ {
		if int(i)*16+16 > len(table) || n >= q.size {
			q.dev.fault("queue %d: chain leaves its table or is longer than the queue", q.index)
			return
		}
		d := table[int(i)*16:]
		addr, length := binary.LittleEndian.Uint64(d), binary.LittleEndian.Uint32(d[8:])
		flags, next := binary.LittleEndian.Uint16(d[12:]), binary.LittleEndian.Uint16(d[14:])
		if flags&4 != 0 {
			if indirect || flags != 4 || n != 0 || !q.dev.has(virtio.FeatureIndirectDesc) || length == 0 || length%16 != 0 {
				q.dev.fault("queue %d: bad use of an indirect descriptor: flags %#x, length %d", q.index, flags, length)
				return
			}
			inner, err := q.dev.mem.At(addr, int(length))
			if err != nil {
				q.dev.fault("queue %d: indirect table: %v", q.index, err)
				return
			}
			q.walk(c, inner, 0, true)
			return
		}
		b, err := q.dev.mem.At(addr, int(length))
		if err != nil || length == 0 {
			q.dev.fault("queue %d: descriptor %d: %d bytes: %v", q.index, i, length, err)
			return
		}
		if total += uint64(length); total > 1<<32 {
			q.dev.fault("queue %d: chain of %d bytes", q.index, total)
		}
		if flags&2 != 0 {
			c.Write = append(c.Write, b)
		} else {
			if len(c.Write) > 0 {
				q.dev.fault("queue %d: readable descriptor after a writable one (§2.7.4.2)", q.index)
			}
			c.Read = append(c.Read, b)
		}
		if flags&1 == 0 {
			return
		}
		i = next
	}
}

// Put writes b into the writable buffers from offset off on, and returns how
// much of it found room. Nothing is written once the device was reset.
func (c *Chain) Put(off int, b []byte) (n int) {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	if c.q.busy == nil || c.gone {
		return 0
	}
	for _, w := range c.Write {
		if off >= len(w) {
			off -= len(w)
			continue
		}
		k := copy(w[off:], b[n:])
		n += k
		off = 0
	}
	return n
}

// Done gives the chain back as used, with n bytes written.
func (c *Chain) Done(n int) {
	q := c.q
	q.mu.Lock()
	if q.used == nil || c.gone {
		q.mu.Unlock()
		return
	}
	c.gone = true
	delete(q.busy, c.head)
	old := q.usedIdx
	u := &c.used
	*u = UsedElement{ID: uint32(c.head), Len: uint32(n), Index: old + 1}
	if q.dev.Tamper != nil {
		q.dev.Tamper(q.index, u)
	}
	if u.Skip {
		q.mu.Unlock()
		return
	}
	at := 4 + 8*(int(old)%q.size)
	atomic.StoreUint32(word(q.used, at), u.ID)
	atomic.StoreUint32(word(q.used, at+4), u.Len)
	flags := atomic.LoadUint32(word(q.used, 0)) & 0xffff
	q.usedIdx = u.Index
	atomic.StoreUint32(word(q.used, 0), flags|uint32(u.Index)<<16)
	raise := false
	if q.dev.has(virtio.FeatureEventIdx) {
		event := uint16(atomic.LoadUint32(word(q.avail, 4+2*q.size)))
		raise = u.Index-event-1 < u.Index-old
	} else {
		raise = atomic.LoadUint32(word(q.avail, 0))&1 == 0
	}
	q.spare = append(q.spare, c)
	q.mu.Unlock()
	if raise {
		q.interrupts.Add(1)
		q.dev.Interrupt(q.index)
	}
}
