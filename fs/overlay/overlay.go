// Package overlay has one file system that can be changed over another one that stays
// as it is: what is changed goes into the upper one, a tmpfs, and everything else shows
// from the lower one.
//
//   - A file of the lower one is copied up, contents and all, when it is first opened for
//     writing or its attributes change. It stays the same file: its number, its other names,
//     and whoever had it open before.
//   - Directories are merged. What a directory of the lower one has lost is in its list of
//     hidden names (whiteouts); a directory that is made here has nothing below it, also
//     where there was one of the name (it is opaque).
//   - A rename moves a name, of a directory too, and copies nothing.
//
// The names that were made or moved lie in memory, and the upper file system holds files
// without names: it has to keep those as long as they have references. So there is nothing
// to be found in it by others, and nothing of it stays.
package overlay

import (
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

const magic = 0x794c7630 // OVERLAYFS_SUPER_MAGIC of linux/magic.h

// FS is one file system over another.
//
// Lock order: names, node.copying, table. The upper and the lower file system are called
// with any of them held.
type FS struct {
	lower, upper fs.FileSystem
	store        fs.Node // the root of upper
	root         *node
	made         atomic.Uint64 // files made here

	// names guards all directories: their entries, parents, and link counts.
	names sync.RWMutex

	table sync.Mutex         // of what follows
	nodes map[fs.Node]*node  // by their lower ones
	blank map[uint32]fs.Node // by their types: files of the upper one without attributes
}

// New makes a file system of what lower has, and of upper, which is empty. It owns both.
func New(lower, upper fs.FileSystem) (*FS, error) {
	f := &FS{lower: lower, upper: upper, store: upper.Root(), nodes: map[fs.Node]*node{}, blank: map[uint32]fs.Node{}}
	root, err := f.nodeOf(lower.Root(), nil)
	if err != nil {
		return nil, err
	}
	if root.dir == nil {
		return nil, syscall.ENOTDIR
	}
	f.root = root
	return f, nil
}

// Type implements fs.FileSystem, like the methods that follow.
func (f *FS) Type() string { return "overlay" }

func (f *FS) Root() fs.Node {
	f.root.Ref()
	return f.root
}

func (f *FS) Statfs(s *fs.Statfs) error {
	err := f.upper.Statfs(s)
	s.Type = magic
	return err
}

func (f *FS) Sync() error { return f.upper.Sync() }

func (f *FS) Close() error {
	err := f.upper.Close()
	if lerr := f.lower.Close(); err == nil {
		err = lerr
	}
	return err
}

// make makes a file in the upper file system and takes its name away. Text is that of
// a link. It returns the file with one reference.
func (f *FS) make(mode, rdev uint32, text string) (fs.Node, error) {
	name := strconv.FormatUint(f.made.Add(1), 36)
	var e fs.Entry
	var err error
	switch mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		e, err = f.store.Mkdir(name, mode&0o7777, 0)
	case syscall.S_IFLNK:
		e, err = f.store.Symlink(name, text)
	default:
		e, err = f.store.Mknod(name, mode, 0, rdev)
	}
	if err != nil {
		return nil, err
	}
	if mode&syscall.S_IFMT == syscall.S_IFDIR {
		err = f.store.Rmdir(name)
	} else {
		err = f.store.Unlink(name)
	}
	if err != nil {
		e.Node.Unref()
		return nil, err
	}
	return e.Node, nil
}

// blankOf returns a file of the upper file system, of a type, that has no attributes.
func (f *FS) blankOf(kind uint32) (fs.Node, error) {
	f.table.Lock()
	defer f.table.Unlock()
	if n := f.blank[kind]; n != nil {
		return n, nil
	}
	n, err := f.make(kind|0o600, 0, ".")
	if err == nil {
		f.blank[kind] = n
	}
	return n, err
}
