package fusefs

import (
	"sync"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Release implements fs.File. The server is told without waiting for it; the
// node is let go of when it has answered.
func (h *handle) Release() {
	if h.released.Swap(true) {
		return
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
	h.node.Unref()
}

// maxReleases is how many releases may be under way; those beyond wait.
const maxReleases = 64

// releaseQueue holds the releases under way. Where the transport can start a
// request without waiting for its reply, they are sent at once, in order, and
// one goroutine takes the replies; else each has a goroutine.
type releaseQueue struct {
	mu      sync.Mutex
	n       int
	changed sync.Cond // n has become smaller; its Locker is mu
	fills   int       // reads under way that keep their handle
	posted  []postedRelease
	taking  bool
}

type postedRelease struct {
	pending fuse.Pending
	r       *request
	node    *node
}

// less notes that a release is over. q.mu is held.
func (q *releaseQueue) less() {
	q.n--
	if q.changed.L != nil {
		q.changed.Broadcast()
	}
}

// post sends the release of h.
func (q *releaseQueue) post(h *handle) {
	f := h.node.fs
	q.mu.Lock()
	q.changed.L = &q.mu
	for q.n >= min(maxReleases, f.starter.Depth()/2) {
		q.changed.Wait()
	}
	q.n++
	q.mu.Unlock()
	r := h.releaseRequest()
	in, out, err := f.lay(r, nil, nil, 0)
	var pending fuse.Pending
	if err == nil {
		if pending, err = f.starter.Start(in, out); err != nil {
			f.take(r, 0, err, 0, 0)
		}
	}
	if err != nil {
		f.done(r)
		h.node.Unref()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.less()
		return
	}
	q.posted = append(q.posted, postedRelease{pending, r, h.node})
	if !q.taking {
		q.taking = true
		go q.takeAll()
	}
}

// takeAll takes the replies to what was posted, until there is no more.
func (q *releaseQueue) takeAll() {
	q.mu.Lock()
	for len(q.posted) > 0 {
		batch := q.posted
		q.posted = nil
		q.mu.Unlock()
		for i, p := range batch {
			<-p.pending.Done()
			n, err := p.pending.Result()
			f := p.node.fs
			f.take(p.r, n, err, 0, 0)
			f.done(p.r)
			p.node.Unref()
			batch[i] = postedRelease{}
			q.mu.Lock()
			q.less()
			q.mu.Unlock()
		}
		q.mu.Lock()
		if q.posted == nil {
			q.posted = batch[:0]
		}
	}
	q.taking = false
	q.mu.Unlock()
}

// start runs send, in a goroutine of its own unless there are many already.
func (q *releaseQueue) start(send func()) {
	q.mu.Lock()
	q.n++
	own := q.n <= maxReleases
	q.mu.Unlock()
	run := func() {
		send()
		q.mu.Lock()
		q.less()
		q.mu.Unlock()
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
	q.fills += n
	if q.fills == 0 && q.changed.L != nil {
		q.changed.Broadcast()
	}
	q.mu.Unlock()
}

// wait returns when no release is under way, nor a read that one has to wait
// for.
func (q *releaseQueue) wait() {
	q.mu.Lock()
	q.changed.L = &q.mu
	for q.n > 0 || q.fills > 0 {
		q.changed.Wait()
	}
	q.mu.Unlock()
}
