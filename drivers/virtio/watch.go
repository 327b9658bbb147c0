package virtio

import (
	"math"
	"runtime"
	"time"
	_ "unsafe" // for go:linkname
)

// A reply that somebody sees in the ring costs neither an interrupt nor the way
// through an idle CPU, each of which takes longer than many a reply. So whoever
// waits for a reply may watch the ring for a while, during which the device sends
// no interrupts, and hands out all the replies that it finds.

const (
	// spinTime is how long one watches: about what a round trip to a server on
	// another CPU takes. Time in which other goroutines were at work does not
	// count: a look takes no longer than lookTime.
	spinTime = 100 * time.Microsecond
	lookTime = 2 * time.Microsecond
	// After spinMisses watches in vain only one request in spinProbe watches.
	spinMisses = 4
	spinProbe  = 32

	// holdTime is how long ago the latest look may be for the next one to be
	// expected soon. A look that comes lateLook after the one before it had to
	// wait for goroutines that compute, and so will those of the next lateTime.
	holdTime = time.Millisecond
	lateLook = 5 * time.Millisecond
	lateTime = 200 * time.Millisecond
	// Beside those who compute the interrupt is sooner than a look, as it ends their slices. So a late
	// look is the last one, and nobody watches for parkTime, while others can run.
	parkTime = 5 * time.Second
)

// watch says who looks at a ring. The queue's mutex guards it.
type watch struct {
	watching int // requests whose owners look at the ring, or will at once
	most     int // that may
	spin     time.Duration
	parked   []*Request  // whose owners wait to be woken
	misses   int         // the latest watches in a row that ended without a reply
	skips    int         // requests since the last one that watched nevertheless
	looked   time.Time   // when somebody looked last
	late     time.Time   // when a look last came late
	held     bool        // the device is to be notified at the next look
	others   func() bool // reports whether other goroutines can run on this CPU
}

// newWatch lets all watch on a machine with one CPU, where one looks while none of
// the others has anything to do, and only one where they would look at the same
// time.
func newWatch() watch {
	if runtime.NumCPU() == 1 {
		return watch{most: math.MaxInt, spin: spinTime, others: othersReady}
	}
	return watch{most: 1, spin: spinTime, others: othersReady}
}

// worthwhile reports whether one more may watch and is likely to see a reply.
func (w *watch) worthwhile() bool {
	if w.watching >= w.most {
		return false
	}
	if !w.late.IsZero() && time.Since(w.late) < parkTime && w.others() {
		return false
	}
	if w.misses < spinMisses {
		return true
	}
	w.skips++
	return w.skips%spinProbe == 0
}

// learn takes the outcome of a watch.
func (w *watch) learn(seen bool) {
	if seen {
		w.misses = 0
	} else {
		w.misses++
	}
}

// hold reports whether the device need not be notified of a request at once: who
// watches does it at the next look, of all that have come by then. With others at
// work in between that saves many a notification, each of which takes longer than
// most of what is done for a request.
func (w *watch) hold() bool {
	if w.watching < w.most || w.looked.Sub(w.late) < lateTime || time.Since(w.looked) > holdTime {
		return false
	}
	w.held = true
	return true
}

// park adds r to those whose owners wait to be woken.
func (w *watch) park(r *Request) {
	r.parked, r.place = true, len(w.parked)
	w.parked = append(w.parked, r)
}

// unpark takes r from them, if it is one.
func (w *watch) unpark(r *Request) {
	if !r.parked {
		return
	}
	r.parked = false
	last := len(w.parked) - 1
	moved := w.parked[last]
	moved.place = r.place
	w.parked[r.place] = moved
	w.parked[last] = nil
	w.parked = w.parked[:last]
}

// await returns when r is complete.
func (q *Queue) await(r *Request) {
	q.mu.Lock()
	if !r.complete && q.err == nil && q.worthwhile() {
		r.watching = true
		q.watching++
		if q.watching == 1 {
			q.ring.quiet()
		}
	}
	for !r.complete {
		if r.watching {
			q.look(r)
			continue
		}
		q.park(r)
		q.mu.Unlock()
		<-r.done // it is complete, or has been made to watch
		q.mu.Lock()
	}
	if r.watching {
		q.leave(r)
	}
	select {
	case <-r.done:
	default:
	}
	q.mu.Unlock()
}

// announce shows the device what was held, and reports whether it is to be
// notified. q.mu is held.
func (q *Queue) announce() (notify bool) { return q.held && q.err == nil && q.publish() }

// yield lets other goroutines of the CPU run. Unlike runtime.Gosched it does not
// offer the caller to the other CPUs: to wake one for somebody who only looks at a
// ring takes longer than many a reply.
//
//go:linkname yield runtime.goyield
func yield()

// look watches the ring until r is complete or it has been in vain for long
// enough, or a look came late. Other goroutines get their turn after each look. q.mu is held,
// before and after.
func (q *Queue) look(r *Request) {
	late := false
	for spent, last := time.Duration(0), time.Now(); ; {
		fault := q.reap()
		if fault == nil && (r.complete || late || spent >= q.spin) {
			break
		}
		longest := lookTime * time.Duration(q.watching)
		q.looked = last
		q.unlock(q.announce(), fault)
		yield()
		now := time.Now()
		between := now.Sub(last)
		spent += min(between, longest)
		last = now
		q.mu.Lock()
		q.stats.Watched += between
		if between > lateLook {
			q.late, late = now, q.others()
		}
	}
	q.learn(r.complete)
	if !r.complete {
		q.leave(r)
	}
}

// leave ends the watch of r. Has it seen what it was for, one of those who wait
// watches on; else the device sends interrupts again. q.mu is held, before and
// after.
func (q *Queue) leave(r *Request) {
	r.watching = false
	if n := len(q.parked); r.complete && n > 0 {
		next := q.parked[n-1] // which came last and so waits longest from now on
		q.unpark(next)
		next.watching = true
		next.wake()
		return
	}
	q.watching--
	if q.watching == 0 {
		notify := q.announce()
		fault := q.reap() // which asks for interrupts
		q.unlock(notify, fault)
		q.mu.Lock()
	}
}
