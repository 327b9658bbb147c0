package overlay

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

func (n *node) Open(flags int) (fs.File, error) {
	switch n.kind {
	case syscall.S_IFDIR:
		if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
			return nil, syscall.EISDIR
		}
		return n.openDir()
	case syscall.S_IFREG:
	case syscall.S_IFLNK:
		return nil, syscall.ELOOP
	default:
		return nil, syscall.ENXIO
	}
	f := &file{node: n, flags: flags &^ (syscall.O_TRUNC | syscall.O_CREAT | syscall.O_EXCL)}
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0 {
		if _, err := n.copyUp(flags&syscall.O_TRUNC == 0); err != nil {
			return nil, err
		}
	}
	var err error
	if u := n.upper.Load(); u != nil {
		err = f.openUpper(u, flags)
	} else {
		f.lower, err = n.lower.Open(flags)
	}
	if err != nil {
		return nil, err
	}
	n.Ref()
	return f, nil
}

// file is an open regular file. One that is opened of the lower file system goes on with
// the copy as soon as there is one.
type file struct {
	*node
	lower fs.File // nil: never open

	mu    sync.Mutex // of opening the copy, and of flags
	flags int
	upper atomic.Pointer[opened]
}

type opened struct{ fs.File }

// openUpper opens the copy.
func (f *file) openUpper(u *stored, flags int) error {
	file, err := u.Open(flags)
	if err == nil {
		f.upper.Store(&opened{file})
	}
	return err
}

// now is the open file below.
func (f *file) now() (fs.File, error) {
	if o := f.upper.Load(); o != nil {
		return o.File, nil
	}
	u := f.node.upper.Load()
	if u == nil {
		return f.lower, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.upper.Load() == nil {
		if err := f.openUpper(u, f.flags); err != nil {
			return nil, err
		}
	}
	return f.upper.Load().File, nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	o, err := f.now()
	if err != nil {
		return 0, err
	}
	return o.ReadAt(p, off)
}

func (f *file) WriteAt(p []byte, off int64) (int, int64, error) {
	o, err := f.now()
	if err != nil {
		return 0, 0, err
	}
	return o.WriteAt(p, off)
}

func (f *file) ReadDir(uint64, func(*fs.Dirent) bool) error { return syscall.ENOTDIR }

func (f *file) Fsync(dataOnly bool) error {
	o, err := f.now()
	if err != nil {
		return err
	}
	return o.Fsync(dataOnly)
}

func (f *file) Flush() error {
	o, err := f.now()
	if err != nil {
		return err
	}
	return o.Flush()
}

func (f *file) Release() {
	if f.lower != nil {
		f.lower.Release()
	}
	if o := f.upper.Load(); o != nil {
		o.Release()
	}
	f.Unref()
}

// SetFlags implements fs.FlagFile.
func (f *file) SetFlags(flags int) error {
	f.mu.Lock()
	f.flags = f.flags&^syscall.O_APPEND | flags&syscall.O_APPEND
	f.mu.Unlock()
	if o := f.upper.Load(); o != nil {
		if x, ok := o.File.(fs.FlagFile); ok {
			return x.SetFlags(flags)
		}
	}
	return nil
}

// Fallocate implements fs.FallocateFile.
func (f *file) Fallocate(mode uint32, off, length int64) error {
	o, err := f.now()
	if err != nil {
		return err
	}
	if x, ok := o.(fs.FallocateFile); ok {
		return x.Fallocate(mode, off, length)
	}
	return syscall.EOPNOTSUPP
}

// SeekHole implements fs.SeekHoleFile. A file that knows no holes is all data.
func (f *file) SeekHole(off int64, whence int) (int64, error) {
	o, err := f.now()
	if err != nil {
		return 0, err
	}
	if x, ok := o.(fs.SeekHoleFile); ok {
		return x.SeekHole(off, whence)
	}
	var a fs.Attr
	switch err := f.Getattr(&a); {
	case err != nil:
		return 0, err
	case off < 0 || off >= a.Size:
		return 0, syscall.ENXIO
	case whence == fs.SeekHole:
		return a.Size, nil
	}
	return off, nil
}
