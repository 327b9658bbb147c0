package tmpfs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

func (n *node) Unlink(name string) error {
	if n.dir == nil {
		return syscall.ENOTDIR
	}
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	e := n.dir.byName[name]
	switch {
	case e == nil:
		return syscall.ENOENT
	case e.node.dir != nil:
		return syscall.EISDIR
	}
	now := clock()
	c := e.node
	n.dir.remove(name)
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
	e := n.dir.byName[name]
	switch {
	case e == nil:
		return syscall.ENOENT
	case e.node.dir == nil:
		return syscall.ENOTDIR
	case len(e.node.dir.byName) > 0:
		return syscall.ENOTEMPTY
	}
	now := clock()
	c := e.node
	n.dir.remove(name)
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
	from, to := n.dir.byName[name], q.dir.byName[newName]
	if err := mayRename(n, q, from, to, flags); err != nil {
		return err
	}
	switch {
	case to != nil && from.node == to.node:
	case flags&fs.RenameExchange != 0:
		exchange(n, q, from, to)
	case flags&fs.RenameWhiteout != 0:
		w, err := n.fs.newFile(syscall.S_IFCHR, 0)
		if err != nil {
			return err
		}
		move(n, q, from, to, newName)
		w.nlink = 1
		n.dir.add(name, w)
	default:
		move(n, q, from, to, newName)
	}
	return nil
}

func mayRename(p, q *node, from, to *dirent, flags uint32) error {
	switch {
	case from == nil:
		return syscall.ENOENT
	case q.dir.gone:
		return syscall.ENOENT
	case to == nil && flags&fs.RenameExchange != 0:
		return syscall.ENOENT
	case to != nil && flags&fs.RenameNoReplace != 0:
		return syscall.EEXIST
	case within(q, from.node):
		return syscall.EINVAL
	case to == nil:
		return nil
	}
	if flags&fs.RenameExchange != 0 {
		if within(p, to.node) {
			return syscall.EINVAL
		}
		return nil
	}
	switch {
	case within(p, to.node):
		return syscall.ENOTEMPTY
	case from.node.dir != nil && to.node.dir == nil:
		return syscall.ENOTDIR
	case from.node.dir == nil && to.node.dir != nil:
		return syscall.EISDIR
	case to.node.dir != nil && to.node != from.node && len(to.node.dir.byName) > 0:
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

func exchange(p, q *node, from, to *dirent) {
	from.node, to.node = to.node, from.node
	adopt(p, q, from.node)
	adopt(q, p, to.node)
	stamp(p, q, from.node, to.node)
}

func move(p, q *node, from, to *dirent, newName string) {
	c := from.node
	p.dir.remove(from.name)
	var old *node
	if to != nil {
		old = to.node
		to.node = c
		if old.dir != nil {
			q.nlink--
		}
	} else {
		q.dir.add(newName, c)
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
