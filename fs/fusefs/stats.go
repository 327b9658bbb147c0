package fusefs

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

type opStats struct {
	calls, errors  atomic.Uint64
	sent, received atomic.Uint64 // bytes of messages
	took           atomic.Uint64 // nanoseconds
	times          [TimeClasses]atomic.Uint64
}

// count counts a message of size bytes.
func (s *opStats) count(size int) {
	s.calls.Add(1)
	s.sent.Add(uint64(size))
}

// TimeClasses is how many classes of times there are: class 0 has those of less than
// 8192 ns, each other one those of up to twice as long, and the last one all longer ones.
const TimeClasses = 22

const firstClass = 13 // its bits

// TimeLimit is the time that the times of a class are less than; of the last class it
// says nothing.
func TimeLimit(class int) time.Duration { return 1 << (firstClass + class) }

// observe counts the time that an answer has taken.
func (s *opStats) observe(t time.Duration) {
	ns := uint64(max(t, 0))
	s.took.Add(ns)
	s.times[min(bits.Len64(ns>>firstClass), TimeClasses-1)].Add(1)
}

// OpStats counts what was sent of one operation.
type OpStats struct {
	Op             string // "LOOKUP"
	Calls          uint64
	Errors         uint64 // of Calls, those that failed, whoever's fault
	Sent, Received uint64 // bytes of their messages

	Took  time.Duration       // all together, since Measure was called
	Times [TimeClasses]uint64 // how many took how long
}

// Stats returns the counters of the operations used so far, in the order of
// their numbers.
func (f *FS) Stats() []OpStats {
	var list []OpStats
	for op := range f.stats {
		s := &f.stats[op]
		if n := s.calls.Load(); n > 0 {
			o := OpStats{
				Op: fuse.OpName(uint32(op)), Calls: n, Errors: s.errors.Load(),
				Sent: s.sent.Load(), Received: s.received.Load(), Took: time.Duration(s.took.Load()),
			}
			for i := range o.Times {
				o.Times[i] = s.times[i].Load()
			}
			list = append(list, o)
		}
	}
	return list
}

// Measure has times measured from now on: until somebody wants to know them, the clock
// is not asked. What nobody waits for at once, reading ahead and most RELEASEs, has none.
func (f *FS) Measure() { f.measuring.Store(true) }

// Broken returns how many replies have broken the protocol or never came.
func (f *FS) Broken() uint64 { return f.broken.Load() }
