package netstack

import (
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// A connection takes memory in the stack and, several times that, in the program: its
// goroutines, its buffers. There is no swap, and where memory ends, the program does.
// So the rule is that of Linux (tcp_mem in tcp(7)): while memory is free, each connection
// may have what it likes; what all of them have together is bounded by what is free.
// While memory is short
//
//   - connections wait in the backlog, as those of a program that is slow to accept,
//     until others have ended (accept.go);
//   - buffers shrink, and do not grow, and of what is closed and not confirmed by its
//     peer no more than a part stays (squeeze.go);
//   - where hardly any is left, packets with data are dropped, which their senders send
//     again (link.go).

// pressure is how scarce memory is.
type pressure int32

const (
	memoryFree    pressure = iota
	memoryUnclear          // less than enough is left, if there is no garbage
	memoryShort            // if there is
	memoryOut              // hardly any is left now
)

// How much is left, in bytes, as a part of the memory and what is the same for all
// machines: what goroutines that run already, and a collection, still take.
const (
	shortShare, shortBytes = 16, 4 << 20 // less than both: memory is short
	outShare, outBytes     = 64, 1 << 20
	// shortMost is the part of the memory that may be needed to be enough.
	shortMost = 3
	// swingShare is what has to be free beyond that for memory not to be short any
	// more, so that it does not go to and fro.
	swingShare = 32
	// gainShare is the part that a collection must be able to free to be worth its while.
	gainShare = 64
	// lookShare is the part that may come from devices until memory is looked at.
	lookShare = 64
	// youngBytes is what a connection will take that the program has accepted and
	// not used yet.
	youngBytes = 32 << 10
)

// againTime is when memory is looked at again while it is short.
const againTime = 10 * time.Millisecond

// Usage is how the memory is used, in bytes.
type Usage struct {
	Mapped  uint64 // had from the machine, in use or not
	Taken   uint64 // in use, garbage included
	Garbage uint64 // the part of it that a collection may free, at most
}

// meter tells how scarce memory is.
type meter struct {
	total   uint64 // 0: there is always enough
	usage   func() Usage
	collect func()         // runs a collection
	looked  func(pressure) // is told what was seen, one time after the other

	level      atomic.Int32
	young      atomic.Int64  // connections that are accepted and not used
	received   atomic.Uint64 // bytes since the last look
	mu         sync.Mutex    // held while looking
	collecting bool
	again      *time.Timer
}

// now looks how scarce memory is.
func (m *meter) now() pressure {
	if m.total == 0 {
		return memoryFree
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.look()
	return pressure(m.level.Load())
}

// took is told that a device has filled n bytes, and returns what was last seen.
func (m *meter) took(n int) pressure {
	if m.total != 0 && m.received.Add(uint64(n)) > m.total/lookShare {
		m.now()
	}
	return pressure(m.level.Load())
}

// look sets level. The caller holds mu.
func (m *meter) look() {
	m.received.Store(0)
	u := m.usage()
	free := m.total - min(u.Taken+uint64(max(m.young.Load(), 0))*youngBytes, m.total)
	was := pressure(m.level.Load())
	enough := min(m.total/shortShare+shortBytes, m.total/shortMost)
	if was != memoryFree {
		enough += m.total / swingShare
	}
	now := memoryShort
	switch {
	case free >= enough:
		now = memoryFree
	case free < min(m.total/outShare+outBytes, m.total/outShare*2):
		now = memoryOut
	case free+u.Garbage >= enough && u.Garbage >= m.total/gainShare:
		now = memoryUnclear
	}
	if now != memoryFree && u.Garbage >= m.total/gainShare && !m.collecting {
		m.collecting = true
		go m.clean()
	}
	m.level.Store(int32(now))
	m.looked(now)
	if now == memoryFree {
		return
	}
	if m.again == nil {
		m.again = time.AfterFunc(againTime, func() { m.now() })
	}
	m.again.Reset(againTime)
}

// clean has the memory collected.
func (m *meter) clean() {
	m.collect()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.collecting = false
	m.look()
}

// RuntimeUsage is the usage of the Go runtime's memory.
func RuntimeUsage() Usage {
	s := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	metrics.Read(s)
	v := func(i int) uint64 { return s[i].Value.Uint64() }
	return Usage{Mapped: v(0), Taken: v(0) - v(1) - v(2), Garbage: v(3) - min(v(4), v(3))}
}
