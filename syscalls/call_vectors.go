package syscalls

import "syscall"

// Calls by number on many buffers, and those that move bytes from one descriptor
// to another.

// fromBuffers is a call that writes what is in the buffers of words 1 and 2 to a file.
func fromBuffers(do onBuffers) call { return do.call(false) }

// intoBuffers is one that reads from a file into them.
func intoBuffers(do onBuffers) call { return do.call(true) }

type onBuffers func(k *Kernel, a args, bufs [][]byte) (uintptr, syscall.Errno)

func (do onBuffers) call(write bool) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		v := vectors.Get().(*vector)
		defer v.release()
		if e := a.vector(1, 2, write, v); e != 0 {
			u := writes
			if write {
				u = reads
			}
			if _, bad := k.badMemory(a.int(0), u, e); bad == syscall.EBADF {
				e = bad
			}
			return 0, e
		}
		return do(k, a, v.bufs)
	}
}

func doReadv(k *Kernel, a args, bufs [][]byte) (uintptr, syscall.Errno) {
	return count(k.Readv(a.int(0), bufs))
}

func doWritev(k *Kernel, a args, bufs [][]byte) (uintptr, syscall.Errno) {
	return written(k.Writev(a.int(0), bufs))
}

func doPreadv(k *Kernel, a args, bufs [][]byte) (uintptr, syscall.Errno) {
	return count(k.Preadv(a.int(0), bufs, a.int64(3)))
}

func doPwritev(k *Kernel, a args, bufs [][]byte) (uintptr, syscall.Errno) {
	return written(k.Pwritev(a.int(0), bufs, a.int64(3)))
}

func doPreadv2(k *Kernel, a args, bufs [][]byte) (uintptr, syscall.Errno) {
	return count(k.Preadv2(a.int(0), bufs, a.int64(3), a.int(5)))
}

func doPwritev2(k *Kernel, a args, bufs [][]byte) (uintptr, syscall.Errno) {
	return written(k.Pwritev2(a.int(0), bufs, a.int64(3), a.int(5)))
}

// doVmsplice goes either way: into the buffers from the end of a pipe that is read.
func doVmsplice(k *Kernel, a args) (uintptr, syscall.Errno) {
	flags, e := k.Fcntl(a.int(0), syscall.F_GETFL, 0)
	if e != 0 {
		return 0, e
	}
	v := vectors.Get().(*vector)
	defer v.release()
	if e := a.vector(1, 2, flags&syscall.O_ACCMODE == syscall.O_RDONLY, v); e != 0 {
		return 0, e
	}
	return count(k.Vmsplice(a.int(0), v.bufs, a.int(3)))
}

func doSendfile(k *Kernel, a args) (uintptr, syscall.Errno) {
	off, e := optionalPlace[int64](a[2])
	if e != 0 {
		return 0, e
	}
	n, e := a.size(3)
	if e != 0 {
		return 0, e
	}
	return count(k.Sendfile(a.int(0), a.int(1), off, n))
}

// fromTo is a call that moves bytes from one descriptor to another: in words 0 and
// 2, with where the offsets lie in words 1 and 3, the size in 4 and flags in 5.
func fromTo(do func(k *Kernel, rfd int, roff *int64, wfd int, woff *int64, n, flags int) (int, syscall.Errno)) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		roff, e := optionalPlace[int64](a[1])
		if e != 0 {
			return 0, e
		}
		woff, e := optionalPlace[int64](a[3])
		if e != 0 {
			return 0, e
		}
		n, e := a.size(4)
		if e != 0 {
			return 0, e
		}
		return count(do(k, a.int(0), roff, a.int(2), woff, n, a.int(5)))
	}
}

func doTee(k *Kernel, a args) (uintptr, syscall.Errno) {
	n, e := a.size(2)
	if e != 0 {
		return 0, e
	}
	return count(k.Tee(a.int(0), a.int(1), n, a.int(3)))
}
