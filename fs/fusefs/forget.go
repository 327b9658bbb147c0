package fusefs

import (
	"sync"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// maxBatch is how many nodes one BATCH_FORGET names: a page of them.
const maxBatch = pageSize/fuse.ForgetOneSize - 4

// forgetQueue holds lookup counts on their way back to the server. Whoever
// finds no sender at work becomes the sender, so that forgets of many
// goroutines at once go out in batches and none waits for a timer.
type forgetQueue struct {
	mu      sync.Mutex
	pending []fuse.ForgetOne
	sending bool
	idle    sync.Cond // nobody is sending; its Locker is mu
}

// wait returns when all that was pending has been sent.
func (q *forgetQueue) wait() {
	q.mu.Lock()
	q.idle.L = &q.mu
	for q.sending {
		q.idle.Wait()
	}
	q.mu.Unlock()
}

// forget gives lookups back. An entry for nodeid 0 counts no lookup.
func (f *FS) forget(list ...fuse.ForgetOne) {
	q := &f.forgets
	q.mu.Lock()
	for _, one := range list {
		if one.Nodeid != 0 {
			q.pending = append(q.pending, one)
		}
	}
	if q.sending {
		q.mu.Unlock()
		return
	}
	q.sending = true
	for len(q.pending) > 0 {
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
	if q.idle.L != nil {
		q.idle.Broadcast()
	}
	q.mu.Unlock()
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
		f.stats[op].calls.Add(1)
		if err := f.t.Send([][]byte{msg}); err != nil {
			f.stats[op].errors.Add(1)
			f.deviceError(op, err)
		}
		list = list[n:]
	}
}
