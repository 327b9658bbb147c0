//go:build tamago

package syscall

import _ "unsafe" // for go:linkname

// Kernel is what stands below this package: the calls of Linux that it needs,
// as Go functions. Each returns 0 or the error number.
//
// Paths are bytes without the NUL at the end; one inside is EINVAL. dirfd is a
// descriptor of a directory or AT_FDCWD. Flags have the values of Linux. The
// methods are called from many goroutines at once. None keeps a slice or
// pointer that it is given after it has returned.
type Kernel interface {
	Openat(dirfd int, path string, flags int, mode uint32) (fd int, err Errno)
	Close(fd int) Errno

	// Read and Write block while there is nothing to read or no room. They end
	// with EAGAIN on a descriptor with O_NONBLOCK, when its deadline has passed
	// and after Interrupt; Wait tells which one it was.
	Read(fd int, p []byte) (n int, err Errno)
	Write(fd int, p []byte) (n int, err Errno)
	Pread(fd int, p []byte, off int64) (n int, err Errno)
	Pwrite(fd int, p []byte, off int64) (n int, err Errno)
	Seek(fd int, off int64, whence int) (pos int64, err Errno)
	ReadDirent(fd int, buf []byte) (n int, err Errno)

	// Wait blocks until reading ('r') or writing ('w') would not: 0, also for
	// files that never block. It returns EBADF after Interrupt, ETIMEDOUT when
	// the deadline has passed.
	Wait(fd int, mode int) Errno
	// Interrupt ends the calls that block on fd, and later ones.
	Interrupt(fd int) Errno
	// SetDeadline bounds the calls that block on fd in a mode ('r', 'w' or
	// 'r'+'w'), ns nanoseconds from now; less than 0: it has passed, 0: there
	// is none. EOPNOTSUPP for files that never block.
	SetDeadline(fd int, mode int, ns int64) Errno

	Dup(fd int) (nfd int, err Errno)
	Dup3(fd, nfd, flags int) Errno
	Fcntl(fd, cmd, arg int) (val int, err Errno)
	FcntlFlock(fd, cmd int, lk *Flock_t) Errno
	Flock(fd, how int) Errno
	Pipe2(p *[2]int, flags int) Errno
	Ftruncate(fd int, size int64) Errno
	Fsync(fd int) Errno
	Fdatasync(fd int) Errno
	Sync()
	Fallocate(fd int, mode uint32, off, n int64) Errno
	CopyFileRange(rfd int, roff *int64, wfd int, woff *int64, n int, flags int) (copied int, err Errno)

	Fstat(fd int, st *Stat_t) Errno
	Fstatat(dirfd int, path string, st *Stat_t, flags int) Errno
	Statfs(path string, st *Statfs_t) Errno
	Fstatfs(fd int, st *Statfs_t) Errno
	Faccessat(dirfd int, path string, mode uint32, flags int) Errno
	Readlinkat(dirfd int, path string, buf []byte) (n int, err Errno)
	Mkdirat(dirfd int, path string, mode uint32) Errno
	Mknodat(dirfd int, path string, mode uint32, dev int) Errno
	Unlinkat(dirfd int, path string, flags int) Errno
	Renameat2(odirfd int, opath string, ndirfd int, npath string, flags uint32) Errno
	Linkat(odirfd int, opath string, ndirfd int, npath string, flags int) Errno
	Symlinkat(target string, dirfd int, path string) Errno
	Truncate(path string, size int64) Errno
	Fchmod(fd int, mode uint32) Errno
	Fchmodat(dirfd int, path string, mode uint32, flags int) Errno
	Fchown(fd, uid, gid int) Errno
	Fchownat(dirfd int, path string, uid, gid int, flags int) Errno
	// Utimensat takes nil for now, twice.
	Utimensat(dirfd int, path string, ts *[2]Timespec, flags int) Errno

	Getxattr(path, attr string, dest []byte, nofollow bool) (n int, err Errno)
	Setxattr(path, attr string, data []byte, flags int, nofollow bool) Errno
	Listxattr(path string, dest []byte, nofollow bool) (n int, err Errno)
	Removexattr(path, attr string, nofollow bool) Errno
	Fgetxattr(fd int, attr string, dest []byte) (n int, err Errno)
	Fsetxattr(fd int, attr string, data []byte, flags int) Errno
	Flistxattr(fd int, dest []byte) (n int, err Errno)
	Fremovexattr(fd int, attr string) Errno

	Getcwd() (dir string, err Errno)
	Chdir(path string) Errno
	Fchdir(fd int) Errno
	Chroot(path string) Errno
	Umask(mask int) (old int)
	Mount(source, target, fstype string, flags uintptr, data string) Errno
	Unmount(target string, flags int) Errno

	// Hostname may return "" for the default.
	Hostname() string
}

// Mapper is a Kernel that can map files into memory.
type Mapper interface {
	Mmap(fd int, off int64, length, prot, flags int) (data []byte, err Errno)
	Munmap(data []byte) Errno
	Msync(data []byte, flags int) Errno
	Mprotect(data []byte, prot int) Errno
}

// kernel is never nil.
var kernel Kernel = noKernel{}

// SetKernel puts k below the package. Until then every call returns ENOSYS,
// but for Write to the standard output and error, which go to the console. It
// must be called before there is a second goroutine that makes calls.
func SetKernel(k Kernel) {
	kernel = k
	heapDumpWrite = writeAll
}

// heapDumpWrite is what the runtime writes heap dumps with.
//
//go:linkname heapDumpWrite runtime.heapDumpWrite
var heapDumpWrite func(fd uintptr, p []byte)

// writeAll writes p to fd. There is nobody to tell of an error.
func writeAll(fd uintptr, p []byte) {
	for len(p) > 0 {
		n, e := kernel.Write(int(fd), p)
		if e == EAGAIN {
			e = kernel.Wait(int(fd), 'w')
		}
		if e != 0 {
			return
		}
		p = p[n:]
	}
}
