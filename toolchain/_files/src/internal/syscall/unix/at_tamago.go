//go:build tamago

package unix

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

// Values of Linux; package syscall takes them.
const (
	AT_FDCWD            = -100
	AT_SYMLINK_NOFOLLOW = 0x100
	AT_EACCESS          = 0x200
	AT_REMOVEDIR        = 0x200

	UTIME_OMIT = 1<<30 - 2
)

func Openat(dirfd int, path string, flags int, perm uint32) (int, error) {
	return syscall.Openat(dirfd, path, flags, perm)
}

func Mkdirat(dirfd int, path string, mode uint32) error {
	return syscall.Mkdirat(dirfd, path, mode)
}

func Fchmodat(dirfd int, path string, mode uint32, flags int) error {
	return syscall.Fchmodat(dirfd, path, mode, flags)
}

func Fchownat(dirfd int, path string, uid, gid int, flags int) error {
	return syscall.Fchownat(dirfd, path, uid, gid, flags)
}

func Renameat(olddirfd int, oldpath string, newdirfd int, newpath string) error {
	return syscall.Renameat(olddirfd, oldpath, newdirfd, newpath)
}

func faccessat(dirfd int, path string, mode uint32, flags int) error {
	return syscall.Faccessat(dirfd, path, mode, flags)
}

//go:linkname Fcntl syscall.fcntl
func Fcntl(fd int, cmd int, arg int) (int, error)

//go:linkname Fstatat syscall.fstatat
func Fstatat(dirfd int, path string, stat *syscall.Stat_t, flags int) error

//go:linkname Readlinkat syscall.readlinkat
func Readlinkat(dirfd int, path string, buf []byte) (int, error)

//go:linkname Unlinkat syscall.unlinkat
func Unlinkat(dirfd int, path string, flags int) error

//go:linkname Linkat syscall.linkat
func Linkat(olddirfd int, oldpath string, newdirfd int, newpath string, flags int) error

//go:linkname Symlinkat syscall.symlinkat
func Symlinkat(target string, dirfd int, path string) error

//go:linkname Utimensat syscall.utimensat
func Utimensat(dirfd int, path string, times *[2]syscall.Timespec, flags int) error

//go:linkname CopyFileRange syscall.copyFileRange
func CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (int, error)
