//go:build tamago

package unix

import "syscall"

func Access(path string, mode uint32) error { return syscall.Access(path, mode) }

func Faccessat(dirfd int, path string, mode uint32, flags int) error {
	return syscall.Faccessat(dirfd, path, mode, flags)
}

func Faccessat2(dirfd int, path string, mode uint32, flags int) error {
	return syscall.Faccessat(dirfd, path, mode, flags)
}

func Readlink(path string, buf []byte) (n int, err error) { return syscall.Readlink(path, buf) }

func Readlinkat(dirfd int, path string, buf []byte) (n int, err error) {
	return readlinkat(dirfd, path, buf)
}

func Mkdir(path string, mode uint32) error { return syscall.Mkdir(path, mode) }

func Mkdirat(dirfd int, path string, mode uint32) error { return syscall.Mkdirat(dirfd, path, mode) }

func Mknod(path string, mode uint32, dev int) error { return syscall.Mknod(path, mode, dev) }

func Mknodat(dirfd int, path string, mode uint32, dev int) error {
	return syscall.Mknodat(dirfd, path, mode, dev)
}

func Mkfifo(path string, mode uint32) error { return syscall.Mkfifo(path, mode) }

func Mkfifoat(dirfd int, path string, mode uint32) error {
	return syscall.Mknodat(dirfd, path, mode&^S_IFMT|S_IFIFO, 0)
}

func Unlink(path string) error                         { return syscall.Unlink(path) }
func Unlinkat(dirfd int, path string, flags int) error { return unlinkat(dirfd, path, flags) }
func Rmdir(path string) error                          { return syscall.Rmdir(path) }
func Rename(from, to string) error                     { return syscall.Rename(from, to) }

func Renameat(olddirfd int, oldpath string, newdirfd int, newpath string) error {
	return syscall.Renameat(olddirfd, oldpath, newdirfd, newpath)
}

// Renameat2 is Renameat with RENAME_ flags; those that a file system lacks are
// EINVAL.
func Renameat2(olddirfd int, oldpath string, newdirfd int, newpath string, flags uint) error {
	if uint(uint32(flags)) != flags {
		return EINVAL
	}
	return renameat2(olddirfd, oldpath, newdirfd, newpath, uint32(flags))
}

func Link(oldpath string, newpath string) error    { return syscall.Link(oldpath, newpath) }
func Symlink(oldpath string, newpath string) error { return syscall.Symlink(oldpath, newpath) }

func Linkat(olddirfd int, oldpath string, newdirfd int, newpath string, flags int) error {
	return linkat(olddirfd, oldpath, newdirfd, newpath, flags)
}

func Symlinkat(oldpath string, newdirfd int, newpath string) error {
	return symlinkat(oldpath, newdirfd, newpath)
}

func Truncate(path string, length int64) error { return syscall.Truncate(path, length) }

func Chmod(path string, mode uint32) error { return syscall.Chmod(path, mode) }
func Fchmod(fd int, mode uint32) error     { return syscall.Fchmod(fd, mode) }

func Fchmodat(dirfd int, path string, mode uint32, flags int) error {
	return syscall.Fchmodat(dirfd, path, mode, flags)
}

func Chown(path string, uid int, gid int) error  { return syscall.Chown(path, uid, gid) }
func Lchown(path string, uid int, gid int) error { return syscall.Lchown(path, uid, gid) }
func Fchown(fd int, uid int, gid int) error      { return syscall.Fchown(fd, uid, gid) }

func Fchownat(dirfd int, path string, uid int, gid int, flags int) error {
	return syscall.Fchownat(dirfd, path, uid, gid, flags)
}

func Getcwd(buf []byte) (n int, err error)   { return syscall.Getcwd(buf) }
func Getwd() (wd string, err error)          { return syscall.Getwd() }
func Chdir(path string) error                { return syscall.Chdir(path) }
func Chroot(path string) error               { return syscall.Chroot(path) }
func Umask(mask int) (oldmask int)           { return syscall.Umask(mask) }
func Unmount(target string, flags int) error { return syscall.Unmount(target, flags) }

func Mount(source string, target string, fstype string, flags uintptr, data string) error {
	return syscall.Mount(source, target, fstype, flags, data)
}
