package fs

import (
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links one walk follows.
const maxLinks = 40

// Jumper is implemented by symbolic links that lead to a file by themselves,
// not through the text that Readlink gives: /proc/self/fd/N.
type Jumper interface {
	// Jump returns where the link leads, with a reference.
	Jump() (*Dentry, error)
}

// walk follows a path. It lives on the stack.
type walk struct {
	v        *VFS
	root     *Dentry // has a reference from the caller's Base
	at       *Dentry // where the walk stands, with a reference of its own
	rest     string  // what is left of the path
	links    int
	time     int64 // of now(), asked once
	distrust bool  // believe no entry of the cache
	believed bool  // one that others may have changed
	own      bool  // the last name is about to change: the fallback has none
	resolve  Resolve

	// After last():
	name  string // the last component; "" if the path ended without one
	slash bool   // slashes followed it
}

// CheckPath tells what is wrong with path, wherever it may lead.
func CheckPath(path string) error {
	switch {
	case path == "":
		return syscall.ENOENT
	case len(path) >= PathMax:
		return syscall.ENAMETOOLONG
	case strings.IndexByte(path, 0) >= 0:
		return syscall.EINVAL
	}
	return nil
}

// start begins the walk of path. After an error there is nothing to give back.
func (v *VFS) start(w *walk, b Base, path string, distrust bool) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	w.v, w.rest, w.distrust, w.believed, w.own, w.time, w.resolve = v, path, distrust, false, false, -1, b.Resolve
	w.root = b.Root
	if w.root == nil {
		w.root = v.root.root
	}
	if w.resolve&(ResolveBeneath|ResolveInRoot) != 0 && b.Dir != nil {
		w.root = b.Dir
	}
	if w.resolve&ResolveBeneath != 0 && path[0] == '/' {
		return syscall.EXDEV
	}
	w.at = b.Dir
	if w.at == nil || path[0] == '/' {
		w.at = w.root
	}
	w.at.Ref()
	return nil
}

func (w *walk) end() { w.at.Put() }

// move makes d, of which it takes over the reference, the place of the walk.
func (w *walk) move(d *Dentry) {
	w.at.Put()
	w.at = d.cross()
}

// moveOn is move, if the walk may lead there.
func (w *walk) moveOn(d *Dentry) error {
	mnt := w.at.mnt
	w.move(d)
	if w.resolve&ResolveNoXdev != 0 && w.at.mnt != mnt {
		return syscall.EXDEV
	}
	return nil
}

// last walks up to the last component, which it leaves in w.name, not yet
// looked at, with its directory in w.at.
func (w *walk) last() error {
	for {
		w.rest = skipSlashes(w.rest)
		if w.rest == "" {
			w.name = ""
			return nil
		}
		if !w.at.isDir() {
			return syscall.ENOTDIR
		}
		end := strings.IndexByte(w.rest, '/')
		if end < 0 || skipSlashes(w.rest[end:]) == "" {
			w.slash = end >= 0
			if !w.slash {
				end = len(w.rest)
			}
			w.name, w.rest = w.rest[:end], w.rest[end:]
			return nil
		}
		if w.glide() {
			continue
		}
		name := w.rest[:end]
		w.rest = w.rest[end:]
		if err := w.step(name, true); err != nil {
			return err
		}
	}
}

func skipSlashes(path string) string {
	for path != "" && path[0] == '/' {
		path = path[1:]
	}
	return path
}

// glide goes on over directories that the cache knows, and up to the last component at
// most. It takes no reference but on the one where it ends: one on the way that is
// evicted meanwhile has no children, so that it ends there, and is found to be gone. It
// reports whether it got anywhere; where not, the walk stands where it stood.
func (w *walk) glide() bool {
	at, rest := w.at, w.rest
	for {
		end := 0
		for end < len(rest) && rest[end] != '/' {
			end++
		}
		next := skipSlashes(rest[end:])
		name := rest[:end]
		if next == "" || name == "." || name == ".." {
			break
		}
		at.mu.RLock()
		d := at.children[name]
		at.mu.RUnlock()
		if d == nil || !d.isDir() || d.mounted.Load() != nil || !w.believes(d) {
			break
		}
		d.use()
		at, rest = d, next
	}
	if at == w.at || !at.hold() {
		return false
	}
	w.at.Put()
	w.at, w.rest = at, rest
	return true
}

