package netstack

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/fs/unixsocket"
	"github.com/yolkos/yolk/syscalls"
)

func init() { syscalls.AllCalls() }

// calls makes system calls by number, on Linux or on a Kernel, and keeps a log of what
// they answer.
type calls struct {
	t    *testing.T
	do   func(nr uintptr, a [6]uintptr) (int, syscall.Errno)
	log  []string
	kept [][]byte // what addresses lead to

	pause time.Duration // of rest
}

func (c *calls) note(format string, args ...any) { c.log = append(c.log, fmt.Sprintf(format, args...)) }

func (c *calls) call(nr uintptr, args ...uintptr) (int, syscall.Errno) {
	var a [6]uintptr
	copy(a[:], args)
	for {
		if n, e := c.do(nr, a); e != syscall.EINTR {
			return n, e
		}
	}
}

// ptr is the address of b, on the heap.
func (c *calls) ptr(b []byte) uintptr {
	c.kept = append(c.kept, b)
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

func (c *calls) socket(domain, typ, protocol int) int {
	fd, e := c.call(unix.SYS_SOCKET, uintptr(domain), uintptr(typ), uintptr(protocol))
	if e != 0 {
		c.note("socket %d %d %d: %v", domain, typ, protocol, e)
		return -1
	}
	return fd
}

func (c *calls) bind(fd int, addr []byte) syscall.Errno {
	_, e := c.call(unix.SYS_BIND, uintptr(fd), c.ptr(addr), uintptr(len(addr)))
	return e
}

func (c *calls) connect(fd int, addr []byte) syscall.Errno {
	_, e := c.call(unix.SYS_CONNECT, uintptr(fd), c.ptr(addr), uintptr(len(addr)))
	return e
}

func (c *calls) name(fd int, nr uintptr) ([]byte, syscall.Errno) {
	b, n := make([]byte, 128), []byte{128, 0, 0, 0}
	_, e := c.call(nr, uintptr(fd), c.ptr(b), c.ptr(n))
	return b[:min(binary.NativeEndian.Uint32(n), 128)], e
}

func (c *calls) set(fd, level, name int, value []byte) syscall.Errno {
	_, e := c.call(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), c.ptr(value), uintptr(len(value)))
	return e
}

func (c *calls) setInt(fd, level, name, v int) syscall.Errno {
	return c.set(fd, level, name, binary.NativeEndian.AppendUint32(nil, uint32(v)))
}

func (c *calls) get(fd, level, name, size int) ([]byte, syscall.Errno) {
	b, n := make([]byte, size), binary.NativeEndian.AppendUint32(nil, uint32(size))
	_, e := c.call(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), c.ptr(b), c.ptr(n))
	return b[:min(int(binary.NativeEndian.Uint32(n)), size)], e
}

func (c *calls) ioctl(fd int, req uint32, b []byte) syscall.Errno {
	_, e := c.call(unix.SYS_IOCTL, uintptr(fd), uintptr(req), c.ptr(b))
	return e
}

// msghdr lays out a struct msghdr.
func (c *calls) msghdr(data, addr, control []byte) *syscall.Msghdr {
	iov := &syscall.Iovec{Base: unsafe.SliceData(data), Len: uint64(len(data))}
	h := &syscall.Msghdr{Iov: iov, Iovlen: 1, Control: unsafe.SliceData(control), Controllen: uint64(len(control))}
	if len(control) == 0 {
		h.Control = nil
	}
	if addr != nil {
		h.Name, h.Namelen = unsafe.SliceData(addr), uint32(len(addr))
	}
	return h
}

// heap has h lie where the collector does not move it.
var heap = map[*syscall.Msghdr]bool{}

func (c *calls) sendmsg(fd int, data, addr, control []byte) (int, syscall.Errno) {
	h := c.msghdr(data, addr, control)
	heap[h] = true
	defer delete(heap, h)
	return c.call(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(h)), unix.MSG_DONTWAIT)
}

// received is what recvmsg leaves.
type received struct {
	n                   int
	data, addr, control []byte
	flags               int32
	e                   syscall.Errno
}

// recvmsg waits a while for a message.
func (c *calls) recvmsg(fd, size, flags int) (r received) {
	c.poll(fd, unix.POLLIN, 2000)
	return c.recvNow(fd, size, flags)
}

func (c *calls) recvNow(fd, size, flags int) (r received) {
	r.data, r.addr, r.control = make([]byte, size), make([]byte, 128), make([]byte, 512)
	h := c.msghdr(r.data, r.addr, r.control)
	heap[h] = true
	defer delete(heap, h)
	r.n, r.e = c.call(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(h)), uintptr(flags|unix.MSG_DONTWAIT))
	if r.e != 0 {
		return received{e: r.e}
	}
	r.data, r.addr, r.control, r.flags = r.data[:min(r.n, size)], r.addr[:h.Namelen], r.control[:h.Controllen], h.Flags
	return r
}

