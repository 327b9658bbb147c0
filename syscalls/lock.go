package syscalls

import (
	"math"
	"os"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Flock takes or gives back a lock of the whole file for the open file of fd:
// LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB without waiting (EAGAIN).
func (k *Kernel) Flock(fd int, how int) syscall.Errno {
	var kind int16
	switch how &^ syscall.LOCK_NB {
	case syscall.LOCK_SH:
		kind = syscall.F_RDLCK
	case syscall.LOCK_EX:
		kind = syscall.F_WRLCK
	case syscall.LOCK_UN:
		kind = syscall.F_UNLCK
	default:
		return syscall.EINVAL
	}
	s, e := k.table.slot(fd)
	if e != 0 {
		return e
	}
	d := s.desc
	defer d.put()
	if d.opened&O_PATH != 0 {
		return syscall.EBADF
	}
	end, e := s.limits[1].state()
	if e != 0 {
		return e
	}
	wait := how&syscall.LOCK_NB == 0
	if f, ok := d.file.(fs.LockFile); ok {
		if err := f.Flock(int(kind), wait, end); err != syscall.ENOSYS {
			return ended(errno(err))
		}
	}
	return ended(k.locks.flock(d, kind, wait, end))
}

// Commands of locks that belong to the open file, not to the process.
const (
	fOFDGetlk  = 36
	fOFDSetlk  = 37
	fOFDSetlkw = 38
)

// FcntlFlock does F_GETLK, F_SETLK and F_SETLKW and their F_OFD_ variants.
func (k *Kernel) FcntlFlock(fd, cmd int, lk *syscall.Flock_t) syscall.Errno {
	s, e := k.table.slot(fd)
	if e != 0 {
		return e
	}
	d := s.desc
	defer d.put()
	if d.opened&O_PATH != 0 {
		return syscall.EBADF
	}
	if lk == nil {
		return syscall.EFAULT
	}
	var owner *desc
	switch cmd {
	case syscall.F_GETLK, syscall.F_SETLK, syscall.F_SETLKW:
	case fOFDGetlk, fOFDSetlk, fOFDSetlkw:
		if lk.Pid != 0 {
			return syscall.EINVAL
		}
		owner = d
	default:
		return syscall.EINVAL
	}
	r, e := d.rangeOf(lk, owner)
	if e != 0 {
		return e
	}
	if cmd == syscall.F_GETLK || cmd == fOFDGetlk {
		return k.getLock(d, r, lk)
	}
	end, e := s.limits[1].state()
	if e != 0 {
		return e
	}
	return ended(k.setLock(d, r, cmd == syscall.F_SETLKW || cmd == fOFDSetlkw, end))
}

// ended turns the end of a wait for a lock into what it means: the descriptor
// was closed.
func ended(e syscall.Errno) syscall.Errno {
	if e == syscall.EINTR {
		return syscall.EBADF
	}
	return e
}

// rangeOf makes a lock of what fcntl was given.
func (d *desc) rangeOf(lk *syscall.Flock_t, owner *desc) (r rangeLock, e syscall.Errno) {
	r = rangeLock{owner: owner, kind: lk.Type, start: lk.Start}
	switch lk.Whence {
	case SEEK_SET:
	case SEEK_CUR:
		d.mu.Lock()
		r.start, e = sum(d.pos, r.start)
		d.mu.Unlock()
	case SEEK_END:
		var a fs.Attr
		if err := d.file.Getattr(&a); err != nil {
			return r, errno(err)
		}
		r.start, e = sum(a.Size, r.start)
	default:
		e = syscall.EINVAL
	}
	if e != 0 {
		return r, e
	}
	switch {
	case lk.Len > 0:
		if r.start > math.MaxInt64-lk.Len+1 {
			return r, syscall.EOVERFLOW
		}
		r.end = r.start + lk.Len - 1
	case lk.Len < 0:
		r.end = r.start - 1
		r.start += lk.Len
	default:
		r.end = math.MaxInt64
	}
	switch {
	case r.start < 0 || r.kind != syscall.F_RDLCK && r.kind != syscall.F_WRLCK && r.kind != syscall.F_UNLCK:
		return r, syscall.EINVAL
	}
	return r, 0
}

// ownerID is the owner as file systems know it.
func (d *desc) ownerID(owner *desc) uint64 {
	if owner == nil {
		return fs.ProcessOwner
	}
	return fs.ProcessOwner + 1 + d.id
}

func (k *Kernel) setLock(d *desc, r rangeLock, wait bool, end <-chan struct{}) syscall.Errno {
	switch {
	case r.kind == syscall.F_RDLCK && !d.readable(), r.kind == syscall.F_WRLCK && !d.writable():
		return syscall.EBADF
	}
	if f, ok := d.file.(fs.LockFile); ok {
		l := fs.Lock{Type: int(r.kind), Start: r.start, End: r.end, Pid: uint32(os.Getpid())}
		if r.owner != nil {
			d.ofdLocked.Store(true)
		}
		if err := f.Setlk(d.ownerID(r.owner), &l, wait, end); err != syscall.ENOSYS {
			return errno(err)
		}
	}
	return k.locks.until(d.dentry.Node(), wait, end, func(f *fileLocks) bool {
		if r.kind != syscall.F_UNLCK && f.conflict(r) != nil {
			return false
		}
		f.set(r)
		return true
	})
}

func (k *Kernel) getLock(d *desc, r rangeLock, lk *syscall.Flock_t) syscall.Errno {
	if r.kind == syscall.F_UNLCK && r.owner == nil {
		return syscall.EINVAL
	}
	if f, ok := d.file.(fs.LockFile); ok {
		l := fs.Lock{Type: int(r.kind), Start: r.start, End: r.end, Pid: uint32(os.Getpid())}
		if err := f.Getlk(d.ownerID(r.owner), &l); err != syscall.ENOSYS {
			if err == nil {
				report(lk, int16(l.Type), l.Start, l.End, int32(l.Pid))
			}
			return errno(err)
		}
	}
	k.locks.mu.Lock()
	defer k.locks.mu.Unlock()
	var o *rangeLock
	if f := k.locks.files[d.dentry.Node()]; f != nil {
		o = f.conflict(r)
	}
	switch {
	case o == nil:
		lk.Type = syscall.F_UNLCK
	case o.owner == nil:
		report(lk, o.kind, o.start, o.end, int32(os.Getpid()))
	default:
		report(lk, o.kind, o.start, o.end, -1)
	}
	return 0
}

// report tells of a lock that stands in the way.
func report(lk *syscall.Flock_t, kind int16, start, end int64, pid int32) {
	lk.Type = kind
	if kind == syscall.F_UNLCK {
		return
	}
	lk.Whence, lk.Start, lk.Len, lk.Pid = SEEK_SET, start, 0, pid
	if end != math.MaxInt64 {
		lk.Len = end - start + 1
	}
}
