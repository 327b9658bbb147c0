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
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	e := n.dir.Get(name)
	switch {
	case e == nil:
		return syscall.ENOENT
	case e.Node.dir != nil:
		return syscall.EISDIR
	}
	now := clock()
	c := e.Node
	n.dir.Remove(name)
	n.touch(now)
	c.drop(now)
	return nil
}

func (n *node) Rmdir(name string) error {
	if n.dir == nil {
		return syscall.ENOTDIR
	}
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	e := n.dir.Get(name)
	switch {
	case e == nil:
		return syscall.ENOENT
	case e.Node.dir == nil:
		return syscall.ENOTDIR
	case e.Node.dir.Len() > 0:
		return syscall.ENOTEMPTY
	}
	now := clock()
	c := e.Node
	n.dir.Remove(name)
	n.nlink--
	n.touch(now)
	c.drop(now)
	return nil
}

// drop takes one name from n, all of them from a directory; FS.names is held.
func (n *node) drop(now fs.Time) {
	if n.dir != nil {
		n.dir.gone = true
		n.dir.parent = nil
		n.nlink = 0
	} else {
		n.nlink--
	}
	n.changed(now)
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
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	from, to := n.dir.Get(name), q.dir.Get(newName)
	if err := mayRename(n, q, from, to, flags); err != nil {
		return err
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
		move(n, q, from, to, newName)
		w.nlink = 1
		n.dir.Add(name, w)
	default:
		move(n, q, from, to, newName)
	}
	return nil
}

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
	case within(q, from.Node):
		return syscall.EINVAL
	case to == nil:
		return nil
	}
	if flags&fs.RenameExchange != 0 {
		if within(p, to.Node) {
			return syscall.EINVAL
		}
		return nil
	}
	switch {
	case within(p, to.Node):
		return syscall.ENOTEMPTY
	case from.Node.dir != nil && to.Node.dir == nil:
		return syscall.ENOTDIR
	case from.Node.dir == nil && to.Node.dir != nil:
		return syscall.EISDIR
	case to.Node.dir != nil && to.Node != from.Node && to.Node.dir.Len() > 0:
		return syscall.ENOTEMPTY
	}
	return nil
}

// within tells if d is top or lies below it.
func within(d, top *node) bool {
	for ; d != nil; d = d.dir.parent {
		if d == top {
			return true
		}
	}
	return false
}

func exchange(p, q *node, from, to *dirlist.Entry[*node]) {
	from.Node, to.Node = to.Node, from.Node
	adopt(p, q, from.Node)
	adopt(q, p, to.Node)
	stamp(p, q, from.Node, to.Node)
}

func move(p, q *node, from, to *dirlist.Entry[*node], newName string) {
	c := from.Node
	var old *node
	switch {
	case to != nil:
		old = to.Node
		to.Node = c
		if old.dir != nil {
			q.nlink--
		}
		p.dir.Remove(from.Name)
	case p == q:
		p.dir.Rename(from, newName)
	default:
		p.dir.Remove(from.Name)
		q.dir.Add(newName, c)
	}
	adopt(q, p, c)
	stamp(p, q, c)
	if old != nil {
		old.drop(clock())
	}
}

// adopt makes q the parent of c, which was p's.
func adopt(q, p, c *node) {
	if c.dir == nil || p == q {
		return
	}
	c.dir.parent = q
	p.nlink--
	q.nlink++
}

// stamp sets the times after a rename: of the directories, whose contents have
// changed, and of what was moved.
func stamp(p, q *node, moved ...*node) {
	now := clock()
	p.touch(now)
	q.touch(now)
	for _, c := range moved {
		c.changed(now)
	}
}
