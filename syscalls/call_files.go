package syscalls

import (
	"bytes"
	"syscall"
)

// Calls by number on descriptors.

// What a call does with bytes at the descriptor of its word 0.
type use int

const (
	reads use = iota
	writes
	readsAt
	writesAt
	controls
	tells // something, also of what was opened with O_PATH
)

// badMemory is the error of a call whose memory is bad, e, unless Linux, which looks
// at the descriptor first, finds that bad, too.
func (k *Kernel) badMemory(fd int, u use, e syscall.Errno) (uintptr, syscall.Errno) {
	d, bad := k.table.get(fd)
	if bad != 0 {
		return 0, bad
	}
	defer d.put()
	if (u == readsAt || u == writesAt) && (d.stream != nil || d.anon()) {
		return 0, syscall.ESPIPE
	}
	switch u {
	case reads, readsAt:
		bad = d.mayRead()
	case writes, writesAt:
		bad = d.mayWrite()
	case controls:
		if d.opened&O_PATH != 0 {
			bad = syscall.EBADF
		}
	}
	if bad != 0 {
		return 0, bad
	}
	return 0, e
}

func doRead(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.room(1, 2)
	if e != 0 {
		return k.badMemory(a.int(0), reads, e)
	}
	return count(k.Read(a.int(0), p))
}

func doWrite(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.bytes(1, 2)
	if e != 0 {
		return k.badMemory(a.int(0), writes, e)
	}
	n, e := k.Write(a.int(0), p)
	return written(n, e)
}

// written is the result of a write, of which what was written before an error
// counts.
func written(n int, e syscall.Errno) (uintptr, syscall.Errno) {
	if n > 0 {
		e = 0
	}
	return uintptr(n), e
}

func doPread(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.room(1, 2)
	switch {
	case a.int64(3) < 0:
		return 0, syscall.EINVAL
	case e != 0:
		return k.badMemory(a.int(0), readsAt, e)
	}
	return count(k.Pread(a.int(0), p, a.int64(3)))
}

func doPwrite(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.bytes(1, 2)
	switch {
	case a.int64(3) < 0:
		return 0, syscall.EINVAL
	case e != 0:
		return k.badMemory(a.int(0), writesAt, e)
	}
	n, e := k.Pwrite(a.int(0), p, a.int64(3))
	return written(n, e)
}

func doClose(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Close(a.int(0))) }

// doCloseRange closes the descriptors from one to another, or sets their
// FD_CLOEXEC.
func doCloseRange(k *Kernel, a args) (uintptr, syscall.Errno) {
	const (
		unshare = 2
		cloexec = 4
	)
	first, last, flags := a.uint32(0), a.uint32(1), a.uint32(2)
	if first > last || flags&^(unshare|cloexec) != 0 {
		return 0, syscall.EINVAL
	}
	for _, fd := range k.Descriptors() {
		switch {
		case uint32(fd) < first || uint32(fd) > last:
		case flags&cloexec != 0:
			k.Fcntl(fd, syscall.F_SETFD, syscall.FD_CLOEXEC)
		default:
			k.Close(fd)
		}
	}
	return 0, 0
}

func doLseek(k *Kernel, a args) (uintptr, syscall.Errno) {
	pos, e := k.Seek(a.int(0), a.int64(1), a.int(2))
	return uintptr(pos), e
}

func doGetdents64(k *Kernel, a args) (uintptr, syscall.Errno) {
	buf, e := room(a[1], uintptr(a.uint32(2)))
	if e != 0 {
		return k.badMemory(a.int(0), tells, e)
	}
	return count(k.ReadDirent(a.int(0), buf))
}

func doFstat(k *Kernel, a args) (uintptr, syscall.Errno) {
	st, e := place[syscall.Stat_t](a[1])
	if e != 0 {
		return k.badMemory(a.int(0), tells, e)
	}
	return only(k.Fstat(a.int(0), st))
}

