package fusefs

import (
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// unsent are the open flags that never go to the server: what the VFS has
// dealt with, and what concerns the descriptor only.
const unsent = syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOCTTY | syscall.O_CLOEXEC

// handle is an open file or directory of the server: what files and
// directories have in common. It holds a reference of its node.
type handle struct {
	node      *node
	open      bool // the server has opened fh and waits for its release
	dir       bool
	released  atomic.Bool
	flocked   atomic.Bool  // a flock was taken: RELEASE lets go of it
	wrote     atomic.Bool  // something that FLUSH may have to tell of
	users     atomic.Int32 // requests under way without a caller, and 1 until Release
	round     int          // of the releases, once it is released
	closing   *ours        // its release, likewise
	fh        uint64
	owner     uint64 // of BSD and open-file locks, one for each open
	flags     uint32 // O_ flags that were sent
	openFlags uint32 // FOPEN_ flags that came back
	stream    stream // how it is being read
}

func newHandle(n *node) *handle {
	h := &handle{node: n, dir: n.typ == syscall.S_IFDIR, owner: n.fs.newUnique()}
	h.users.Store(1)
	return h
}

// Open implements fs.Node.
func (n *node) Open(flags int) (fs.File, error) {
	if err := n.usable(); err != nil {
		return nil, err
	}
	switch n.typ {
	case syscall.S_IFREG, syscall.S_IFDIR:
	case syscall.S_IFLNK:
		return nil, syscall.ELOOP
	default:
		return nil, syscall.ENXIO // what it leads to is not on this machine
	}
	h := newHandle(n)
	cuts := flags&syscall.O_TRUNC != 0 && !h.dir
	if cuts && n.fs.session.has(fuse.FUSE_ATOMIC_O_TRUNC) {
		c := n.beginAll()
		defer c.done(dirtyAll)
	}
	if err := h.sendOpen(flags); err != nil {
		return nil, err
	}
	n.Ref()
	if cuts {
		if err := h.truncated(); err != nil {
			h.Release()
			return nil, err
		}
	}
	h.openData()
	return h.file(), nil
}

// sendOpen sends OPEN or OPENDIR. Where opening without a message was agreed,
// an ENOSYS stands for success, now and from now on.
func (h *handle) sendOpen(flags int) error {
	n := h.node
	f := n.fs
	op, zero := uint32(fuse.FUSE_OPEN), uint64(fuse.FUSE_NO_OPEN_SUPPORT)
	if h.dir {
		op, zero = fuse.FUSE_OPENDIR, fuse.FUSE_NO_OPENDIR_SUPPORT
		flags &^= syscall.O_TRUNC
	}
	in := fuse.OpenIn{OpenFlags: f.openPriv(flags)}
	in.Flags = uint32(flags &^ unsent)
	if !f.session.has(fuse.FUSE_ATOMIC_O_TRUNC) {
		in.Flags &^= syscall.O_TRUNC
		in.OpenFlags = 0
	}
	h.flags = in.Flags
	if f.nosys[op].Load() {
		h.openFlags = fuse.FOPEN_KEEP_CACHE
		return nil
	}
	r := f.request(op, n.id)
	defer f.done(r)
	r.buf = in.AppendTo(r.buf)
	body, err := f.call(r, fuse.OpenOutSize)
	if err == syscall.ENOSYS && f.session.has(zero) {
		f.nosys[op].Store(true)
		h.openFlags = fuse.FOPEN_KEEP_CACHE
		return nil
	}
	if err != nil {
		return err
	}
	var out fuse.OpenOut
	if out.Decode(body) != nil {
		return syscall.EIO
	}
	h.opened(&out)
	return nil
}

func (h *handle) opened(out *fuse.OpenOut) {
	h.open, h.fh, h.openFlags = true, out.Fh, out.OpenFlags
	h.node.fs.files.handles.Add(1)
}

// truncated completes an open with O_TRUNC: the server has cut the file as it
// opened it, or is told to now.
func (h *handle) truncated() error {
	h.wrote.Store(true)
	if h.open && h.node.fs.session.has(fuse.FUSE_ATOMIC_O_TRUNC) {
		return nil
	}
	var a fs.Attr
	by := h
	if h.flags&syscall.O_ACCMODE == syscall.O_RDONLY {
		by = nil // a handle for reading cannot cut the file
	}
	return h.node.setattr(&fs.SetAttr{Valid: fs.SetSize}, &a, by)
}

// file wraps h in the fs.File for its kind.
func (h *handle) file() fs.File {
	switch {
	case h.dir:
		return &dirFile{handle: h}
	case h.openFlags&(fuse.FOPEN_NONSEEKABLE|fuse.FOPEN_STREAM) != 0:
		return &streamFile{file: file{h}}
	}
	return &file{h}
}

// Getattr and Setattr implement fs.File.
func (h *handle) Getattr(a *fs.Attr) error                { return h.node.getattr(a, h) }
func (h *handle) Setattr(s *fs.SetAttr, a *fs.Attr) error { return h.node.setattr(s, a, h) }
