package fs

import (
	"strings"
	"syscall"
)

// SetFallback has f give what the tree lacks: a name that the directory at some
// path does not have is looked up at the same path of f, which is nothing but
// directories, links and files to be read. It is called before the tree is in use.
//
// What is there always wins. Listings show what is there only: copies and walks of
// the tree are not to bring along what nobody has put into it. For calls that make,
// remove or move a name, there is no such name; the directories above one that is
// made are made first. A file that is opened for writing with O_CREAT is made, and
// unless it is to be empty, with f's contents; without O_CREAT it is EROFS.
func (v *VFS) SetFallback(f FileSystem) {
	v.mounts.lastID++
	v.fallback = Mount{vfs: v, fs: f, source: f.Type(), id: v.mounts.lastID, readOnly: true}
	v.fallback.dev = uint64(v.fallback.id)
	v.mounts.lastID++
	v.covering = Mount{vfs: v, fs: f, source: f.Type(), id: v.mounts.lastID}
	v.covering.dev = uint64(v.covering.id)
}

// Cover has the fallback win for the files at these paths ("/etc/hosts"), which it
// has, of different names: what the tree has there is hidden, and is neither changed
// nor seen.
//
// They are to programs what a container's /etc/hosts is, a file that is mounted over
// another: its contents and attributes can be changed, as far as the fallback's node
// takes that, also where the root is read-only; its name stays. To remove or rename it,
// or another file to it, is EBUSY, to make it EEXIST, and a link to it EXDEV. So who
// writes a file anew and renames it is told, and who writes into it is not.
//
// It is called before the tree is in use.
func (v *VFS) Cover(paths ...string) {
	if v.covered == nil {
		v.covered = map[string]string{}
	}
	for _, path := range paths {
		slash := strings.LastIndexByte(path, '/')
		v.covered[path[slash+1:]] = path[:slash]
	}
}

// covers reports whether name in p is one that Cover was given.
func (v *VFS) covers(p *Dentry, name string) bool {
	dir, ok := v.covered[name]
	if !ok {
		return false
	}
	var names [fallbackDepth]string
	n := v.namesOf(p, &names)
	for ; n > 0 && strings.HasPrefix(dir, "/"); n-- {
		if dir, ok = strings.CutPrefix(dir[1:], names[n-1]); !ok {
			return false
		}
	}
	return n == 0 && dir == ""
}

// fixed tells if d keeps its name: something is mounted there or below, or it is a
// file that is mounted itself.
func (d *Dentry) fixed() bool { return d.pins.Load() > 0 || d.mnt == &d.mnt.vfs.covering }

// fallbackDepth is how many directories above a name of the fallback are looked at.
const fallbackDepth = 8

// inFallback tells if d is not of the tree itself.
func (d *Dentry) inFallback() bool { return d.mnt == &d.mnt.vfs.fallback }

// fallbackNode is what the fallback has of name in p, which lacks it, or nil.
func (v *VFS) fallbackNode(p *Dentry, name string) Node {
	if v.fallback.fs == nil || p.inFallback() {
		return nil
	}
	return v.fallbackAt(p, name)
}

// namesOf fills names with p's name and those above it, and returns how many there
// are: -1, if they are too many, or p is of no mount.
func (v *VFS) namesOf(p *Dentry, names *[fallbackDepth]string) (n int) {
	v.tree.RLock()
	defer v.tree.RUnlock()
	for d := p; d != v.root.root; {
		above := d.parent.Load()
		if above == nil {
			if d = d.mnt.point; d == nil {
				return -1
			}
			continue
		}
		if n == fallbackDepth {
			return -1
		}
		names[n] = d.name
		n++
		d = above
	}
	return n
}

// fallbackAt is what the fallback has of name in p, or nil.
func (v *VFS) fallbackAt(p *Dentry, name string) Node {
	var names [fallbackDepth]string
	n := v.namesOf(p, &names)
	if n < 0 {
		return nil
	}
	node := v.fallback.fs.Root()
	for ; ; n-- {
		next := name
		if n > 0 {
			next = names[n-1]
		}
		e, err := node.Lookup(next)
		node.Unref()
		if err != nil || e.Node == nil {
			return nil
		}
		if node = e.Node; n == 0 {
			return node
		}
	}
}

// made makes the directory where the walk stands, and those above it, if they are
// of the fallback: a name in it is about to be made, unless it covers another.
func (w *walk) made() error {
	if !w.at.inFallback() || w.v.covers(w.at, w.name) {
		return nil
	}
	var a Attr
	if err := w.at.Getattr(&a); err != nil {
		return err
	}
	// The walk goes up, and its name is lent for that.
	name, slash, at := w.name, w.slash, w.at
	w.v.tree.RLock()
	own := w.at.name
	w.v.tree.RUnlock()
	if w.up(); w.at == at {
		return syscall.EROFS // the root of the caller, who sees nothing else
	}
	if err := w.made(); err != nil {
		return err
	}
	if err := w.makeDir(own, a.Mode&0o7777); err != nil {
		return err
	}
	if err := w.step(own, false); err != nil {
		return err
	}
	if w.at.inFallback() || !w.at.isDir() {
		return syscall.ESTALE // somebody was faster
	}
	w.name, w.slash = name, slash
	return nil
}

// makeDir makes a directory, unless there is something of that name already.
func (w *walk) makeDir(name string, mode uint32) error {
	p := w.at
	defer p.unlockChange(p.lockChange(name))
	switch {
	case p.node == nil:
		return syscall.ENOENT
	case p.mnt.readOnly:
		return syscall.EROFS
	}
	e, err := p.node.Mkdir(name, mode|0o200, 0)
	if err != nil {
		w.v.forget(p, name)
		if err == syscall.EEXIST {
			return nil
		}
		return err
	}
	d, err := w.v.insert(p, name, e)
	if err == nil {
		d.Put()
	}
	return err
}

// copyFallback fills f, which has just been made for name in p, with what the
// fallback has of it.
func (v *VFS) copyFallback(p *Dentry, name string, f File) error {
	n := v.fallbackNode(p, name)
	if n == nil {
		return nil
	}
	defer n.Unref()
	from, err := n.Open(syscall.O_RDONLY)
	if err != nil {
		return nil // a directory or link
	}
	defer from.Release()
	buf := make([]byte, 64<<10)
	for at := int64(0); ; {
		n, err := from.ReadAt(buf, at)
		if err == syscall.EISDIR || err == nil && n == 0 {
			return nil
		}
		if err == nil {
			_, _, err = f.WriteAt(buf[:n], at)
		}
		if err != nil {
			return err
		}
		at += int64(n)
	}
}
