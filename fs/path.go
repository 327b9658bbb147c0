package fs

import "syscall"

// Path returns the path that leads from root (nil: the root of the VFS) to d.
// ENOENT: d, or a directory above it, has been removed, or does not lie below
// root.
func (v *VFS) Path(root, d *Dentry) (string, error) {
	if root == nil {
		root = v.root.root
	}
	v.tree.RLock()
	defer v.tree.RUnlock()
	// The buffer is filled from its end.
	buf := make([]byte, 256)
	at := len(buf)
	for d != root {
		if d.dead.Load() {
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

// Label is what links in /proc show for a dentry that no path leads to.
func (d *Dentry) Label() string {
	d.mnt.vfs.tree.RLock()
	name := d.name
	d.mnt.vfs.tree.RUnlock()
	if n, ok := d.node.(Labeler); ok {
		return n.Label()
	}
	return name + " (deleted)"
}
