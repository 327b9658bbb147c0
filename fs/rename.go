package fs

import (
	"strings"
	"syscall"
)

// Flags of Rename, as of renameat2(2).
const (
	RenameNoReplace = 1
	RenameExchange  = 2
	RenameWhiteout  = 4 // leaves a character device 0:0 at the old name
)

// Rename moves the file at oldPath to newPath.
func (v *VFS) Rename(ob Base, oldPath string, nb Base, newPath string, flags uint32) error {
	if err := CheckRename(flags); err != nil {
		return err
	}
	for distrust := false; ; distrust = true {
		err := v.renameOnce(ob, oldPath, nb, newPath, flags, distrust)
		if err != syscall.ESTALE || distrust {
			return err
		}
	}
}

// CheckRename tells if Rename knows flags.
func CheckRename(flags uint32) error {
	if flags&^(RenameNoReplace|RenameExchange|RenameWhiteout) != 0 || flags&RenameExchange != 0 && flags != RenameExchange {
		return syscall.EINVAL
	}
	return nil
}

func (v *VFS) renameOnce(ob Base, oldPath string, nb Base, newPath string, flags uint32, distrust bool) error {
	var from, to walk
	if err := v.start(&from, ob, oldPath, distrust); err != nil {
		return err
	}
	defer func() { from.end() }()
	if err := from.last(); err != nil { // before anything is looked at of the other path
		return from.doubt(err)
	}
	if err := v.start(&to, nb, newPath, distrust); err != nil {
		return err
	}
	defer func() { to.end() }()
	return to.doubt(from.doubt(v.renameTo(&from, &to, flags)))
}

// renameTo renames what is at the end of one walk, whose last component has been
// reached, to the end of another.
func (v *VFS) renameTo(from, to *walk, flags uint32) error {
	if err := to.last(); err != nil {
		return err
	}
	if from.at.inFallback() {
		if v.covers(from.at, from.name) {
			return syscall.EBUSY
		}
		return syscall.ENOENT
	}
	if err := to.made(); err != nil {
		return err
	}
	from.own, to.own = true, true
	if from.at.mnt != to.at.mnt {
		return syscall.EXDEV
	}
	switch {
	case isDots(from.name):
		return syscall.EBUSY
	case isDots(to.name) && flags&RenameNoReplace != 0:
		return syscall.EEXIST
	case isDots(to.name):
		return syscall.EBUSY
	case from.at.mnt.readOnly:
		return syscall.EROFS // whatever the names are of, if of anything
	}
	lockTwo(from.at, to.at)
	defer unlockTwo(from.at, to.at)
	return v.renameLocked(from, to, flags)
}

// isDots tells if the last component of a path names a directory by its place.
func isDots(name string) bool { return name == "" || name == "." || name == ".." }

// lockTwo locks the names in two directories, which may be the same.
func lockTwo(a, b *Dentry) {
	if a.id > b.id {
		a, b = b, a
	}
	a.dir.Lock()
	if a != b {
		b.dir.Lock()
	}
}

func unlockTwo(a, b *Dentry) {
	a.dir.Unlock()
	if a != b {
		b.dir.Unlock()
	}
}

func (v *VFS) renameLocked(from, to *walk, flags uint32) error {
	src, err := from.find(from.at, from.name)
	if err != nil {
		return err
	}
	defer src.Put()
	dst, err := to.find(to.at, to.name)
	if err != nil && err != syscall.ENOENT {
		return err
	}
	if dst != nil {
		defer dst.Put()
	}
	if err := v.mayRename(from, to, src, dst, flags); err != nil {
		return err
	}
	// Two names of one file: nothing happens, says POSIX.
	if src == dst || dst != nil && src.node == dst.node {
		if from.believed || to.believed {
			return syscall.ESTALE // if they are
		}
		return nil
	}
	to.name = strings.Clone(to.name)
	moved, replaced := src.beginChange(), dst.beginChange()
	err = from.at.node.Rename(from.name, to.at.node, to.name, flags)
	moved()
	replaced()
	if err != nil {
		if err == syscall.ENOENT || err == syscall.ESTALE || err == syscall.EEXIST {
			v.forget(from.at, from.name)
			v.forget(to.at, to.name)
		}
		return from.notFound(err)
	}
	invalidate(src)
	if dst != nil {
		invalidate(dst)
	}
	v.renamed(from, to, src, dst, flags)
	if flags&RenameExchange != 0 {
		v.notifyMoved(from.at, from.name, to.at, to.name, src, nil)
		v.notifyMoved(to.at, to.name, from.at, from.name, dst, nil)
	} else {
		v.notifyMoved(from.at, from.name, to.at, to.name, src, dst)
	}
	return nil
}

