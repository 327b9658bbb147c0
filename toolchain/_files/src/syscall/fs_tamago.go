//go:build tamago

package syscall

func Stat(path string, stat *Stat_t) error {
	return errnoErr(kernel.Fstatat(_AT_FDCWD, path, stat, 0))
}

func Lstat(path string, stat *Stat_t) error {
	return errnoErr(kernel.Fstatat(_AT_FDCWD, path, stat, _AT_SYMLINK_NOFOLLOW))
}

func Statfs(path string, buf *Statfs_t) error { return errnoErr(kernel.Statfs(path, buf)) }

func Access(path string, mode uint32) error { return Faccessat(_AT_FDCWD, path, mode, 0) }

func Faccessat(dirfd int, path string, mode uint32, flags int) error {
	return errnoErr(kernel.Faccessat(dirfd, path, mode, flags))
}

func Readlink(path string, buf []byte) (n int, err error) {
	return readlinkat(_AT_FDCWD, path, buf)
}

func Mkdir(path string, mode uint32) error { return Mkdirat(_AT_FDCWD, path, mode) }

func Mkdirat(dirfd int, path string, mode uint32) error {
	return errnoErr(kernel.Mkdirat(dirfd, path, mode))
}

func Mknod(path string, mode uint32, dev int) error { return Mknodat(_AT_FDCWD, path, mode, dev) }

func Mknodat(dirfd int, path string, mode uint32, dev int) error {
	return errnoErr(kernel.Mknodat(dirfd, path, mode, dev))
}

func Mkfifo(path string, mode uint32) error { return Mknod(path, mode&^S_IFMT|S_IFIFO, 0) }

func Unlink(path string) error              { return unlinkat(_AT_FDCWD, path, 0) }
func Unlinkat(dirfd int, path string) error { return unlinkat(dirfd, path, 0) }
func Rmdir(path string) error               { return unlinkat(_AT_FDCWD, path, _AT_REMOVEDIR) }

func Rename(from, to string) error { return Renameat(_AT_FDCWD, from, _AT_FDCWD, to) }

func Renameat(olddirfd int, oldpath string, newdirfd int, newpath string) error {
	return renameat2(olddirfd, oldpath, newdirfd, newpath, 0)
}

func renameat2(olddirfd int, oldpath string, newdirfd int, newpath string, flags uint32) error {
	return errnoErr(kernel.Renameat2(olddirfd, oldpath, newdirfd, newpath, flags))
}

func Link(path, link string) error { return linkat(_AT_FDCWD, path, _AT_FDCWD, link, 0) }

func Symlink(path, link string) error { return symlinkat(path, _AT_FDCWD, link) }

func Truncate(path string, length int64) error { return errnoErr(kernel.Truncate(path, length)) }

func Chmod(path string, mode uint32) error { return Fchmodat(_AT_FDCWD, path, mode, 0) }

func Fchmodat(dirfd int, path string, mode uint32, flags int) error {
	return errnoErr(kernel.Fchmodat(dirfd, path, mode, flags))
}

func Chown(path string, uid int, gid int) error { return Fchownat(_AT_FDCWD, path, uid, gid, 0) }

func Lchown(path string, uid int, gid int) error {
	return Fchownat(_AT_FDCWD, path, uid, gid, _AT_SYMLINK_NOFOLLOW)
}

func Fchownat(dirfd int, path string, uid int, gid int, flags int) error {
	return errnoErr(kernel.Fchownat(dirfd, path, uid, gid, flags))
}

func Utimes(path string, tv []Timeval) error {
	ts, err := timespecs(tv)
	if err != nil {
		return err
	}
	return utimensat(_AT_FDCWD, path, ts, 0)
}

func UtimesNano(path string, ts []Timespec) error {
	if len(ts) != 2 {
		return EINVAL
	}
	return utimensat(_AT_FDCWD, path, (*[2]Timespec)(ts), 0)
}

// timespecs converts access and modification time.
func timespecs(tv []Timeval) (*[2]Timespec, error) {
	if len(tv) != 2 {
		return nil, EINVAL
	}
	ts := new([2]Timespec)
	for i := range ts {
		if tv[i].Usec < 0 || tv[i].Usec >= 1e6 {
			return nil, EINVAL
		}
		ts[i] = Timespec{tv[i].Sec, tv[i].Usec * 1000}
	}
	return ts, nil
}

// The calls below are for internal/syscall/unix and os, which pull them by
// linkname.

func fstatat(dirfd int, path string, stat *Stat_t, flags int) error {
	return errnoErr(kernel.Fstatat(dirfd, path, stat, flags))
}

func readlinkat(dirfd int, path string, buf []byte) (n int, err error) {
	return count(kernel.Readlinkat(dirfd, path, buf))
}

func unlinkat(dirfd int, path string, flags int) error {
	return errnoErr(kernel.Unlinkat(dirfd, path, flags))
}

func linkat(olddirfd int, oldpath string, newdirfd int, newpath string, flags int) error {
	return errnoErr(kernel.Linkat(olddirfd, oldpath, newdirfd, newpath, flags))
}

func symlinkat(target string, dirfd int, path string) error {
	return errnoErr(kernel.Symlinkat(target, dirfd, path))
}

func utimensat(dirfd int, path string, times *[2]Timespec, flags int) error {
	return errnoErr(kernel.Utimensat(dirfd, path, times, flags))
}

func copyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (copied int, err error) {
	return count(kernel.CopyFileRange(rfd, roff, wfd, woff, n, flags))
}

func hostname() (name string, err error) {
	if name = kernel.Hostname(); name == "" {
		name = "yolk"
	}
	return name, nil
}
