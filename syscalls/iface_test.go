package syscalls

import "syscall"

// The guest's package syscall asks for this interface (syscall.Kernel); the
// assignment below stops the build here when the two no longer fit.
type guestKernel interface {
	Call(num, a1, a2, a3, a4, a5, a6 uintptr) (r uintptr, err syscall.Errno)
	Openat(dirfd int, path string, flags int, mode uint32) (fd int, err syscall.Errno)
	Close(fd int) syscall.Errno
	Fstat(fd int, st *syscall.Stat_t) syscall.Errno
	Fstatat(dirfd int, path string, st *syscall.Stat_t, flags int) syscall.Errno
	Read(fd int, p []byte) (n int, err syscall.Errno)
	Write(fd int, p []byte) (n int, err syscall.Errno)
	Pread(fd int, p []byte, off int64) (n int, err syscall.Errno)
	Pwrite(fd int, p []byte, off int64) (n int, err syscall.Errno)
	Seek(fd int, off int64, whence int) (pos int64, err syscall.Errno)
	ReadDirent(fd int, buf []byte) (n int, err syscall.Errno)
	Mkdirat(dirfd int, path string, mode uint32) syscall.Errno
	Unlinkat(dirfd int, path string, flags int) syscall.Errno
	Renameat2(odirfd int, opath string, ndirfd int, npath string, flags uint32) syscall.Errno
	Getcwd() (dir string, err syscall.Errno)
	Wait(fd int, mode int) syscall.Errno
	Interrupt(fd int) syscall.Errno
	SetDeadline(fd int, mode int, ns int64) syscall.Errno
}

var _ guestKernel = (*Kernel)(nil)
