package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Mkdirat makes a directory.
func (k *Kernel) Mkdirat(dirfd int, path string, mode uint32) syscall.Errno {
	b, e := k.base(dirfd, path)
	if e != 0 {
		return e
	}
	defer b.done()
	return errno(k.vfs.Mkdir(b.Base, path, mode, k.umask.Load()))
}

// Mknodat makes a file of the type in mode.
func (k *Kernel) Mknodat(dirfd int, path string, mode uint32, dev int) syscall.Errno {
	if err := fs.CheckMknod(mode); err != nil {
		return errno(err)
	}
	b, e := k.base(dirfd, path)
	if e != 0 {
		return e
	}
	defer b.done()
	return errno(k.vfs.Mknod(b.Base, path, mode, k.umask.Load(), uint32(dev)))
}

// Symlinkat makes a symbolic link at path.
func (k *Kernel) Symlinkat(target string, dirfd int, path string) syscall.Errno {
	if err := fs.CheckPath(target); err != nil {
		return errno(err)
	}
	b, e := k.base(dirfd, path)
	if e != 0 {
		return e
	}
	defer b.done()
	return errno(k.vfs.Symlink(target, b.Base, path))
}

// Linkat makes npath a further name of the file at opath. Flags:
// AT_SYMLINK_FOLLOW, AT_EMPTY_PATH.
func (k *Kernel) Linkat(odirfd int, opath string, ndirfd int, npath string, flags int) syscall.Errno {
	if flags&^(AT_SYMLINK_FOLLOW|AT_EMPTY_PATH) != 0 {
		return syscall.EINVAL
	}
	nb, e := k.base(ndirfd, npath)
	if e != 0 {
		return e
	}
	defer nb.done()
	if opath == "" && flags&AT_EMPTY_PATH != 0 && odirfd != AT_FDCWD {
		d, e := k.table.get(odirfd)
		if e != 0 {
			return e
		}
		defer d.put()
		return errno(k.vfs.LinkDentry(d.dentry, nb.Base, npath))
	}
	ob, e := k.base(odirfd, opath)
	if e != 0 {
		return e
	}
	defer ob.done()
	return errno(k.vfs.Link(ob.Base, opath, nb.Base, npath, flags&AT_SYMLINK_FOLLOW != 0))
}

// Unlinkat removes a name, with AT_REMOVEDIR an empty directory.
func (k *Kernel) Unlinkat(dirfd int, path string, flags int) syscall.Errno {
	if flags&^AT_REMOVEDIR != 0 {
		return syscall.EINVAL
	}
	b, e := k.base(dirfd, path)
	if e != 0 {
		return e
	}
	defer b.done()
	if flags&AT_REMOVEDIR != 0 {
		return errno(k.vfs.Rmdir(b.Base, path))
	}
	return errno(k.vfs.Unlink(b.Base, path))
}

// Renameat2 moves a file. Flags: fs.RenameNoReplace, RenameExchange, RenameWhiteout.
func (k *Kernel) Renameat2(odirfd int, opath string, ndirfd int, npath string, flags uint32) syscall.Errno {
	if err := fs.CheckRename(flags); err != nil {
		return errno(err)
	}
	ob, e := k.base(odirfd, opath)
	if e != 0 {
		return e
	}
	defer ob.done()
	nb, e := k.base(ndirfd, npath)
	if e != 0 {
		return e
	}
	defer nb.done()
	return errno(k.vfs.Rename(ob.Base, opath, nb.Base, npath, flags))
}

// Readlinkat fills buf with the text of the link at path, as much as there is
// room for. With an empty path it is that of dirfd itself, a link opened with
// O_PATH.
func (k *Kernel) Readlinkat(dirfd int, path string, buf []byte) (int, syscall.Errno) {
	if len(buf) == 0 {
		return 0, syscall.EINVAL
	}
	if path == "" && dirfd != AT_FDCWD {
		d, e := k.table.get(dirfd)
		if e != 0 {
			return 0, e
		}
		defer d.put()
		if d.kind != syscall.S_IFLNK {
			return 0, syscall.ENOENT
		}
		text, err := d.dentry.Node().Readlink()
		return copy(buf, text), errno(err)
	}
	b, e := k.base(dirfd, path)
	if e != 0 {
		return 0, e
	}
	defer b.done()
	text, err := k.vfs.Readlink(b.Base, path)
	if err != nil {
		return 0, errno(err)
	}
	return copy(buf, text), 0
}

// baseOrSelf is base, where an empty path with AT_EMPTY_PATH means the
// directory dirfd itself.
func (k *Kernel) baseOrSelf(dirfd int, path string, flags int) (base, string, syscall.Errno) {
	if path != "" || flags&AT_EMPTY_PATH == 0 {
		b, e := k.base(dirfd, path)
		return b, path, e
	}
	b, e := k.base(dirfd, ".")
	return b, ".", e
}
