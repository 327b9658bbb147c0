package fusefs

import (
	"math"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var _ fs.LockFile = (*file)(nil)

// Getlk implements fs.LockFile.
func (h *file) Getlk(owner uint64, l *fs.Lock) error {
	f := h.node.fs
	if !f.session.has(fuse.FUSE_POSIX_LOCKS) || f.nosys[fuse.FUSE_GETLK].Load() {
		return syscall.ENOSYS
	}
	r, err := h.lockRequest(fuse.FUSE_GETLK, owner, l, 0)
	if err != nil {
		return err
	}
	defer f.done(r)
	body, err := f.call(r, fuse.LkOutSize)
	if err != nil {
		return f.remember(r.op, err)
	}
	var out fuse.LkOut
	if out.Decode(body) != nil {
		return syscall.EIO
	}
	if out.Lk.Type > fs.Unlock {
		return f.badReply(r.op, "type", uint64(out.Lk.Type), "is no lock")
	}
	if out.Lk.Type != fs.Unlock && (out.Lk.Start > out.Lk.End || out.Lk.End > 1<<63-1) {
		return f.badReply(r.op, "end", out.Lk.End, "is before the start or beyond 2^63")
	}
	if l.Type = int(out.Lk.Type); l.Type != fs.Unlock {
		l.Start, l.End, l.Pid = int64(out.Lk.Start), int64(out.Lk.End), out.Lk.Pid
	}
	return nil
}

// Setlk implements fs.LockFile.
func (h *file) Setlk(owner uint64, l *fs.Lock, wait bool, cancel <-chan struct{}) error {
	f := h.node.fs
	if !f.session.has(fuse.FUSE_POSIX_LOCKS) || f.nosys[fuse.FUSE_SETLK].Load() {
		return syscall.ENOSYS
	}
	if l.Type != fs.Unlock {
		h.node.locked.Store(true) // whatever the server answers
	}
	err := h.lock(owner, l, 0, wait, cancel)
	if err == nil && l.Type == fs.Unlock && l.Start == 0 && l.End == math.MaxInt64 && owner != fs.ProcessOwner {
		h.forgetOwner(owner)
	}
	return err
}

// forgetOwner tells the server that owner has no locks of the file left. The
// virtiofsd of QEMU keeps a descriptor for each owner until it hears that.
func (h *file) forgetOwner(owner uint64) {
	f := h.node.fs
	if f.nosys[fuse.FUSE_FLUSH].Load() {
		return
	}
	in := fuse.FlushIn{Fh: h.fh, LockOwner: owner}
	r := f.request(fuse.FUSE_FLUSH, h.node.id)
	r.buf = in.AppendTo(r.buf)
	_, err := f.call(r, 0)
	f.done(r)
	f.optional(fuse.FUSE_FLUSH, err) // the locks are gone whatever it says
}

// Flock implements fs.LockFile.
func (h *file) Flock(kind int, wait bool, cancel <-chan struct{}) error {
	f := h.node.fs
	if !f.session.has(fuse.FUSE_FLOCK_LOCKS) || f.nosys[fuse.FUSE_SETLK].Load() {
		return syscall.ENOSYS
	}
	h.flocked.Store(true) // the server may hold it whatever it answers
	l := fs.Lock{Type: kind, End: 1<<63 - 1}
	return h.lock(h.owner, &l, fuse.FUSE_LK_FLOCK, wait, cancel)
}

// Pauses between two attempts to get a lock from a server that cannot wait.
const (
	lockPauseMin = time.Millisecond
	lockPauseMax = 100 * time.Millisecond
)

// lock sets l with SETLK, or waits for it with SETLKW. Servers that lack the
// latter (virtiofsd: EOPNOTSUPP) are asked again and again.
func (h *file) lock(owner uint64, l *fs.Lock, flags uint32, wait bool, cancel <-chan struct{}) error {
	f := h.node.fs
	if wait && !f.nosys[fuse.FUSE_SETLKW].Load() {
		err := h.sendLock(fuse.FUSE_SETLKW, owner, l, flags, cancel)
		if err != syscall.ENOSYS && err != syscall.EOPNOTSUPP {
			return err
		}
		f.nosys[fuse.FUSE_SETLKW].Store(true)
	}
	for pause := lockPauseMin; ; pause = min(2*pause, lockPauseMax) {
		err := h.sendLock(fuse.FUSE_SETLK, owner, l, flags, nil)
		if !wait || err != syscall.EAGAIN && err != syscall.EACCES {
			return f.remember(fuse.FUSE_SETLK, err)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-cancel:
			t.Stop()
			return syscall.EINTR
		}
	}
}

func (h *file) sendLock(op uint32, owner uint64, l *fs.Lock, flags uint32, cancel <-chan struct{}) error {
	r, err := h.lockRequest(op, owner, l, flags)
	if err != nil {
		return err
	}
	r.cancel = cancel
	_, err = h.node.fs.call(r, 0)
	h.node.fs.done(r)
	return err
}

func (h *file) lockRequest(op uint32, owner uint64, l *fs.Lock, flags uint32) (*request, error) {
	if err := h.node.usable(); err != nil {
		return nil, err
	}
	if l.Type < fs.ReadLock || l.Type > fs.Unlock || l.Start < 0 || l.End < l.Start {
		return nil, syscall.EINVAL
	}
	f := h.node.fs
	in := fuse.LkIn{Fh: h.fh, Owner: owner, LkFlags: flags, Lk: fuse.FileLock{
		Start: uint64(l.Start), End: uint64(l.End), Type: uint32(l.Type), Pid: f.pid.Load(),
	}}
	r := f.request(op, h.node.id)
	r.buf = in.AppendTo(r.buf)
	return r, nil
}

// remember notes that the server lacks op, if err says so, and returns err.
func (f *FS) remember(op uint32, err error) error {
	if err == syscall.ENOSYS {
		f.nosys[op].Store(true)
	}
	return err
}
