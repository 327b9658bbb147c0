package fusefs

import (
	"sync"
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
	flocked   atomic.Bool // a flock was taken: RELEASE lets go of it
	fh        uint64
	owner     uint64 // of BSD and open-file locks, one for each open
	flags     uint32 // O_ flags that were sent
	openFlags uint32 // FOPEN_ flags that came back
}

func newHandle(n *node) *handle {
	return &handle{node: n, dir: n.typ == syscall.S_IFDIR, owner: n.fs.newUnique()}
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
	if err := h.sendOpen(flags); err != nil {
		return nil, err
	}
	n.Ref()
	if flags&syscall.O_TRUNC != 0 && !h.dir {
		if err := h.truncated(); err != nil {
			h.Release()
			return nil, err
		}
	}
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
}

// truncated completes an open with O_TRUNC: the server has cut the file as it
// opened it, or is told to now.
func (h *handle) truncated() error {
	if h.open && h.node.fs.session.has(fuse.FUSE_ATOMIC_O_TRUNC) {
		h.node.changedHere(dirtyAll)
		return nil
	}
	var a fs.Attr
	return h.node.setattr(&fs.SetAttr{Valid: fs.SetSize}, &a, h)
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

// Release implements fs.File. The server is told without waiting for it; the
// node is let go of when it has answered.
func (h *handle) Release() {
	if h.released.Swap(true) {
		return
	}
	if !h.open {
		h.node.Unref()
		return
	}
	h.node.fs.releases.start(h.sendRelease)
}

func (h *handle) sendRelease() {
	f := h.node.fs
	op := uint32(fuse.FUSE_RELEASE)
	if h.dir {
		op = fuse.FUSE_RELEASEDIR
	}
	in := fuse.ReleaseIn{Fh: h.fh, Flags: h.flags}
	if h.flocked.Load() {
		in.ReleaseFlags = fuse.FUSE_RELEASE_FLOCK_UNLOCK
		in.LockOwner = h.owner
	}
	r := f.request(op, h.node.id)
	r.buf = in.AppendTo(r.buf)
	f.call(r, 0) // nobody could act on an error
	f.done(r)
	h.node.Unref()
}

// maxReleases is how many releases may be under way; those beyond wait.
const maxReleases = 64

// releaseQueue counts the releases under way.
type releaseQueue struct {
	mu   sync.Mutex
	n    int
	idle sync.Cond // n has become 0; its Locker is mu
}

// start runs send, in a goroutine of its own unless there are many already.
func (q *releaseQueue) start(send func()) {
	q.mu.Lock()
	q.n++
	own := q.n <= maxReleases
	q.mu.Unlock()
	run := func() {
		send()
		q.mu.Lock()
		q.n--
		if q.n == 0 && q.idle.L != nil {
			q.idle.Broadcast()
		}
		q.mu.Unlock()
	}
	if own {
		go run()
	} else {
		run()
	}
}

// wait returns when no release is under way.
func (q *releaseQueue) wait() {
	q.mu.Lock()
	q.idle.L = &q.mu
	for q.n > 0 {
		q.idle.Wait()
	}
	q.mu.Unlock()
}