// step goes to one component. A link is followed if follow is set: then the
// walk stands where the link was, and w.rest has the link's text before it.
func (w *walk) step(name string, follow bool) error {
	switch name {
	case ".":
		return nil
	case "..":
		return w.up()
	}
	d, err := w.lookup(name)
	if err != nil {
		return err
	}
	if follow && d.kind == syscall.S_IFLNK {
		return w.follow(d)
	}
	return w.moveOn(d)
}

// follow turns the walk towards the target of d, of which it takes over the
// reference.
func (w *walk) follow(d *Dentry) error {
	defer d.Put()
	if w.links++; w.links > maxLinks {
		return syscall.ELOOP
	}
	if w.resolve&ResolveNoSymlinks != 0 {
		return syscall.ELOOP
	}
	if j, ok := d.node.(Jumper); ok {
		switch {
		case w.resolve&ResolveNoMagiclinks != 0:
			return syscall.ELOOP
		case w.resolve&(ResolveBeneath|ResolveInRoot) != 0:
			return syscall.EXDEV
		}
		to, err := j.Jump()
		if err == nil {
			err = w.moveOn(to)
		}
		return err
	}
	target, err := d.node.Readlink()
	switch {
	case err != nil:
		return err
	case target == "":
		return syscall.ENOENT
	case len(target) >= PathMax:
		return syscall.ENAMETOOLONG
	}
	if target[0] == '/' {
		if w.resolve&ResolveBeneath != 0 {
			return syscall.EXDEV
		}
		w.root.Ref()
		if err := w.moveOn(w.root); err != nil {
			return err
		}
	}
	w.rest = target + w.rest
	return nil
}

// up goes to the parent directory, out of a mount if need be, but not above
// the root.
func (w *walk) up() error {
	w.v.tree.RLock()
	d := w.at
	for d != w.root {
		p := d.parent.Load()
		if p == nil {
			if d = d.mnt.point; d == nil {
				break
			}
			continue
		}
		p.Ref()
		w.v.tree.RUnlock()
		return w.moveOn(p)
	}
	w.v.tree.RUnlock()
	if w.resolve&ResolveBeneath != 0 {
		return syscall.EXDEV
	}
	return nil
}

// cross goes from a mount point to the root of what is mounted there, and
// hands the reference on.
func (d *Dentry) cross() *Dentry {
	for d.mounted.Load() != nil {
		d.mu.RLock()
		m := d.mounted.Load()
		if m != nil {
			m.root.Ref()
		}
		d.mu.RUnlock()
		if m == nil {
			break
		}
		d.Put()
		d = m.root
	}
	return d
}

// finish walks the rest of the path. The file is in w.at.
func (w *walk) finish(follow bool) error {
	for {
		if err := w.last(); err != nil {
			return err
		}
		if w.name == "" {
			return nil
		}
		slash := w.slash
		if err := w.step(w.name, follow || slash); err != nil {
			return err
		}
		if skipSlashes(w.rest) != "" {
			continue // a link
		}
		if slash && !w.at.isDir() {
			return syscall.ENOTDIR
		}
		return nil
	}
}

// Walk finds the file at path, following a link in the last component if
// follow is set, and returns it with a reference.
func (v *VFS) Walk(b Base, path string, follow bool) (*Dentry, error) {
	for distrust := false; ; distrust = true {
		d, err := v.walkOnce(b, path, follow, distrust)
		if err != syscall.ESTALE || distrust {
			return d, err
		}
	}
}

// WalkAfresh is Walk that believes no entry of the cache that others may have
// changed.
func (v *VFS) WalkAfresh(b Base, path string, follow bool) (*Dentry, error) {
	return v.walkOnce(b, path, follow, true)
}

func (v *VFS) walkOnce(b Base, path string, follow, distrust bool) (*Dentry, error) {
	var w walk
	if err := v.start(&w, b, path, distrust); err != nil {
		return nil, err
	}
	if err := w.finish(follow); err != nil {
		w.end()
		return nil, err
	}
	return w.at, nil
}
