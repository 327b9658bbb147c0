package syscalls

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/anonfs"
	"github.com/yolkos/yolk/fs/unixsocket"
)

var sockSeeds = flag.Int("sockseeds", 300, "how many plays TestRandomSockets makes")

// callsByNumber makes system calls by number: Linux, or a Kernel.
type callsByNumber interface {
	call(nr uintptr, args ...uintptr) (int, syscall.Errno)
}

func (linux) call(nr uintptr, args ...uintptr) (int, syscall.Errno) { return sys(nr, args...) }

func (o ours) call(nr uintptr, args ...uintptr) (int, syscall.Errno) {
	var a [6]uintptr
	copy(a[:], args)
	n, e := o.k.Call(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	return int(n), e
}

// TestRandomSockets makes the same random calls on unix sockets on Linux and on a
// Kernel, which have to answer alike.
func TestRandomSockets(t *testing.T) {
	for i := range *sockSeeds {
		seed := *playSeed + uint64(i)
		dir := t.TempDir()
		if err := os.Chdir(dir); err != nil {
			t.Fatal(err)
		}
		mine := newOurs()
		mine.k.Families[syscall.AF_UNIX] = unixsocket.New(mine.k)
		d := differ(linux{}, mine, func(s *script) { playSockets(s, seed, 150) })
		if d != "" {
			t.Fatalf("-seed %d -sockseeds 1:\n%s", seed, d)
		}
	}
}

// sockPlayer makes random calls on sockets.
type sockPlayer struct {
	player
	callsByNumber
	seed uint64
	kept [][]byte // what addresses of a call lead to, so that it stays where it is
}

func playSockets(s *script, seed uint64, steps int) {
	p := &sockPlayer{player: player{s, rand.New(rand.NewPCG(seed, 1))}, callsByNumber: s.system.(callsByNumber), seed: seed}
	fd, e := s.epollCreate1(0)
	s.made("epoll_create1", fd, e)
	s.makePipe(syscall.O_NONBLOCK)
	p.pair(unix.SOCK_STREAM)
	for range steps {
		if len(s.fds) > 60 {
			p.doClose(max(playedFirst, p.sock()))
		}
		p.step()
	}
}

func (p *sockPlayer) ptr(b []byte) uintptr {
	p.kept = append(p.kept, b)
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// addr is an address, of which there are few.
func (p *sockPlayer) addr() (name string, b []byte) {
	n := p.IntN(3)
	switch p.IntN(12) {
	case 0:
		return "empty", []byte{1, 0}
	case 1:
		return "unspec", []byte{0, 0}
	case 2:
		return "none", []byte("\x01\x00none")
	case 3:
		return "short", []byte{1}
	case 4, 5, 6, 7:
		// Others on this Linux have abstract names as well.
		return fmt.Sprint("abstract ", n), fmt.Appendf(nil, "\x01\x00\x00yolk-%d-%d-%d", os.Getpid(), p.seed, n)
	default:
		return fmt.Sprint("path ", n), fmt.Appendf(nil, "\x01\x00s%d%s", n, "\x00"[p.IntN(2):])
	}
}

// shown is an address as it is noted.
func (p *sockPlayer) shown(b []byte) string {
	if len(b) == 8 && b[2] == 0 {
		return "autobound"
	}
	return strings.ReplaceAll(fmt.Sprintf("%q", b), fmt.Sprint(os.Getpid()), "PID")
}

// Descriptors that every play begins with: an epoll, a pipe and two sockets to be sent
// along. Others are not: when those end of which only each other's queues know is
// Linux's affair.
const playedFirst = 5

func (p *sockPlayer) sock() int {
	if p.IntN(30) == 0 {
		return p.IntN(playedFirst - 2)
	}
	return playedFirst + p.IntN(max(1, len(p.fds)-playedFirst+1))
}

func (p *sockPlayer) pair(typ int) {
	fds := make([]byte, 8)
	typ |= unix.SOCK_NONBLOCK
	_, e := p.call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, uintptr(typ), 0, p.ptr(fds))
	p.note("socketpair %#x: %v", typ, e)
	if e == 0 {
		p.fds = append(p.fds, int(integer(fds)), int(integer(fds[4:])))
	}
}

func (p *sockPlayer) typ() int {
	return p.of(unix.SOCK_STREAM, unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET)
}

func (p *sockPlayer) step() {
	const nonblock = unix.SOCK_NONBLOCK
	p.kept = nil
	switch n := p.IntN(100); {
	case n < 8:
		typ := p.typ() | nonblock
		proto := p.of(0, 0, 0, 0, 0, 1, 7)
		if p.IntN(20) == 0 {
			typ = p.of(0, 3, 4, 11, 0x10) | nonblock
		}
		fd, e := p.call(unix.SYS_SOCKET, unix.AF_UNIX, uintptr(typ), uintptr(proto))
		p.made(fmt.Sprintf("socket %#x %d", typ, proto), fd, e)
	case n < 16:
		p.pair(p.typ())
	case n < 24:
		i := p.sock()
		name, b := p.addr()
		_, e := p.call(unix.SYS_BIND, uintptr(p.at(i)), p.ptr(b), uintptr(len(b)))
		p.note("bind %d %s: %v", i, name, e)
	case n < 28:
		i, backlog := p.sock(), p.of(0, 1, 2, 100, -1)
		_, e := p.call(unix.SYS_LISTEN, uintptr(p.at(i)), uintptr(backlog))
		p.note("listen %d %d: %v", i, backlog, e)
	case n < 36:
		i := p.sock()
		name, b := p.addr()
		_, e := p.call(unix.SYS_CONNECT, uintptr(p.at(i)), p.ptr(b), uintptr(len(b)))
		p.note("connect %d %s: %v", i, name, e)
	case n < 42:
		i := p.sock()
		if r, _, _ := p.poll([]int{p.at(i)}, []int16{fs.PollRdHup}); r[0]&fs.PollRdHup != 0 {
			break // EINVAL here, where Linux says so to those who wait and EAGAIN to others
		}
		b, size := make([]byte, 128), make([]byte, 4)
		setInteger(size, int32(p.of(0, 2, 5, 110, 128)))
		fd, e := p.call(unix.SYS_ACCEPT4, uintptr(p.at(i)), p.ptr(b), p.ptr(size), nonblock)
		p.made(fmt.Sprintf("accept %d %d %s", i, integer(size), p.shown(b[:min(110, max(0, integer(size)))])), fd, e)
	case n < 44:
		i, how := p.sock(), p.of(0, 1, 2, 3)
		_, e := p.call(unix.SYS_SHUTDOWN, uintptr(p.at(i)), uintptr(how))
		p.note("shutdown %d %d: %v", i, how, e)
	case n < 48:
		i, nr := p.sock(), p.of(unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME)
		b, size := make([]byte, 128), make([]byte, 4)
		setInteger(size, int32(p.of(128, 128, 2, 0, -1)))
		_, e := p.call(uintptr(nr), uintptr(p.at(i)), p.ptr(b), p.ptr(size))
		p.note("name %d %d: %d %s %v", nr, i, integer(size), p.shown(b[:min(110, max(0, integer(size)))]), e)
	case n < 62:
		p.send()
	case n < 76:
		p.recv()
	case n < 78:
		p.doRead(p.sock(), p.of(0, 1, 10, 1000))
	case n < 80:
		p.doWrite(p.sock(), p.bytes(p.of(1, 10, 100)))
	case n < 83:
		i := p.sock()
		opt := p.of(unix.SO_PASSCRED, unix.SO_PASSCRED, unix.SO_REUSEADDR, unix.SO_KEEPALIVE, unix.SO_BROADCAST, unix.SO_PRIORITY, 999, unix.SO_SNDBUF, unix.SO_RCVBUF)
		v := make([]byte, 4)
		setInteger(v, int32(p.of(0, 1, 1)))
		if opt == unix.SO_SNDBUF || opt == unix.SO_RCVBUF {
			setInteger(v, int32(p.of(1, 200000, 50000)))
		}
		_, e := p.call(unix.SYS_SETSOCKOPT, uintptr(p.at(i)), unix.SOL_SOCKET, uintptr(opt), p.ptr(v), uintptr(p.of(4, 4, 4, 4, 1)))
		p.note("setsockopt %d %d %d: %v", i, opt, integer(v), e)
	case n < 87:
		i := p.sock()
		opt := p.of(unix.SO_ERROR, unix.SO_ERROR, unix.SO_TYPE, unix.SO_DOMAIN, unix.SO_PROTOCOL, unix.SO_ACCEPTCONN, unix.SO_PASSCRED,
			unix.SO_REUSEADDR, unix.SO_SNDBUF, unix.SO_RCVBUF, unix.SO_RCVTIMEO, unix.SO_LINGER, unix.SO_RCVLOWAT, unix.SO_SNDLOWAT, 999)
		level := p.of(unix.SOL_SOCKET, unix.SOL_SOCKET, unix.SOL_SOCKET, unix.SOL_SOCKET, unix.IPPROTO_TCP)
		v, size := make([]byte, 16), make([]byte, 4)
		setInteger(size, int32(p.of(4, 4, 16, 0, 2, -1)))
		_, e := p.call(unix.SYS_GETSOCKOPT, uintptr(p.at(i)), uintptr(level), uintptr(opt), p.ptr(v), p.ptr(size))
		p.note("getsockopt %d %d %d: %d %x %v", i, level, opt, integer(size), v, e)
	case n < 89:
		i := p.sock()
		got, e := p.fionread(p.at(i))
		p.note("FIONREAD %d: %d %v", i, got, e)
	case n < 91:
		i := p.sock()
		fd, e := p.dup(p.at(i))
		p.made("dup", fd, e)
	case n < 94:
		if i := p.sock(); i >= playedFirst {
			p.doClose(i)
		}
	case n < 96:
		var event *EpollEvent
		op := p.of(anonfs.Add, anonfs.Add, anonfs.Add, anonfs.Modify, anonfs.Delete)
		if op != anonfs.Delete {
			event = &EpollEvent{Events: p.events() &^ unix.EPOLLET, Data: p.Uint64()}
		}
		p.doCtl(0, op, p.sock(), event)
	case n < 97:
		p.doWait(0, 64)
	case n < 98:
		i := p.sock()
		st, e := p.fstat(p.at(i))
		p.note("fstat %d: %o %d %d %d %v", i, st.Mode, st.Nlink, st.Size, st.Blksize, e)
	default:
		p.doPoll()
	}
}

// message is struct msghdr and what belongs to it.
type playedMessage struct {
	hdr                []byte
	name, data, second []byte
	iov                []byte
	control            []byte
}

func (m *playedMessage) make(p *sockPlayer) uintptr {
	m.iov = make([]byte, 32)
	put := func(b []byte, n uintptr) { binary.NativeEndian.PutUint64(b, uint64(n)) }
	put(m.iov, p.ptr(m.data))
	put(m.iov[8:], uintptr(len(m.data)))
	put(m.iov[16:], p.ptr(m.second))
	put(m.iov[24:], uintptr(len(m.second)))
	m.hdr = make([]byte, 56)
	if m.name != nil {
		put(m.hdr, p.ptr(m.name))
		setInteger(m.hdr[8:], int32(len(m.name)))
	}
	put(m.hdr[16:], p.ptr(m.iov))
	put(m.hdr[24:], 2)
	if m.control != nil {
		put(m.hdr[32:], p.ptr(m.control))
		put(m.hdr[40:], uintptr(len(m.control)))
	}
	return p.ptr(m.hdr)
}

func (p *sockPlayer) send() {
	i := p.sock()
	m := &playedMessage{data: p.bytes(p.of(0, 1, 10, 100, 3000)), second: p.bytes(p.of(0, 0, 5))}
	name := "peer"
	if p.IntN(3) == 0 {
		name, m.name = p.addr()
	}
	what := ""
	if p.IntN(3) == 0 {
		var fds []byte
		for range 1 + p.IntN(2) {
			j := p.IntN(playedFirst)
			what += fmt.Sprint(" fd ", j)
			fds = binary.NativeEndian.AppendUint32(fds, uint32(p.at(j)))
		}
		m.control = cmsg(syscall.SCM_RIGHTS, fds)
	} else if p.IntN(8) == 0 {
		var cred [12]byte
		own, uid, gid := pid, 0, 0
		if _, mine := p.system.(ours); !mine {
			own, uid, gid = os.Getpid(), os.Geteuid(), os.Getegid()
		}
		setInteger(cred[:], int32(own))
		setInteger(cred[4:], int32(uid))
		setInteger(cred[8:], int32(gid))
		if p.IntN(3) == 0 && os.Geteuid() == 0 { // others may not
			setInteger(cred[4:], 3)
		}
		what += " creds"
		m.control = cmsg(syscall.SCM_CREDENTIALS, cred[:])
	}
	flags := unix.MSG_NOSIGNAL | p.of(0, 0, unix.MSG_DONTWAIT, unix.MSG_EOR)
	if m.control == nil && p.IntN(3) == 0 {
		at, size := p.ptr(m.name), len(m.name)
		if p.IntN(4) == 0 {
			at, size = p.ptr(make([]byte, 8)), p.of(0, -1, 200)
			name = fmt.Sprint("of size ", size)
		}
		n, e := p.call(unix.SYS_SENDTO, uintptr(p.at(i)), p.ptr(m.data), uintptr(len(m.data)), uintptr(flags), at, uintptr(size))
		p.note("sendto %d %s %d: %s", i, name, len(m.data), result(n, e, ""))
		return
	}
	n, e := p.call(unix.SYS_SENDMSG, uintptr(p.at(i)), m.make(p), uintptr(flags))
	p.note("sendmsg %d %s %d+%d%s: %s", i, name, len(m.data), len(m.second), what, result(n, e, ""))
}

func cmsg(typ int, data []byte) []byte {
	b := make([]byte, cmsgHeader, cmsgAlign(cmsgHeader+len(data)))
	binary.NativeEndian.PutUint64(b, uint64(cmsgHeader+len(data)))
	setInteger(b[8:], syscall.SOL_SOCKET)
	setInteger(b[12:], int32(typ))
	b = append(b, data...)
	return b[:cap(b)]
}

func (p *sockPlayer) recv() {
	i := p.sock()
	m := &playedMessage{data: make([]byte, p.of(0, 1, 7, 50, 5000)), second: make([]byte, p.of(0, 0, 5))}
	if p.IntN(2) == 0 {
		m.name = make([]byte, p.of(0, 2, 110, 128))
	}
	if p.IntN(3) > 0 {
		m.control = make([]byte, p.of(0, 4, 16, 20, 24, 32, 56, 200))
	}
	flags := p.of(0, 0, 0, unix.MSG_PEEK, unix.MSG_TRUNC, unix.MSG_WAITALL, unix.MSG_DONTWAIT, unix.MSG_CMSG_CLOEXEC, unix.MSG_OOB*p.IntN(2))
	hdr := m.make(p)
	if m.control == nil {
		binary.NativeEndian.PutUint64(m.hdr[40:], uint64(p.of(0, 0, 20))) // room that is nowhere
	}
	n, e := p.call(unix.SYS_RECVMSG, uintptr(p.at(i)), hdr, uintptr(flags))
	p.note("recvmsg %d %d+%d %#x: %s", i, len(m.data), len(m.second), flags, result(n, e, content(append(m.data, m.second...), min(n, len(m.data)+len(m.second)))))
	if e != 0 {
		return
	}
	p.note(" name %d %s control %d flags %#x", integer(m.hdr[8:]), p.shown(m.name[:min(len(m.name), int(integer(m.hdr[8:])))]), integer(m.hdr[40:]), integer(m.hdr[48:]))
	control := m.control[:min(len(m.control), int(integer(m.hdr[40:])))]
	for len(control) >= cmsgHeader {
		size := min(len(control), int(binary.NativeEndian.Uint64(control)))
		data := control[cmsgHeader:size]
		switch integer(control[12:]) {
		case syscall.SCM_RIGHTS:
			for ; len(data) >= 4; data = data[4:] {
				p.fds = append(p.fds, int(integer(data)))
			}
			p.note(" rights: %d", len(p.fds))
		case syscall.SCM_CREDENTIALS:
			own := len(data) >= 4 && (int(integer(data)) == os.Getpid() || integer(data) == pid)
			ids := slices.Clone(data[min(4, len(data)):])
			for i, id := range []int{os.Geteuid(), os.Getegid()} { // of who runs the test, in Yolk root
				if at := ids[min(4*i, len(ids)):]; len(at) >= 4 && int(integer(at)) == id {
					setInteger(at, 0)
				}
			}
			p.note(" creds: %v %x", own, ids)
		}
		control = control[min(len(control), cmsgAlign(size)):]
	}
}
