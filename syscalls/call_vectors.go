package syscalls

import "syscall"

// Calls by number on many buffers, and those that move bytes from one descriptor
// to another.

func doReadv(k *Kernel, a args) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	return count(k.Readv(a.int(0), bufs))
}

func doWritev(k *Kernel, a args) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	return written(k.Writev(a.int(0), bufs))
}

func doPreadv(k *Kernel, a args) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	return count(k.Preadv(a.int(0), bufs, a.int64(3)))
}

func doPwritev(k *Kernel, a args) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	return written(k.Pwritev(a.int(0), bufs, a.int64(3)))
}

func doPreadv2(k *Kernel, a args) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	return count(k.Preadv2(a.int(0), bufs, a.int64(3), a.int(5)))
}

func doPwritev2(k *Kernel, a args) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	return written(k.Pwritev2(a.int(0), bufs, a.int64(3), a.int(5)))
}

func doSendfile(k *Kernel, a args) (uintptr, syscall.Errno) {
	off, e := optional[int64](a[2])
	if e != 0 {
		return 0, e
	}
	n, e := a.size(3)
	if e != 0 {
		return 0, e
	}
	return count(k.Sendfile(a.int(0), a.int(1), off, n))
}

func doSplice(k *Kernel, a args) (uintptr, syscall.Errno) {
	roff, e := optional[int64](a[1])
	if e != 0 {
		return 0, e
	}
	woff, e := optional[int64](a[3])
	if e != 0 {
		return 0, e
	}
	n, e := a.size(4)
	if e != 0 {
		return 0, e
	}
	return count(k.Splice(a.int(0), roff, a.int(2), woff, n, a.int(5)))
}

func doTee(k *Kernel, a args) (uintptr, syscall.Errno) {
	n, e := a.size(2)
	if e != 0 {
		return 0, e
	}
	return count(k.Tee(a.int(0), a.int(1), n, a.int(3)))
}

func doVmsplice(k *Kernel, a args) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	return count(k.Vmsplice(a.int(0), bufs, a.int(3)))
}
