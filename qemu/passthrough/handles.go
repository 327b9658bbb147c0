package passthrough

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// handle is an open file or directory. Handles are used once.
type handle struct {
	id    uint64
	node  uint64 // its id; no other may be named with it
	fd    int
	dir   bool
	flags int // of the open

	users    int  // requests under way; Server.mu
	released bool // Server.mu

	pos sync.Mutex // of a directory: held while it is read
	at  int64      // where its descriptor is
}

func (h *handle) writes() bool { return h.flags&unix.O_ACCMODE != unix.O_RDONLY }

// handle returns a handle of the request's node, which the request gives back
// by putHandle.
func (s *Server) handle(r *request, id uint64, dir bool) (*handle, syscall.Errno) {
	return s.handleOf(r.header.Nodeid, id, dir)
}

func (s *Server) handleOf(node, id uint64, dir bool) (*handle, syscall.Errno) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.handles[id]
	if h == nil || h.node != node || h.dir != dir {
		return nil, syscall.EBADF
	}
	h.users++
	return h, 0
}

func (s *Server) putHandle(h *handle) {
	s.mu.Lock()
	h.users--
	unused := h.users == 0 && h.released
	s.mu.Unlock()
	if unused {
		s.drop(h.fd)
		s.waits.unlocked()
	}
}

// addHandle makes a handle of a descriptor, which it takes over.
func (s *Server) addHandle(node uint64, fd, flags int, dir bool) (*handle, syscall.Errno) {
	if e := s.hold(); e != 0 {
		unix.Close(fd)
		return nil, e
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastHandle++
	h := &handle{id: s.lastHandle, node: node, fd: fd, flags: flags, dir: dir}
	s.handles[h.id] = h
	return h, 0
}

// openFlags are the flags that mean something to the host. O_DIRECT does not:
// the client's memory need not be aligned as the host's device wants it.
func openFlags(flags uint32) int {
	return int(flags) & (unix.O_ACCMODE | unix.O_APPEND | unix.O_TRUNC | unix.O_SYNC | unix.O_NOATIME | unix.O_NONBLOCK)
}

// openOut is the answer for a handle.
func (s *Server) openOut(h *handle) *fuse.OpenOut {
	out := &fuse.OpenOut{Fh: h.id}
	if s.opts.Valid == 0 && !h.dir {
		out.OpenFlags = fuse.FOPEN_DIRECT_IO
	}
	return out
}

func (s *Server) open(r *request) syscall.Errno {
	var in fuse.OpenIn
	_ = in.Decode(r.body)
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	if n.typ == syscall.S_IFDIR {
		return syscall.EISDIR
	}
	flags := openFlags(in.Flags)
	fd, e := n.reopen(flags)
	if e != 0 {
		return e
	}
	h, e := s.addHandle(n.id, fd, flags, false)
	if e == 0 {
		r.reply = s.openOut(h).AppendTo(r.reply)
	}
	return e
}

// create makes and opens a file, or opens it.
func (s *Server) create(r *request) syscall.Errno {
	var in fuse.CreateIn
	_ = in.Decode(r.body)
	dir, name, e := s.place(r, fuse.CreateInSize)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	flags := openFlags(in.Flags)
	var fd int
	e = s.as(r, func() error {
		var e syscall.Errno
		if fd, e = s.openAt(dir, name, flags|unix.O_CREAT|unix.O_EXCL, in.Mode&0o7777); e != 0 {
			return e
		}
		return nil
	})
	if e == syscall.EEXIST && in.Flags&unix.O_EXCL == 0 {
		fd, e = s.openExisting(dir, name, flags)
	}
	if e != 0 {
		return e
	}
	return s.created(r, dir, fd, flags)
}

// openExisting opens a file that has come into being since the client looked
// for it. What is no file is ESTALE: the client has to look again.
func (s *Server) openExisting(dir *node, name string, flags int) (int, syscall.Errno) {
	path, e := s.openAt(dir, name, unix.O_PATH, 0)
	if e == syscall.ENOENT {
		return -1, syscall.ESTALE
	}
	if e != 0 {
		return -1, e
	}
	defer unix.Close(path)
	var st unix.Statx_t
	if err := stat(path, &st); err != nil {
		return -1, errno(err)
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return -1, syscall.ESTALE
	}
	return reopen(path, flags)
}

// created answers with the entry and the handle of a file that fd has open,
// which it takes over.
func (s *Server) created(r *request, dir *node, fd, flags int) syscall.Errno {
	path, e := reopen(fd, unix.O_PATH)
	if e != 0 {
		unix.Close(fd)
		return e
	}
	var entry fuse.EntryOut
	if e := s.entry(path, dir, &entry); e != 0 {
		unix.Close(fd)
		return e
	}
	h, e := s.addHandle(entry.Nodeid, fd, flags, false)
	if e != 0 {
		s.forgetNode(entry.Nodeid, 1)
		return e
	}
	r.reply = s.openOut(h).AppendTo(entry.AppendTo(r.reply))
	return 0
}

// tmpfile makes a file without a name. What it is called says nothing.
func (s *Server) tmpfile(r *request) syscall.Errno {
	var in fuse.CreateIn
	_ = in.Decode(r.body)
	dir, e := s.dir(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(dir)
	flags := openFlags(in.Flags) &^ unix.O_TRUNC
	excl := int(in.Flags) & unix.O_EXCL // it gets no name later either
	var fd int
	e = s.as(r, func() (err error) {
		fd, err = unix.Openat(dir.fd, ".", flags|excl|unix.O_TMPFILE|unix.O_CLOEXEC, in.Mode&0o7777)
		return err
	})
	if e != 0 {
		return e
	}
	return s.created(r, dir, fd, flags)
}

func (s *Server) release(r *request) syscall.Errno { return s.releaseHandle(r, false) }

func (s *Server) releaseHandle(r *request, dir bool) syscall.Errno {
	var in fuse.ReleaseIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, dir)
	if e != 0 {
		return e
	}
	s.mu.Lock()
	h.released = true
	delete(s.handles, h.id)
	s.mu.Unlock()
	s.putHandle(h) // with the last one its BSD locks go
	return 0
}

// flush is a close of a descriptor of the client: POSIX locks of its owner go,
// and errors of writes that were put off are told, as with NFS.
func (s *Server) flush(r *request) syscall.Errno {
	var in fuse.FlushIn
	_ = in.Decode(r.body)
	h, e := s.handle(r, in.Fh, false)
	if e != 0 {
		return e
	}
	defer s.putHandle(h)
	n, e := s.node(r.header.Nodeid)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	n.unlockOwner(s, in.LockOwner)
	r.detach()
	fd, err := unix.FcntlInt(uintptr(h.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return errno(err)
	}
	return errno(unix.Close(fd))
}
