package trace

import (
	"strings"
	"sync"

	"github.com/yolkos/yolk/qemu/served"
)

// servers are the built-in file servers of a guest, which tell when they were at work on its
// requests, on the host's clock.
type servers struct {
	mu      sync.Mutex
	sources []source
	answers map[answer]served.Record
	clock   hostClock
	lost    uint64 // of sources that have ended
}

// source is what one server tells.
type source struct {
	tag string // of its share
	*served.Reader
}

// answer names a request of a share.
type answer struct {
	tag    string
	unique uint32 // the lower half: the guest's events have no more
}

// maxAnswers bounds what is kept of requests that the guest has not traced, or not yet.
const maxAnswers = 1 << 16

// add has r, of the server of a share, be read from now on. One that is started again tells of other
// requests than the one before.
func (s *servers) add(tag string, r *served.Reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, source{tag, r})
}

// take takes what the servers have told up to now.
func (s *servers) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil {
		s.answers = map[answer]served.Record{}
	}
	left := s.sources[:0]
	for _, from := range s.sources {
		more := from.Take(func(r served.Record) {
			if len(s.answers) >= maxAnswers {
				clear(s.answers)
			}
			s.answers[answer{from.tag, uint32(r.Unique)}] = r
		})
		if more {
			left = append(left, from)
		} else {
			s.lost += from.Lost()
			from.Close()
		}
	}
	clear(s.sources[len(left):])
	s.sources = left
}

// missing is how many requests the servers could not tell of.
func (s *servers) missing() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.lost
	for _, from := range s.sources {
		n += from.Lost()
	}
	return n
}

// close ends it.
func (s *servers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, from := range s.sources {
		s.lost += from.Lost()
		from.Close()
	}
	s.sources, s.answers, s.clock = nil, nil, hostClock{}
}

// Served is when a file server was at work on a request, in ns since the boot by the guest's clock.
type Served struct {
	From, To int64
	Error    int64 // by how much the two may be wrong, in the same direction
}

// find returns when a server was at work on a request of FUSE that the guest began at from and saw
// ended at to; nil: nobody has told, or the clocks of the two do not go alike.
func (s *servers) find(share string, unique uint32, opcode uint16, from, to int64) *Served {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := answer{tagOf(share), unique}
	r, ok := s.answers[k]
	if !ok {
		return nil
	}
	delete(s.answers, k)
	if uint16(r.Opcode&0xff) != opcode {
		return nil
	}
	off, wrong, ok := s.clock.meet(r.To-to, r.From-from, to)
	if !ok {
		return nil
	}
	return &Served{r.From - off, r.To - off, wrong}
}

// tagOf is the tag of the share of which a transport for FUSE has the name: "virtiofs TAG (DEVICE)".
func tagOf(share string) string {
	tag := strings.TrimPrefix(share, "virtiofs ")
	if i := strings.LastIndex(tag, " ("); i >= 0 {
		tag = tag[:i]
	}
	return tag
}

// hostClock is what is known of the difference of the host's clock and the guest's. A request gets to a
// server after the guest has begun it, and the guest has its reply after the server has made it: each
// request bounds the difference from both sides, and the closest bounds of all hold.
type hostClock struct {
	lo, hi int64 // the difference, in ns
	at     int64 // when that was, by the guest's clock
	known  bool
}

// maxDrift is what part of the time that has passed one of the clocks may have gained or lost: 1/2000 are
// the 500 ppm beyond which NTP takes a clock for broken. By so much bounds become wider.
const maxDrift = 2000

// meet takes the bounds of a request that the guest saw ended at a time, and returns the difference as it is
// known now, and by how much that may be wrong. It lies within the request's own bounds. It is not ok if these
// contradict themselves: such a guest counts something else than time.
func (c *hostClock) meet(lo, hi, at int64) (difference, wrong int64, ok bool) {
	if lo > hi {
		return 0, 0, false
	}
	drift := max(at-c.at, c.at-at) / maxDrift
	own := hostClock{lo, hi, at, true}
	if c.known {
		own.lo, own.hi = max(lo, c.lo-drift), min(hi, c.hi+drift)
	}
	if own.lo > own.hi { // one of the clocks has been set, or has stood still
		own.lo, own.hi = lo, hi
	}
	*c = own
	return c.lo + (c.hi-c.lo)/2, (c.hi - c.lo + 1) / 2, true
}