// cmsgs tells what ancillary data says, without times.
func (r *received) cmsgs() string {
	var list []string
	for b := r.control; len(b) >= sizeCmsghdr; {
		n := binary.NativeEndian.Uint64(b)
		level, typ := binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
		data := fmt.Sprintf("%x", b[sizeCmsghdr:n])
		if level == unix.SOL_SOCKET {
			data = "time"
		}
		list = append(list, fmt.Sprintf("%d/%d len %d %s", level, typ, n, data))
		b = b[min((n+7)&^7, uint64(len(b))):]
	}
	return strings.Join(list, ", ")
}

func (c *calls) poll(fd int, events int16, ms int) int16 {
	b := binary.NativeEndian.AppendUint32(nil, uint32(fd))
	b = append(b, byte(events), byte(events>>8), 0, 0)
	c.call(unix.SYS_POLL, c.ptr(b), 1, uintptr(ms))
	return int16(b[6]) | int16(b[7])<<8
}

func (c *calls) close(fd int) { c.call(unix.SYS_CLOSE, uintptr(fd)) }

// judge has do make the same calls on Linux and here, which have to answer alike. On
// Linux it has a network namespace of its own, in which there is lo.
func judge(t *testing.T, do func(c *calls)) {
	t.Helper()
	compare(t, onLinux(t, 0, do), onStack(t, 0, do))
}

// calmly judges do as judge does, with a pause wherever do says c.rest(), for what is on
// its way on the loopback. A pause is no order: where the logs differ, longer ones decide.
func calmly(t *testing.T, do func(c *calls)) {
	t.Helper()
	want := onLinux(t, 2*time.Millisecond, do)
	got := onStack(t, 2*time.Millisecond, do)
	for _, pause := range []time.Duration{20 * time.Millisecond, 200 * time.Millisecond} {
		if slices.Equal(want, got) {
			return
		}
		got = onStack(t, pause, do)
	}
	compare(t, want, got)
}

// rest waits for what is on its way, see calmly.
func (c *calls) rest() { time.Sleep(c.pause) }

// onLinux is the log of what do gets on Linux.
func onLinux(t *testing.T, pause time.Duration, do func(c *calls)) []string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a network namespace takes root")
	}
	theirs := &calls{t: t, pause: pause, do: func(nr uintptr, a [6]uintptr) (int, syscall.Errno) {
		n, _, e := syscall.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
		return int(n), e
	}}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // which ends with the goroutine, and the namespace with it
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			theirs.loUp()
			// Who may have ping sockets, in this namespace: nobody at first.
			err = os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 0"), 0)
		}
		if err == nil {
			do(theirs)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("a network namespace: %v", err)
	}
	return theirs.log
}

// onStack is the log of what do gets on a Kernel with a Stack.
func onStack(t *testing.T, pause time.Duration, do func(c *calls)) []string {
	s := newStack(t)
	k := syscalls.New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))
	k.Families[syscall.AF_INET], k.Families[syscall.AF_INET6] = s.Family(syscall.AF_INET), s.Family(syscall.AF_INET6)
	k.Families[syscall.AF_PACKET], k.Families[syscall.AF_NETLINK] = s.PacketFamily(), s.NetlinkFamily()
	k.Families[syscall.AF_UNIX] = unixsocket.New(k)
	ours := &calls{t: t, pause: pause, do: func(nr uintptr, a [6]uintptr) (int, syscall.Errno) {
		n, e := k.Call(nr, a[0], a[1], a[2], a[3], a[4], a[5])
		return int(n), e
	}}
	do(ours)
	return ours.log
}

// compare tells where two logs differ, and goes on where they agree again.
func compare(t *testing.T, want, got []string) {
	t.Helper()
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(want) == 0:
			t.Errorf("here is more: %s", got[0])
			got = got[1:]
		case len(got) > 0 && got[0] == want[0]:
			want, got = want[1:], got[1:]
		case slices.Contains(got, want[0]):
			t.Errorf("here only: %s", got[0])
			got = got[1:]
		default:
			t.Errorf("Linux only: %s", want[0])
			want = want[1:]
		}
	}
}

// loUp brings lo up.
func (c *calls) loUp() {
	fd := c.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	defer c.close(fd)
	b := make([]byte, sizeIfreq)
	copy(b, "lo")
	b[ifNameSize] = unix.IFF_UP
	if e := c.ioctl(fd, siocSifFlags, b); e != 0 {
		c.t.Errorf("lo up: %v", e)
	}
}
