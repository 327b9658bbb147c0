// Package ring is memory for events that one takes out and many put in, without a
// lock: also in the middle of an interrupted one. Each CPU has one, so that two seldom
// put into the same, but nothing depends on that.
//
// What is put in takes slots in a row. A writer first moves head, by which the slots
// are its own, and counts them as done when it has written them. When as much is done
// as head says, there is nobody in the middle of it.
package ring

import (
	"sync"
	"sync/atomic"

	"github.com/yolkos/yolk/kernel/trace/wire"
)

// Ring is such memory. Positions count bytes and never turn back. Note (note_amd64.s) knows
// the fields.
type Ring struct {
	head  atomic.Uint64 // where the next event goes
	done  atomic.Uint64 // bytes that have been written
	lost  atomic.Uint64 // events for which there was no room
	mask  uint64        // one less than the size, a power of two
	much  uint64        // so full it is crowded
	slots []byte
	_     [64]byte      // who takes does not disturb those who put
	tail  atomic.Uint64 // what is before has been taken
	limit atomic.Uint64 // at most where the room ends. What goes beyond finds it crowded

	mu     sync.Mutex // held by Take and Newest
	bounds [8]uint64  // former tails, where events begin; the newest last
}

// New returns a ring of n slots, a power of two.
func New(n int) *Ring {
	n *= wire.SlotSize
	r := &Ring{mask: uint64(n - 1), much: uint64(min(n/2, maxMuch)), slots: make([]byte, n)}
	r.limit.Store(r.much)
	return r
}

// State has the kinds that are traced, a wire.Set, and Crowded: who is about to put something in looks at one word.
var State atomic.Uint32

// Crowded is set in State when more than half of a ring, or maxMuch, is full, for who takes. Of a large one
// there is more room for what comes meanwhile.
const (
	Crowded    uint32 = 1 << crowdedBit
	crowdedBit        = 31
	maxMuch           = 768 << 10 // bytes
)

// slotSize is for note_amd64.s.
const slotSize = wire.SlotSize

// Put puts an event in, with as much of its name as is kept. Without room it is lost.
func (r *Ring) Put(time, g, word, a, b, c uint64, name []byte) {
	name = name[:min(len(name), wire.MaxName)]
	n := uint64(wire.Slots(len(name)) * wire.SlotSize)
	var pos uint64
	for {
		pos = r.head.Load()
		if pos+n > r.limit.Load() {
			State.Or(Crowded)
			end := r.tail.Load() + r.mask + 1
			r.limit.Store(end)
			if pos+n > end {
				r.lost.Add(1)
				return
			}
		}
		if r.head.CompareAndSwap(pos, pos+n) {
			break
		}
	}
	s := (*[wire.SlotSize]byte)(r.at(pos))
	wire.PutHead(s, time, g, word, a, b, c, len(name))
	name = name[copy(s[wire.NameAt:], name):]
	for i := pos + wire.SlotSize; len(name) > 0; i += wire.SlotSize {
		name = name[copy(r.at(i)[:wire.SlotSize], name):]
	}
	r.done.Add(n)
}

// at is the memory from a position on.
func (r *Ring) at(pos uint64) []byte { return r.slots[pos&r.mask:] }

// Ready returns the slots to be taken, in two pieces if they begin at the end of the
// memory; none, while there is somebody in the middle of putting something in. They stay until Take, which is to follow.
// One at a time may call the two.
func (r *Ring) Ready() (first, second []byte) {
	done := r.done.Load()
	if done != r.head.Load() {
		return nil, nil
	}
	from := r.tail.Load()
	r.limit.Store(from + r.mask + 1)
	begin := from & r.mask
	n := done - from
	end := min(begin+n, uint64(len(r.slots)))
	return r.slots[begin:end], r.slots[:n-(end-begin)]
}

// Take gives back what was Ready, n bytes.
func (r *Ring) Take(n int) {
	if n > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		copy(r.bounds[:], r.bounds[1:])
		r.bounds[len(r.bounds)-1] = r.tail.Add(uint64(n))
	}
	r.limit.Store(r.tail.Load() + r.much)
}

// Lost is how many events were lost.
func (r *Ring) Lost() uint64 { return r.lost.Load() }

// Head is how many slots have ever been used.
func (r *Ring) Head() uint64 { return r.head.Load() / wire.SlotSize }

// Newest appends the newest events, n at the most, be they taken or not, the oldest of them
// first. Whoever puts something in meanwhile is not waited for.
func (r *Ring) Newest(events []wire.Event, n int) []wire.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	to := r.done.Load()
	if to != r.head.Load() {
		to = r.tail.Load()
	}
	from := r.tail.Load()
	for i := len(r.bounds) - 1; i >= 0 && to-r.bounds[i] <= r.mask+1 && to-from < uint64(n)*wire.SlotSize; i-- {
		from = r.bounds[i]
	}
	first := len(events)
	text := make([]byte, 0, to-from)
	for pos := from; pos < to; pos += wire.SlotSize {
		text = append(text, r.at(pos)[:wire.SlotSize]...)
	}
	if r.head.Load()-from > r.mask+1 {
		return events // they have been overwritten meanwhile
	}
	for {
		e, size := wire.Parse(text)
		if size == 0 {
			break
		}
		events = append(events, e)
		text = text[size:]
	}
	if over := len(events) - first - n; over > 0 {
		events = append(events[:first], events[first+over:]...)
	}
	return events
}
