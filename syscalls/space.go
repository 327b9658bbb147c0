package syscalls

import (
	"math"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Fallocate reserves or releases space; mode is of the FALLOC_FL_ constants.
// EOPNOTSUPP: the file system cannot.
func (k *Kernel) Fallocate(fd int, mode uint32, off, n int64) (e syscall.Errno) {
	d, e := k.table.file(fd)
	if e != 0 {
		return e
	}
	defer d.put()
	switch {
	case off < 0 || n <= 0:
		return syscall.EINVAL
	case !fallocateMode(mode):
		return syscall.EOPNOTSUPP
	case !d.writable():
		return syscall.EBADF
	case d.kind == syscall.S_IFIFO:
		return syscall.ESPIPE
	case d.kind != syscall.S_IFREG && d.kind != syscall.S_IFBLK:
		return syscall.ENODEV
	case off > math.MaxInt64-n:
		return syscall.EFBIG
	}
	f, ok := d.file.(fs.FallocateFile)
	switch {
	case !ok:
		return syscall.EOPNOTSUPP
	case mode&(fs.FallocPunch|fs.FallocZero) != 0 && d.sealed():
		return syscall.EPERM
	}
	if mode&(fs.FallocKeepSize|fs.FallocCollapse) == 0 {
		if e := k.mayGrow(off+n, d.file.Getattr); e != 0 {
			return e
		}
	}
	defer func() {
		if e == 0 {
			d.dentry.Notify(fs.InModify)
		}
	}()
	m := d.mapped()
	if m == nil {
		e = errno(f.Fallocate(mode, off, n))
		k.maps.refresh(d.dentry.Node(), off, changedBy(mode, off, n)) // mapped meanwhile
		return e
	}
	defer k.maps.close(m)
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.flush(0, math.MaxInt64); e != 0 {
		return e
	}
	e = errno(f.Fallocate(mode, off, n))
	if again := m.refresh(off, changedBy(mode, off, n), false); e == 0 {
		e = again
	}
	return e
}

// fallocateMode tells if there can be such a mode at all.
func fallocateMode(mode uint32) bool {
	switch mode {
	case 0, fs.FallocKeepSize, fs.FallocPunch | fs.FallocKeepSize, fs.FallocCollapse, fs.FallocZero, fs.FallocZero | fs.FallocKeepSize, fs.FallocInsert, fs.FallocUnshare, fs.FallocUnshare | fs.FallocKeepSize:
		return true
	}
	return false
}

// changedBy is the end of the bytes from off on that Fallocate changes.
func changedBy(mode uint32, off, n int64) int64 {
	switch mode &^ fs.FallocKeepSize {
	case fs.FallocPunch, fs.FallocZero:
		return off + n
	case fs.FallocCollapse, fs.FallocInsert:
		return math.MaxInt64
	}
	return off // none
}

// CopyFileRange copies n bytes from one file to another, at the offsets given
// or, where they are nil, at the descriptors' positions. It may copy less; 0
// is the end of the file.
func (k *Kernel) CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (int, syscall.Errno) {
	r, e := k.table.file(rfd)
	if e != 0 {
		return 0, e
	}
	defer r.put()
	w, e := k.table.file(wfd)
	if e != 0 {
		return 0, e
	}
	defer w.put()
	switch {
	case flags != 0 || n < 0:
		return 0, syscall.EINVAL
	case r.kind == syscall.S_IFDIR || w.kind == syscall.S_IFDIR:
		return 0, syscall.EISDIR
	case r.kind != syscall.S_IFREG || w.kind != syscall.S_IFREG:
		return 0, syscall.EINVAL
	case !r.readable() || !w.writable() || w.flags.Load()&syscall.O_APPEND != 0:
		return 0, syscall.EBADF
	}
	// The positions are held like those of read and write, in a fixed order.
	if roff == nil || woff == nil {
		defer lockPositions(r, w, roff == nil, woff == nil)()
	}
	if roff == nil {
		roff = &r.pos
	}
	if woff == nil {
		woff = &w.pos
	}
	n, e = copyLength(r, *roff, w, *woff, n)
	if e != 0 || n == 0 {
		return 0, e
	}
	done, err := copyRange(r, *roff, w, *woff, n)
	if done > 0 {
		k.maps.refresh(w.dentry.Node(), *woff, *woff+int64(done)) // mapped meanwhile
		r.notifyIO(done, fs.InAccess)
		w.notifyIO(done, fs.InModify)
	}
	*roff += int64(done)
	*woff += int64(done)
	return done, err
}

// copyLength shortens n to what there is to copy, and checks the rest.
func copyLength(r *desc, from int64, w *desc, to int64, n int) (_ int, e syscall.Errno) {
	switch {
	case from < 0 || to < 0:
		return 0, syscall.EINVAL
	case from > math.MaxInt64-int64(n) || to > math.MaxInt64-int64(n):
		return 0, syscall.EOVERFLOW
	}
	var a fs.Attr
	if err := r.file.Getattr(&a); err != nil {
		return 0, errno(err)
	}
	n = int(max(0, min(int64(n), a.Size-from)))
	if k := w.maps.kernel; k.maxSize.Load() != 0 {
		if n, e = k.room(to, n); e != 0 {
			return 0, e
		}
	}
	if r.dentry.Node() == w.dentry.Node() && from < to+int64(n) && to < from+int64(n) {
		return 0, syscall.EINVAL
	}
	return n, 0
}

// lockPositions locks what pos of which of the two is used.
func lockPositions(r, w *desc, useR, useW bool) (unlock func()) {
	switch {
	case !useW || r == w:
		r.mu.Lock()
		return r.mu.Unlock
	case !useR:
		w.mu.Lock()
		return w.mu.Unlock
	}
	a, b := r, w
	if a.id > b.id {
		a, b = b, a
	}
	a.mu.Lock()
	b.mu.Lock()
	return func() {
		b.mu.Unlock()
		a.mu.Unlock()
	}
}

// copyRange lets the file system copy, or reads and writes.
func copyRange(r *desc, from int64, w *desc, to int64, n int) (int, syscall.Errno) {
	if f, ok := r.file.(fs.CopyFile); ok && r.dentry.Mount() == w.dentry.Mount() && !r.maps.has(r.dentry.Node()) && !w.maps.has(w.dentry.Node()) {
		done, err := f.CopyTo(from, w.file, to, int64(n))
		if err != syscall.EXDEV && err != syscall.EOPNOTSUPP && err != syscall.ENOSYS {
			return int(done), errno(err)
		}
	}
	buf := make([]byte, min(n, 256<<10))
	done := 0
	for done < n {
		got, err := r.readAt(buf[:min(len(buf), n-done)], from+int64(done))
		if err == nil && got > 0 {
			got, _, err = w.writeAt(buf[:got], to+int64(done))
		}
		done += got
		switch {
		case err != nil && done == 0:
			return 0, errno(err)
		case err != nil || got == 0:
			return done, 0
		}
	}
	return done, 0
}
