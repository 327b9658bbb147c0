package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

const xattrNameMax = 255 // XATTR_NAME_MAX, bytes

// withXattr calls do with the attributes of the file at path, or of the open
// file of fd if path is empty.
func (k *Kernel) withXattr(fd int, path string, nofollow, write bool, do func(n fs.XattrNode) error) syscall.Errno {
	var d *fs.Dentry
	if path == "" && fd >= 0 {
		x, e := k.table.file(fd)
		if e != 0 {
			return e
		}
		defer x.put()
		d = x.dentry
	} else {
		b, e := k.base(AT_FDCWD, path)
		if e != 0 {
			return e
		}
		defer b.done()
		var err error
		if d, err = k.vfs.Walk(b.Base, path, !nofollow); err != nil {
			return errno(err)
		}
		defer d.Put()
	}
	if write && d.Mount().ReadOnly() {
		return syscall.EROFS
	}
	n, ok := d.Node().(fs.XattrNode)
	if !ok {
		return syscall.EOPNOTSUPP
	}
	e := errno(do(n))
	if write && e == 0 {
		d.NotifyAttrib()
	}
	return e
}

func (k *Kernel) getxattr(fd int, path, attr string, dest []byte, nofollow bool) (n int, e syscall.Errno) {
	if attr == "" || len(attr) > xattrNameMax {
		return 0, syscall.ERANGE
	}
	e = k.withXattr(fd, path, nofollow, false, func(x fs.XattrNode) (err error) {
		n, err = x.Getxattr(attr, dest)
		return err
	})
	return n, e
}

func (k *Kernel) setxattr(fd int, path, attr string, data []byte, flags int, nofollow bool) syscall.Errno {
	const create, replace = 1, 2
	switch {
	case flags&^(create|replace) != 0:
		return syscall.EINVAL
	case attr == "" || len(attr) > xattrNameMax:
		return syscall.ERANGE
	case len(data) > fs.XattrMax:
		return syscall.E2BIG
	}
	return k.withXattr(fd, path, nofollow, true, func(x fs.XattrNode) error {
		return x.Setxattr(attr, data, flags)
	})
}

func (k *Kernel) listxattr(fd int, path string, dest []byte, nofollow bool) (n int, e syscall.Errno) {
	e = k.withXattr(fd, path, nofollow, false, func(x fs.XattrNode) (err error) {
		n, err = x.Listxattr(dest)
		return err
	})
	return n, e
}

func (k *Kernel) removexattr(fd int, path, attr string, nofollow bool) syscall.Errno {
	if attr == "" || len(attr) > xattrNameMax {
		return syscall.ERANGE
	}
	return k.withXattr(fd, path, nofollow, true, func(x fs.XattrNode) error { return x.Removexattr(attr) })
}

// Getxattr fills dest with the value of an extended attribute of the file at
// path; with an empty dest it returns the length only. ERANGE: too short.
func (k *Kernel) Getxattr(path, attr string, dest []byte, nofollow bool) (int, syscall.Errno) {
	return k.getxattr(-1, path, attr, dest, nofollow)
}

// Setxattr sets an extended attribute. Flags: XATTR_CREATE 1, XATTR_REPLACE 2.
func (k *Kernel) Setxattr(path, attr string, data []byte, flags int, nofollow bool) syscall.Errno {
	return k.setxattr(-1, path, attr, data, flags, nofollow)
}

// Listxattr is like Getxattr for the names, each ended by a NUL.
func (k *Kernel) Listxattr(path string, dest []byte, nofollow bool) (int, syscall.Errno) {
	return k.listxattr(-1, path, dest, nofollow)
}

// Removexattr removes an extended attribute.
func (k *Kernel) Removexattr(path, attr string, nofollow bool) syscall.Errno {
	return k.removexattr(-1, path, attr, nofollow)
}

// Fgetxattr is Getxattr for an open file.
func (k *Kernel) Fgetxattr(fd int, attr string, dest []byte) (int, syscall.Errno) {
	if fd < 0 {
		return 0, syscall.EBADF
	}
	return k.getxattr(fd, "", attr, dest, false)
}

// Fsetxattr is Setxattr for an open file.
func (k *Kernel) Fsetxattr(fd int, attr string, data []byte, flags int) syscall.Errno {
	if fd < 0 {
		return syscall.EBADF
	}
	return k.setxattr(fd, "", attr, data, flags, false)
}

// Flistxattr is Listxattr for an open file.
func (k *Kernel) Flistxattr(fd int, dest []byte) (int, syscall.Errno) {
	if fd < 0 {
		return 0, syscall.EBADF
	}
	return k.listxattr(fd, "", dest, false)
}

// Fremovexattr is Removexattr for an open file.
func (k *Kernel) Fremovexattr(fd int, attr string) syscall.Errno {
	if fd < 0 {
		return syscall.EBADF
	}
	return k.removexattr(fd, "", attr, false)
}
