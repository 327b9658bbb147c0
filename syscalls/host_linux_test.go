package syscalls

import (
	"fmt"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// system is what the tests below run the same calls on: a Kernel and the Linux
// that runs the test, which is the judge.
type system interface {
	pipe2(flags int) (r, w int, e syscall.Errno)
	eventfd2(count uint, flags int) (int, syscall.Errno)
	timerfdCreate(clock, flags int) (int, syscall.Errno)
	timerfdSettime(fd, flags int, value *Itimerspec) (old Itimerspec, e syscall.Errno)
	timerfdGettime(fd int) (now Itimerspec, e syscall.Errno)
	memfdCreate(name string, flags int) (int, syscall.Errno)
	epollCreate1(flags int) (int, syscall.Errno)
	epollCtl(epfd, op, fd int, e *EpollEvent) syscall.Errno
	epollWait(epfd, max, msec int) ([]EpollEvent, syscall.Errno)
	poll(fds []int, events []int16) ([]int16, int, syscall.Errno)
	sel(n int, r, w, x []uint64) (int, syscall.Errno)
	read(fd int, p []byte) (int, syscall.Errno)
	write(fd int, p []byte) (int, syscall.Errno)
	pread(fd int, p []byte, off int64) (int, syscall.Errno)
	pwrite(fd int, p []byte, off int64) (int, syscall.Errno)
	preadv2(fd int, p [][]byte, off int64, flags int) (int, syscall.Errno)
	pwritev2(fd int, p [][]byte, off int64, flags int) (int, syscall.Errno)
	seek(fd int, off int64, whence int) (int64, syscall.Errno)
	ftruncate(fd int, size int64) syscall.Errno
	fallocate(fd int, mode uint32, off, n int64) syscall.Errno
	splice(rfd int, roff *int64, wfd int, woff *int64, n, flags int) (int, syscall.Errno)
	tee(rfd, wfd, n, flags int) (int, syscall.Errno)
	vmsplice(fd int, p [][]byte, flags int) (int, syscall.Errno)
	sendfile(wfd, rfd int, off *int64, n int) (int, syscall.Errno)
	fcntl(fd, cmd, arg int) (int, syscall.Errno)
	fionread(fd int) (int, syscall.Errno)
	fstat(fd int) (syscall.Stat_t, syscall.Errno)
	fstatfs(fd int) (syscall.Statfs_t, syscall.Errno)
	fsync(fd int) syscall.Errno
	dup(fd int) (int, syscall.Errno)
	close(fd int) syscall.Errno
}

// ours is a Kernel.
type ours struct{ k *Kernel }

func newOurs() ours {
	k := New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))
	k.FileSystems = func(string, string, string) (fs.FileSystem, error) { return tmpfs.New(tmpfs.Limits{}), nil }
	return ours{k}
}

