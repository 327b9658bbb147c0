package overlay

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// node is a file of any kind. One that is as the lower file system has it lives as long as
// it has references; with a change, as long as it has a name.
type node struct {
	fs    *FS
	ino   uint64
	kind  uint32  // S_IFMT bits
	lower fs.Node // nil: made here

	copying sync.Mutex             // held while the file is copied up
	upper   atomic.Pointer[stored] // once it is

	nlink    uint32 // under FS.names, of all but directories
	nameless bool   // made without a name, and may be given one; likewise
	dir      *dir   // of a directory; its contents likewise

	refs    int  // under FS.table, like what follows
	changed bool // it is not as the lower file system has it
	named   bool
}

// stored is a file of the upper file system.
type stored struct{ fs.Node }

// nodeOf returns the node of a lower one, of which it takes over the reference, with one
// of its own. Parent is the directory in which it was found.
func (f *FS) nodeOf(lower fs.Node, parent *node) (*node, error) {
	var a fs.Attr
	if err := lower.Getattr(&a); err != nil {
		lower.Unref()
		return nil, err
	}
	f.table.Lock()
	n := f.nodes[lower]
	if n != nil {
		n.refs++
		f.table.Unlock()
		lower.Unref()
		return n, nil
	}
	n = &node{fs: f, ino: lowerIno(a.Ino), kind: a.Mode & syscall.S_IFMT, lower: lower, nlink: max(a.Nlink, 1), refs: 1, named: true}
	if n.kind == syscall.S_IFDIR {
		n.dir = &dir{parent: parent}
		if parent != nil {
			parent.refs++
		}
	}
	f.nodes[lower] = n
	f.table.Unlock()
	return n, nil
}

// Numbers of files are even if they come from the lower file system, which tells them apart
// and keeps them as they are, and odd if they are made here.
func lowerIno(ino uint64) uint64 { return ino << 1 }

// newNode makes a node of a file that make has made, with one reference and no name.
func (f *FS) newNode(kind uint32, upper fs.Node) *node {
	n := &node{fs: f, ino: f.made.Add(1)<<1 | 1, kind: kind & syscall.S_IFMT, refs: 1, changed: true}
	if n.kind == syscall.S_IFDIR {
		n.dir = &dir{}
	}
	n.upper.Store(&stored{upper})
	return n
}

// Kind implements fs.Kinder.
func (n *node) Kind() uint32 { return n.kind }

func (n *node) Ref() {
	n.fs.table.Lock()
	n.refs++
	n.fs.table.Unlock()
}

func (n *node) Unref() {
	n.fs.table.Lock()
	n.refs--
	n.settle()
}

// change notes that n is not as the lower file system has it.
func (n *node) change() {
	n.fs.table.Lock()
	n.changed = true
	n.fs.table.Unlock()
}

// setNamed notes whether n has a name, at another place than in the lower file system
// if it has.
func (n *node) setNamed(named bool) {
	n.fs.table.Lock()
	n.changed, n.named = true, named
	n.settle()
}

// settle lets go of n if nobody needs it. FS.table is held, and given back.
func (n *node) settle() {
	if n.refs > 0 || n.changed && n.named {
		n.fs.table.Unlock()
		return
	}
	if n.lower != nil && n.fs.nodes[n.lower] == n {
		delete(n.fs.nodes, n.lower)
	}
	n.fs.table.Unlock()
	if n.dir != nil && n.dir.parent != nil {
		n.dir.parent.Unref()
	}
	if n.lower != nil {
		n.lower.Unref()
	}
	if u := n.upper.Load(); u != nil {
		u.Unref()
	}
}

// now is the file that n is at the moment.
func (n *node) now() fs.Node {
	if u := n.upper.Load(); u != nil {
		return u.Node
	}
	return n.lower
}

func (n *node) Getattr(a *fs.Attr) error {
	if err := n.now().Getattr(a); err != nil {
		return err
	}
	n.number(a)
	return nil
}

// number puts into a what the file systems below do not know. A directory that is merged
// has one link, which says that the others are not counted.
func (n *node) number(a *fs.Attr) {
	n.fs.names.RLock()
	defer n.fs.names.RUnlock()
	a.Ino, a.Nlink = n.ino, n.nlink
	if n.dir != nil {
		a.Nlink = 1
		if n.dir.gone {
			a.Nlink = 0
		}
	}
}

func (n *node) Setattr(s *fs.SetAttr, a *fs.Attr) error {
	u, err := n.copyUp(s.Valid&fs.SetSize == 0 || s.Size > 0)
	if err != nil {
		return err
	}
	if err := u.Setattr(s, a); err != nil {
		return err
	}
	n.number(a)
	return nil
}

func (n *node) Readlink() (string, error) { return n.now().Readlink() }

// copyUp returns the file in the upper file system, where it is put if it is not there;
// without its contents if it is about to lose them.
func (n *node) copyUp(contents bool) (fs.Node, error) {
	if u := n.upper.Load(); u != nil {
		return u.Node, nil
	}
	n.copying.Lock()
	defer n.copying.Unlock()
	if u := n.upper.Load(); u != nil {
		return u.Node, nil
	}
	u, err := n.copy(contents)
	if err != nil {
		return nil, err
	}
	n.upper.Store(&stored{u})
	n.change()
	return u, nil
}

// copy makes a copy of the lower file.
func (n *node) copy(contents bool) (fs.Node, error) {
	var a fs.Attr
	if err := n.lower.Getattr(&a); err != nil {
		return nil, err
	}
	text := ""
	if n.kind == syscall.S_IFLNK {
		var err error
		if text, err = n.lower.Readlink(); err != nil {
			return nil, err
		}
	}
	u, err := n.fs.make(a.Mode, uint32(a.Rdev), text)
	if err != nil {
		return nil, err
	}
	if n.kind == syscall.S_IFREG && contents {
		err = copyContents(u, n.lower)
	}
	if err == nil {
		err = copyXattrs(u, n.lower)
	}
	if err == nil {
		var got fs.Attr
		set := fs.SetAttr{Valid: fs.SetUid | fs.SetGid | fs.SetAtime | fs.SetMtime, Uid: a.Uid, Gid: a.Gid, Atime: a.Atime, Mtime: a.Mtime}
		if n.kind != syscall.S_IFLNK {
			set.Valid |= fs.SetMode // which a change of the owner may have taken bits from
			set.Mode = a.Mode & 0o7777
		}
		err = u.Setattr(&set, &got)
	}
	if err != nil {
		u.Unref()
		return nil, err
	}
	return u, nil
}

// copySize is how much is copied at a time, in bytes.
const copySize = 64 << 10

func copyContents(to, from fs.Node) error {
	src, err := from.Open(syscall.O_RDONLY)
	if err != nil {
		return err
	}
	defer src.Release()
	dst, err := to.Open(syscall.O_WRONLY)
	if err != nil {
		return err
	}
	defer dst.Release()
	buf := make([]byte, copySize)
	for at := int64(0); ; {
		n, err := src.ReadAt(buf, at)
		if err != nil || n == 0 {
			return err
		}
		for rest := buf[:n]; len(rest) > 0; {
			n, _, err := dst.WriteAt(rest, at)
			if err != nil {
				return err
			}
			at += int64(n)
			rest = rest[n:]
		}
	}
}
