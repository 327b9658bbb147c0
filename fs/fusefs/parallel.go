package fusefs

import (
	"sync/atomic"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// maxParallel is how many parts of one large read or write are under way at
// once. Two keep the server busy; more help one that has several threads.
const maxParallel = 4

// maxStarted is how many requests of all callers are under way with nobody
// waiting for their replies yet, those of releases aside.
const maxStarted = 16

// slots counts requests that were started beyond the first of their caller.
type slots struct{ used atomic.Int32 }

func (s *slots) take(limit int) bool {
	if s.used.Add(1) <= int32(limit) {
		return true
	}
	s.used.Add(-1)
	return false
}

func (s *slots) give() { s.used.Add(-1) }

// mayStart reserves a place for a request that is not waited for at once.
func (f *FS) mayStart() bool {
	return f.starter != nil && f.started.take(min(maxStarted, f.starter.Depth()/4))
}

// train is the parts of one read or write on their way, in order.
type train struct {
	h     *handle
	op    uint32
	flags uint32 // of WRITE
	cars  [maxParallel]car
	first int
	n     int
}

type car struct {
	r       *request
	pending fuse.Pending
	part    []byte
	err     error
	slot    bool
}

// run transfers p at off in parts of at most size bytes, several at once; the
// parts that start at likely or behind are sent only when all before them are
// through. It stops at the first part that fails or is not transferred in
// full, and returns how many bytes before that went through.
func (t *train) run(p []byte, off int64, size, likely int) (total int, err error) {
	f := t.h.node.fs
	started, ended := 0, false
	for {
		for !ended && started < len(p) && t.n < maxParallel {
			slot := t.n > 0
			if slot && (started >= likely || !f.mayStart()) {
				break
			}
			part := p[started:min(started+size, len(p))]
			t.send(part, off+int64(started), slot)
			started += len(part)
		}
		if t.n == 0 {
			return total, err
		}
		c := &t.cars[t.first]
		want := len(c.part)
		n, e := t.receive(c)
		t.first = (t.first + 1) % maxParallel
		t.n--
		if ended {
			continue
		}
		total += n
		if e != nil && total == 0 {
			err = e
		}
		ended = e != nil || n < want
	}
}

func (t *train) send(part []byte, off int64, slot bool) {
	f := t.h.node.fs
	c := &t.cars[(t.first+t.n)%maxParallel]
	t.n++
	*c = car{r: f.request(t.op, t.h.node.id), part: part, slot: slot}
	var in, out [][]byte
	if t.op == fuse.FUSE_READ {
		msg := t.h.readIn(part, off)
		c.r.buf = msg.AppendTo(c.r.buf)
		in, out, c.err = f.lay(c.r, nil, part, 0)
	} else {
		msg := t.h.writeIn(part, off, t.flags)
		c.r.buf = msg.AppendTo(c.r.buf)
		in, out, c.err = f.lay(c.r, part, nil, fuse.WriteOutSize)
	}
	if c.err == nil {
		if c.pending, c.err = f.starter.Start(in, out); c.err != nil {
			_, c.err = f.take(c.r, 0, c.err, 0, 0)
		}
	}
}

// receive waits for c and returns how much of its part went through.
func (t *train) receive(c *car) (n int, err error) {
	f := t.h.node.fs
	err = c.err
	if err == nil {
		n, err = c.pending.Wait()
		if t.op == fuse.FUSE_READ {
			n, err = f.take(c.r, n, err, len(c.part), 0)
		} else if n, err = f.take(c.r, n, err, fuse.WriteOutSize, fuse.WriteOutSize); err == nil {
			n, err = t.h.written(c.r, n, len(c.part))
		}
	}
	if err != nil {
		n = 0
	}
	f.done(c.r)
	if c.slot {
		f.started.give()
	}
	*c = car{}
	return n, err
}