func (o ours) pipe2(flags int) (r, w int, e syscall.Errno) {
	var p [2]int
	e = o.k.Pipe2(&p, flags)
	return p[0], p[1], e
}
func (o ours) eventfd2(count uint, flags int) (int, syscall.Errno) { return o.k.Eventfd2(count, flags) }
func (o ours) timerfdCreate(clock, flags int) (int, syscall.Errno) {
	return o.k.TimerfdCreate(clock, flags)
}
func (o ours) timerfdSettime(fd, flags int, value *Itimerspec) (old Itimerspec, e syscall.Errno) {
	e = o.k.TimerfdSettime(fd, flags, value, &old)
	return old, e
}
func (o ours) timerfdGettime(fd int) (now Itimerspec, e syscall.Errno) {
	e = o.k.TimerfdGettime(fd, &now)
	return now, e
}
func (o ours) memfdCreate(name string, flags int) (int, syscall.Errno) {
	return o.k.MemfdCreate(name, flags)
}
func (o ours) epollCreate1(flags int) (int, syscall.Errno) { return o.k.EpollCreate1(flags) }
func (o ours) epollCtl(epfd, op, fd int, e *EpollEvent) syscall.Errno {
	return o.k.EpollCtl(epfd, op, fd, e)
}
func (o ours) epollWait(epfd, max, msec int) ([]EpollEvent, syscall.Errno) {
	events := make([]EpollEvent, max)
	n, e := o.k.EpollWait(epfd, events, int64(msec)*1e6)
	if e != 0 {
		return nil, e
	}
	return events[:n], 0
}
func (o ours) poll(fds []int, events []int16) ([]int16, int, syscall.Errno) {
	f := make([]int32, len(fds))
	for i := range fds {
		f[i] = int32(fds[i])
	}
	revents := make([]int16, len(fds))
	n, e := o.k.Poll(f, events, revents, 0)
	return revents, n, e
}
func (o ours) sel(n int, r, w, x []uint64) (int, syscall.Errno) { return o.k.Select(n, r, w, x, 0) }
func (o ours) read(fd int, p []byte) (int, syscall.Errno)       { return o.k.Read(fd, p) }
func (o ours) write(fd int, p []byte) (int, syscall.Errno)      { return o.k.Write(fd, p) }
func (o ours) pread(fd int, p []byte, off int64) (int, syscall.Errno) {
	return o.k.Pread(fd, p, off)
}
func (o ours) pwrite(fd int, p []byte, off int64) (int, syscall.Errno) {
	return o.k.Pwrite(fd, p, off)
}
func (o ours) preadv2(fd int, p [][]byte, off int64, flags int) (int, syscall.Errno) {
	return o.k.Preadv2(fd, p, off, flags)
}
func (o ours) pwritev2(fd int, p [][]byte, off int64, flags int) (int, syscall.Errno) {
	return o.k.Pwritev2(fd, p, off, flags)
}
func (o ours) seek(fd int, off int64, whence int) (int64, syscall.Errno) {
	return o.k.Seek(fd, off, whence)
}
func (o ours) ftruncate(fd int, size int64) syscall.Errno { return o.k.Ftruncate(fd, size) }
func (o ours) fallocate(fd int, mode uint32, off, n int64) syscall.Errno {
	return o.k.Fallocate(fd, mode, off, n)
}
func (o ours) splice(rfd int, roff *int64, wfd int, woff *int64, n, flags int) (int, syscall.Errno) {
	return o.k.Splice(rfd, roff, wfd, woff, n, flags)
}
func (o ours) tee(rfd, wfd, n, flags int) (int, syscall.Errno) { return o.k.Tee(rfd, wfd, n, flags) }
func (o ours) vmsplice(fd int, p [][]byte, flags int) (int, syscall.Errno) {
	return o.k.Vmsplice(fd, p, flags)
}
func (o ours) sendfile(wfd, rfd int, off *int64, n int) (int, syscall.Errno) {
	return o.k.Sendfile(wfd, rfd, off, n)
}
func (o ours) fcntl(fd, cmd, arg int) (int, syscall.Errno) { return o.k.Fcntl(fd, cmd, arg) }
func (o ours) fionread(fd int) (int, syscall.Errno) {
	data := make([]byte, 4)
	_, e := o.k.Ioctl(fd, fioNread, 0, data)
	return int(integer(data)), e
}
func (o ours) fstat(fd int) (st syscall.Stat_t, e syscall.Errno) {
	e = o.k.Fstat(fd, &st)
	return st, e
}
func (o ours) fstatfs(fd int) (st syscall.Statfs_t, e syscall.Errno) {
	e = o.k.Fstatfs(fd, &st)
	return st, e
}
func (o ours) fsync(fd int) syscall.Errno      { return o.k.Fsync(fd) }
func (o ours) dup(fd int) (int, syscall.Errno) { return o.k.Dup(fd) }
func (o ours) close(fd int) syscall.Errno      { return o.k.Close(fd) }

// linux is the host's kernel, by numbers: no function of a library changes a
// result.
type linux struct{}

