package overlay

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// All of these hold FS.names while they look and change.

func (n *node) Create(name string, flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	if n.dir == nil {
		return fs.Entry{}, nil, syscall.ENOTDIR
	}
	n.fs.names.Lock()
	c, err := n.makeEntry(name, syscall.S_IFREG|mode&0o7777, umask, 0, "")
	if err == syscall.EEXIST && flags&syscall.O_EXCL == 0 {
		c, err = n.find(name)
	}
	n.fs.names.Unlock()
	if err != nil {
		return fs.Entry{}, nil, err
	}
	f, err := c.Open(flags &^ (syscall.O_CREAT | syscall.O_EXCL))
	if err != nil {
		c.Unref()
		return fs.Entry{}, nil, err
	}
	return entry(c), f, nil
}

func (n *node) Mknod(name string, mode, umask, rdev uint32) (fs.Entry, error) {
	return n.makeNamed(name, mode, umask, rdev, "")
}

func (n *node) Mkdir(name string, mode, umask uint32) (fs.Entry, error) {
	return n.makeNamed(name, syscall.S_IFDIR|mode&0o7777, umask, 0, "")
}

func (n *node) Symlink(name, target string) (fs.Entry, error) {
	return n.makeNamed(name, syscall.S_IFLNK|0o777, 0, 0, target)
}

func (n *node) makeNamed(name string, mode, umask, rdev uint32, text string) (fs.Entry, error) {
	if n.dir == nil {
		return fs.Entry{}, syscall.ENOTDIR
	}
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	c, err := n.makeEntry(name, mode, umask, rdev, text)
	if err != nil {
		return fs.Entry{}, err
	}
	return entry(c), nil
}

// makeEntry makes a file called name in n, a directory.
func (n *node) makeEntry(name string, mode, umask, rdev uint32, text string) (*node, error) {
	if err := n.free(name); err != nil {
		return nil, err
	}
	c, err := n.makeFile(mode, umask, rdev, text)
	if err != nil {
		return nil, err
	}
	if err := n.touch(); err != nil {
		c.Unref()
		return nil, err
	}
	c.nlink = 1
	n.enter(name, c)
	return c, nil
}

// free tells what is against a new name in n, a directory.
func (n *node) free(name string) error {
	old, err := n.find(name)
	switch {
	case err != nil:
		return err
	case old != nil:
		old.Unref()
		return syscall.EEXIST
	case n.dir.gone:
		return syscall.ENOENT
	}
	return nil
}

// makeFile makes a file for directory n, which has no name in it yet.
func (n *node) makeFile(mode, umask, rdev uint32, text string) (*node, error) {
	var a fs.Attr
	if err := n.now().Getattr(&a); err != nil {
		return nil, err
	}
	mode &^= umask & 0o777
	set := fs.SetAttr{}
	if a.Mode&syscall.S_ISGID != 0 { // the group is inherited
		set.Valid, set.Gid = fs.SetGid, a.Gid
		if mode&syscall.S_IFMT == syscall.S_IFDIR {
			mode |= syscall.S_ISGID
		}
		if mode&syscall.S_IFMT != syscall.S_IFLNK {
			set.Valid |= fs.SetMode // which a change of the owner may have taken bits from
			set.Mode = mode & 0o7777
		}
	}
	u, err := n.fs.make(mode, rdev, text)
	if err == nil && set.Valid != 0 {
		if err = u.Setattr(&set, &a); err != nil {
			u.Unref()
		}
	}
	if err != nil {
		return nil, err
	}
	return n.fs.newNode(mode, u), nil
}

// Tmpfile implements fs.TmpfileNode.
func (n *node) Tmpfile(flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	if n.dir == nil {
		return fs.Entry{}, nil, syscall.ENOTDIR
	}
	c, err := n.makeFile(syscall.S_IFREG|mode&0o7777, umask, 0, "")
	if err != nil {
		return fs.Entry{}, nil, err
	}
	c.nameless = flags&syscall.O_EXCL == 0
	f, err := c.Open(flags)
	if err != nil {
		c.Unref()
		return fs.Entry{}, nil, err
	}
	return entry(c), f, nil
}

func (n *node) Link(name string, target fs.Node) (fs.Entry, error) {
	t, ok := target.(*node)
	switch {
	case !ok || t.fs != n.fs:
		return fs.Entry{}, syscall.EXDEV
	case n.dir == nil:
		return fs.Entry{}, syscall.ENOTDIR
	case t.dir != nil:
		return fs.Entry{}, syscall.EPERM
	}
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	if err := n.free(name); err != nil {
		return fs.Entry{}, err
	}
	if t.nlink == 0 && !t.nameless {
		return fs.Entry{}, syscall.ENOENT
	}
	if err := n.touch(); err != nil {
		return fs.Entry{}, err
	}
	t.nameless = false
	t.nlink++
	n.enter(name, t)
	t.stamp()
	t.Ref()
	return entry(t), nil
}

