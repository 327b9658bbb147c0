package tmpfs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/dirlist"
)

func (n *node) Unlink(name string) error {
	if n.dir == nil {
		return syscall.ENOTDIR
	}
	n.dir.mu.Lock()
	defer n.dir.mu.Unlock()
	e := n.dir.Get(name)
	switch {
	case e == nil:
		return syscall.ENOENT
	case e.Node.dir != nil:
		return syscall.EISDIR
	}
	now := clock()
	c := e.Node
	n.dir.Remove(e)
	n.touch(now, 0)
	c.drop(now)
	return nil
}

func (n *node) Rmdir(name string) error {
	if n.dir == nil {
		return syscall.ENOTDIR
	}
	n.dir.mu.Lock()
	defer n.dir.mu.Unlock()
	e := n.dir.Get(name)
	switch {
	case e == nil:
		return syscall.ENOENT
	case e.Node.dir == nil:
		return syscall.ENOTDIR
	}
	c := e.Node
	c.dir.mu.Lock()
	defer c.dir.mu.Unlock()
	if c.dir.Len() > 0 {
		return syscall.ENOTEMPTY
	}
	now := clock()
	n.dir.Remove(e)
	n.touch(now, -1)
	c.drop(now)
	return nil
}

// drop takes one name from n, all of them from a directory, whose dir.mu is held.
func (n *node) drop(now fs.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dir != nil {
		n.dir.gone = true
		n.dir.parent.Store(nil)
		n.nlink = 0
	} else {
		n.nlink--
	}
	n.ctime = now
	n.settle()
}

func (n *node) Rename(name string, newDir fs.Node, newName string, flags uint32) error {
	q, ok := newDir.(*node)
	switch {
	case !ok || q.fs != n.fs:
		return syscall.EXDEV
	case n.dir == nil || q.dir == nil:
		return syscall.ENOTDIR
	}
	if err := fs.CheckRename(flags); err != nil {
		return err
	}
	n.lockWith(q)
	err := n.renameLocked(name, q, newName, flags)
	n.dir.mu.Unlock()
	if q != n {
		q.dir.mu.Unlock()
		n.fs.renames.Unlock()
	}
	return err
}

// lockWith locks two directories, which may be the same, for a rename.
func (n *node) lockWith(q *node) {
	if q != n {
		n.fs.renames.Lock()
		if within(n, q) {
			n, q = q, n
		}
	}
	n.dir.mu.Lock()
	if q != n {
		q.dir.mu.Lock()
	}
}

// renameLocked renames what is in n, which is locked as is q.
func (n *node) renameLocked(name string, q *node, newName string, flags uint32) error {
	from, to := n.dir.Get(name), q.dir.Get(newName)
	if err := mayRename(n, q, from, to, flags); err != nil {
		return err
	}
	if to != nil && to.Node != from.Node && to.Node.dir != nil && flags&fs.RenameExchange == 0 {
		d := to.Node.dir
		d.mu.Lock()
		defer d.mu.Unlock() // it is removed below
		if d.Len() > 0 {
			return syscall.ENOTEMPTY
		}
	}
	switch {
	case to != nil && from.Node == to.Node:
	case flags&fs.RenameExchange != 0:
		exchange(n, q, from, to)
	case flags&fs.RenameWhiteout != 0:
		w, err := n.fs.newFile(syscall.S_IFCHR, 0)
		if err != nil {
			return err
		}
		w.nlink = 1
		move(n, q, from, to, newName)
		n.dir.Add(name, w)
	default:
		move(n, q, from, to, newName)
	}
	return nil
}

// mayRename judges a rename but for what is in a directory that would be replaced. The directories are held.
func mayRename(p, q *node, from, to *dirlist.Entry[*node], flags uint32) error {
	switch {
	case from == nil:
		return syscall.ENOENT
	case q.dir.gone:
		return syscall.ENOENT
	case to == nil && flags&fs.RenameExchange != 0:
		return syscall.ENOENT
	case to != nil && flags&fs.RenameNoReplace != 0:
		return syscall.EEXIST
	case p != q && within(q, from.Node):
		return syscall.EINVAL
	case to == nil:
		return nil
	}
	if flags&fs.RenameExchange != 0 {
		if p != q && within(p, to.Node) {
			return syscall.EINVAL
		}
		return nil
	}
	switch {
	case p != q && within(p, to.Node):
		return syscall.ENOTEMPTY
	case from.Node.dir != nil && to.Node.dir == nil:
		return syscall.ENOTDIR
	case from.Node.dir == nil && to.Node.dir != nil:
		return syscall.EISDIR
	}
	return nil
}

// within tells if d is top or lies below it. FS.renames is held.
func within(d, top *node) bool {
	for ; d != nil; d = d.dir.parent.Load() {
		if d == top {
			return true
		}
	}
	return false
}

func exchange(p, q *node, from, to *dirlist.Entry[*node]) {
	from.Node, to.Node = to.Node, from.Node
	dirs := adopt(q, p, to.Node) - adopt(p, q, from.Node)
	stamp(p, q, -dirs, dirs, from.Node, to.Node)
}

func move(p, q *node, from, to *dirlist.Entry[*node], newName string) {
	c := from.Node
	var old *node
	replaced := 0 // directories
	switch {
	case to != nil:
		old = to.Node
		to.Node = c
		if old.dir != nil {
			replaced = 1
		}
		p.dir.Remove(from)
	case p == q:
		p.dir.Rename(from, newName)
	default:
		p.dir.Remove(from)
		q.dir.Add(newName, c)
	}
	dirs := adopt(q, p, c)
	stamp(p, q, -dirs, dirs-replaced, c)
	if old != nil {
		old.drop(clock())
	}
}

// adopt makes q the parent of c, which was p's, and returns how many directories q has more.
func adopt(q, p, c *node) int {
	if c.dir == nil || p == q {
		return 0
	}
	c.dir.parent.Store(q)
	return 1
}

// stamp sets the times after a rename: of the directories, whose contents have
// changed, with the directories that they have more, and of what was moved.
func stamp(p, q *node, inP, inQ int, moved ...*node) {
	now := clock()
	if p != q {
		p.touch(now, inP)
	}
	q.touch(now, inQ)
	for _, c := range moved {
		c.changed(now)
	}
}
