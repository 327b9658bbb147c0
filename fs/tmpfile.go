package fs

import "syscall"

// openTmpfile makes a file without a name in the file system of the directory
// at path (O_TMPFILE).
func (v *VFS) openTmpfile(b Base, path string, flags int, mode, umask uint32, distrust bool) (File, *Dentry, error) {
	if flags&syscall.O_DIRECTORY == 0 || flags&syscall.O_CREAT != 0 || flags&oAccess == syscall.O_RDONLY {
		return nil, nil, syscall.EINVAL
	}
	p, err := v.walkOnce(b, path, true, distrust)
	if err != nil {
		return nil, nil, err
	}
	defer p.Put()
	switch {
	case !p.isDir():
		return nil, nil, syscall.ENOTDIR
	case p.mnt.readOnly:
		return nil, nil, syscall.EROFS
	}
	n, ok := p.node.(TmpfileNode)
	if !ok {
		return nil, nil, syscall.EOPNOTSUPP
	}
	e, f, err := n.Tmpfile(flags&^(oHere&^syscall.O_EXCL|oTmp), mode&0o7777, umask)
	if err != nil {
		return nil, nil, err
	}
	return f, v.nameless(p.mnt, "#tmpfile", e.Node, syscall.S_IFREG), nil
}

// Internal is a mount of f where no path leads to. The VFS owns f.
func (v *VFS) Internal(f FileSystem) *Mount {
	v.mounts.Lock()
	defer v.mounts.Unlock()
	// Device numbers come from the other end than those of mounts in the tree.
	v.mounts.internal++
	return &Mount{vfs: v, fs: f, source: f.Type(), dev: internalDev - uint64(v.mounts.internal)}
}

const internalDev = 0x100

// Nameless makes a dentry for n, a node of m, that no path leads to, with one
// reference. It takes over n's. Label is what links in /proc show, unless n is a
// Labeler.
func (m *Mount) Nameless(label string, n Node) (*Dentry, error) {
	kind, err := kindOf(n)
	if err != nil {
		return nil, err
	}
	return m.vfs.nameless(m, label, n, kind), nil
}

// Labeler is a Node without names that has its own words for links in /proc.
type Labeler interface {
	Label() string
}

// nameless makes a dentry that no path leads to, with one reference. Label is
// what /proc shows of it.
func (v *VFS) nameless(m *Mount, label string, n Node, kind uint32) *Dentry {
	d := v.newDentry(m, nil, label, n, kind)
	d.nameless = true
	d.dead.Store(true)
	d.removed.Store(true)
	// What is open keeps its mount busy by way of its parents.
	if m.root != nil {
		m.root.Ref()
		d.parent.Store(m.root)
	}
	return d
}
