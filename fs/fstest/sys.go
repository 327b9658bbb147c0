// Package fstest tests file systems through the system calls: a suite of what
// POSIX and Linux promise, for any file system, and a player of random
// operations that compares two implementations step by step.
package fstest

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/syscalls"
)

// Sys is the system under test: the methods of syscalls.Kernel that the tests
// need. Linux implements it, too.
type Sys interface {
	Openat(dirfd int, path string, flags int, mode uint32) (int, syscall.Errno)
	Close(fd int) syscall.Errno
	Read(fd int, p []byte) (int, syscall.Errno)
	Write(fd int, p []byte) (int, syscall.Errno)
	Pread(fd int, p []byte, off int64) (int, syscall.Errno)
	Pwrite(fd int, p []byte, off int64) (int, syscall.Errno)
	Seek(fd int, off int64, whence int) (int64, syscall.Errno)
	ReadDirent(fd int, buf []byte) (int, syscall.Errno)
	Fcntl(fd, cmd, arg int) (int, syscall.Errno)
	Dup(fd int) (int, syscall.Errno)
	Ftruncate(fd int, size int64) syscall.Errno
	Fstat(fd int, st *syscall.Stat_t) syscall.Errno
	Fstatat(dirfd int, path string, st *syscall.Stat_t, flags int) syscall.Errno
	Faccessat(dirfd int, path string, mode uint32, flags int) syscall.Errno
	Readlinkat(dirfd int, path string, buf []byte) (int, syscall.Errno)
	Mkdirat(dirfd int, path string, mode uint32) syscall.Errno
	Mknodat(dirfd int, path string, mode uint32, dev int) syscall.Errno
	Unlinkat(dirfd int, path string, flags int) syscall.Errno
	Renameat2(odirfd int, opath string, ndirfd int, npath string, flags uint32) syscall.Errno
	Linkat(odirfd int, opath string, ndirfd int, npath string, flags int) syscall.Errno
	Symlinkat(target string, dirfd int, path string) syscall.Errno
	Truncate(path string, size int64) syscall.Errno
	Fchmod(fd int, mode uint32) syscall.Errno
	Fchmodat(dirfd int, path string, mode uint32, flags int) syscall.Errno
	Fchownat(dirfd int, path string, uid, gid int, flags int) syscall.Errno
	Utimensat(dirfd int, path string, ts *[2]syscall.Timespec, flags int) syscall.Errno
	Getxattr(path, attr string, dest []byte, nofollow bool) (int, syscall.Errno)
	Setxattr(path, attr string, data []byte, flags int, nofollow bool) syscall.Errno
	Listxattr(path string, dest []byte, nofollow bool) (int, syscall.Errno)
	Removexattr(path, attr string, nofollow bool) syscall.Errno
	Fallocate(fd int, mode uint32, off, n int64) syscall.Errno
	CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (int, syscall.Errno)
	Flock(fd int, how int) syscall.Errno
	Getcwd() (string, syscall.Errno)
	Chdir(path string) syscall.Errno
	Fchdir(fd int) syscall.Errno
	Umask(mask int) int
}

var _ Sys = (*syscalls.Kernel)(nil)

// NewKernel makes a system with f as its root.
func NewKernel(f fs.FileSystem) *syscalls.Kernel {
	return syscalls.New(fs.New(f, fs.MountOptions{}))
}

// Constants by their short names.
const (
	cwd      = syscalls.AT_FDCWD
	nofollow = syscalls.AT_SYMLINK_NOFOLLOW
	rmdir    = syscalls.AT_REMOVEDIR
)