// enter puts c into n, a directory, under a name that it has not.
func (n *node) enter(name string, c *node) {
	n.dir.own.Add(name, c)
	n.change()
	if c.dir != nil {
		c.move(n)
	}
	c.setNamed(true)
}

// leave takes a name of c's, which may get another one, from n.
func (n *node) leave(name string) {
	n.dir.remove(name)
	n.change()
}

// move makes parent the one of n, a directory; nil: it has none any more.
func (n *node) move(parent *node) {
	old := n.dir.parent
	if parent != nil {
		parent.Ref()
	}
	n.dir.parent = parent
	if old != nil {
		old.Unref()
	}
}

// drop takes one name from n, all of them from a directory.
func (n *node) drop() {
	n.stamp()
	if n.dir != nil {
		n.dir.gone = true
		n.dir.hidden = nil
		n.move(nil)
		n.setNamed(false)
		return
	}
	n.nlink--
	if n.nlink == 0 {
		n.setNamed(false)
	} else {
		n.change() // it has a name less than the lower one
	}
}

// touch notes that what n, a directory, contains is about to change: it is copied up.
func (n *node) touch() error {
	u, err := n.copyUp(true)
	if err != nil {
		return err
	}
	var a fs.Attr
	return u.Setattr(&fs.SetAttr{Valid: fs.SetMtimeNow}, &a)
}

// stamp notes that n's attributes have changed, if it is in the upper file system: it is
// not copied for the time of that alone.
func (n *node) stamp() {
	u := n.upper.Load()
	var a fs.Attr
	if u == nil || u.Getattr(&a) != nil {
		return
	}
	// To set any of them sets the time of the change.
	_ = u.Setattr(&fs.SetAttr{Valid: fs.SetAtime, Atime: a.Atime}, &a)
}

func (n *node) Unlink(name string) error {
	return n.removeEntry(name, func(c *node) error {
		if c.dir != nil {
			return syscall.EISDIR
		}
		return nil
	})
}

func (n *node) Rmdir(name string) error {
	return n.removeEntry(name, func(c *node) error {
		if c.dir == nil {
			return syscall.ENOTDIR
		}
		return c.mustBeEmpty()
	})
}

func (n *node) removeEntry(name string, may func(c *node) error) error {
	if n.dir == nil {
		return syscall.ENOTDIR
	}
	n.fs.names.Lock()
	defer n.fs.names.Unlock()
	c, err := n.find(name)
	switch {
	case err != nil:
		return err
	case c == nil:
		return syscall.ENOENT
	}
	defer c.Unref()
	if err := may(c); err != nil {
		return err
	}
	if err := n.touch(); err != nil {
		return err
	}
	n.leave(name)
	c.drop()
	return nil
}

func (n *node) mustBeEmpty() error {
	empty, err := n.empty()
	if err == nil && !empty {
		err = syscall.ENOTEMPTY
	}
	return err
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
	from, err := n.find(name)
	switch {
	case err != nil:
		return err
	case from == nil:
		return syscall.ENOENT
	}
	defer from.Unref()
	to, err := q.find(newName)
	if err != nil {
		return err
	}
	if to != nil {
		defer to.Unref()
	}
	if err := mayRename(n, q, from, to, flags); err != nil || from == to {
		return err
	}
	var whiteout *node
	if flags&fs.RenameWhiteout != 0 {
		if whiteout, err = n.makeFile(syscall.S_IFCHR, 0, 0, ""); err != nil {
			return err
		}
		defer whiteout.Unref()
	}
	if err = n.touch(); err == nil {
		err = q.touch()
	}
	if err != nil {
		return err
	}
	n.leave(name)
	if to != nil {
		q.leave(newName)
	}
	q.enter(newName, from)
	switch {
	case flags&fs.RenameExchange != 0:
		n.enter(name, to)
		to.stamp()
	case to != nil:
		to.drop()
	}
	if whiteout != nil {
		whiteout.nlink = 1
		n.enter(name, whiteout)
	}
	from.stamp()
	return nil
}

// mayRename tells what is against the renaming of from, in p, to what may be to, in q.
func mayRename(p, q, from, to *node, flags uint32) error {
	switch {
	case q.dir.gone:
		return syscall.ENOENT
	case to == nil && flags&fs.RenameExchange != 0:
		return syscall.ENOENT
	case to != nil && flags&fs.RenameNoReplace != 0:
		return syscall.EEXIST
	case within(q, from):
		return syscall.EINVAL
	case to == nil || to == from:
		return nil
	}
	if flags&fs.RenameExchange != 0 {
		if within(p, to) {
			return syscall.EINVAL
		}
		return nil
	}
	switch {
	case within(p, to):
		return syscall.ENOTEMPTY
	case from.dir != nil && to.dir == nil:
		return syscall.ENOTDIR
	case from.dir == nil && to.dir != nil:
		return syscall.EISDIR
	case to.dir != nil:
		return to.mustBeEmpty()
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
