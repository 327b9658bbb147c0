//go:build tamago

package syscall

import "unsafe"

func Open(path string, mode int, perm uint32) (fd int, err error) {
	return Openat(_AT_FDCWD, path, mode, perm)
}

func Openat(dirfd int, path string, flags int, mode uint32) (fd int, err error) {
	fd, e := kernel.Openat(dirfd, path, flags, mode)
	if e != 0 {
		return -1, errnoErr(e)
	}
	return fd, nil
}

func Creat(path string, mode uint32) (fd int, err error) {
	return Open(path, O_CREAT|O_WRONLY|O_TRUNC, mode)
}

func Close(fd int) error { return errnoErr(kernel.Close(fd)) }

func Read(fd int, p []byte) (n int, err error) { return count(kernel.Read(fd, p)) }

func Write(fd int, p []byte) (n int, err error) {
	n, e := kernel.Write(fd, p)
	return n, errnoErr(e) // what was written before an error counts
}

func Pread(fd int, p []byte, offset int64) (n int, err error) {
	return count(kernel.Pread(fd, p, offset))
}

func Pwrite(fd int, p []byte, offset int64) (n int, err error) {
	return count(kernel.Pwrite(fd, p, offset))
}

func Seek(fd int, offset int64, whence int) (off int64, err error) {
	off, e := kernel.Seek(fd, offset, whence)
	if e != 0 {
		return -1, errnoErr(e)
	}
	return off, nil
}

// count makes the results of a call in Go from those of the kernel.
func count(n int, e Errno) (int, error) {
	if e != 0 {
		return -1, errnoErr(e)
	}
	return n, nil
}

// ReadDirent reads records of type [Dirent] into buf.
func ReadDirent(fd int, buf []byte) (n int, err error) { return count(kernel.ReadDirent(fd, buf)) }

// Getdents is ReadDirent by its name on Linux.
func Getdents(fd int, buf []byte) (n int, err error) { return ReadDirent(fd, buf) }

func direntIno(buf []byte) (uint64, bool) {
	return readInt(buf, unsafe.Offsetof(Dirent{}.Ino), unsafe.Sizeof(Dirent{}.Ino))
}

func direntReclen(buf []byte) (uint64, bool) {
	return readInt(buf, unsafe.Offsetof(Dirent{}.Reclen), unsafe.Sizeof(Dirent{}.Reclen))
}

func direntNamlen(buf []byte) (uint64, bool) {
	const header = uint64(unsafe.Offsetof(Dirent{}.Name))
	reclen, ok := direntReclen(buf)
	if !ok || reclen < header {
		return 0, false
	}
	return reclen - header, true
}

func Dup(fd int) (nfd int, err error) { return count(kernel.Dup(fd)) }

// Dup2 makes newfd another descriptor of oldfd's file. If both are the same it
// only looks whether oldfd is open.
func Dup2(oldfd, newfd int) error {
	if oldfd == newfd {
		_, e := kernel.Fcntl(oldfd, F_GETFD, 0)
		return errnoErr(e)
	}
	return Dup3(oldfd, newfd, 0)
}

func Dup3(oldfd, newfd, flags int) error { return errnoErr(kernel.Dup3(oldfd, newfd, flags)) }

func fcntl(fd, cmd, arg int) (int, error) { return count(kernel.Fcntl(fd, cmd, arg)) }

func FcntlFlock(fd uintptr, cmd int, lk *Flock_t) error {
	return errnoErr(kernel.FcntlFlock(int(fd), cmd, lk))
}

func Flock(fd int, how int) error { return errnoErr(kernel.Flock(fd, how)) }

// CloseOnExec sets a flag that has no effect: nothing is ever executed.
func CloseOnExec(fd int) { kernel.Fcntl(fd, F_SETFD, FD_CLOEXEC) }

func SetNonblock(fd int, nonblocking bool) error {
	old, e := kernel.Fcntl(fd, F_GETFL, 0)
	if e != 0 {
		return errnoErr(e)
	}
	flags := old &^ O_NONBLOCK
	if nonblocking {
		flags |= O_NONBLOCK
	}
	if flags == old {
		return nil
	}
	_, e = kernel.Fcntl(fd, F_SETFL, flags)
	return errnoErr(e)
}

func Pipe(p []int) error { return Pipe2(p, 0) }

func Pipe2(p []int, flags int) error {
	if len(p) != 2 {
		return EINVAL
	}
	return errnoErr(kernel.Pipe2((*[2]int)(p), flags))
}

func Fstat(fd int, stat *Stat_t) error      { return errnoErr(kernel.Fstat(fd, stat)) }
func Fstatfs(fd int, buf *Statfs_t) error   { return errnoErr(kernel.Fstatfs(fd, buf)) }
func Fchmod(fd int, mode uint32) error      { return errnoErr(kernel.Fchmod(fd, mode)) }
func Fchown(fd int, uid int, gid int) error { return errnoErr(kernel.Fchown(fd, uid, gid)) }
func Ftruncate(fd int, length int64) error  { return errnoErr(kernel.Ftruncate(fd, length)) }
func Fsync(fd int) error                    { return errnoErr(kernel.Fsync(fd)) }
func Fdatasync(fd int) error                { return errnoErr(kernel.Fdatasync(fd)) }
func Fchdir(fd int) error                   { return errnoErr(kernel.Fchdir(fd)) }
func Sync()                                 { kernel.Sync() }
func Fallocate(fd int, mode uint32, off int64, len int64) error {
	return errnoErr(kernel.Fallocate(fd, mode, off, len))
}

func Futimes(fd int, tv []Timeval) error {
	ts, err := timespecs(tv)
	if err != nil {
		return err
	}
	return errnoErr(kernel.Utimensat(fd, "", ts, _AT_EMPTY_PATH))
}

// waitIO, interruptIO and deadlineIO are for internal/poll, which pulls them by
// linkname.

func waitIO(fd int, mode int) error { return errnoErr(kernel.Wait(fd, mode)) }

func interruptIO(fd int) { kernel.Interrupt(fd) }

func deadlineIO(fd int, mode int, ns int64) error { return errnoErr(kernel.SetDeadline(fd, mode, ns)) }
