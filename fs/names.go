package fs

import (
	"strings"
	"syscall"
)

// nameOptions of newName.
type nameOptions struct {
	slashes bool // may follow the name
	unseen  bool // do may be the one to find that there is such a name
	link    bool // a file gets one name more
}

// newName runs do for the last component of path, a name that must not exist
// yet, and enters the node that it makes into the cache. o tells what is
// particular about it.
func (v *VFS) newName(b Base, path string, o nameOptions, do func(p *Dentry, name string) (Entry, error)) error {
	for distrust := false; ; distrust = true {
		err := v.newNameOnce(b, path, o, distrust, do)
		if err != syscall.ESTALE || distrust {
			return err
		}
	}
}

func (v *VFS) newNameOnce(b Base, path string, o nameOptions, distrust bool, do func(p *Dentry, name string) (Entry, error)) error {
	var w walk
	if err := v.start(&w, b, path, distrust); err != nil {
		return err
	}
	defer func() { w.end() }()
	if err := w.last(); err != nil {
		return w.doubt(err)
	}
	if isDots(w.name) {
		return w.doubt(syscall.EEXIST)
	}
	if err := w.made(); err != nil {
		return w.doubt(err)
	}
	w.own = true
	p := w.at
	defer p.unlockChange(p.lockChange(w.name))
	d, err := w.findNew(p, w.name, o.unseen)
	switch {
	case err == nil:
		d.Put()
		return w.doubt(syscall.EEXIST)
	case err != syscall.ENOENT:
		return w.doubt(err)
	case w.slash && !o.slashes, p.node == nil, p.removed.Load():
		return w.doubt(syscall.ENOENT)
	case p.mnt.readOnly:
		return syscall.EROFS
	}
	name := strings.Clone(w.name)
	e, err := do(p, name)
	if err != nil {
		v.notMade(p, name, err)
		if err == syscall.EEXIST {
			return err // says who must know
		}
		return w.doubt(err)
	}
	if d, err = v.insert(p, name, e); err != nil {
		return err
	}
	p.notifyMade(name, d, o.link)
	d.Put()
	return nil
}

// Mkdir makes a directory with mode less umask.
func (v *VFS) Mkdir(b Base, path string, mode, umask uint32) error {
	return v.newName(b, path, nameOptions{slashes: true, unseen: true}, func(p *Dentry, name string) (Entry, error) {
		return p.node.Mkdir(name, mode&0o1777, umask)
	})
}

// Mknod makes a file of the type in mode, which CheckMknod has passed.
func (v *VFS) Mknod(b Base, path string, mode, umask, rdev uint32) error {
	if mode&syscall.S_IFMT == 0 {
		mode |= syscall.S_IFREG
	}
	return v.newName(b, path, nameOptions{unseen: true}, func(p *Dentry, name string) (Entry, error) {
		return p.node.Mknod(name, mode, umask, rdev)
	})
}

// CheckMknod tells if Mknod makes files of the type in mode.
func CheckMknod(mode uint32) error {
	switch mode & syscall.S_IFMT {
	case 0, syscall.S_IFREG, syscall.S_IFCHR, syscall.S_IFBLK, syscall.S_IFIFO, syscall.S_IFSOCK:
		return nil
	case syscall.S_IFDIR:
		return syscall.EPERM
	}
	return syscall.EINVAL
}

// Symlink makes path a symbolic link with the text target.
func (v *VFS) Symlink(target string, b Base, path string) error {
	if err := CheckPath(target); err != nil {
		return err
	}
	return v.newName(b, path, nameOptions{unseen: true}, func(p *Dentry, name string) (Entry, error) {
		return p.node.Symlink(name, target)
	})
}

// Link makes newPath a further name of the file at oldPath, of a link itself
// unless follow is set.
func (v *VFS) Link(ob Base, oldPath string, nb Base, newPath string, follow bool) error {
	for distrust := false; ; distrust = true {
		err := v.linkOnce(ob, oldPath, nb, newPath, follow, distrust)
		if err != syscall.ESTALE || distrust {
			return err
		}
	}
}

func (v *VFS) linkOnce(ob Base, oldPath string, nb Base, newPath string, follow, distrust bool) error {
	var w walk
	if err := v.start(&w, ob, oldPath, distrust); err != nil {
		return err
	}
	defer func() { w.end() }()
	if err := w.finish(follow); err != nil {
		return w.doubt(err)
	}
	switch err := v.LinkDentry(w.at, nb, newPath); {
	case err == syscall.EEXIST:
		return err // of the new name, which was asked for
	case err == syscall.EPERM && w.believed:
		return syscall.ESTALE // if it is a directory
	default:
		return w.doubt(err)
	}
}

// LinkDentry makes newPath a further name of the file of d.
func (v *VFS) LinkDentry(d *Dentry, nb Base, newPath string) error {
	return v.newName(nb, newPath, nameOptions{link: true}, func(p *Dentry, name string) (Entry, error) {
		switch {
		case p.mnt != d.mnt:
			return Entry{}, syscall.EXDEV
		case d.isDir():
			return Entry{}, syscall.EPERM
		}
		defer d.beginChange()()
		return p.node.Link(name, d.node)
	})
}
