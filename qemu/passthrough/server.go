// Package passthrough is a FUSE server that shows a directory of the host, and
// nothing outside it.
//
// It works by descriptors. A node is an O_PATH descriptor, names come one
// component at a time, are checked, and go to the *at calls together with the
// descriptor of their directory; no link is ever followed and no path walked.
// So neither ".." nor a link, of whoever made it and whenever, leads out of
// the root. What is a directory of the root at the time of its lookup stays
// within the guest's reach, as with an open directory, should the host move it
// elsewhere.
//
// Requests are foreign: ids, handles, names, lengths and flags are checked,
// and what a client can have the server hold is bounded by Options.Files.
package passthrough

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Options of a server.
type Options struct {
	// Valid is how long clients may believe names and attributes. With 0 they
	// shall not keep data either.
	Valid time.Duration
	// Files is how many descriptors the client may have the server hold: one
	// for each node, open file and owner of locks. 0: as many as the system
	// gives, which then answers EMFILE.
	Files int64
	// NoOpenat2 has names opened as on kernels before 5.6.
	NoOpenat2 bool
}

// Server serves one directory to one client. Its methods are safe for
// concurrent use.
//
// What clients create gets exactly the mode that they ask for if the umask of
// the process is 0; as the superuser it belongs to the user of the request.
type Server struct {
	opts     Options
	root     *node
	switches bool // this process may act for other users
	openat2  atomic.Bool

	flags atomic.Uint64 // granted at INIT
	ready atomic.Bool   // INIT has been

	files atomic.Int64 // descriptors held

	mu         sync.Mutex
	nodes      map[uint64]*node
	inodes     map[inode]*node // those in nodes
	lastNode   uint64
	handles    map[uint64]*handle
	lastHandle uint64

	waits waits
}

// procFD is how descriptors are opened again.
const procFD = "/proc/self/fd/"

// New makes a server for a directory.
func New(dir string, opts Options) (*Server, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("share %s: %w", dir, err)
	}
	s := &Server{opts: opts, switches: os.Geteuid() == 0}
	s.openat2.Store(!opts.NoOpenat2)
	s.root = &node{id: fuse.FUSE_ROOT_ID, fd: fd, lookups: 1}
	s.waits.init()
	var st unix.Statx_t
	if err := stat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("share %s: %w", dir, err)
	}
	s.root.inode, s.root.typ = inodeOf(&st), syscall.S_IFDIR
	if _, err := os.Stat(procPath(fd)); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("share %s: /proc has to be mounted: %w", dir, err)
	}
	s.clear()
	return s, nil
}

// Close gives up all that the client holds. No request may be under way.
func (s *Server) Close() {
	s.clear()
	unix.Close(s.root.fd)
}

// clear forgets all nodes but the root, and all handles.
func (s *Server) clear() {
	s.mu.Lock()
	nodes, handles := s.nodes, s.handles
	s.nodes = map[uint64]*node{fuse.FUSE_ROOT_ID: s.root}
	s.inodes = map[inode]*node{s.root.inode: s.root}
	s.lastNode = max(s.lastNode, fuse.FUSE_ROOT_ID)
	s.handles = map[uint64]*handle{}
	for _, n := range nodes {
		if n != s.root {
			n.lookups = 0
			n.users++ // for put
		}
	}
	for _, h := range handles {
		h.users++
		h.released = true
	}
	s.mu.Unlock()
	s.root.unlockAll(s)
	for _, h := range handles {
		s.putHandle(h)
	}
	for _, n := range nodes {
		if n != s.root {
			s.putNode(n)
		}
	}
}

// Cancel ends with EINTR the requests that wait for a lock.
func (s *Server) Cancel() { s.waits.cancelAll() }

// hold counts a descriptor that the client is to hold, or refuses.
func (s *Server) hold() syscall.Errno {
	if n := s.files.Add(1); s.opts.Files > 0 && n > s.opts.Files {
		s.files.Add(-1)
		return syscall.EMFILE
	}
	return 0
}

// drop closes a descriptor that was counted.
func (s *Server) drop(fd int) {
	unix.Close(fd)
	s.files.Add(-1)
}

// errno returns the number of an error of a system call.
func errno(err error) syscall.Errno {
	var e syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e
	}
	return syscall.EIO
}
