//go:build tamago

package syscall

import _ "unsafe" // for go:linkname

// Kernel is what stands below this package. Each method returns 0 or the error
// number. They are called from many goroutines at once, and none keeps a slice
// or pointer that it is given after it has returned.
//
// What programs call all the time comes as Go, without a number and without a
// copy of a path: paths are bytes without the NUL at the end; one inside is
// EINVAL. dirfd is a descriptor of a directory or AT_FDCWD. Flags have the
// values of Linux.
type Kernel interface {
	// Call is Linux's system call number num on amd64. It answers to every
	// number, with ENOSYS where there is no such call.
	Call(num, a1, a2, a3, a4, a5, a6 uintptr) (r uintptr, err Errno)

	Openat(dirfd int, path string, flags int, mode uint32) (fd int, err Errno)
	Close(fd int) Errno
	Fstat(fd int, st *Stat_t) Errno
	Fstatat(dirfd int, path string, st *Stat_t, flags int) Errno

	// Read and Write block while there is nothing to read or no room. They end
	// with EAGAIN on a descriptor with O_NONBLOCK, when its deadline has passed
	// and after Interrupt; Wait tells which one it was.
	Read(fd int, p []byte) (n int, err Errno)
	Write(fd int, p []byte) (n int, err Errno)
	Pread(fd int, p []byte, off int64) (n int, err Errno)
	Pwrite(fd int, p []byte, off int64) (n int, err Errno)
	Seek(fd int, off int64, whence int) (pos int64, err Errno)
	ReadDirent(fd int, buf []byte) (n int, err Errno)

	Mkdirat(dirfd int, path string, mode uint32) Errno
	Unlinkat(dirfd int, path string, flags int) Errno
	Renameat2(olddirfd int, oldpath string, newdirfd int, newpath string, flags uint32) Errno
	Getcwd() (dir string, err Errno)

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
}

// kernel is never nil.
var kernel Kernel = noKernel{}

// SetKernel puts k below the package. Until then every call returns ENOSYS,
// but for a write to the standard output and error, which go to the console. It
// must be called before there is a second goroutine that makes calls.
func SetKernel(k Kernel) {
	kernel = k
	heapDumpWrite = writeAll
	systemCallHook = encoded
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
