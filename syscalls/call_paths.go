package syscalls

import "syscall"

// Calls by number that take paths.

func doOpen(k *Kernel, a args) (uintptr, syscall.Errno) {
	return openPath(k, AT_FDCWD, a[0], a.int(1), a.uint32(2))
}

func doCreat(k *Kernel, a args) (uintptr, syscall.Errno) {
	return openPath(k, AT_FDCWD, a[0], syscall.O_CREAT|syscall.O_WRONLY|syscall.O_TRUNC, a.uint32(1))
}

func doOpenat(k *Kernel, a args) (uintptr, syscall.Errno) {
	return openPath(k, a.int(0), a[1], a.int(2), a.uint32(3))
}

func openPath(k *Kernel, dirfd int, addr uintptr, flags int, mode uint32) (uintptr, syscall.Errno) {
	path, e := text(addr, pathMax, syscall.ENAMETOOLONG)
	if e != 0 {
		return 0, e
	}
	return count(k.Openat(dirfd, path, flags, mode))
}

func doStat(k *Kernel, a args) (uintptr, syscall.Errno) { return statPath(k, AT_FDCWD, a[0], a[1], 0) }
func doLstat(k *Kernel, a args) (uintptr, syscall.Errno) {
	return statPath(k, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW)
}
func doNewfstatat(k *Kernel, a args) (uintptr, syscall.Errno) {
	return statPath(k, a.int(0), a[1], a[2], a.int(3))
}

func statPath(k *Kernel, dirfd int, path, st uintptr, flags int) (uintptr, syscall.Errno) {
	p, e := text(path, pathMax, syscall.ENAMETOOLONG)
	if e != 0 {
		return 0, e
	}
	s, e := place[syscall.Stat_t](st)
	if e != 0 {
		return 0, e
	}
	return only(k.Fstatat(dirfd, p, s, flags))
}

func doStatx(k *Kernel, a args) (uintptr, syscall.Errno) {
	const size = 256 // struct statx
	p, e := a.path(1)
	if e != 0 {
		return 0, e
	}
	stx, e := room(a[4], size)
	if e != 0 {
		return 0, e
	}
	return only(k.Statx(a.int(0), p, a.int(2), a.uint32(3), stx))
}

func doStatfs(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.path(0)
	if e != 0 {
		return 0, e
	}
	st, e := place[syscall.Statfs_t](a[1])
	if e != 0 {
		return 0, e
	}
	return only(k.Statfs(p, st))
}

func doAccess(k *Kernel, a args) (uintptr, syscall.Errno) {
	return accessPath(k, AT_FDCWD, a[0], a.uint32(1), 0)
}

func doFaccessat(k *Kernel, a args) (uintptr, syscall.Errno) {
	return accessPath(k, a.int(0), a[1], a.uint32(2), 0)
}

func doFaccessat2(k *Kernel, a args) (uintptr, syscall.Errno) {
	return accessPath(k, a.int(0), a[1], a.uint32(2), a.int(3))
}

func accessPath(k *Kernel, dirfd int, path uintptr, mode uint32, flags int) (uintptr, syscall.Errno) {
	p, e := text(path, pathMax, syscall.ENAMETOOLONG)
	if e != 0 {
		return 0, e
	}
	return only(k.Faccessat(dirfd, p, mode, flags))
}

// onPath is a call on the path at word i.
func onPath(i int, do func(k *Kernel, a args, path string) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		p, e := a.path(i)
		if e != 0 {
			return 0, e
		}
		return only(do(k, a, p))
	}
}

// onPaths is a call on the paths at words i and j.
func onPaths(i, j int, do func(k *Kernel, a args, p, q string) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		p, q, e := a.paths(i, j)
		if e != 0 {
			return 0, e
		}
		return only(do(k, a, p, q))
	}
}

func doReadlink(k *Kernel, a args) (uintptr, syscall.Errno) {
	return readLink(k, AT_FDCWD, args{a[0], a[1], a[2]})
}

func doReadlinkat(k *Kernel, a args) (uintptr, syscall.Errno) {
	return readLink(k, a.int(0), args{a[1], a[2], a[3]})
}

