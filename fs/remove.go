package fs

import "syscall"

// Unlink removes the name of a file that is not a directory.
func (v *VFS) Unlink(b Base, path string) error { return v.remove(b, path, false) }

// Rmdir removes an empty directory.
func (v *VFS) Rmdir(b Base, path string) error { return v.remove(b, path, true) }

func (v *VFS) remove(b Base, path string, dir bool) error {
	for distrust := false; ; distrust = true {
		err := v.removeOnce(b, path, dir, distrust)
		if err != syscall.ESTALE || distrust {
			return err
		}
	}
}

func (v *VFS) removeOnce(b Base, path string, dir, distrust bool) error {
	var w walk
	if err := v.start(&w, b, path, distrust); err != nil {
		return err
	}
	defer func() { w.end() }()
	return w.doubt(w.remove(dir))
}

// remove removes the file at the end of the walk, a directory if dir is set.
func (w *walk) remove(dir bool) error {
	v := w.v
	if err := w.last(); err != nil {
		return err
	}
	if err := mayRemoveName(w.name, dir); err != nil {
		return err
	}
	p := w.at
	if p.mnt.readOnly && !p.inFallback() {
		return syscall.EROFS // whatever the name is of, if of anything
	}
	w.own = true
	defer p.unlockChange(p.lockChange(w.name))
	d, err := w.find(p, w.name)
	if err == nil && d.isDir() != dir && w.believed {
		// Of the wrong kind, as far as remembered: ask. (os.Remove tries unlink
		// with directories first.)
		d.Put()
		w.distrust, w.believed = true, false
		d, err = w.find(p, w.name)
	}
	if err != nil {
		return err
	}
	if err := w.mayRemove(d, dir); err != nil {
		d.Put()
		return err
	}
	changed := d.beginChange()
	if dir {
		err = p.node.Rmdir(w.name)
	} else {
		err = p.node.Unlink(w.name)
	}
	changed()
	switch err {
	case nil:
		d.removed.Store(true)
		invalidate(d)
		if !dir {
			d.notifySelf(InAttrib)
		}
		p.unhash(w.name, d)
		d.Put() // the file ends before its directory is said to have lost it
		p.notifyName(InDelete, w.name, d, 0)
		return nil
	case syscall.ENOENT, syscall.ESTALE:
		v.forget(p, w.name)
	}
	d.Put()
	return w.notFound(err)
}

// mayRemove tells what is against the removal of d, which has the walk's last
// name.
func (w *walk) mayRemove(d *Dentry, dir bool) error {
	switch {
	case !dir && w.slash && !d.isDir():
		return syscall.ENOTDIR
	case !dir && d.isDir():
		return syscall.EISDIR
	case dir && !d.isDir():
		return syscall.ENOTDIR
	case d.fixed():
		return syscall.EBUSY
	}
	return nil
}

// notFound is for an error of a call on a name that was looked up. The
// virtiofsd of QEMU answers EIO if meanwhile the name is another file's, or
// nobody's: then the walk is to begin anew, too.
func (w *walk) notFound(err error) error {
	if err == syscall.EIO && !w.distrust {
		return syscall.ESTALE
	}
	return err
}

// mayRemoveName tells what is against the removal of a last component.
func mayRemoveName(name string, dir bool) error {
	switch {
	case name == "" && dir:
		return syscall.EBUSY
	case name == "." && dir:
		return syscall.EINVAL
	case name == ".." && dir:
		return syscall.ENOTEMPTY
	case name == "" || name == "." || name == "..":
		return syscall.EISDIR
	}
	return nil
}

// invalidate tells d's node that a name of it has changed.
func invalidate(d *Dentry) {
	if n, ok := d.node.(AttrInvalidator); ok {
		n.InvalidateAttr()
	}
}
