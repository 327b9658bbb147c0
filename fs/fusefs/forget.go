package fusefs

import (
	"sync"
	"time"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

const (
	// maxBatch is how many nodes one BATCH_FORGET names: a page of them.
	maxBatch = pageSize/fuse.ForgetOneSize - 4
	// forgetTime is how long a lookup count waits for others to go back with,
	// of which forgetBatch go at once. Each message wakes the server.
	forgetTime  = 20 * time.Millisecond
	forgetBatch = 64
)

// forgetQueue holds lookup counts on their way back to the server. One
// goroutine sends at a time; what comes meanwhile it sends too.
type forgetQueue struct {
	mu      sync.Mutex
	pending []fuse.ForgetOne
	timer   *time.Timer // sends what is pending; made by the first forget
	timed   bool        // it will
	sending bool
	idle    sync.Cond // nobody is sending; its Locker is mu
}

// forget gives lookups back, soon. An entry for nodeid 0 counts no lookup.
func (f *FS) forget(list ...fuse.ForgetOne) {
	q := &f.forgets
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, one := range list {
		if one.Nodeid != 0 {
			q.pending = append(q.pending, one)
		}
	}
	if !q.sending {
		f.sendPending(forgetBatch)
	}
}

// flushForgets sends what is pending. When it returns, all that was pending has
// been sent.
func (f *FS) flushForgets() {
	q := &f.forgets
	q.mu.Lock()
	defer q.mu.Unlock()
	q.timed = false
	q.idle.L = &q.mu
	for q.sending {
		q.idle.Wait()
	}
	f.sendPending(1)
}

// sendPending sends until there are fewer than least, which the timer sends. The
// queue's mutex is held, before and after; nobody is sending.
func (f *FS) sendPending(least int) {
	q := &f.forgets
	q.sending = true
	for len(q.pending) >= least {
		batch := q.pending
		q.pending = nil
		q.mu.Unlock()
		f.sendForgets(batch)
		q.mu.Lock()
		if q.pending == nil {
			q.pending = batch[:0]
		}
	}
	q.sending = false
	q.idle.Broadcast()
	switch {
	case len(q.pending) == 0 || q.timed:
		return
	case q.timer == nil:
		q.timer = time.AfterFunc(forgetTime, f.flushForgets)
	default:
		q.timer.Reset(forgetTime)
	}
	q.timed = true
}

// sendForgets sends list as FORGET or BATCH_FORGET messages.
func (f *FS) sendForgets(list []fuse.ForgetOne) {
	if f.closed.Load() {
		return // DESTROY has ended all counts
	}
	for len(list) > 0 {
		n := min(len(list), maxBatch)
		if f.session.minor < 16 {
			n = 1
		}
		var msg []byte
		op := uint32(fuse.FUSE_FORGET)
		h := fuse.InHeader{Unique: f.newUnique(), Uid: f.uid.Load(), Gid: f.gid.Load(), Pid: f.pid.Load()}
		if n == 1 {
			h.Opcode, h.Nodeid = op, list[0].Nodeid
			h.Len = fuse.InHeaderSize + fuse.ForgetInSize
			in := fuse.ForgetIn{Nlookup: list[0].Nlookup}
			msg = in.AppendTo(h.AppendTo(make([]byte, 0, h.Len)))
		} else {
			op = fuse.FUSE_BATCH_FORGET
			h.Opcode = op
			h.Len = uint32(fuse.InHeaderSize + fuse.BatchForgetInSize + n*fuse.ForgetOneSize)
			in := fuse.BatchForgetIn{Count: uint32(n)}
			msg = in.AppendTo(h.AppendTo(make([]byte, 0, h.Len)))
			for i := range list[:n] {
				msg = list[i].AppendTo(msg)
			}
		}
		f.stats[op].count(len(msg))
		if err := f.t.Send([][]byte{msg}); err != nil {
			f.stats[op].errors.Add(1)
			f.deviceError(op, err)
		}
		list = list[n:]
	}
}