func readLink(k *Kernel, dirfd int, a args) (uintptr, syscall.Errno) {
	if a.int(2) <= 0 {
		return 0, syscall.EINVAL
	}
	p, e := a.path(0)
	if e != 0 {
		return 0, e
	}
	buf, e := room(a[1], uintptr(a.int(2)))
	if e != 0 {
		return 0, e
	}
	return count(k.Readlinkat(dirfd, p, buf))
}

// Times: utime(2) has whole seconds, utimes(2) and futimesat(2) microseconds.

func doUtime(k *Kernel, a args) (uintptr, syscall.Errno) {
	times, e := optional[syscall.Utimbuf](a[1])
	if e != 0 {
		return 0, e
	}
	var ts *[2]syscall.Timespec
	if times != nil {
		ts = &[2]syscall.Timespec{{Sec: times.Actime}, {Sec: times.Modtime}}
	}
	return setTimes(k, AT_FDCWD, a[0], ts, 0)
}

func doUtimes(k *Kernel, a args) (uintptr, syscall.Errno) {
	return utimes(k, AT_FDCWD, a[0], a[1])
}

func doFutimesat(k *Kernel, a args) (uintptr, syscall.Errno) {
	return utimes(k, a.int(0), a[1], a[2])
}

func utimes(k *Kernel, dirfd int, path, times uintptr) (uintptr, syscall.Errno) {
	tv, e := optional[[2]syscall.Timeval](times)
	if e != 0 {
		return 0, e
	}
	var ts *[2]syscall.Timespec
	if tv != nil {
		ts = new([2]syscall.Timespec)
		for i, t := range tv {
			if t.Usec < 0 || t.Usec >= 1e6 {
				return 0, syscall.EINVAL
			}
			ts[i] = syscall.Timespec{Sec: t.Sec, Nsec: t.Usec * 1000}
		}
	}
	return setTimes(k, dirfd, path, ts, 0)
}

func doUtimensat(k *Kernel, a args) (uintptr, syscall.Errno) {
	ts, e := optional[[2]syscall.Timespec](a[2])
	if e != 0 {
		return 0, e
	}
	return setTimes(k, a.int(0), a[1], ts, a.int(3))
}

// setTimes takes no path for the file that dirfd is.
func setTimes(k *Kernel, dirfd int, path uintptr, ts *[2]syscall.Timespec, flags int) (uintptr, syscall.Errno) {
	if path == 0 && dirfd != AT_FDCWD {
		if flags != 0 {
			return 0, syscall.EINVAL
		}
		return only(k.Utimensat(dirfd, "", ts, AT_EMPTY_PATH))
	}
	p, e := text(path, pathMax, syscall.ENAMETOOLONG)
	if e != 0 {
		return 0, e
	}
	return only(k.Utimensat(dirfd, p, ts, flags))
}

func doGetcwd(k *Kernel, a args) (uintptr, syscall.Errno) {
	dir, e := k.Getcwd()
	if e != 0 {
		return 0, e
	}
	n := uintptr(len(dir) + 1)
	if a[1] < n {
		return 0, syscall.ERANGE
	}
	buf, e := room(a[0], n)
	if e != 0 {
		return 0, e
	}
	buf[copy(buf, dir)] = 0
	return n, 0
}

func doMount(k *Kernel, a args) (uintptr, syscall.Errno) {
	var s [4]string // source, target, type and data; all but the target may be missing
	for i, word := range []int{0, 1, 2, 4} {
		if a[word] == 0 && word != 1 {
			continue
		}
		var e syscall.Errno
		if s[i], e = a.path(word); e != 0 {
			return 0, e
		}
	}
	return only(k.Mount(s[0], s[1], s[2], a[3], s[3]))
}

// doNameToHandleAt finds the file and says of it what Linux says of one whose file
// system cannot be exported: it has no handle that outlasts the name.
func doNameToHandleAt(k *Kernel, a args) (uintptr, syscall.Errno) {
	const handleFID, follow = 0x200, AT_SYMLINK_FOLLOW
	flags := a.int(4)
	if flags&^(handleFID|follow|AT_EMPTY_PATH) != 0 {
		return 0, syscall.EINVAL
	}
	p, e := a.path(1)
	if e != 0 {
		return 0, e
	}
	at := flags & AT_EMPTY_PATH
	if flags&follow == 0 {
		at |= AT_SYMLINK_NOFOLLOW
	}
	var st syscall.Stat_t
	if e := k.Fstatat(a.int(0), p, &st, at); e != 0 {
		return 0, e
	}
	return 0, syscall.EOPNOTSUPP
}

