//go:build tamago

package syscall

import _ "unsafe" // for go:linkname

// What programs call all the time gets to the kernel without a number, so that
// it costs no allocation and no copy.

func openat(dirfd int, path string, flags int, mode uint32) (fd int, err error) {
	return count(below().Openat(dirfd, path, flags, mode))
}

func Close(fd int) error { return errno(below().Close(fd)) }

func Stat(path string, stat *Stat_t) error { return errno(below().Fstatat(_AT_FDCWD, path, stat, 0)) }

func Lstat(path string, stat *Stat_t) error {
	return errno(below().Fstatat(_AT_FDCWD, path, stat, _AT_SYMLINK_NOFOLLOW))
}

func Fstat(fd int, stat *Stat_t) error { return errno(below().Fstat(fd, stat)) }

func fstatat(fd int, path string, stat *Stat_t, flags int) error {
	return errno(below().Fstatat(fd, path, stat, flags))
}

func read(fd int, p []byte) (n int, err error) { return count(below().Read(fd, p)) }

func write(fd int, p []byte) (n int, err error) {
	n, e := below().Write(fd, p)
	return n, errno(e) // what was written before an error counts
}

func pread(fd int, p []byte, offset int64) (n int, err error) {
	return count(below().Pread(fd, p, offset))
}

func pwrite(fd int, p []byte, offset int64) (n int, err error) {
	return count(below().Pwrite(fd, p, offset))
}

func Seek(fd int, offset int64, whence int) (off int64, err error) {
	off, e := below().Seek(fd, offset, whence)
	if e != 0 {
		return -1, errnoErr(e)
	}
	return off, nil
}

func Getdents(fd int, buf []byte) (n int, err error) { return count(below().ReadDirent(fd, buf)) }

// What makes and removes names goes there with its path as it is: by a number, each
// path is copied twice, with a NUL for the call and out of the program's memory again.

func Mkdirat(dirfd int, path string, mode uint32) error {
	return errno(below().Mkdirat(dirfd, path, mode))
}

func unlinkat(dirfd int, path string, flags int) error {
	return errno(below().Unlinkat(dirfd, path, flags))
}

func Renameat(olddirfd int, oldpath string, newdirfd int, newpath string) error {
	return errno(below().Renameat2(olddirfd, oldpath, newdirfd, newpath, 0))
}

// Getcwd fills buf with the working directory and a NUL. n counts both. The buffer of
// [Getwd] is on its stack, which would have another goroutine make a call by number.
func Getcwd(buf []byte) (n int, err error) {
	dir, e := below().Getcwd()
	if e == 0 && len(buf) <= len(dir) {
		e = ERANGE
	}
	if e != 0 {
		return -1, errnoErr(e)
	}
	buf[copy(buf, dir)] = 0
	return len(dir) + 1, nil
}

// count makes the results of a call in Go from those of the kernel.
func count(n int, e Errno) (int, error) {
	if e != 0 {
		return -1, errnoErr(e)
	}
	return n, nil
}

// errno is errnoErr for 0, too.
func errno(e Errno) error {
	if e != 0 {
		return errnoErr(e)
	}
	return nil
}

// waitIO, interruptIO and deadlineIO are for internal/poll.

//go:linkname waitIO
func waitIO(fd int, mode int) error { return errno(below().Wait(fd, mode)) }

//go:linkname interruptIO
func interruptIO(fd int) { below().Interrupt(fd) }

//go:linkname deadlineIO
func deadlineIO(fd int, mode int, ns int64) error { return errno(below().SetDeadline(fd, mode, ns)) }
