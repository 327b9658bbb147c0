package syscalls

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// set changes attributes of the file at path.
func (k *Kernel) set(dirfd int, path string, flags int, s *fs.SetAttr) syscall.Errno {
	if flags&^(AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH) != 0 {
		return syscall.EINVAL
	}
	if path == "" && flags&AT_EMPTY_PATH != 0 && dirfd != AT_FDCWD {
		return k.fset(dirfd, s, true)
	}
	b, path, e := k.baseOrSelf(dirfd, path, flags)
	if e != 0 {
		return e
	}
	defer b.done()
	return errno(k.vfs.Setattr(b.Base, path, flags&AT_SYMLINK_NOFOLLOW == 0, s))
}

// fset changes attributes of the open file.
func (k *Kernel) fset(fd int, s *fs.SetAttr, pathOK bool) syscall.Errno {
	d, e := k.table.get(fd)
	if e != 0 {
		return e
	}
	defer d.put()
	switch {
	case d.opened&O_PATH != 0 && !pathOK:
		return syscall.EBADF
	case d.opened&O_PATH != 0:
		return errno(d.dentry.Setattr(s))
	}
	return errno(d.dentry.SetattrFile(d.file, s))
}

// Truncate sets the size of the file at path.
func (k *Kernel) Truncate(path string, size int64) syscall.Errno {
	if size < 0 {
		return syscall.EINVAL
	}
	b, e := k.base(AT_FDCWD, path)
	if e != 0 {
		return e
	}
	defer b.done()
	if e := k.mayGrow(size, func(a *fs.Attr) error { return k.vfs.Stat(b.Base, path, true, a) }); e != 0 {
		return e
	}
	unlock := k.maps.lockAt(b, path)
	n, err := k.vfs.Truncate(b.Base, path, size)
	if err != nil {
		n = nil
	}
	unlock(n, size)
	return errno(err)
}

// Fchmod sets the permission bits of the open file.
func (k *Kernel) Fchmod(fd int, mode uint32) syscall.Errno {
	return k.fset(fd, &fs.SetAttr{Valid: fs.SetMode, Mode: mode & 0o7777}, false)
}

// Fchmodat sets the permission bits of the file at path. Flags:
// AT_SYMLINK_NOFOLLOW (EOPNOTSUPP on links), AT_EMPTY_PATH.
func (k *Kernel) Fchmodat(dirfd int, path string, mode uint32, flags int) syscall.Errno {
	return k.set(dirfd, path, flags, &fs.SetAttr{Valid: fs.SetMode, Mode: mode & 0o7777})
}

// Fchown sets the owner of the open file; -1 leaves one as it is.
func (k *Kernel) Fchown(fd, uid, gid int) syscall.Errno {
	return k.chown(fd, "", uid, gid, AT_EMPTY_PATH)
}

// Fchownat sets the owner of the file at path; -1 leaves one as it is. Flags:
// AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
func (k *Kernel) Fchownat(dirfd int, path string, uid, gid int, flags int) syscall.Errno {
	return k.chown(dirfd, path, uid, gid, flags)
}

func (k *Kernel) chown(dirfd int, path string, uid, gid int, flags int) syscall.Errno {
	s := &fs.SetAttr{Uid: uint32(uid), Gid: uint32(gid)}
	if uid != -1 {
		s.Valid |= fs.SetUid
	}
	if gid != -1 {
		s.Valid |= fs.SetGid
	}
	if s.Valid == 0 {
		// Nothing but what a change of the owner does to the set-id bits.
		var st syscall.Stat_t
		if e := k.Fstatat(dirfd, path, &st, flags); e != 0 {
			return e
		}
		s.Valid, s.Uid = fs.SetUid, st.Uid
	}
	return k.set(dirfd, path, flags, s)
}

// Utimensat sets the times of access and modification of the file at path;
// nil: both to now. Flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
func (k *Kernel) Utimensat(dirfd int, path string, ts *[2]syscall.Timespec, flags int) syscall.Errno {
	s := &fs.SetAttr{Valid: fs.SetAtimeNow | fs.SetMtimeNow}
	if ts != nil {
		s.Valid = 0
		if !stamp(s, ts[0], &s.Atime, fs.SetAtime, fs.SetAtimeNow) || !stamp(s, ts[1], &s.Mtime, fs.SetMtime, fs.SetMtimeNow) {
			// Linux looks for the file before it looks at the times.
			if e := k.Fstatat(dirfd, path, new(syscall.Stat_t), flags); e != 0 {
				return e
			}
			return syscall.EINVAL
		}
		if s.Valid == 0 {
			return 0
		}
	}
	return k.set(dirfd, path, flags, s)
}

// stamp enters one time of utimensat into s, if it is valid.
func stamp(s *fs.SetAttr, t syscall.Timespec, to *fs.Time, given, now uint32) bool {
	switch {
	case t.Nsec == UTIME_OMIT:
	case t.Nsec == UTIME_NOW:
		s.Valid |= now
	case t.Nsec < 0 || t.Nsec >= 1e9:
		return false
	default:
		s.Valid |= given
		*to = fs.Time{Sec: t.Sec, Nsec: uint32(t.Nsec)}
	}
	return true
}
