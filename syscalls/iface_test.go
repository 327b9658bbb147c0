package syscalls

import "syscall"

// The guest's package syscall asks for this interface (syscall.Kernel); the
// assignment below stops the build here when the two no longer fit.
type guestKernel interface {
	Openat(dirfd int, path string, flags int, mode uint32) (fd int, err syscall.Errno)
	Close(fd int) syscall.Errno
	Read(fd int, p []byte) (n int, err syscall.Errno)
	Write(fd int, p []byte) (n int, err syscall.Errno)
	Pread(fd int, p []byte, off int64) (n int, err syscall.Errno)
	Pwrite(fd int, p []byte, off int64) (n int, err syscall.Errno)
	Seek(fd int, off int64, whence int) (pos int64, err syscall.Errno)
	ReadDirent(fd int, buf []byte) (n int, err syscall.Errno)
	Dup(fd int) (nfd int, err syscall.Errno)
	Dup3(fd, nfd, flags int) syscall.Errno
	Fcntl(fd, cmd, arg int) (val int, err syscall.Errno)
	FcntlFlock(fd, cmd int, lk *syscall.Flock_t) syscall.Errno
	Flock(fd, how int) syscall.Errno
	Pipe2(p *[2]int, flags int) syscall.Errno
	Ftruncate(fd int, size int64) syscall.Errno
	Fsync(fd int) syscall.Errno
	Fdatasync(fd int) syscall.Errno
	Sync()
	Fallocate(fd int, mode uint32, off, n int64) syscall.Errno
	CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (copied int, err syscall.Errno)
	Wait(fd int, mode int) syscall.Errno
	Interrupt(fd int) syscall.Errno
	SetDeadline(fd int, mode int, ns int64) syscall.Errno
	Fstat(fd int, st *syscall.Stat_t) syscall.Errno
	Fstatat(dirfd int, path string, st *syscall.Stat_t, flags int) syscall.Errno
	Statfs(path string, st *syscall.Statfs_t) syscall.Errno
	Fstatfs(fd int, st *syscall.Statfs_t) syscall.Errno
	Faccessat(dirfd int, path string, mode uint32, flags int) syscall.Errno
	Readlinkat(dirfd int, path string, buf []byte) (n int, err syscall.Errno)
	Mkdirat(dirfd int, path string, mode uint32) syscall.Errno
	Mknodat(dirfd int, path string, mode uint32, dev int) syscall.Errno
	Unlinkat(dirfd int, path string, flags int) syscall.Errno
	Renameat2(odirfd int, opath string, ndirfd int, npath string, flags uint32) syscall.Errno
	Linkat(odirfd int, opath string, ndirfd int, npath string, flags int) syscall.Errno
	Symlinkat(target string, dirfd int, path string) syscall.Errno
	Truncate(path string, size int64) syscall.Errno
	Fchmod(fd int, mode uint32) syscall.Errno
	Fchmodat(dirfd int, path string, mode uint32, flags int) syscall.Errno
	Fchown(fd, uid, gid int) syscall.Errno
	Fchownat(dirfd int, path string, uid, gid int, flags int) syscall.Errno
	Utimensat(dirfd int, path string, ts *[2]syscall.Timespec, flags int) syscall.Errno
	Getxattr(path, attr string, dest []byte, nofollow bool) (n int, err syscall.Errno)
	Setxattr(path, attr string, data []byte, flags int, nofollow bool) syscall.Errno
	Listxattr(path string, dest []byte, nofollow bool) (n int, err syscall.Errno)
	Removexattr(path, attr string, nofollow bool) syscall.Errno
	Fgetxattr(fd int, attr string, dest []byte) (n int, err syscall.Errno)
	Fsetxattr(fd int, attr string, data []byte, flags int) syscall.Errno
	Flistxattr(fd int, dest []byte) (n int, err syscall.Errno)
	Fremovexattr(fd int, attr string) syscall.Errno
	Getcwd() (dir string, err syscall.Errno)
	Chdir(path string) syscall.Errno
	Fchdir(fd int) syscall.Errno
	Hostname() string
	Chroot(path string) syscall.Errno
	Umask(mask int) (old int)
	Mount(source, target, fstype string, flags uintptr, data string) syscall.Errno
	Unmount(target string, flags int) syscall.Errno
}

var _ guestKernel = (*Kernel)(nil)

// guestMapper is syscall.Mapper.
type guestMapper interface {
	Mmap(fd int, off int64, length, prot, flags int) (data []byte, err syscall.Errno)
	Munmap(data []byte) syscall.Errno
	Msync(data []byte, flags int) syscall.Errno
	Mprotect(data []byte, prot int) syscall.Errno
}

var _ guestMapper = (*Kernel)(nil)

// guestController is syscall.Controller.
type guestController interface {
	Ioctl(fd int, req uint32, arg uint64, data []byte) (val int, err syscall.Errno)
	Poll(fds []int32, events, revents []int16, ns int64) (n int, err syscall.Errno)
	Statx(dirfd int, path string, flags int, mask uint32, stx []byte) syscall.Errno
}

var _ guestController = (*Kernel)(nil)
