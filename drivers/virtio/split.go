package virtio

import "fmt"

// splitRing is the driver's side of a split virtqueue (virtio 1.2 §2.7). The
// caller holds the queue's lock.
//
// Which descriptor is whose is kept here, in next and owner, and never read
// back from memory that the device can write.
type splitRing struct {
	size int
	mask uint16

	block                []byte // the three parts, one allocation
	desc, driver, device uint64 // their physical addresses

	table     []descriptor
	avail     *uint32 // flags and idx
	availRing []uint16
	usedEvent *uint32 // §2.7.7.2
	used      *uint32 // flags and idx
	usedElem  []uint32
	availEvt  *uint32 // §2.7.8.2

	eventIdx, indirect bool

	next     []uint16   // free list and chains
	owner    []*Request // by head descriptor, nil: not in flight
	freeHead uint16
	nfree    int
	inflight int

	availIdx, published uint16 // ours, and what the device can see
	announced           uint16 // for what of it the device did not have to be, or was, notified
	lastUsed            uint16
	noInterrupt         uint16 // avail flags
}

// Offsets of the parts in the block, each on cache lines of its own. Both rings
// are rounded up to whole 32-bit words.
func splitLayout(size int) (driver, device, total int) {
	driver = size * descriptorSize
	device = roundUp(driver+roundUp(6+2*size, 4), 64)
	total = device + roundUp(6+8*size, 4)
	return driver, device, total
}

func roundUp(n, to int) int { return (n + to - 1) &^ (to - 1) }

func newSplitRing(mem Memory, size int, features uint64) (*splitRing, error) {
	driver, device, total := splitLayout(size)
	block, err := mem.Alloc(total, 64)
	if err != nil {
		return nil, fmt.Errorf("ring of %d descriptors: %w", size, err)
	}
	phys, n := mem.Phys(block)
	if n < total {
		mem.Free(block)
		return nil, fmt.Errorf("ring of %d descriptors: allocated memory has no physical address", size)
	}
	avail, used := block[driver:device], block[device:total]
	r := &splitRing{
		size: size, mask: uint16(size - 1),
		block: block, desc: phys, driver: phys + uint64(driver), device: phys + uint64(device),
		table:     descriptors(block[:driver]),
		avail:     &words(avail)[0],
		availRing: halves(avail)[2 : 2+size],
		usedEvent: &words(avail)[(4+2*size)/4],
		used:      &words(used)[0],
		usedElem:  words(used)[1 : 1+2*size],
		availEvt:  &words(used)[1+2*size],
		eventIdx:  features&FeatureEventIdx != 0,
		indirect:  features&FeatureIndirectDesc != 0,
		next:      make([]uint16, size),
		owner:     make([]*Request, size),
		nfree:     size,
	}
	for i := range r.next {
		r.next[i] = uint16(i + 1)
	}
	return r, nil
}

// need is how many descriptors of the ring a request takes.
func (r *splitRing) need(q *Request) int {
	if r.indirect {
		return 1
	}
	return len(q.segs)
}

// put makes a request available; there is room for it.
func (r *splitRing) put(q *Request) {
	head := r.freeHead
	if r.indirect && len(q.segs) > 1 {
		// §2.7.5.3: the table is part of the request, and already filled in.
		r.freeHead = r.next[head]
		r.table[head] = descriptor{addr: q.tablePhys, len: uint32(len(q.segs) * descriptorSize), flags: descIndirect}
		q.ndesc = 1
	} else {
		i := head
		for k, s := range q.segs {
			d := descriptor{addr: s.addr, len: s.len}
			if k >= q.nread {
				d.flags = descWrite
			}
			if k < len(q.segs)-1 {
				d.flags |= descNext
				d.next = r.next[i]
			}
			r.table[i] = d
			r.freeHead = r.next[i]
			i = r.next[i]
		}
		q.ndesc = len(q.segs)
	}
	r.nfree -= q.ndesc
	r.owner[head] = q
	r.inflight++
	r.availRing[r.availIdx&r.mask] = head
	r.availIdx++
}

// expose lets the device see everything put so far, if it looks.
func (r *splitRing) expose() {
	r.published = r.availIdx
	storeIndex(r.avail, r.noInterrupt, r.published) // entries before index
}

// publish lets the device see everything put so far, and reports whether it wants
// to be notified of what came since the last call.
func (r *splitRing) publish() (notify bool) {
	old, now := r.announced, r.availIdx
	if old == now {
		return false
	}
	r.announced = now
	r.expose()
	if r.eventIdx {
		event := uint16(load(r.availEvt)) // index before event
		return now-event-1 < now-old      // §2.7.10
	}
	flags, _ := loadIndex(r.used)
	return flags&1 == 0 // VIRTQ_USED_F_NO_NOTIFY
}

// fault is what a device got wrong in the ring.
type fault struct{ field, problem string }

// pending is the number of used elements that wait to be taken. The device
// cannot have used more than is in flight.
func (r *splitRing) pending() (int, *fault) {
	_, idx := loadIndex(r.used)
	n := int(idx - r.lastUsed)
	if n > r.inflight {
		return 0, &fault{"used index", fmt.Sprintf("jumps from %d to %d with %d requests in flight", r.lastUsed, idx, r.inflight)}
	}
	return n, nil
}

// take returns the next of the pending requests, which is then no longer in
// flight, and the length that the device says it wrote.
func (r *splitRing) take() (*Request, uint32, *fault) {
	at := r.lastUsed & r.mask
	id, n := load(&r.usedElem[2*at]), load(&r.usedElem[2*at+1]) // index before element
	if id >= uint32(r.size) || r.owner[id] == nil {
		return nil, 0, &fault{"used element id", fmt.Sprintf("element %d has %d, which is not in flight", at, id)}
	}
	q := r.owner[id]
	r.lastUsed++
	r.drop(uint16(id))
	return q, n, nil
}

// drop takes the chain that begins at head back to the free list.
func (r *splitRing) drop(head uint16) {
	q := r.owner[head]
	r.owner[head] = nil
	r.inflight--
	last := head
	for range q.ndesc - 1 {
		last = r.next[last]
	}
	r.next[last] = r.freeHead
	r.freeHead = head
	r.nfree += q.ndesc
}

// arm asks for an interrupt at the next used element, or, if lazy, only once half
// a ring's worth is used. Elements used before the device could see that may go
// unannounced: the caller looks at pending again.
func (r *splitRing) arm(lazy bool) {
	if r.eventIdx {
		event := r.lastUsed
		if lazy {
			event += uint16(r.size / 2)
		}
		store(r.usedEvent, uint32(event))
		return
	}
	var flags uint16
	if lazy {
		flags = 1 // VIRTQ_AVAIL_F_NO_INTERRUPT
	}
	if flags != r.noInterrupt {
		r.noInterrupt = flags
		storeIndex(r.avail, flags, r.published)
	}
}

// armAfter asks for an interrupt once n more elements are used, or already at the
// next one.
func (r *splitRing) armAfter(n int) {
	if r.eventIdx {
		store(r.usedEvent, uint32(uint16(r.lastUsed+uint16(n)-1)))
		return
	}
	r.arm(false)
}

// quiet asks for no interrupts until arm is called.
func (r *splitRing) quiet() {
	if r.eventIdx {
		store(r.usedEvent, uint32(r.lastUsed-1))
		return
	}
	if r.noInterrupt == 0 {
		r.noInterrupt = 1
		storeIndex(r.avail, 1, r.published)
	}
}