func doFstatfs(k *Kernel, a args) (uintptr, syscall.Errno) {
	st, e := place[syscall.Statfs_t](a[1])
	if e != 0 {
		return 0, e
	}
	return only(k.Fstatfs(a.int(0), st))
}

// onFD is a call on the descriptor in word 0.
func onFD(do func(k *Kernel, fd int) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return only(do(k, a.int(0))) }
}

// onFDArgs is a call on a descriptor that has no result.
func onFDArgs(do func(k *Kernel, a args) syscall.Errno) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) { return only(do(k, a)) }
}

// advised checks the descriptor of a call whose advice changes nothing but
// speed.
func advised(k *Kernel, fd int) syscall.Errno {
	d, e := k.table.file(fd)
	if e != 0 {
		return e
	}
	defer d.put()
	if d.kind == syscall.S_IFIFO || d.kind == syscall.S_IFSOCK {
		return syscall.ESPIPE
	}
	return 0
}

func doFallocate(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Fallocate(a.int(0), a.uint32(1), a.int64(2), a.int64(3)))
}

func doFtruncate(k *Kernel, a args) (uintptr, syscall.Errno) {
	return only(k.Ftruncate(a.int(0), a.int64(1)))
}

func doDup(k *Kernel, a args) (uintptr, syscall.Errno) { return count(k.Dup(a.int(0))) }

// doDup2 looks whether the descriptor is open if both are the same.
func doDup2(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a.int(0) == a.int(1) {
		_, e := k.Fcntl(a.int(0), syscall.F_GETFD, 0)
		return uintptr(a.int(1)), e
	}
	return uintptr(a.int(1)), k.Dup3(a.int(0), a.int(1), 0)
}

func doDup3(k *Kernel, a args) (uintptr, syscall.Errno) {
	return uintptr(a.int(1)), k.Dup3(a.int(0), a.int(1), a.int(2))
}

func doFcntl(k *Kernel, a args) (uintptr, syscall.Errno) {
	cmd := a.int(1)
	if cmd >= syscall.F_GETLK && cmd <= syscall.F_SETLKW || cmd >= fOFDGetlk && cmd <= fOFDSetlkw {
		lk, e := single[syscall.Flock_t](a[2], cmd == syscall.F_GETLK || cmd == fOFDGetlk)
		if e != 0 {
			return 0, e
		}
		return only(k.FcntlFlock(a.int(0), cmd, lk))
	}
	return count(k.Fcntl(a.int(0), cmd, int(a[2])))
}

func doFlock(k *Kernel, a args) (uintptr, syscall.Errno) { return only(k.Flock(a.int(0), a.int(1))) }

func doIoctl(k *Kernel, a args) (uintptr, syscall.Errno) {
	req := a.uint32(1)
	var data []byte
	if req == siocGifconf {
		return doIfconf(k, a)
	}
	if size := ioctlSize(req); size > 0 {
		var e syscall.Errno
		if data, e = memory(a[2], uintptr(size)); e != 0 {
			return k.badMemory(a.int(0), controls, e)
		}
	}
	if valid(a[2], uintptr(len(data)), true) {
		return count(k.Ioctl(a.int(0), req, uint64(a[2]), data))
	}
	// Most requests only read.
	was := bytes.Clone(data)
	n, e := k.Ioctl(a.int(0), req, uint64(a[2]), was)
	if e == 0 && !bytes.Equal(data, was) {
		return 0, syscall.EFAULT
	}
	return count(n, e)
}

func doPipe(k *Kernel, a args) (uintptr, syscall.Errno) { return doPipeTo(k, a[0], 0) }

func doPipe2(k *Kernel, a args) (uintptr, syscall.Errno) { return doPipeTo(k, a[0], a.int(1)) }

func doPipeTo(k *Kernel, fds uintptr, flags int) (uintptr, syscall.Errno) {
	to, e := place[[2]int32](fds)
	if e != 0 {
		return 0, e
	}
	var p [2]int
	if e := k.Pipe2(&p, flags); e != 0 {
		return 0, e
	}
	to[0], to[1] = int32(p[0]), int32(p[1])
	return 0, 0
}