// sys makes a call, again if a signal of the Go runtime has ended it. What its
// arguments point to stays where it is.
//
//go:uintptrescapes
func sys(nr uintptr, args ...uintptr) (int, syscall.Errno) {
	var a [6]uintptr
	copy(a[:], args)
	for {
		n, _, e := syscall.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
		if e != syscall.EINTR {
			return int(n), e
		}
	}
}

// addr is where p lies, anywhere if it is empty.
func addr(p []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p))) }

func iovecs(p [][]byte) []unix.Iovec {
	v := make([]unix.Iovec, len(p), len(p)+1)
	for i := range p {
		v[i].Base = unsafe.SliceData(p[i])
		v[i].SetLen(len(p[i]))
	}
	return v
}

func (linux) pipe2(flags int) (r, w int, e syscall.Errno) {
	var p [2]int32
	_, e = sys(unix.SYS_PIPE2, uintptr(unsafe.Pointer(&p)), uintptr(flags))
	return int(p[0]), int(p[1]), e
}
func (linux) eventfd2(count uint, flags int) (int, syscall.Errno) {
	return sys(unix.SYS_EVENTFD2, uintptr(count), uintptr(flags))
}
func (linux) timerfdCreate(clock, flags int) (int, syscall.Errno) {
	return sys(unix.SYS_TIMERFD_CREATE, uintptr(clock), uintptr(flags))
}
func (linux) timerfdSettime(fd, flags int, value *Itimerspec) (old Itimerspec, e syscall.Errno) {
	_, e = sys(unix.SYS_TIMERFD_SETTIME, uintptr(fd), uintptr(flags), uintptr(unsafe.Pointer(value)), uintptr(unsafe.Pointer(&old)))
	return old, e
}
func (linux) timerfdGettime(fd int) (now Itimerspec, e syscall.Errno) {
	_, e = sys(unix.SYS_TIMERFD_GETTIME, uintptr(fd), uintptr(unsafe.Pointer(&now)))
	return now, e
}
func (linux) memfdCreate(name string, flags int) (int, syscall.Errno) {
	b := append([]byte(name), 0)
	return sys(unix.SYS_MEMFD_CREATE, addr(b), uintptr(flags))
}
func (linux) epollCreate1(flags int) (int, syscall.Errno) {
	return sys(unix.SYS_EPOLL_CREATE1, uintptr(flags))
}
func (linux) epollCtl(epfd, op, fd int, e *EpollEvent) syscall.Errno {
	var x *unix.EpollEvent
	if e != nil {
		x = &unix.EpollEvent{Events: e.Events, Fd: int32(e.Data), Pad: int32(e.Data >> 32)}
	}
	_, errno := sys(unix.SYS_EPOLL_CTL, uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(x)))
	return errno
}
func (linux) epollWait(epfd, max, msec int) (events []EpollEvent, e syscall.Errno) {
	x := make([]unix.EpollEvent, max+1)
	n, e := sys(unix.SYS_EPOLL_WAIT, uintptr(epfd), uintptr(unsafe.Pointer(&x[0])), uintptr(max), uintptr(msec))
	for i := 0; e == 0 && i < n; i++ {
		events = append(events, EpollEvent{Events: x[i].Events, Data: uint64(uint32(x[i].Fd)) | uint64(x[i].Pad)<<32})
	}
	return events, e
}
func (linux) poll(fds []int, events []int16) ([]int16, int, syscall.Errno) {
	x := make([]unix.PollFd, len(fds)+1)
	for i := range fds {
		x[i] = unix.PollFd{Fd: int32(fds[i]), Events: events[i]}
	}
	n, e := sys(unix.SYS_POLL, uintptr(unsafe.Pointer(&x[0])), uintptr(len(fds)), 0)
	revents := make([]int16, len(fds))
	for i := range fds {
		revents[i] = x[i].Revents
	}
	return revents, n, e
}
func (linux) sel(n int, r, w, x []uint64) (int, syscall.Errno) {
	var zero unix.Timeval
	set := func(s []uint64) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(s))) }
	return sys(unix.SYS_SELECT, uintptr(n), set(r), set(w), set(x), uintptr(unsafe.Pointer(&zero)))
}
func (linux) read(fd int, p []byte) (int, syscall.Errno) {
	return sys(unix.SYS_READ, uintptr(fd), addr(p), uintptr(len(p)))
}
func (linux) write(fd int, p []byte) (int, syscall.Errno) {
	return sys(unix.SYS_WRITE, uintptr(fd), addr(p), uintptr(len(p)))
}
func (linux) pread(fd int, p []byte, off int64) (int, syscall.Errno) {
	return sys(unix.SYS_PREAD64, uintptr(fd), addr(p), uintptr(len(p)), uintptr(off))
}
func (linux) pwrite(fd int, p []byte, off int64) (int, syscall.Errno) {
	return sys(unix.SYS_PWRITE64, uintptr(fd), addr(p), uintptr(len(p)), uintptr(off))
}
func (linux) preadv2(fd int, p [][]byte, off int64, flags int) (int, syscall.Errno) {
	v := iovecs(p)
	return sys(unix.SYS_PREADV2, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(v))), uintptr(len(v)), uintptr(off), 0, uintptr(flags))
}
func (linux) pwritev2(fd int, p [][]byte, off int64, flags int) (int, syscall.Errno) {
	v := iovecs(p)
	return sys(unix.SYS_PWRITEV2, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(v))), uintptr(len(v)), uintptr(off), 0, uintptr(flags))
}
func (linux) seek(fd int, off int64, whence int) (int64, syscall.Errno) {
	n, e := sys(unix.SYS_LSEEK, uintptr(fd), uintptr(off), uintptr(whence))
	return int64(n), e
}
func (linux) ftruncate(fd int, size int64) syscall.Errno {
	_, e := sys(unix.SYS_FTRUNCATE, uintptr(fd), uintptr(size))
	return e
}
func (linux) fallocate(fd int, mode uint32, off, n int64) syscall.Errno {
	_, e := sys(unix.SYS_FALLOCATE, uintptr(fd), uintptr(mode), uintptr(off), uintptr(n))
	return e
}
func (linux) splice(rfd int, roff *int64, wfd int, woff *int64, n, flags int) (int, syscall.Errno) {
	return sys(unix.SYS_SPLICE, uintptr(rfd), uintptr(unsafe.Pointer(roff)), uintptr(wfd), uintptr(unsafe.Pointer(woff)), uintptr(n), uintptr(flags))
}
func (linux) tee(rfd, wfd, n, flags int) (int, syscall.Errno) {
	return sys(unix.SYS_TEE, uintptr(rfd), uintptr(wfd), uintptr(n), uintptr(flags))
}
func (linux) vmsplice(fd int, p [][]byte, flags int) (int, syscall.Errno) {
	for i := range p { // the pages stay in the pipe
		p[i] = append([]byte(nil), p[i]...)
	}
	v := iovecs(p)
	return sys(unix.SYS_VMSPLICE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(v))), uintptr(len(v)), uintptr(flags))
}
func (linux) sendfile(wfd, rfd int, off *int64, n int) (int, syscall.Errno) {
	return sys(unix.SYS_SENDFILE, uintptr(wfd), uintptr(rfd), uintptr(unsafe.Pointer(off)), uintptr(n))
}
func (linux) fcntl(fd, cmd, arg int) (int, syscall.Errno) {
	return sys(unix.SYS_FCNTL, uintptr(fd), uintptr(cmd), uintptr(arg))
}
func (linux) fionread(fd int) (int, syscall.Errno) {
	var n int32
	_, e := sys(unix.SYS_IOCTL, uintptr(fd), fioNread, uintptr(unsafe.Pointer(&n)))
	return int(n), e
}
func (linux) fstat(fd int) (st syscall.Stat_t, e syscall.Errno) {
	_, e = sys(unix.SYS_FSTAT, uintptr(fd), uintptr(unsafe.Pointer(&st)))
	return st, e
}
func (linux) fstatfs(fd int) (st syscall.Statfs_t, e syscall.Errno) {
	_, e = sys(unix.SYS_FSTATFS, uintptr(fd), uintptr(unsafe.Pointer(&st)))
	return st, e
}
func (linux) fsync(fd int) syscall.Errno {
	_, e := sys(unix.SYS_FSYNC, uintptr(fd))
	return e
}
func (linux) dup(fd int) (int, syscall.Errno) { return sys(unix.SYS_DUP, uintptr(fd)) }
func (linux) close(fd int) syscall.Errno {
	_, e := sys(unix.SYS_CLOSE, uintptr(fd))
	return e
}

