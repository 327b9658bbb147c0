package passthrough

import (
	"math"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// POSIX locks are the host's locks of open file descriptions (F_OFD_SETLK),
// with a description for each owner on each file, so that owners exclude each
// other and everybody on the host, and closing it frees all that an owner has.
// BSD locks are those of the description that the client has opened, as in the
// client.

func (s *Server) getlk(r *request) syscall.Errno {
	in, l, n, e := s.lockRequest(r)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	n.lockMu.Lock()
	defer n.lockMu.Unlock()
	fd, held := n.owners[in.Owner]
	if !held {
		if fd, e = n.lockFile(); e != 0 {
			return e
		}
		defer unix.Close(fd)
	}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, l); err != nil {
		return errno(err)
	}
	out := fuse.LkOut{Lk: fuse.FileLock{Type: uint32(l.Type)}}
	if l.Type != unix.F_UNLCK {
		out.Lk.Start, out.Lk.End, out.Lk.Pid = uint64(l.Start), math.MaxInt64, uint32(l.Pid)
		if l.Len > 0 {
			out.Lk.End = uint64(l.Start + l.Len - 1)
		}
	}
	r.reply = out.AppendTo(r.reply)
	return 0
}

func (s *Server) setlk(r *request) syscall.Errno { return s.lock(r, false) }

func (s *Server) setlkw(r *request) syscall.Errno { return s.lock(r, true) }

func (s *Server) lock(r *request, wait bool) syscall.Errno {
	in, l, n, e := s.lockRequest(r)
	if e != 0 {
		return e
	}
	defer s.putNode(n)
	try := func() syscall.Errno { return n.setLock(s, in.Owner, l) }
	if in.LkFlags&fuse.FUSE_LK_FLOCK != 0 {
		h, e := s.handle(r, in.Fh, false)
		if e != 0 {
			return e
		}
		defer s.putHandle(h)
		how := map[int16]int{unix.F_RDLCK: unix.LOCK_SH, unix.F_WRLCK: unix.LOCK_EX, unix.F_UNLCK: unix.LOCK_UN}[l.Type]
		try = func() syscall.Errno { return errno(unix.Flock(h.fd, how|unix.LOCK_NB)) }
	}
	if wait {
		e = s.waits.until(r, try)
	} else {
		e = try()
	}
	if e == 0 {
		s.waits.unlocked() // a lock that was changed frees some of what it held
	}
	return e
}

// lockRequest reads a request for a lock, and finds its node.
func (s *Server) lockRequest(r *request) (in fuse.LkIn, l *unix.Flock_t, n *node, e syscall.Errno) {
	_ = in.Decode(r.body)
	if in.Lk.Start > in.Lk.End || in.Lk.End > math.MaxInt64 || in.Lk.Type > unix.F_UNLCK {
		return in, nil, nil, syscall.EINVAL
	}
	l = &unix.Flock_t{Type: int16(in.Lk.Type), Start: int64(in.Lk.Start), Len: int64(in.Lk.End-in.Lk.Start) + 1}
	if in.Lk.End == math.MaxInt64 {
		l.Len = 0 // to the end, however far that moves
	}
	h, e := s.handle(r, in.Fh, false)
	if e != 0 {
		return in, nil, nil, e
	}
	s.putHandle(h)
	n, e = s.node(r.header.Nodeid)
	return in, l, n, e
}

// setLock sets or frees a POSIX lock of an owner, without waiting.
func (n *node) setLock(s *Server, owner uint64, l *unix.Flock_t) syscall.Errno {
	n.lockMu.Lock()
	defer n.lockMu.Unlock()
	fd, held := n.owners[owner]
	if !held {
		if l.Type == unix.F_UNLCK {
			return 0
		}
		if s.hold() != 0 {
			return syscall.ENOLCK
		}
		var e syscall.Errno
		if fd, e = n.lockFile(); e != 0 {
			s.files.Add(-1)
			return e
		}
	}
	e := errno(unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, l))
	switch {
	case held:
	case e != 0:
		s.drop(fd)
	default:
		if n.owners == nil {
			n.owners = map[uint64]int{}
		}
		n.owners[owner] = fd
	}
	return e
}

// lockFile opens the file for locks of one owner: where it cannot be written,
// for shared ones at least.
func (n *node) lockFile() (int, syscall.Errno) {
	fd, e := n.reopen(unix.O_RDWR)
	if e != 0 {
		fd, e = n.reopen(unix.O_RDONLY)
	}
	return fd, e
}

// unlockOwner frees all POSIX locks that an owner has on the file.
func (n *node) unlockOwner(s *Server, owner uint64) {
	n.lockMu.Lock()
	fd, held := n.owners[owner]
	delete(n.owners, owner)
	n.lockMu.Unlock()
	if held {
		s.drop(fd)
		s.waits.unlocked()
	}
}

// unlockAll frees all POSIX locks on the file.
func (n *node) unlockAll(s *Server) {
	n.lockMu.Lock()
	owners := n.owners
	n.owners = nil
	n.lockMu.Unlock()
	for _, fd := range owners {
		s.drop(fd)
	}
	if len(owners) > 0 {
		s.waits.unlocked()
	}
}

// Pauses between two attempts to get a lock that somebody on the host holds,
// who does not tell when it is free.
const (
	lockPauseMin = time.Millisecond
	lockPauseMax = 50 * time.Millisecond
)

// maxEarly is how many interrupts of unknown requests are kept.
const maxEarly = 64

// waits are the requests that wait for a lock. They try, rather than block in
// the host's kernel, where they could not be interrupted.
type waits struct {
	mu      sync.Mutex
	waiting map[uint64]chan struct{} // by unique; closed to end the wait
	early   []uint64                 // interrupts that have overtaken their requests
	free    chan struct{}            // closed when a lock was freed
}

func (w *waits) init() {
	w.waiting = map[uint64]chan struct{}{}
	w.free = make(chan struct{})
}

// until tries until the lock is there, or the request is interrupted.
func (w *waits) until(r *request, try func() syscall.Errno) syscall.Errno {
	unique := r.header.Unique
	cancel := make(chan struct{})
	w.mu.Lock()
	if w.waiting[unique] != nil {
		w.mu.Unlock()
		return syscall.EINVAL // ids are used once
	}
	for i, u := range w.early {
		if u == unique {
			w.early = append(w.early[:i], w.early[i+1:]...)
			w.mu.Unlock()
			return syscall.EINTR
		}
	}
	w.waiting[unique] = cancel
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.waiting, unique)
		w.mu.Unlock()
	}()
	r.detach()
	for pause := lockPauseMin; ; pause = min(2*pause, lockPauseMax) {
		w.mu.Lock()
		free := w.free
		w.mu.Unlock()
		if e := try(); e != syscall.EAGAIN && e != syscall.EACCES {
			return e
		}
		t := time.NewTimer(pause)
		select {
		case <-cancel:
			t.Stop()
			return syscall.EINTR
		case <-free:
			t.Stop()
		case <-t.C:
		}
	}
}

// unlocked has all that wait try again.
func (w *waits) unlocked() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) > 0 {
		close(w.free)
		w.free = make(chan struct{})
	}
}

// cancel ends the wait of one request, also of one that has yet to come.
func (w *waits) cancel(unique uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.waiting[unique]; c != nil {
		select {
		case <-c:
		default:
			close(c)
		}
		return
	}
	if len(w.early) == maxEarly {
		w.early = append(w.early[:0], w.early[1:]...)
	}
	w.early = append(w.early, unique)
}

func (w *waits) cancelAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.waiting {
		select {
		case <-c:
		default:
			close(c)
		}
	}
	w.early = nil
}
