package passthrough

import (
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// inode is what makes two descriptors one file: device, number, and the mount
// by which it was reached, as submounts are told apart by that.
type inode struct {
	major, minor uint32
	ino          uint64
	mount        uint64
}

func inodeOf(st *unix.Statx_t) inode {
	return inode{major: st.Dev_major, minor: st.Dev_minor, ino: st.Ino, mount: st.Mnt_id}
}

// sameMount reports whether no mount point lies between two files.
func (i inode) sameMount(j inode) bool {
	return i.major == j.major && i.minor == j.minor && i.mount == j.mount
}

// node is a file that the client knows of. Its descriptor keeps the host from
// using the inode's number for another file, so that ids and inodes go
// together for as long as the node is there. Ids are used once.
type node struct {
	id       uint64
	fd       int // O_PATH
	inode    inode
	typ      uint32 // S_IFMT
	submount bool   // it is the root of another mount than its directory

	lookups uint64 // what the client has to forget; Server.mu
	users   int    // requests under way; Server.mu

	lockMu sync.Mutex
	owners map[uint64]int // descriptors that hold the POSIX locks of owners
}

// node returns a node for a request, which gives it back by putNode.
func (s *Server) node(id uint64) (*node, syscall.Errno) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[id]
	if n == nil {
		return nil, syscall.ESTALE
	}
	n.users++
	return n, 0
}

// dir is node for one that has to be a directory.
func (s *Server) dir(id uint64) (*node, syscall.Errno) {
	n, e := s.node(id)
	if e == 0 && n.typ != syscall.S_IFDIR {
		s.putNode(n)
		return nil, syscall.ENOTDIR
	}
	return n, e
}

// putNode gives back what node has returned.
func (s *Server) putNode(n *node) {
	s.mu.Lock()
	n.users--
	unused := n.users == 0 && n.lookups == 0
	s.mu.Unlock()
	if unused {
		n.unlockAll(s)
		s.drop(n.fd)
	}
}

// forgetNode takes off lookups of a node.
func (s *Server) forgetNode(id, lookups uint64) {
	s.mu.Lock()
	n := s.nodes[id]
	if n == nil || n == s.root {
		s.mu.Unlock()
		return
	}
	n.lookups -= min(lookups, n.lookups)
	if n.lookups == 0 {
		delete(s.nodes, id)
		delete(s.inodes, n.inode)
	}
	n.users++
	s.mu.Unlock()
	s.putNode(n)
}

// entry tells the client of the file that fd, an O_PATH descriptor, which it
// takes over, has found in dir.
func (s *Server) entry(fd int, dir *node, e *fuse.EntryOut) syscall.Errno {
	var st unix.Statx_t
	if err := stat(fd, &st); err != nil {
		unix.Close(fd)
		return errno(err)
	}
	id := inodeOf(&st)
	s.mu.Lock()
	n := s.inodes[id]
	if n == nil {
		if err := s.hold(); err != 0 {
			s.mu.Unlock()
			unix.Close(fd)
			return err
		}
		s.lastNode++
		n = &node{id: s.lastNode, fd: fd, inode: id, typ: uint32(st.Mode) & syscall.S_IFMT}
		n.submount = n.typ == syscall.S_IFDIR && !id.sameMount(dir.inode)
		s.nodes[n.id], s.inodes[id] = n, n
		fd = -1
	}
	if n != s.root {
		n.lookups++
	}
	s.mu.Unlock()
	if fd >= 0 {
		unix.Close(fd)
	}
	e.Nodeid = n.id
	e.EntryValid, e.EntryValidNsec = s.valid()
	e.AttrValid, e.AttrValidNsec = s.valid()
	s.attr(&e.Attr, &st, n)
	return 0
}

// procPath is the name by which what a descriptor stands for can be opened, or
// be given to calls that take no descriptor. It leads to the very file, be it
// removed, and where that is a link, to the link.
func procPath(fd int) string { return procFD + strconv.Itoa(fd) }

// reopen opens the file of an O_PATH descriptor. Links, devices, pipes and
// sockets are for the client to know.
func (n *node) reopen(flags int) (int, syscall.Errno) {
	switch n.typ {
	case syscall.S_IFREG, syscall.S_IFDIR:
	case syscall.S_IFLNK:
		return -1, syscall.ELOOP
	default:
		return -1, syscall.ENXIO
	}
	return reopen(n.fd, flags)
}

func reopen(fd, flags int) (int, syscall.Errno) {
	for {
		fd, err := unix.Open(procPath(fd), flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err != unix.EINTR {
			return fd, errno(err)
		}
	}
}
