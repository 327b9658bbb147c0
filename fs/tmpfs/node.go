package tmpfs

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// node is a file of any kind. It lives as long as it has names or references.
type node struct {
	fs   *FS
	ino  uint64
	kind uint32 // S_IFMT bits
	rdev uint32
	refs atomic.Int64

	dir  *dir   // of a directory
	text string // of a symbolic link

	mu                  sync.RWMutex // of what follows
	nlink               uint32
	nameless            bool // made without a name, and may be given one
	mode, uid, gid      uint32
	atime, mtime, ctime fs.Time
	data                data // of a regular file
	xattrs              map[string][]byte
	xattrSize           int // bytes of their names and values
	seals               uint32
}

func (n *node) Kind() uint32 { return n.kind }

func (n *node) Ref() { n.refs.Add(1) }

func (n *node) Unref() {
	if n.refs.Add(-1) == 0 {
		n.mu.Lock()
		n.settle()
		n.mu.Unlock()
	}
}

// settle gives the space of n back if nothing can reach it any more: a file without names and references
// gets neither again. n.mu is held.
func (n *node) settle() {
	if n.nlink > 0 || n.refs.Load() > 0 || n.data.freed {
		return
	}
	n.data.freed = true
	n.fs.files.Add(-1)
	n.fs.reserve(-n.data.resize(0))
	n.xattrs = nil
}

func (n *node) Getattr(a *fs.Attr) error {
	size := int64(len(n.text))
	if n.dir != nil {
		n.dir.mu.RLock()
		size = n.dir.size()
		n.dir.mu.RUnlock()
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.kind == syscall.S_IFREG {
		size = n.data.size
	}
	*a = fs.Attr{
		Ino: n.ino, Mode: n.mode, Nlink: n.nlink, Uid: n.uid, Gid: n.gid, Rdev: uint64(n.rdev),
		Size: size, Blocks: n.data.pages * (pageSize / 512), Blksize: pageSize,
		Atime: n.atime, Mtime: n.mtime, Ctime: n.ctime,
	}
	return nil
}

func (n *node) Setattr(s *fs.SetAttr, a *fs.Attr) error {
	if err := n.set(s); err != nil {
		return err
	}
	return n.Getattr(a)
}

func (n *node) set(s *fs.SetAttr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := clock()
	if s.Valid&fs.SetMode != 0 && n.seals&fs.SealExec != 0 && (n.mode^s.Mode)&anyExec != 0 {
		return syscall.EPERM
	}
	if s.Valid&fs.SetSize != 0 {
		if err := n.truncate(s.Size, t); err != nil {
			return err
		}
	}
	if s.Valid&(fs.SetUid|fs.SetGid) != 0 && n.kind != syscall.S_IFDIR {
		n.mode &^= syscall.S_ISUID
		if n.mode&0o010 != 0 {
			n.mode &^= syscall.S_ISGID
		}
	}
	if s.Valid&fs.SetMode != 0 {
		n.mode = n.kind | s.Mode&0o7777
	}
	if s.Valid&fs.SetUid != 0 {
		n.uid = s.Uid
	}
	if s.Valid&fs.SetGid != 0 {
		n.gid = s.Gid
	}
	switch {
	case s.Valid&fs.SetAtimeNow != 0:
		n.atime = t
	case s.Valid&fs.SetAtime != 0:
		n.atime = s.Atime
	}
	switch {
	case s.Valid&fs.SetMtimeNow != 0:
		n.mtime = t
	case s.Valid&fs.SetMtime != 0:
		n.mtime = s.Mtime
	}
	if s.Valid != 0 {
		n.ctime = t
	}
	return nil
}

// truncate sets the size; n.mu is held.
func (n *node) truncate(size int64, t fs.Time) error {
	switch {
	case n.kind == syscall.S_IFDIR:
		return syscall.EISDIR
	case n.kind != syscall.S_IFREG || size < 0:
		return syscall.EINVAL
	case size < n.data.size && n.seals&fs.SealShrink != 0, size > n.data.size && n.seals&fs.SealGrow != 0:
		return syscall.EPERM
	}
	n.fs.reserve(-n.data.resize(size))
	n.mtime, n.ctime = t, t
	return nil
}

func (n *node) Readlink() (string, error) {
	if n.kind != syscall.S_IFLNK {
		return "", syscall.EINVAL
	}
	return n.text, nil
}

// touch notes that what n contains has changed, and that it has so many directories more.
func (n *node) touch(t fs.Time, dirs int) {
	n.mu.Lock()
	n.nlink += uint32(dirs)
	n.mtime, n.ctime = t, t
	n.mu.Unlock()
}

// link gives n one name more, and reports whether it could: not if n has lost all that it had.
func (n *node) link(now fs.Time) bool {
	n.mu.Lock()
	ok := n.nlink > 0 || n.nameless
	if ok {
		n.nameless = false
		n.nlink++
		n.ctime = now
	}
	n.mu.Unlock()
	return ok
}

// changed notes that n's attributes have changed.
func (n *node) changed(t fs.Time) {
	n.mu.Lock()
	n.ctime = t
	n.mu.Unlock()
}
