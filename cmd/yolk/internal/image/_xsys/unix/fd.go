//go:build tamago

package unix

import "syscall"

type (
	Dirent  = syscall.Dirent
	Flock_t = syscall.Flock_t
	Iovec   = syscall.Iovec
)

func Open(path string, mode int, perm uint32) (fd int, err error) {
	return syscall.Open(path, mode, perm)
}

func Openat(dirfd int, path string, flags int, mode uint32) (fd int, err error) {
	return syscall.Openat(dirfd, path, flags, mode)
}

func Creat(path string, mode uint32) (fd int, err error) { return syscall.Creat(path, mode) }
func Close(fd int) error                                 { return syscall.Close(fd) }
func Read(fd int, p []byte) (n int, err error)           { return syscall.Read(fd, p) }
func Write(fd int, p []byte) (n int, err error)          { return syscall.Write(fd, p) }

func Pread(fd int, p []byte, offset int64) (n int, err error) { return syscall.Pread(fd, p, offset) }

func Pwrite(fd int, p []byte, offset int64) (n int, err error) {
	return syscall.Pwrite(fd, p, offset)
}

func Seek(fd int, offset int64, whence int) (off int64, err error) {
	return syscall.Seek(fd, offset, whence)
}

func ReadDirent(fd int, buf []byte) (n int, err error) { return syscall.ReadDirent(fd, buf) }
func Getdents(fd int, buf []byte) (n int, err error)   { return syscall.Getdents(fd, buf) }

func ParseDirent(buf []byte, max int, names []string) (consumed int, count int, newnames []string) {
	return syscall.ParseDirent(buf, max, names)
}

func Dup(oldfd int) (fd int, err error)      { return syscall.Dup(oldfd) }
func Dup2(oldfd, newfd int) error            { return syscall.Dup2(oldfd, newfd) }
func Dup3(oldfd, newfd int, flags int) error { return syscall.Dup3(oldfd, newfd, flags) }
func Pipe(p []int) error                     { return syscall.Pipe(p) }
func Pipe2(p []int, flags int) error         { return syscall.Pipe2(p, flags) }

func CloseOnExec(fd int)                         { syscall.CloseOnExec(fd) }
func SetNonblock(fd int, nonblocking bool) error { return syscall.SetNonblock(fd, nonblocking) }
func Flock(fd int, how int) error                { return syscall.Flock(fd, how) }
func Ftruncate(fd int, length int64) error       { return syscall.Ftruncate(fd, length) }
func Fsync(fd int) error                         { return syscall.Fsync(fd) }
func Fdatasync(fd int) error                     { return syscall.Fdatasync(fd) }
func Sync()                                      { syscall.Sync() }
func Fchdir(fd int) error                        { return syscall.Fchdir(fd) }
func Fallocate(fd int, mode uint32, off int64, len int64) error {
	return syscall.Fallocate(fd, mode, off, len)
}

func FcntlFlock(fd uintptr, cmd int, lk *Flock_t) error { return syscall.FcntlFlock(fd, cmd, lk) }

func FcntlInt(fd uintptr, cmd, arg int) (int, error) { return fcntl(int(fd), cmd, arg) }

func Sendfile(outfd int, infd int, offset *int64, count int) (written int, err error) {
	return syscall.Sendfile(outfd, infd, offset, count)
}

func CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, len int, flags int) (n int, err error) {
	return copyFileRange(rfd, roff, wfd, woff, len, flags)
}

// Syncfs syncs all file systems, that of fd among them.
func Syncfs(fd int) error {
	if _, err := fcntl(fd, F_GETFD, 0); err != nil {
		return err
	}
	syscall.Sync()
	return nil
}

// SyncFileRange syncs the whole file, which is more than it is asked for.
func SyncFileRange(fd int, off int64, n int64, flags int) error {
	if off < 0 || n < 0 {
		return EINVAL
	}
	return syscall.Fdatasync(fd)
}

// Fadvise takes advice that changes nothing but speed, and does not use it.
func Fadvise(fd int, offset int64, length int64, advice int) error {
	if advice < FADV_NORMAL || advice > FADV_NOREUSE || length < 0 {
		return EINVAL
	}
	_, err := fcntl(fd, F_GETFD, 0)
	return err
}
