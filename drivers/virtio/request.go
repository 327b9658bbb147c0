package virtio

import (
	"fmt"
	"math"
	"syscall"
)

// segment is one part of a request as the device sees it.
type segment struct {
	addr uint64
	len  uint32
}

// bounce stands in for parts that the device cannot reach.
type bounce struct {
	mem   []byte
	parts [][]byte // what it stands for, in order
	out   bool
	seg   int // its place in segs
}

// kind says who waits for the reply to a request.
type kind uint8

const (
	urgent   kind = iota // its owner, now or soon
	deferred             // its owner will take it some time
	posted               // nobody
)

// Request is a request in flight. Its queue owns it and uses it again.
type Request struct {
	v    *virtqueue
	q    *Queue        // the same
	done chan struct{} // one token: the owner is to look at complete, and watching

	// In place of these two a buffer of a BufferQueue has
	slot   int
	placed bool // the device has it

	// The queue's mutex guards these.
	complete bool // the result is there
	watching bool // the owner looks at the ring, or is to
	parked   bool // the owner waits for done,
	place    int  // and this is its place in the queue's parked

	segs      []segment
	nread     int    // the first of segs, which the device reads
	readable  uint64 // bytes
	writable  uint64
	bounces   []bounce
	table     []byte // indirect descriptors
	tablePhys uint64
	ndesc     int // taken in the ring

	kind    kind
	in, out [][]byte // kept alive while the device has them

	n   int
	err error
}

// wake has the owner, if it waits for done, look what has changed.
func (r *Request) wake() {
	select {
	case r.done <- struct{}{}:
	default:
	}
}

// tableStep is how many descriptors an indirect table grows by.
const tableStep = 16

// prepare describes the parts to the device. It touches nothing that other
// requests share.
func (r *Request) prepare(in, out [][]byte) error {
	r.segs, r.bounces = r.segs[:0], r.bounces[:0]
	if r.direct(in, out) {
		return r.tabulate()
	}
	r.segs = r.segs[:0]
	r.readable, r.writable = total(in), total(out)
	if r.readable+r.writable == 0 {
		return fmt.Errorf("empty virtio request: %w", syscall.EINVAL)
	}
	// A chain must not describe more than 2^32 bytes (§2.7.5.1).
	if r.readable+r.writable > math.MaxUint32 {
		return fmt.Errorf("virtio request of %d bytes, the most is %d: %w", r.readable+r.writable, uint32(math.MaxUint32), syscall.EINVAL)
	}
	// Nor may it be longer than the queue (§2.7.5.3.1): the parts that are too
	// many share one bounce buffer.
	room := r.v.size
	reserve := 0
	if r.writable > 0 {
		reserve = 1
	}
	if err := r.add(in, false, room-reserve); err != nil {
		return err
	}
	r.nread = len(r.segs)
	if err := r.add(out, true, room-r.nread); err != nil {
		return err
	}
	return r.tabulate()
}

// direct describes parts that all lie in one piece and are not too many or too large,
// as they mostly are, and reports whether it could.
func (r *Request) direct(in, out [][]byte) bool {
	if len(in)+len(out) > r.v.size || !r.whole(in) {
		return false
	}
	r.nread = len(r.segs)
	if !r.whole(out) {
		return false
	}
	r.readable, r.writable = 0, 0
	for i, s := range r.segs {
		if i < r.nread {
			r.readable += uint64(s.len)
		} else {
			r.writable += uint64(s.len)
		}
	}
	return len(r.segs) > 0 && r.readable+r.writable <= math.MaxUint32
}

// whole describes parts each in one piece, and reports whether they all are.
func (r *Request) whole(parts [][]byte) bool {
	mem := r.v.mem
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		addr, n := mem.Phys(p)
		if n != len(p) || n > math.MaxUint32 {
			return false
		}
		r.segs = append(r.segs, segment{addr, uint32(n)})
	}
	return true
}

// tabulate writes the indirect descriptor table where there is to be one.
func (r *Request) tabulate() error {
	if r.v.ring.indirect && len(r.segs) > 1 {
		return r.fillTable()
	}
	return nil
}