// doOpenByHandleAt is for handles that come from elsewhere.
func doOpenByHandleAt(k *Kernel, a args) (uintptr, syscall.Errno) {
	const maxHandle = 128 // bytes: MAX_HANDLE_SZ
	if a.int(0) != AT_FDCWD {
		d, e := k.table.get(a.int(0))
		if e != 0 {
			return 0, e
		}
		d.put()
	}
	h, e := object[struct{ bytes, kind uint32 }](a[1])
	switch {
	case !k.can(capDacReadSearch):
		return 0, syscall.EPERM
	case e != 0:
		return 0, e
	case h.bytes == 0 || h.bytes > maxHandle:
		return 0, syscall.EINVAL
	}
	return 0, syscall.ESTALE
}

// Extended attributes: of a path, of a symbolic link itself, of a descriptor.

func doGetxattr(nofollow bool) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		return withAttr(a, room, func(attr string, dest []byte) (int, syscall.Errno) {
			p, e := a.path(0)
			if e != 0 {
				return 0, e
			}
			return k.Getxattr(p, attr, dest, nofollow)
		})
	}
}

func doFgetxattr(k *Kernel, a args) (uintptr, syscall.Errno) {
	return withAttr(a, room, func(attr string, dest []byte) (int, syscall.Errno) {
		return k.Fgetxattr(a.int(0), attr, dest)
	})
}

func doSetxattr(nofollow bool) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		if a[3] > xattrMax {
			return 0, syscall.E2BIG
		}
		return withAttr(a, memory, func(attr string, data []byte) (int, syscall.Errno) {
			p, e := a.path(0)
			if e != 0 {
				return 0, e
			}
			return 0, k.Setxattr(p, attr, data, a.int(4), nofollow)
		})
	}
}

func doFsetxattr(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a[3] > xattrMax {
		return 0, syscall.E2BIG
	}
	return withAttr(a, memory, func(attr string, data []byte) (int, syscall.Errno) {
		return 0, k.Fsetxattr(a.int(0), attr, data, a.int(4))
	})
}

// withAttr decodes the name of an attribute, word 1, and its value, words 2 and 3:
// memory, or room for it.
func withAttr(a args, value func(addr, n uintptr) ([]byte, syscall.Errno), do func(attr string, value []byte) (int, syscall.Errno)) (uintptr, syscall.Errno) {
	attr, e := text(a[1], xattrName, syscall.ERANGE)
	if e != 0 {
		return 0, e
	}
	v, e := value(a[2], min(a[3], xattrMax))
	if e != 0 {
		return 0, e
	}
	return count(do(attr, v))
}

func doListxattr(nofollow bool) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		p, e := a.path(0)
		if e != 0 {
			return 0, e
		}
		dest, e := room(a[1], min(a[2], xattrMax))
		if e != 0 {
			return 0, e
		}
		return count(k.Listxattr(p, dest, nofollow))
	}
}

func doFlistxattr(k *Kernel, a args) (uintptr, syscall.Errno) {
	dest, e := room(a[1], min(a[2], xattrMax))
	if e != 0 {
		return 0, e
	}
	return count(k.Flistxattr(a.int(0), dest))
}

func doRemovexattr(nofollow bool) call {
	return onPath(0, func(k *Kernel, a args, p string) syscall.Errno {
		attr, e := text(a[1], xattrName, syscall.ERANGE)
		if e != 0 {
			return e
		}
		return k.Removexattr(p, attr, nofollow)
	})
}

func doFremovexattr(k *Kernel, a args) (uintptr, syscall.Errno) {
	attr, e := text(a[1], xattrName, syscall.ERANGE)
	if e != 0 {
		return 0, e
	}
	return only(k.Fremovexattr(a.int(0), attr))
}