// script is a sequence of calls on one system, which notes what comes out.
type script struct {
	system
	fds   []int // the descriptors that were made, by number of making; closed ones: -1
	notes []string
	last  byte // of what was written
}

// at is the descriptor that was made as number i.
func (s *script) at(i int) int {
	if i < 0 || i >= len(s.fds) {
		return -1
	}
	return s.fds[i]
}

func (s *script) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// made notes a new descriptor.
func (s *script) made(what string, fd int, e syscall.Errno) {
	if e == 0 {
		s.fds = append(s.fds, fd)
	}
	s.note("%s: %v", what, e)
}

func (s *script) makePipe(flags int) {
	r, w, e := s.pipe2(flags)
	s.note("pipe2 %#x: %v", flags, e)
	if e == 0 {
		s.fds = append(s.fds, r, w)
	}
}

// bytes are n bytes that no other write has.
func (s *script) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		s.last++
		b[i] = s.last
	}
	return b
}

// value are the eight bytes of a number.
func value(n uint64) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&n)), 8) }

// content shortens what was read.
func content(p []byte, n int) string {
	if n <= 0 {
		return ""
	}
	sum := uint32(1)
	for _, b := range p[:n] {
		sum = sum*31 + uint32(b)
	}
	return fmt.Sprintf("%x#%x", p[:min(n, 8)], sum)
}

