package fusefs

import (
	"math"

	"github.com/yolkos/yolk/fs"
)

// What a call of this machine has written, every later call reads. The server
// may handle a request at any time between its sending and its reply, and
// replies come in any order, so of a file that calls of ours change:
//
//  1. Attributes of a reply are kept only if no change has ended, and no other
//     reply was kept, since its request was sent (learn).
//  2. While a change is under way that may move the end of the file, and after
//     an append, which the server places, no size that is kept counts
//     (attrCache.resizing, dirtySize).
//  3. While bytes are changed, blocks that hold them are neither used nor read:
//     whoever needs them asks the server (fileData.changes).
//  4. When the change has ended, blocks follow it if it was the only one there
//     and tells what it wrote where; else they go (change.end).
//  5. A READ that was sent for somebody else counts where it has brought bytes,
//     and never as a sign that the file ends (readKept).

// change is a call that changes the bytes or the size of a file, from before
// its request is sent until its reply is taken.
type change struct {
	n       *node
	id      uint64 // of the span in the file's data; 0: none is kept
	resizes bool
	ours    *ours
}

// span is the blocks that a change under way concerns.
type span struct {
	id          uint64
	first, last int64
	alone       bool // no other change has met it
}

func (s *span) has(index int64) bool { return s.first <= index && index <= s.last }

// begin begins a change of length bytes at off, or of all bytes from there on
// if length is less than 0. It resizes the file if it may write beyond the end
// that is known.
func (n *node) begin(off, length int64) change {
	end := int64(math.MaxInt64)
	if length >= 0 {
		end = off + length
	}
	now := n.fs.now()
	o := n.ourChange()
	n.mu.Lock()
	c := change{n: n, resizes: !n.sizeKnown(now) || end > n.attr.Size, ours: o}
	if c.resizes {
		n.resizing++
	}
	n.mu.Unlock()
	if length != 0 && n.fs.pages.limit > 0 {
		c.id = n.kept().begin(off>>blockShift, (end-1)>>blockShift)
	}
	return c
}

// beginAll begins a change of any byte and of the size.
func (n *node) beginAll() change { return n.begin(0, -1) }

// ended ends the change of the size. n.mu is held.
func (c *change) ended() {
	if c.resizes {
		c.n.resizing--
	}
	c.n.changed = c.n.fs.attrVersion.Add(1)
}

// wrote ends a WRITE of p at off, of which done bytes were written. Where an
// append has put them is not known for sure.
func (c *change) wrote(p []byte, off int64, done int, appending bool) {
	n := c.n
	if c.id != 0 {
		n.kept().end(c.id, p, off, done == len(p) && !appending)
	}
	n.mu.Lock()
	if done > 0 {
		n.attr.Size = max(n.attr.Size, off+int64(done))
	}
	n.dirty |= dirtyTimes
	if appending {
		n.dirty |= dirtySize
	}
	c.ended()
	n.mu.Unlock()
	c.ours.end(n.fs)
}

// done ends a change that does not tell what it has done to the bytes. What
// dirty says of the attributes is not known either.
func (c *change) done(dirty uint8) {
	n := c.n
	if c.id != 0 {
		n.kept().end(c.id, nil, 0, false)
	}
	n.mu.Lock()
	n.dirty |= dirty
	c.ended()
	n.mu.Unlock()
	c.ours.end(n.fs)
}

// begin enters a change of the blocks from first to last. Blocks that are being
// read may come with the bytes of before, or of after.
func (d *fileData) begin(first, last int64) (id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastID++
	s := span{d.lastID, first, last, true}
	for i := range d.changes {
		if c := &d.changes[i]; c.first <= last && first <= c.last {
			c.alone, s.alone = false, false
		}
	}
	d.changes = append(d.changes, s)
	d.each(first, last, func(b *block) {
		if !b.ready {
			d.kill(b)
		}
	})
	return s.id
}

// end ends the change id. If it is exact, it has put p at off.
func (d *fileData) end(id uint64, p []byte, off int64, exact bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := 0
	for d.changes[i].id != id {
		i++
	}
	s := d.changes[i]
	d.changes = append(d.changes[:i], d.changes[i+1:]...)
	d.each(s.first, s.last, func(b *block) {
		switch at := b.index << blockShift; {
		case !exact || !s.alone:
			d.kill(b)
		case at < off:
			copy(b.buf[min(off-at, int64(len(b.buf))):], p)
		default:
			copy(b.buf, p[at-off:])
		}
	})
}

// changing reports whether the bytes of a block are being changed. d.mu is held.
func (d *fileData) changing(index int64) bool {
	for i := range d.changes {
		if d.changes[i].has(index) {
			return true
		}
	}
	return false
}

// each calls f for the blocks from first to last. d.mu is held.
func (d *fileData) each(first, last int64, f func(*block)) {
	if last-first >= int64(len(d.blocks)) {
		for i, b := range d.blocks {
			if first <= i && i <= last {
				f(b)
			}
		}
		return
	}
	for i := first; i <= last; i++ {
		if b := d.blocks[i]; b != nil {
			f(b)
		}
	}
}

// appendHint is where the file probably ends, for an append: some servers go by
// that. n.io is held.
func (h *file) appendHint() int64 {
	n := h.node
	now := n.fs.now()
	n.mu.Lock()
	size, fresh := n.attr.Size, n.dirty&dirtyAll == 0 && now < n.expires
	n.mu.Unlock()
	if !fresh {
		var a fs.Attr
		if n.fetchAttr(&a, h.handle) == nil {
			size = a.Size
		}
	}
	return size
}
