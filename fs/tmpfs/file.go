package tmpfs

import (
	"math"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// file is an open file or directory.
type file struct {
	*node
	append atomic.Bool
}

func (n *node) Open(flags int) (fs.File, error) {
	writes := flags&syscall.O_ACCMODE != syscall.O_RDONLY
	switch n.kind {
	case syscall.S_IFREG:
	case syscall.S_IFDIR:
		if writes {
			return nil, syscall.EISDIR
		}
	case syscall.S_IFLNK:
		return nil, syscall.ELOOP
	default:
		return nil, syscall.ENXIO
	}
	if flags&syscall.O_TRUNC != 0 && n.kind == syscall.S_IFREG {
		n.mu.Lock()
		err := n.truncate(0, clock())
		n.mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
	n.Ref()
	f := &file{node: n}
	f.SetFlags(flags)
	return f, nil
}

func (f *file) Release() { f.Unref() }

// SetFlags implements fs.FlagFile.
func (f *file) SetFlags(flags int) error {
	f.append.Store(flags&syscall.O_APPEND != 0)
	return nil
}

func (f *file) Flush() error { return nil }

func (f *file) Fsync(bool) error { return nil }

func (f *file) ReadDir(cookie uint64, emit func(*fs.Dirent) bool) error {
	if f.dir == nil {
		return syscall.ENOTDIR
	}
	f.read()
	return f.readDir(cookie, emit)
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case f.dir != nil:
		return 0, syscall.EISDIR
	case off < 0:
		return 0, syscall.EINVAL
	}
	f.mu.RLock()
	n := f.data.read(p, off)
	f.mu.RUnlock()
	if n > 0 {
		f.read()
	}
	return n, nil
}

// read notes a read in the time of access, as rarely as Linux does by default
// (relatime): to show that it came after the last change, and once a day.
func (f *file) read() {
	f.mu.RLock()
	old := after(f.mtime, f.atime) || after(f.ctime, f.atime)
	if !old {
		old = time.Now().Unix()-f.atime.Sec >= 24*60*60
	}
	f.mu.RUnlock()
	if old {
		f.mu.Lock()
		f.atime = clock()
		f.mu.Unlock()
	}
}

// after tells if a is as late as b or later.
func after(a, b fs.Time) bool {
	return a.Sec > b.Sec || a.Sec == b.Sec && a.Nsec >= b.Nsec
}

func (f *file) WriteAt(p []byte, off int64) (n int, end int64, err error) {
	if f.kind != syscall.S_IFREG {
		return 0, 0, syscall.EINVAL
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.append.Load() {
		off = f.data.size
	}
	switch {
	case off < 0:
		return 0, 0, syscall.EINVAL
	case off > math.MaxInt64-int64(len(p)):
		return 0, 0, syscall.EFBIG
	case len(p) == 0:
		return 0, off, nil
	case f.seals&fs.SealWrite != 0:
		return 0, 0, syscall.EPERM
	case f.seals&fs.SealGrow != 0 && off+int64(len(p)) > f.data.size:
		// What lies in whole pages of the file is written, as by Linux.
		whole := f.data.size&^(pageSize-1) - off
		if whole <= 0 {
			return 0, 0, syscall.EPERM
		}
		p = p[:whole]
	}
	n = f.data.write(p, off, f.fs.reserve)
	if n == 0 {
		return 0, off, syscall.ENOSPC
	}
	t := clock()
	f.mtime, f.ctime = t, t
	return n, off + int64(n), nil
}
