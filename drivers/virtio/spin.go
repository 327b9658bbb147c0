package virtio

import (
	"sync/atomic"
	"time"
)

// spinner decides how long to look at the ring before parking. A reply that
// comes meanwhile costs neither an interrupt nor the way through an idle CPU,
// each of which takes longer than many a reply.
type spinner struct {
	// misses counts the latest watches in a row that ended without a reply.
	misses atomic.Int32
	skips  atomic.Int32
}

const (
	// spinTime is how long a watch lasts: about what a round trip to a server
	// on another CPU takes.
	spinTime = 100 * time.Microsecond
	// After spinMisses watches in vain only one request in spinProbe watches.
	spinMisses = 4
	spinProbe  = 32
)

// limit returns how long to watch, 0 for not at all.
func (s *spinner) limit() time.Duration {
	if s.misses.Load() < spinMisses || s.skips.Add(1)%spinProbe == 0 {
		return spinTime
	}
	return 0
}

// learn takes the outcome of a watch.
func (s *spinner) learn(done bool) {
	if done {
		s.misses.Store(0)
	} else {
		s.misses.Add(1)
	}
}
