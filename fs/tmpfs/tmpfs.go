// Package tmpfs is a file system in memory.
package tmpfs

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

const (
	magic    = 0x01021994 // TMPFS_MAGIC of linux/magic.h
	pageSize = 4096       // bytes, the unit in which space is counted
)

// Limits of a file system; 0 stands for no limit.
type Limits struct {
	Bytes int64 // of file contents, in whole pages
	Files int64 // of all kinds, the root included
}

// FS is one file system. All of its methods and those of its nodes and files
// may be called from many goroutines.
//
// Lock order: renames, then dir.mu, then node.mu of one node at a time. Of directories whoever holds one may lock
// what lies in it; who holds renames, under which none moves, may lock any, those first in which others lie.
type FS struct {
	limits  Limits
	lastIno atomic.Uint64
	files   atomic.Int64
	pages   atomic.Int64
	root    *node

	renames sync.Mutex
}

// New makes an empty file system.
func New(l Limits) *FS {
	f := &FS{limits: l}
	f.files.Add(1)
	f.root = f.newNode(syscall.S_IFDIR|0o755, 0)
	f.root.dir = newDir(nil)
	f.root.nlink = 2
	return f
}

// Chmod sets the permission bits of the root, which are 0755 at first.
func (f *FS) Chmod(mode uint32) {
	f.root.mode = syscall.S_IFDIR | mode&0o7777
}

// Type implements fs.FileSystem, like the methods that follow.
func (f *FS) Type() string { return "tmpfs" }

func (f *FS) Root() fs.Node {
	f.root.Ref()
	return f.root
}

func (f *FS) Sync() error { return nil }

func (f *FS) Close() error { return nil }

func (f *FS) Statfs(s *fs.Statfs) error {
	*s = fs.Statfs{Type: magic, Bsize: pageSize, Frsize: pageSize, NameLen: fs.NameMax}
	if l := f.limits.Bytes; l > 0 {
		s.Blocks = uint64(l / pageSize)
		s.Bfree = uint64(max(0, l/pageSize-f.pages.Load()))
		s.Bavail = s.Bfree
	}
	if l := f.limits.Files; l > 0 {
		s.Files = uint64(l)
		s.Ffree = uint64(max(0, l-f.files.Load()))
	}
	return nil
}

// newFile makes a node unless there are too many.
func (f *FS) newFile(mode, rdev uint32) (*node, error) {
	if n := f.files.Add(1); f.limits.Files > 0 && n > f.limits.Files {
		f.files.Add(-1)
		return nil, syscall.ENOSPC
	}
	return f.newNode(mode, rdev), nil
}

func (f *FS) newNode(mode, rdev uint32) *node {
	t := clock()
	return &node{
		fs: f, ino: f.lastIno.Add(1), kind: mode & syscall.S_IFMT, rdev: rdev,
		mode: mode, atime: t, mtime: t, ctime: t, seals: fs.SealSeal,
	}
}

// reserve takes n pages of the space, which may be negative.
func (f *FS) reserve(n int64) bool {
	if p := f.pages.Add(n); n > 0 && f.limits.Bytes > 0 && p > f.limits.Bytes/pageSize {
		f.pages.Add(-n)
		return false
	}
	return true
}

func clock() fs.Time {
	t := time.Now()
	return fs.Time{Sec: t.Unix(), Nsec: uint32(t.Nanosecond())}
}

func entry(n *node) fs.Entry { return fs.Entry{Node: n, Valid: fs.Forever} }
