package fusefs

import (
	"math"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Release implements fs.File. The server is told without waiting for it; the
// node is let go of when it has answered.
func (h *handle) Release() {
	if h.released.Swap(true) {
		return
	}
	if h.open {
		h.round = h.node.fs.releases.begin()
		if h.writes() {
			h.closing = h.node.ourClose()
		}
	}
	h.put()
}

// hold keeps the handle open for a request that nobody may be waiting for; put
// lets go of it.
func (h *handle) hold() { h.users.Add(1) }

func (h *handle) put() {
	if h.users.Add(-1) > 0 {
		return
	}
	switch f := h.node.fs; {
	case !h.open:
		h.node.Unref()
	case h.flocked.Load():
		// Whoever closes the file may count on its lock being free.
		h.sendRelease()
	case f.starter != nil:
		f.releases.post(h)
	default:
		f.releases.start(h.sendRelease)
	}
}

// releaseRequest makes the message.
func (h *handle) releaseRequest() *request {
	h.node.fs.files.handles.Add(-1)
	op := uint32(fuse.FUSE_RELEASE)
	if h.dir {
		op = fuse.FUSE_RELEASEDIR
	}
	in := fuse.ReleaseIn{Fh: h.fh, Flags: h.flags}
	if h.flocked.Load() {
		in.ReleaseFlags = fuse.FUSE_RELEASE_FLOCK_UNLOCK
		in.LockOwner = h.owner
	}
	r := h.node.fs.request(op, h.node.id)
	r.buf = in.AppendTo(r.buf)
	return r
}

// sendRelease sends the message and waits for the answer.
func (h *handle) sendRelease() {
	f := h.node.fs
	r := h.releaseRequest()
	f.call(r, 0) // nobody could act on an error
	f.done(r)
	h.over()
}

// over ends the release of h.
func (h *handle) over() {
	h.closing.endClose(h.node.fs)
	h.node.Unref()
	h.node.fs.releases.end(h.round)
}

const (
	// maxReleases is how many releases may be under way; those beyond wait.
	maxReleases = 64
	// releaseTime is how long the server may not know of the release of a handle
	// that was not open for writing.
	releaseTime = 20 * time.Millisecond
)

// releaseQueue holds the releases under way. Where the transport can defer a
// request, they go with the next one, in order, and whoever releases next takes
// the replies that are there; what is left is looked after once in releaseTime.
// Else each has a goroutine.
type releaseQueue struct {
	mu      sync.Mutex
	n       int
	changed sync.Cond // something here has; its Locker is mu
	fills   int       // reads under way that keep their handle
	round   int       // 0 or 1: what begins now belongs to it
	open    [2]int    // handles that were released and are not closed yet, by round
	settler sync.Mutex
	posted  []postedRelease
	taken   int  // of these, from the first on
	tended  bool // a goroutine looks after what is left
}

type postedRelease struct {
	pending fuse.Pending
	r       *request
	h       *handle
}

// less notes that a release is no longer under way.
func (q *releaseQueue) less() {
	q.mu.Lock()
	q.n--
	q.tell()
	q.mu.Unlock()
}

// tell wakes whoever waits for a change. q.mu is held.
func (q *releaseQueue) tell() {
	if q.changed.L != nil {
		q.changed.Broadcast()
	}
}

// wait waits for a change. q.mu is held, but not meanwhile.
func (q *releaseQueue) wait() {
	q.changed.L = &q.mu
	q.changed.Wait()
}

// begin notes that a handle was released, and returns its round.
func (q *releaseQueue) begin() (round int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open[q.round]++
	return q.round
}

// end notes that a handle of that round is closed and its node let go of.
func (q *releaseQueue) end(round int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open[round]--
	q.tell()
}

// settle returns when the handles that were released before are closed, however
// many are released meanwhile.
func (q *releaseQueue) settle() {
	q.settler.Lock()
	defer q.settler.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	old := q.round
	q.round = 1 - old
	for q.open[old] > 0 {
		if q.taken == len(q.posted) {
			q.wait()
			continue
		}
		q.mu.Unlock()
		q.take(0)
		q.mu.Lock()
	}
}

// post sends the release of h.
func (q *releaseQueue) post(h *handle) {
	f := h.node.fs
	q.enter(min(maxReleases, f.starter.Depth()/2))
	r := h.releaseRequest()
	in, out, err := f.lay(r, nil, nil, 0)
	var pending fuse.Pending
	if err == nil {
		r.begun = time.Time{} // as in fill.send
		if pending, err = f.starter.Defer(in, out); err != nil {
			f.take(r, 0, err, 0, 0)
		}
	}
	if err != nil {
		f.done(r)
		h.over()
		q.less()
		return
	}
	if h.flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		f.starter.Flush() // on the host, a file that is open for writing cannot be run
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(postedRelease{pending, r, h})
	q.tell()
	if !q.tended {
		q.tended = true
		go q.tend(f.starter)
	}
}

// enter counts one more release, for which it waits while there are most. It takes
// the replies that are there.
func (q *releaseQueue) enter(most int) {
	for {
		if q.take(most) {
			continue
		}
		q.mu.Lock()
		if q.n < most {
			q.n++
			q.mu.Unlock()
			return
		}
		if q.taken == len(q.posted) {
			q.wait()
		}
		q.mu.Unlock()
	}
}

// add appends p to those posted. q.mu is held.
func (q *releaseQueue) add(p postedRelease) {
	if q.taken > 0 && len(q.posted) == cap(q.posted) {
		n := copy(q.posted, q.posted[q.taken:])
		clear(q.posted[n:])
		q.posted, q.taken = q.posted[:n], 0
	}
	q.posted = append(q.posted, p)
}

// take takes the reply to the release that was posted first, if it is there, or
// waits for it if there are at least most under way. It reports whether it did.
func (q *releaseQueue) take(most int) bool {
	q.mu.Lock()
	if q.taken == len(q.posted) || q.n < most && len(q.posted[q.taken].pending.Done()) == 0 {
		q.mu.Unlock()
		return false
	}
	p := q.posted[q.taken]
	q.posted[q.taken] = postedRelease{}
	if q.taken++; q.taken == len(q.posted) {
		q.posted, q.taken = q.posted[:0], 0
	}
	q.mu.Unlock()
	n, err := p.pending.Wait()
	f := p.h.node.fs
	f.take(p.r, n, err, 0, 0)
	f.done(p.r)
	p.h.over()
	q.less()
	return true
}

// tend takes replies for which nobody else comes, until there are none left.
func (q *releaseQueue) tend(s fuse.Starter) {
	for {
		time.Sleep(releaseTime)
		s.Flush()
		for q.take(math.MaxInt) {
		}
		q.mu.Lock()
		if q.taken == len(q.posted) {
			q.tended = false
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
	}
}

// start runs send, in a goroutine of its own unless there are many already.
func (q *releaseQueue) start(send func()) {
	q.mu.Lock()
	q.n++
	own := q.n <= maxReleases
	q.mu.Unlock()
	run := func() {
		send()
		q.less()
	}
	if own {
		go run()
	} else {
		run()
	}
}

// under counts reads that keep their handle from being released.
func (q *releaseQueue) under(n int) {
	q.mu.Lock()
	if q.fills += n; q.fills == 0 {
		q.tell()
	}
	q.mu.Unlock()
}

// finish returns when no release is under way, nor a read that one has to wait
// for.
func (q *releaseQueue) finish() {
	for q.take(0) {
	}
	q.mu.Lock()
	for q.n > 0 || q.fills > 0 {
		q.wait()
	}
	q.mu.Unlock()
}
