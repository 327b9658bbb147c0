//go:build linux

package fstest

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// Linux is the system that the test itself runs on. Chroot has been called on
// the thread of the goroutine that uses it.
type Linux struct{}

// Chroot makes dir the root and working directory of the calling goroutine's
// thread alone. The goroutine must be locked to it for good.
func Chroot(dir string) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Chroot(dir); err != nil {
		return err
	}
	return unix.Chdir("/")
}

func no(err error) syscall.Errno {
	var e syscall.Errno
	errors.As(err, &e)
	return e
}

func (Linux) Openat(dirfd int, path string, flags int, mode uint32) (int, syscall.Errno) {
	fd, err := unix.Openat(dirfd, path, flags|unix.O_CLOEXEC, mode)
	return fd, no(err)
}

func (Linux) Close(fd int) syscall.Errno { return no(unix.Close(fd)) }

func (Linux) Read(fd int, p []byte) (int, syscall.Errno) {
	n, err := unix.Read(fd, p)
	return n, no(err)
}

func (Linux) Write(fd int, p []byte) (int, syscall.Errno) {
	n, err := unix.Write(fd, p)
	return n, no(err)
}

func (Linux) Pread(fd int, p []byte, off int64) (int, syscall.Errno) {
	n, err := unix.Pread(fd, p, off)
	return n, no(err)
}

func (Linux) Pwrite(fd int, p []byte, off int64) (int, syscall.Errno) {
	n, err := unix.Pwrite(fd, p, off)
	return n, no(err)
}

func (Linux) Seek(fd int, off int64, whence int) (int64, syscall.Errno) {
	n, err := unix.Seek(fd, off, whence)
	return n, no(err)
}

func (Linux) ReadDirent(fd int, buf []byte) (int, syscall.Errno) {
	n, err := unix.ReadDirent(fd, buf)
	return n, no(err)
}

func (Linux) Fcntl(fd, cmd, arg int) (int, syscall.Errno) {
	n, err := unix.FcntlInt(uintptr(fd), cmd, arg)
	return n, no(err)
}

func (Linux) Dup(fd int) (int, syscall.Errno) {
	n, err := unix.Dup(fd)
	return n, no(err)
}

func (Linux) Ftruncate(fd int, size int64) syscall.Errno { return no(unix.Ftruncate(fd, size)) }

func (Linux) Fstat(fd int, st *syscall.Stat_t) syscall.Errno { return no(syscall.Fstat(fd, st)) }

func (Linux) Fstatat(dirfd int, path string, st *syscall.Stat_t, flags int) syscall.Errno {
	var u unix.Stat_t
	if err := unix.Fstatat(dirfd, path, &u, flags); err != nil {
		return no(err)
	}
	*st = syscall.Stat_t{Dev: u.Dev, Ino: u.Ino, Nlink: u.Nlink, Mode: u.Mode, Uid: u.Uid, Gid: u.Gid, Rdev: u.Rdev,
		Size: u.Size, Blksize: u.Blksize, Blocks: u.Blocks,
		Atim: syscall.Timespec(u.Atim), Mtim: syscall.Timespec(u.Mtim), Ctim: syscall.Timespec(u.Ctim)}
	return 0
}

func (Linux) Faccessat(dirfd int, path string, mode uint32, flags int) syscall.Errno {
	return no(unix.Faccessat2(dirfd, path, mode, flags))
}

func (Linux) Readlinkat(dirfd int, path string, buf []byte) (int, syscall.Errno) {
	n, err := unix.Readlinkat(dirfd, path, buf)
	return n, no(err)
}

func (Linux) Mkdirat(dirfd int, path string, mode uint32) syscall.Errno {
	return no(unix.Mkdirat(dirfd, path, mode))
}

func (Linux) Mknodat(dirfd int, path string, mode uint32, dev int) syscall.Errno {
	return no(unix.Mknodat(dirfd, path, mode, dev))
}

func (Linux) Unlinkat(dirfd int, path string, flags int) syscall.Errno {
	return no(unix.Unlinkat(dirfd, path, flags))
}

func (Linux) Renameat2(odirfd int, opath string, ndirfd int, npath string, flags uint32) syscall.Errno {
	return no(unix.Renameat2(odirfd, opath, ndirfd, npath, uint(flags)))
}

func (Linux) Linkat(odirfd int, opath string, ndirfd int, npath string, flags int) syscall.Errno {
	return no(unix.Linkat(odirfd, opath, ndirfd, npath, flags))
}

func (Linux) Symlinkat(target string, dirfd int, path string) syscall.Errno {
	return no(unix.Symlinkat(target, dirfd, path))
}

