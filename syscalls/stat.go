package syscalls

import (
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// attrs lends an Attr for a moment, as one on the stack would be moved to the
// heap by the call through the interface.
var attrs = sync.Pool{New: func() any { return new(fs.Attr) }}

// Fstat fills st with the attributes of the open file.
func (k *Kernel) Fstat(fd int, st *syscall.Stat_t) syscall.Errno {
	d, err := k.table.get(fd)
	if err != 0 {
		return err
	}
	err = d.stat(st)
	d.put()
	return err
}

func (d *desc) stat(st *syscall.Stat_t) syscall.Errno {
	a := attrs.Get().(*fs.Attr)
	defer attrs.Put(a)
	if err := d.file.Getattr(a); err != nil {
		return errno(err)
	}
	a.Dev = d.dentry.Dev()
	return fillStat(st, a)
}

// Fstatat fills st with the attributes of the file at path. Flags:
// AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
func (k *Kernel) Fstatat(dirfd int, path string, st *syscall.Stat_t, flags int) syscall.Errno {
	if flags&^(AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH) != 0 {
		return syscall.EINVAL
	}
	if path == "" && flags&AT_EMPTY_PATH != 0 {
		if dirfd != AT_FDCWD {
			return k.Fstat(dirfd, st)
		}
		path = "."
	}
	b, e := k.base(dirfd, path)
	if e != 0 {
		return e
	}
	a := attrs.Get().(*fs.Attr)
	e = errno(k.vfs.Stat(b.Base, path, flags&AT_SYMLINK_NOFOLLOW == 0, a))
	b.done()
	if e == 0 {
		e = fillStat(st, a)
	}
	attrs.Put(a)
	return e
}

// fillStat fills st; a program may have passed nil.
func fillStat(st *syscall.Stat_t, a *fs.Attr) syscall.Errno {
	if st == nil {
		return syscall.EFAULT
	}
	*st = syscall.Stat_t{
		Dev:     a.Dev,
		Ino:     a.Ino,
		Nlink:   uint64(a.Nlink),
		Mode:    a.Mode,
		Uid:     a.Uid,
		Gid:     a.Gid,
		Rdev:    a.Rdev,
		Size:    a.Size,
		Blksize: int64(a.Blksize),
		Blocks:  a.Blocks,
		Atim:    syscall.Timespec{Sec: a.Atime.Sec, Nsec: int64(a.Atime.Nsec)},
		Mtim:    syscall.Timespec{Sec: a.Mtime.Sec, Nsec: int64(a.Mtime.Nsec)},
		Ctim:    syscall.Timespec{Sec: a.Ctime.Sec, Nsec: int64(a.Ctime.Nsec)},
	}
	return 0
}

// Flags of Statfs_t, as of statfs(2).
const (
	stRdonly = 1
	stValid  = 0x20
)

// Statfs tells about the file system of the file at path.
func (k *Kernel) Statfs(path string, st *syscall.Statfs_t) syscall.Errno {
	b, e := k.base(AT_FDCWD, path)
	if e != 0 {
		return e
	}
	defer b.done()
	var s fs.Statfs
	m, err := k.vfs.Statfs(b.Base, path, &s)
	if err != nil {
		return errno(err)
	}
	return fillStatfs(st, &s, m)
}

// Fstatfs tells about the file system of the open file.
func (k *Kernel) Fstatfs(fd int, st *syscall.Statfs_t) syscall.Errno {
	d, e := k.table.get(fd)
	if e != 0 {
		return e
	}
	defer d.put()
	var s fs.Statfs
	m := d.dentry.Mount()
	if err := d.dentry.Statfs(&s); err != nil {
		return errno(err)
	}
	return fillStatfs(st, &s, m)
}

func fillStatfs(st *syscall.Statfs_t, s *fs.Statfs, m *fs.Mount) syscall.Errno {
	if st == nil {
		return syscall.EFAULT
	}
	*st = syscall.Statfs_t{
		Type:    int64(s.Type),
		Bsize:   int64(s.Bsize),
		Blocks:  s.Blocks,
		Bfree:   s.Bfree,
		Bavail:  s.Bavail,
		Files:   s.Files,
		Ffree:   s.Ffree,
		Namelen: int64(s.NameLen),
		Frsize:  int64(s.Frsize),
		Flags:   stValid,
	}
	st.Fsid.X__val = [2]int32{int32(s.Dev), int32(s.Dev >> 32)}
	if m.ReadOnly() {
		st.Flags |= stRdonly
	}
	return 0
}

// Faccessat tells if the file at path may be accessed as mode says. Flags:
// AT_SYMLINK_NOFOLLOW, AT_EACCESS (without effect), AT_EMPTY_PATH.
func (k *Kernel) Faccessat(dirfd int, path string, mode uint32, flags int) syscall.Errno {
	if mode&^(fs.AccessRead|fs.AccessWrite|fs.AccessExec) != 0 || flags&^(AT_SYMLINK_NOFOLLOW|AT_EACCESS|AT_EMPTY_PATH) != 0 {
		return syscall.EINVAL
	}
	if path == "" && flags&AT_EMPTY_PATH != 0 && dirfd != AT_FDCWD {
		d, e := k.table.get(dirfd)
		if e != 0 {
			return e
		}
		defer d.put()
		return errno(d.dentry.Access(mode))
	}
	b, path, e := k.baseOrSelf(dirfd, path, flags)
	if e != 0 {
		return e
	}
	defer b.done()
	return errno(k.vfs.Access(b.Base, path, flags&AT_SYMLINK_NOFOLLOW == 0, mode))
}