func (s *script) doRead(i, n int) {
	p := make([]byte, n)
	got, e := s.read(s.at(i), p)
	s.note("read %d, %d: %s", i, n, result(got, e, content(p, got)))
}

func (s *script) doWrite(i int, p []byte) {
	got, e := s.write(s.at(i), p)
	s.note("write %d, %d: %s", i, len(p), result(got, e, ""))
}

func (s *script) doClose(i int) {
	e := s.close(s.at(i))
	if i >= 0 && i < len(s.fds) {
		s.fds[i] = -1
	}
	s.note("close %d: %v", i, e)
}

func (s *script) doWait(i, max int) {
	events, e := s.epollWait(s.at(i), max, 0)
	s.note("epoll_wait %d, %d: %x %v", i, max, events, e)
}

func (s *script) doCtl(ep, op, i int, event *EpollEvent) {
	e := s.epollCtl(s.at(ep), op, s.at(i), event)
	s.note("epoll_ctl %d, %d, %d, %x: %v", ep, op, i, event, e)
}

// result is what a call returns.
func result(n int, e syscall.Errno, more string) string {
	if e != 0 {
		return e.Error()
	}
	return strings.TrimSpace(fmt.Sprint(n, " ", more))
}

// end closes what is open.
func (s *script) end() {
	for _, fd := range s.fds {
		if fd >= 0 {
			s.close(fd)
		}
	}
}

// differs runs play on the host and on a Kernel, and returns where their notes
// differ, with those before; "" if nowhere.
func differs(play func(s *script)) string { return differ(linux{}, newOurs(), play) }

// differ is differs for any two systems.
func differ(a, b system, play func(s *script)) string {
	host, mine := &script{system: a}, &script{system: b}
	for _, s := range []*script{host, mine} {
		play(s)
		s.end()
	}
	for i := range max(len(host.notes), len(mine.notes)) {
		var h, m string
		if i < len(host.notes) {
			h = host.notes[i]
		}
		if i < len(mine.notes) {
			m = mine.notes[i]
		}
		if h != m {
			from := max(0, i-400)
			return strings.Join(host.notes[from:i], "\n") + "\nLinux: " + h + "\nours:  " + m
		}
	}
	return ""
}