func (Linux) Truncate(path string, size int64) syscall.Errno { return no(unix.Truncate(path, size)) }

func (Linux) Fchmod(fd int, mode uint32) syscall.Errno { return no(unix.Fchmod(fd, mode)) }

func (Linux) Fchmodat(dirfd int, path string, mode uint32, flags int) syscall.Errno {
	return no(unix.Fchmodat(dirfd, path, mode, flags))
}

func (Linux) Fchownat(dirfd int, path string, uid, gid int, flags int) syscall.Errno {
	return no(unix.Fchownat(dirfd, path, uid, gid, flags))
}

func (Linux) Utimensat(dirfd int, path string, ts *[2]syscall.Timespec, flags int) syscall.Errno {
	if ts == nil {
		return no(unix.UtimesNanoAt(dirfd, path, nil, flags))
	}
	return no(unix.UtimesNanoAt(dirfd, path, []unix.Timespec{unix.Timespec(ts[0]), unix.Timespec(ts[1])}, flags))
}

func (Linux) Getcwd() (string, syscall.Errno) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Getcwd(buf)
	if err != nil {
		return "", no(err)
	}
	return string(buf[:n-1]), 0
}

func (Linux) Chdir(path string) syscall.Errno { return no(unix.Chdir(path)) }

func (Linux) Fchdir(fd int) syscall.Errno { return no(unix.Fchdir(fd)) }

func (Linux) Umask(mask int) int { return unix.Umask(mask) }

func (Linux) Getxattr(path, attr string, dest []byte, nofollow bool) (int, syscall.Errno) {
	get := unix.Getxattr
	if nofollow {
		get = unix.Lgetxattr
	}
	n, err := get(path, attr, dest)
	return n, no(err)
}

func (Linux) Setxattr(path, attr string, data []byte, flags int, nofollow bool) syscall.Errno {
	if nofollow {
		return no(unix.Lsetxattr(path, attr, data, flags))
	}
	return no(unix.Setxattr(path, attr, data, flags))
}

func (Linux) Listxattr(path string, dest []byte, nofollow bool) (int, syscall.Errno) {
	list := unix.Listxattr
	if nofollow {
		list = unix.Llistxattr
	}
	n, err := list(path, dest)
	return n, no(err)
}

func (Linux) Removexattr(path, attr string, nofollow bool) syscall.Errno {
	if nofollow {
		return no(unix.Lremovexattr(path, attr))
	}
	return no(unix.Removexattr(path, attr))
}

func (Linux) Fallocate(fd int, mode uint32, off, n int64) syscall.Errno {
	return no(unix.Fallocate(fd, mode, off, n))
}

func (Linux) CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (int, syscall.Errno) {
	done, err := unix.CopyFileRange(rfd, roff, wfd, woff, n, flags)
	return done, no(err)
}

func (Linux) Flock(fd int, how int) syscall.Errno { return no(unix.Flock(fd, how)) }

func (Linux) Fsync(fd int) syscall.Errno { return no(unix.Fsync(fd)) }

func (Linux) Mmap(addr uintptr, length, prot, flags, fd int, off int64) (uintptr, syscall.Errno) {
	at, _, e := syscall.Syscall6(syscall.SYS_MMAP, addr, uintptr(length), uintptr(prot), uintptr(flags), uintptr(fd), uintptr(off))
	return at, e
}

func (Linux) Munmap(addr uintptr, length int) syscall.Errno {
	return three(syscall.SYS_MUNMAP, addr, length, 0)
}

func (Linux) Msync(addr uintptr, length, flags int) syscall.Errno {
	return three(syscall.SYS_MSYNC, addr, length, flags)
}

func (Linux) Mprotect(addr uintptr, length, prot int) syscall.Errno {
	return three(syscall.SYS_MPROTECT, addr, length, prot)
}

func (Linux) Mremap(addr uintptr, was, size, flags int, to uintptr) (uintptr, syscall.Errno) {
	at, _, e := syscall.RawSyscall6(syscall.SYS_MREMAP, addr, uintptr(was), uintptr(size), uintptr(flags), to, 0)
	return at, e
}

func (Linux) Madvise(addr uintptr, length, advice int) syscall.Errno {
	return three(syscall.SYS_MADVISE, addr, length, advice)
}

func (Linux) Mincore(addr uintptr, length int, vec []byte) syscall.Errno {
	_, _, e := syscall.RawSyscall(syscall.SYS_MINCORE, addr, uintptr(length), where(vec))
	return e
}

func three(call, addr uintptr, length, arg int) syscall.Errno {
	_, _, e := syscall.RawSyscall(call, addr, uintptr(length), uintptr(arg))
	return e
}