// mayRename checks what the VFS knows about a rename, in Linux's order.
func (v *VFS) mayRename(from, to *walk, src, dst *Dentry, flags uint32) error {
	exchange := flags&RenameExchange != 0
	switch {
	case dst != nil && flags&RenameNoReplace != 0:
		return syscall.EEXIST
	case dst == nil && exchange:
		return syscall.ENOENT
	case exchange && to.slash && !dst.isDir():
		return syscall.ENOTDIR
	case !src.isDir() && (from.slash || !exchange && to.slash):
		return syscall.ENOTDIR
	case v.within(to.at, src):
		return syscall.EINVAL
	case dst != nil && v.within(from.at, dst):
		if exchange {
			return syscall.EINVAL
		}
		return syscall.ENOTEMPTY
	case from.at.node == nil || to.at.node == nil:
		return syscall.ENOENT
	case src == dst:
		return nil
	case dst != nil && !exchange && src.isDir() && !dst.isDir():
		return syscall.ENOTDIR
	case dst != nil && !exchange && !src.isDir() && dst.isDir():
		return syscall.EISDIR
	case src.fixed() || dst != nil && dst.fixed():
		return syscall.EBUSY
	}
	return nil
}

// within tells if d is top or lies below it in the same file system.
func (v *VFS) within(d, top *Dentry) bool {
	if !top.isDir() {
		return false
	}
	v.tree.RLock()
	defer v.tree.RUnlock()
	for ; d != nil; d = d.parent.Load() {
		if d == top {
			return true
		}
	}
	return false
}

// renamed brings the cache up to date after a rename. Both directories are
// locked, so that nobody asks for the names while they are neither here nor
// there.
func (v *VFS) renamed(from, to *walk, src, dst *Dentry, flags uint32) {
	p, q := from.at, to.at
	if p == q && dst == nil && flags&RenameWhiteout == 0 && v.swap(p, src, from.name, to.name) {
		return
	}
	p.take(src)
	var missing *Dentry // takes the old name
	switch {
	case dst == nil:
		if flags&RenameWhiteout == 0 {
			missing = v.takeMissing(q, to.name, p, from.name)
		}
		if missing == nil {
			v.forget(q, to.name) // a negative entry
		}
	case flags&RenameExchange != 0:
		q.take(dst)
	default:
		dst.removed.Store(true)
		q.unhash(to.name, dst)
	}
	v.tree.Lock()
	v.place(src, q, to.name)
	if flags&RenameExchange != 0 {
		v.place(dst, p, strings.Clone(from.name))
	}
	if missing != nil {
		v.place(missing, p, strings.Clone(from.name))
	}
	v.tree.Unlock()
	if missing != nil {
		missing.Put()
	}
}

// swap has a file take the name of a negative entry of the same directory, and that one the
// name that the file has left: that is known not to exist now. It does nothing if there is no such
// entry, if others may make the name that is left, or if the fallback has it.
func (v *VFS) swap(p, src *Dentry, left, name string) bool {
	if n := v.fallbackNode(p, left); n != nil {
		n.Unref()
		return false
	}
	v.tree.Lock()
	defer v.tree.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	missing := p.children[name]
	if missing == nil || !missing.standsForMissing(p.mnt) {
		return false
	}
	src.name, missing.name = missing.name, src.name
	p.children[src.name], p.children[missing.name] = src, missing
	return true
}

// standsForMissing tells if d is a negative entry of m that nobody else can end.
func (d *Dentry) standsForMissing(m *Mount) bool {
	return d.kind == 0 && d.mnt == m && d.expires.Load() == int64(Forever)
}

// takeMissing takes the negative entry of a name in q, which a file has got, for the
// name in p that the file has left: that is known not to exist now. It returns it with
// a reference; nil if there is none, if others may make the name in p, or if the
// fallback has it.
func (v *VFS) takeMissing(q *Dentry, name string, p *Dentry, left string) *Dentry {
	d := q.cached(name)
	if d == nil {
		return nil
	}
	if n := v.fallbackNode(p, left); n != nil {
		n.Unref()
	} else if d.standsForMissing(p.mnt) {
		q.take(d)
		return d
	}
	d.Put()
	return nil
}

// take removes c from p's children, to be placed elsewhere.
func (p *Dentry) take(c *Dentry) {
	p.mu.Lock()
	delete(p.children, c.name)
	p.mu.Unlock()
}

// place puts d, which has been taken, into p under a name; VFS.tree is held.
func (v *VFS) place(d, p *Dentry, name string) {
	old := d.parent.Load()
	p.refs.Add(1)
	p.mu.Lock()
	d.name = name
	d.parent.Store(p)
	p.setChild(d)
	p.mu.Unlock()
	old.refs.Add(-1) // the caller holds it, so it is not the last
}
