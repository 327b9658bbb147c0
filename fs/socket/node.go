package socket

import (
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// FS is the file system that sockets lie in.
type FS struct{}

const magic = 0x534f434b // SOCKFS_MAGIC of linux/magic.h

// Type implements fs.FileSystem, like the methods that follow.
func (FS) Type() string  { return "sockfs" }
func (FS) Root() fs.Node { return nil }
func (FS) Sync() error   { return nil }
func (FS) Close() error  { return nil }

func (FS) Statfs(s *fs.Statfs) error {
	*s = fs.Statfs{Type: magic, Bsize: 4096, Frsize: 4096, NameLen: fs.NameMax}
	return nil
}

// Node is the node of a socket.
type Node struct {
	fs.Unsupported
	ino uint64

	mu   sync.Mutex
	attr fs.Attr
}

// NewNode makes a node with the number ino.
func NewNode(ino uint64) *Node {
	t := time.Now()
	now := fs.Time{Sec: t.Unix(), Nsec: uint32(t.Nanosecond())}
	return &Node{ino: ino, attr: fs.Attr{
		Ino: ino, Mode: syscall.S_IFSOCK | 0o777, Nlink: 1, Blksize: 4096, Atime: now, Mtime: now, Ctime: now}}
}

// Kind implements fs.Kinder.
func (*Node) Kind() uint32 { return syscall.S_IFSOCK }

// Label implements fs.Labeler.
func (n *Node) Label() string { return "socket:[" + strconv.FormatUint(n.ino, 10) + "]" }

// Getattr implements fs.Node.
func (n *Node) Getattr(a *fs.Attr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	*a = n.attr
	return nil
}

// Setattr implements fs.Node: what fchmod and fchown set is shown, and has no effect.
func (n *Node) Setattr(s *fs.SetAttr, a *fs.Attr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.Valid&fs.SetSize != 0 {
		return syscall.EINVAL
	}
	if s.Valid&fs.SetMode != 0 {
		n.attr.Mode = syscall.S_IFSOCK | s.Mode&0o7777
	}
	if s.Valid&fs.SetUid != 0 {
		n.attr.Uid = s.Uid
	}
	if s.Valid&fs.SetGid != 0 {
		n.attr.Gid = s.Gid
	}
	*a = n.attr
	return nil
}