// add describes parts with at most room descriptors. Parts are never merged if
// they fit: some servers look at how a request is cut.
func (r *Request) add(parts [][]byte, out bool, room int) error {
	for i, p := range parts {
		if len(p) == 0 {
			continue
		}
		if room == 1 && i < len(parts)-1 {
			return r.bounce(parts[i:], out)
		}
		n := r.scatter(p, room-later(parts[i+1:]))
		if n == 0 {
			n = 1
			if err := r.bounce(parts[i:i+1], out); err != nil {
				return err
			}
		}
		room -= n
	}
	return nil
}

// scatterMin is the size in bytes below which a part stays in one piece: servers
// want headers so.
const scatterMin = 4096

// scatter describes p, which may lie in several places, with at most room
// descriptors. It returns how many it took, 0 if p is to be bounced.
func (r *Request) scatter(p []byte, room int) int {
	before := len(r.segs)
	for rest := p; len(rest) > 0; {
		addr, n := r.v.mem.Phys(rest)
		if n == 0 || len(r.segs)-before == max(room, 1) || n < len(rest) && len(p) < scatterMin {
			r.segs = r.segs[:before]
			return 0
		}
		r.segs = append(r.segs, segment{addr, uint32(n)})
		rest = rest[n:]
	}
	return len(r.segs) - before
}

// later counts the descriptors that the parts want at least.
func later(parts [][]byte) (n int) {
	for _, p := range parts {
		if len(p) > 0 {
			n++
		}
	}
	return n
}

// bounce describes parts by one buffer of device memory.
func (r *Request) bounce(parts [][]byte, out bool) error {
	size := int(total(parts))
	if size == 0 {
		return nil
	}
	mem, err := r.v.mem.Alloc(size, 16)
	if err != nil {
		return fmt.Errorf("bounce buffer of %d bytes: %w", size, err)
	}
	r.bounces = append(r.bounces, bounce{mem, parts, out, len(r.segs)})
	addr, n := r.v.mem.Phys(mem)
	if n < size {
		return fmt.Errorf("bounce buffer of %d bytes has no physical address: %w", size, ErrNoMemory)
	}
	if !out {
		n := 0
		for _, p := range parts {
			n += copy(mem[n:], p)
		}
	}
	r.segs = append(r.segs, segment{addr, uint32(size)})
	return nil
}

// fillTable writes the indirect descriptor table (§2.7.5.3).
func (r *Request) fillTable() error {
	if need := len(r.segs) * descriptorSize; need > len(r.table) {
		need = roundUp(need, tableStep*descriptorSize)
		table, err := r.v.mem.Alloc(need, descriptorSize)
		if err != nil {
			return fmt.Errorf("table of %d indirect descriptors: %w", len(r.segs), err)
		}
		phys, n := r.v.mem.Phys(table)
		if n < need {
			r.v.mem.Free(table)
			return fmt.Errorf("table of %d indirect descriptors has no physical address: %w", len(r.segs), ErrNoMemory)
		}
		r.freeTable()
		r.table, r.tablePhys = table, phys
	}
	table := descriptors(r.table)
	for i, s := range r.segs {
		d := descriptor{addr: s.addr, len: s.len}
		if i >= r.nread {
			d.flags = descWrite
		}
		if i < len(r.segs)-1 {
			d.flags |= descNext
			d.next = uint16(i + 1)
		}
		table[i] = d
	}
	return nil
}

func (r *Request) freeTable() {
	if r.table != nil {
		r.v.mem.Free(r.table)
		r.table = nil
	}
}

// finish copies bounced data back and lets go of everything but the table.
func (r *Request) finish() {
	if len(r.bounces) > 0 {
		r.copyBack()
		for i := range r.bounces {
			r.v.mem.Free(r.bounces[i].mem)
			r.bounces[i] = bounce{}
		}
		r.bounces = r.bounces[:0]
	}
	r.in, r.out = nil, nil
}

// copyBack fills bounced parts with what the device wrote: the first n bytes of
// the writable segments.
func (r *Request) copyBack() {
	left, at := r.n, r.nread
	for _, b := range r.bounces {
		if !b.out {
			continue
		}
		for ; at < b.seg; at++ {
			left -= min(left, int(r.segs[at].len))
		}
		from := b.mem[:min(left, len(b.mem))]
		for _, p := range b.parts {
			from = from[copy(p, from):]
		}
	}
}

// total is the size of all parts together.
func total(parts [][]byte) uint64 {
	n := uint64(0)
	for _, p := range parts {
		n += uint64(len(p))
	}
	return n
}
