//go:build tamago

package syscall

import "unsafe"

// The kernel is in no bubble of testing/synctest, like that of Linux: its clock is
// the machine's, its channels are there for every goroutine, and who waits in it is
// not blocked for good.

//go:linkname bubbles runtime.bubbles
var bubbles bool

func swapBubble(b unsafe.Pointer) unsafe.Pointer

// below is the kernel to call.
func below() Kernel {
	if bubbles {
		return outside{}
	}
	return kernel
}

// outside has goroutines leave their bubbles while they are in the kernel.
type outside struct{}

func (outside) Call(num, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Call(num, a1, a2, a3, a4, a5, a6)
}

func (outside) Openat(dirfd int, path string, flags int, mode uint32) (int, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Openat(dirfd, path, flags, mode)
}

func (outside) Close(fd int) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Close(fd)
}

func (outside) Fstat(fd int, st *Stat_t) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Fstat(fd, st)
}

func (outside) Fstatat(dirfd int, path string, st *Stat_t, flags int) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Fstatat(dirfd, path, st, flags)
}

func (outside) Read(fd int, p []byte) (int, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Read(fd, p)
}

func (outside) Write(fd int, p []byte) (int, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Write(fd, p)
}

func (outside) Pread(fd int, p []byte, off int64) (int, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Pread(fd, p, off)
}

func (outside) Pwrite(fd int, p []byte, off int64) (int, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Pwrite(fd, p, off)
}

func (outside) Seek(fd int, off int64, whence int) (int64, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Seek(fd, off, whence)
}

func (outside) ReadDirent(fd int, buf []byte) (int, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.ReadDirent(fd, buf)
}

func (outside) Mkdirat(dirfd int, path string, mode uint32) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Mkdirat(dirfd, path, mode)
}

func (outside) Unlinkat(dirfd int, path string, flags int) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Unlinkat(dirfd, path, flags)
}

func (outside) Renameat2(olddirfd int, oldpath string, newdirfd int, newpath string, flags uint32) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Renameat2(olddirfd, oldpath, newdirfd, newpath, flags)
}

func (outside) Getcwd() (string, Errno) {
	defer swapBubble(swapBubble(nil))
	return kernel.Getcwd()
}

func (outside) Wait(fd int, mode int) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Wait(fd, mode)
}

func (outside) Interrupt(fd int) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.Interrupt(fd)
}

func (outside) SetDeadline(fd int, mode int, ns int64) Errno {
	defer swapBubble(swapBubble(nil))
	return kernel.SetDeadline(fd, mode, ns)
}
