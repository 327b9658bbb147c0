package fs

import "syscall"

// Stat fills a with the attributes of the file at path, of a link itself
// unless follow is set.
func (v *VFS) Stat(b Base, path string, follow bool, a *Attr) error {
	for distrust := false; ; distrust = true {
		d, err := v.walkOnce(b, path, follow, distrust)
		if err == nil {
			err = d.Getattr(a)
			d.Put()
		}
		if err != syscall.ESTALE || distrust {
			return err
		}
	}
}

// Getattr fills a with the attributes of d.
func (d *Dentry) Getattr(a *Attr) error {
	if d.node == nil {
		return syscall.ENOENT
	}
	err := d.node.Getattr(a)
	a.Dev = d.Dev()
	return err
}

// Dev is the device number that stat shows for d: that of its mount, with
// another upper half in each submount.
func (d *Dentry) Dev() uint64 {
	if n, ok := d.node.(SubmountNode); ok {
		return d.mnt.dev | uint64(n.Submount())<<32
	}
	return d.mnt.dev
}

// basicStats is STATX_BASIC_STATS: what Attr holds.
const basicStats = 0x7ff

// Statx is Stat for all that mask asks for and the file system knows. Sync:
// ask anew what may be cached.
func (v *VFS) Statx(b Base, path string, follow bool, x *Statx, mask uint32, sync bool) error {
	for distrust := false; ; distrust = true {
		d, err := v.walkOnce(b, path, follow, distrust)
		if err == nil {
			err = d.statx(d.node, x, mask, sync)
			d.Put()
		}
		if err != syscall.ESTALE || distrust {
			return err
		}
	}
}

// StatxFile is Statx of f, which was opened at d.
func (d *Dentry) StatxFile(f File, x *Statx, mask uint32, sync bool) error {
	return d.statx(f, x, mask, sync)
}

// statx asks n, which is d's Node or a File opened at d.
func (d *Dentry) statx(n interface{ Getattr(a *Attr) error }, x *Statx, mask uint32, sync bool) error {
	if d.node == nil {
		return syscall.ENOENT
	}
	if c, ok := d.node.(AttrInvalidator); ok && sync {
		c.InvalidateAttr()
	}
	var err error
	if s, ok := n.(StatxNode); ok {
		err = s.Statx(x, mask)
	} else {
		*x = Statx{Mask: basicStats}
		err = n.Getattr(&x.Attr)
	}
	x.Dev = d.Dev()
	return err
}

// Setattr changes what s names of the file at path, of a link itself unless
// follow is set.
func (v *VFS) Setattr(b Base, path string, follow bool, s *SetAttr) error {
	_, err := v.setattr(b, path, follow, s)
	return err
}

// Truncate sets the size of the file at path and returns its node, without a
// reference.
func (v *VFS) Truncate(b Base, path string, size int64) (Node, error) {
	return v.setattr(b, path, true, &SetAttr{Valid: SetSize, Size: size})
}

func (v *VFS) setattr(b Base, path string, follow bool, s *SetAttr) (n Node, err error) {
	for distrust := false; ; distrust = true {
		d, err := v.walkOnce(b, path, follow, distrust)
		if err == nil {
			n = d.node
			err = d.Setattr(s)
			d.Put()
		}
		if err != syscall.ESTALE || distrust {
			return n, err
		}
	}
}

// Setattr changes what s names of d's file.
func (d *Dentry) Setattr(s *SetAttr) error {
	if err := d.mayset(s); err != nil {
		return err
	}
	return d.set(s, d.node)
}

// SetattrFile changes what s names of f, which was opened at d.
func (d *Dentry) SetattrFile(f File, s *SetAttr) error {
	if err := d.mayset(s); err != nil {
		return err
	}
	return d.set(s, f)
}

// set has n, which is d's Node or a File opened at d, do it.
func (d *Dentry) set(s *SetAttr, n interface {
	Setattr(s *SetAttr, a *Attr) error
}) error {
	a := attrs.Get().(*Attr)
	defer attrs.Put(a)
	err := n.Setattr(s, a)
	if err == nil {
		d.notifySet(s.Valid)
	}
	return err
}

// mayset tells what there is against s by the type of the file and its mount.
func (d *Dentry) mayset(s *SetAttr) error {
	if s.Valid&SetSize != 0 {
		switch {
		case s.Size < 0:
			return syscall.EINVAL
		case d.isDir():
			return syscall.EISDIR
		case d.kind != syscall.S_IFREG:
			return syscall.EINVAL
		}
	}
	if s.Valid&SetMode != 0 && d.kind == syscall.S_IFLNK {
		return syscall.EOPNOTSUPP
	}
	return d.mnt.mayWrite()
}

func (m *Mount) mayWrite() error {
	if m.readOnly {
		return syscall.EROFS
	}
	return nil
}

// Statfs fills s for the file system of the file at path.
func (v *VFS) Statfs(b Base, path string, s *Statfs) (*Mount, error) {
	d, err := v.Walk(b, path, true)
	if err != nil {
		return nil, err
	}
	defer d.Put()
	return d.mnt, d.Statfs(s)
}

// Statfs fills s for the file system of d.
func (d *Dentry) Statfs(s *Statfs) error {
	var err error
	if n, ok := d.node.(StatfsNode); ok {
		err = n.Statfs(s)
	} else {
		err = d.mnt.fs.Statfs(s)
	}
	s.Dev = d.Dev()
	return err
}

// Readlink returns the text of the link at path.
func (v *VFS) Readlink(b Base, path string) (string, error) {
	for distrust := false; ; distrust = true {
		d, err := v.walkOnce(b, path, false, distrust)
		var text string
		if err == nil {
			if d.kind == syscall.S_IFLNK {
				text, err = d.node.Readlink()
			} else {
				err = syscall.EINVAL
			}
			d.Put()
		}
		if err != syscall.ESTALE || distrust {
			return text, err
		}
	}
}

// Modes of Access, as of access(2).
const (
	AccessExec  = 1
	AccessWrite = 2
	AccessRead  = 4
)

// Access tells if the file at path may be used as mode says: by the superuser,
// as which everything in the guest runs, and where the file system has a say
// in it, by that.
func (v *VFS) Access(b Base, path string, follow bool, mode uint32) error {
	d, err := v.Walk(b, path, follow)
	if err != nil {
		return err
	}
	defer d.Put()
	return d.Access(mode)
}

// Access is VFS.Access for d.
func (d *Dentry) Access(mode uint32) error {
	a := attrs.Get().(*Attr)
	defer attrs.Put(a)
	if err := d.Getattr(a); err != nil {
		return err
	}
	special := d.kind != syscall.S_IFREG && d.kind != syscall.S_IFDIR && d.kind != syscall.S_IFLNK
	switch {
	case mode&AccessWrite != 0 && d.mnt.readOnly && !special:
		return syscall.EROFS
	case mode&AccessExec != 0 && !d.isDir() && a.Mode&0o111 == 0:
		return syscall.EACCES
	}
	if n, ok := d.node.(AccessNode); ok && mode != 0 {
		if err := n.Access(mode); err != syscall.ENOSYS {
			return err
		}
	}
	return nil
}
