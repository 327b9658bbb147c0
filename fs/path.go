package fs

import (
	"strings"
	"syscall"
)

// Path returns the path that leads from root (nil: the root of the VFS) to d.
// ENOENT: d, or a directory above it, has been removed, or does not lie below
// root.
func (v *VFS) Path(root, d *Dentry) (string, error) {
	if root == nil {
		root = v.root.root
	}
	return v.path(root, d, false)
}

// path is Path; with removed set, the path that led to d before it was removed.
func (v *VFS) path(root, d *Dentry, removed bool) (string, error) {
	v.tree.RLock()
	defer v.tree.RUnlock()
	// The buffer is filled from its end.
	buf := make([]byte, 256)
	at := len(buf)
	for d != root {
		if d.dead.Load() && !removed {
			return "", syscall.ENOENT
		}
		p := d.parent.Load()
		if p == nil {
			if d = d.mnt.point; d == nil {
				return "", syscall.ENOENT
			}
			continue
		}
		n := len(d.name) + 1
		for at < n {
			more := make([]byte, 2*len(buf))
			at += copy(more[len(buf):], buf)
			buf = more
		}
		copy(buf[at-n+1:], d.name)
		at -= n
		buf[at] = '/'
		d = p
	}
	if at == len(buf) {
		return "/", nil
	}
	return string(buf[at:]), nil
}

// Describe is what links in /proc show for d: its path from the root of the VFS, or
// if none leads to it, as on Linux, what it is, or the path that led to it and
// " (deleted)".
func (v *VFS) Describe(d *Dentry) string {
	if path, err := v.Path(nil, d); err == nil {
		return path
	}
	if n, ok := d.node.(Labeler); ok {
		return n.Label()
	}
	path, err := v.path(v.root.root, d, true)
	if err != nil {
		v.tree.RLock()
		path = "/" + strings.TrimPrefix(d.name, "/")
		v.tree.RUnlock()
	}
	return path + " (deleted)"
}
