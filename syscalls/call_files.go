package syscalls

import "syscall"

// Calls by number on descriptors.

func doRead(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.bytes(1, 2)
	if e != 0 {
		return 0, e
	}
	return count(k.Read(a.int(0), p))
}

func doWrite(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.bytes(1, 2)
	if e != 0 {
		return 0, e
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
	p, e := a.bytes(1, 2)
	if e != 0 {
		return 0, e
	}
	return count(k.Pread(a.int(0), p, a.int64(3)))
}

func doPwrite(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.bytes(1, 2)
	if e != 0 {
		return 0, e
	}
	n, e := k.Pwrite(a.int(0), p, a.int64(3))
	return written(n, e)
}

// vectored is a call on many buffers. One that moves less than a whole buffer
// is the last. at moves the bytes of a buffer that begins done bytes behind the
// first one.
func vectored(a args, at func(p []byte, done int64) (int, syscall.Errno)) (uintptr, syscall.Errno) {
	bufs, e := a.vector(1, 2)
	if e != 0 {
		return 0, e
	}
	if len(bufs) == 0 {
		return count(at(nil, 0))
	}
	total := 0
	for _, p := range bufs {
		n, e := at(p, int64(total))
		total += max(n, 0)
		if e != 0 && total == 0 {
			return 0, e
		}
		if e != 0 || n < len(p) {
			break
		}
	}
	return uintptr(total), 0
}

func doReadv(k *Kernel, a args) (uintptr, syscall.Errno) {
	return vectored(a, func(p []byte, done int64) (int, syscall.Errno) { return k.readOn(a.int(0), p, done) })
}

// readOn is one of the reads of readv: all but the first do not wait.
func (k *Kernel) readOn(fd int, p []byte, done int64) (int, syscall.Errno) {
	if done > 0 && !k.readable(fd) {
		return 0, syscall.EAGAIN
	}
	return k.Read(fd, p)
}

// readable tells whether a read of fd would not wait.
func (k *Kernel) readable(fd int) bool {
	var got [1]int16
	n, e := k.Poll([]int32{int32(fd)}, []int16{pollIn}, got[:], 0)
	return e == 0 && n > 0
}

func doWritev(k *Kernel, a args) (uintptr, syscall.Errno) {
	return vectored(a, func(p []byte, done int64) (int, syscall.Errno) { return k.Write(a.int(0), p) })
}

func doPreadv(k *Kernel, a args) (uintptr, syscall.Errno) {
	return vectored(a, func(p []byte, done int64) (int, syscall.Errno) {
		return k.Pread(a.int(0), p, a.int64(3)+done)
	})
}

func doPwritev(k *Kernel, a args) (uintptr, syscall.Errno) {
	return vectored(a, func(p []byte, done int64) (int, syscall.Errno) {
		return k.Pwrite(a.int(0), p, a.int64(3)+done)
	})
}

// The flags of preadv2(2) and pwritev2(2): high priority, data synchronised.
const (
	rwfHipri = 0x01
	rwfDsync = 0x02
	rwfSync  = 0x04
)

// doPreadv2 and doPwritev2 take offset -1 for the position.

func doPreadv2(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a.int(5)&^rwfHipri != 0 {
		return 0, syscall.EOPNOTSUPP
	}
	if a.int64(3) == -1 {
		return doReadv(k, a)
	}
	return doPreadv(k, a)
}

func doPwritev2(k *Kernel, a args) (uintptr, syscall.Errno) {
	flags := a.int(5)
	if flags&^(rwfHipri|rwfDsync|rwfSync) != 0 {
		return 0, syscall.EOPNOTSUPP
	}
	do := doPwritev
	if a.int64(3) == -1 {
		do = doWritev
	}
	n, e := do(k, a)
	if e == 0 && flags&(rwfDsync|rwfSync) != 0 {
		e = k.fsync(a.int(0), flags&rwfSync == 0)
	}
	return n, e
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
	buf, e := memory(a[1], uintptr(a.uint32(2)))
	if e != 0 {
		return 0, e
	}
	return count(k.ReadDirent(a.int(0), buf))
}

func doFstat(k *Kernel, a args) (uintptr, syscall.Errno) {
	st, e := object[syscall.Stat_t](a[1])
	if e != 0 {
		return 0, e
	}
	return only(k.Fstat(a.int(0), st))
}

func doFstatfs(k *Kernel, a args) (uintptr, syscall.Errno) {
	st, e := object[syscall.Statfs_t](a[1])
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
		lk, e := object[syscall.Flock_t](a[2])
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
	if size := ioctlSize(req); size > 0 {
		var e syscall.Errno
		if data, e = memory(a[2], uintptr(size)); e != 0 {
			if _, bad := k.Fcntl(a.int(0), syscall.F_GETFD, 0); bad != 0 {
				return 0, bad
			}
			return 0, e
		}
	}
	return count(k.Ioctl(a.int(0), req, uint64(a[2]), data))
}

func doPipe(k *Kernel, a args) (uintptr, syscall.Errno) { return doPipeTo(k, a[0], 0) }

func doPipe2(k *Kernel, a args) (uintptr, syscall.Errno) { return doPipeTo(k, a[0], a.int(1)) }

func doPipeTo(k *Kernel, fds uintptr, flags int) (uintptr, syscall.Errno) {
	to, e := object[[2]int32](fds)
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

func doCopyFileRange(k *Kernel, a args) (uintptr, syscall.Errno) {
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
	return count(k.CopyFileRange(a.int(0), roff, a.int(2), woff, n, a.int(5)))
}

// pollFD is struct pollfd of poll(2).
type pollFD struct {
	fd              int32
	events, revents int16
}

func doPoll(k *Kernel, a args) (uintptr, syscall.Errno) {
	ns := int64(a.int(2)) * 1e6
	return poll(k, a[0], a[1], ns)
}

// doPpoll has no signals to wait for: the mask is of no use.
func doPpoll(k *Kernel, a args) (uintptr, syscall.Errno) {
	ns := int64(-1)
	ts, e := optional[syscall.Timespec](a[2])
	if e != 0 {
		return 0, e
	}
	if ts != nil {
		if ts.Sec < 0 || ts.Nsec < 0 || ts.Nsec >= 1e9 {
			return 0, syscall.EINVAL
		}
		ns = min(ts.Sec, 1<<33)*1e9 + ts.Nsec
	}
	return poll(k, a[0], a[1], ns)
}

func poll(k *Kernel, fds, n uintptr, ns int64) (uintptr, syscall.Errno) {
	if n > maxFiles {
		return 0, syscall.EINVAL
	}
	p, e := array[pollFD](fds, n)
	if e != 0 {
		return 0, e
	}
	which, events, revents := make([]int32, n), make([]int16, n), make([]int16, n)
	for i, f := range p {
		which[i], events[i] = f.fd, f.events
	}
	ready, e := k.Poll(which, events, revents, ns)
	for i := range p {
		p[i].revents = revents[i]
	}
	return count(ready, e)
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

// Sendfile copies up to n bytes of one descriptor to another, from *off, which
// is moved on, or from the position.
func (k *Kernel) Sendfile(wfd, rfd int, off *int64, n int) (int, syscall.Errno) {
	buf := make([]byte, min(n, 1<<16))
	total := 0
	for total < n {
		part := buf[:min(len(buf), n-total)]
		var got int
		var e syscall.Errno
		if off != nil {
			got, e = k.Pread(rfd, part, *off)
		} else {
			got, e = k.Read(rfd, part)
		}
		if e != 0 || got == 0 {
			return moved(total, e)
		}
		put, e := k.Write(wfd, part[:got])
		put = max(put, 0)
		total += put
		if off != nil {
			*off += int64(put)
		} else if put < got {
			k.Seek(rfd, int64(put-got), SEEK_CUR)
		}
		if e != 0 || put < got {
			return moved(total, e)
		}
	}
	return total, 0
}

// moved is the result of a call that moved n bytes before e.
func moved(n int, e syscall.Errno) (int, syscall.Errno) {
	if n > 0 {
		e = 0
	}
	return n, e
}
