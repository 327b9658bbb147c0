package syscalls

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/fs/unixsocket"
)

// withSockets is a Kernel with unix sockets, and who makes those.
func withSockets() (*Kernel, *unixsocket.Family) {
	k := New(fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{}))
	f := unixsocket.New(k)
	k.Families[syscall.AF_UNIX] = f
	return k, f
}

func pair(t *testing.T, k *Kernel, typ int) (a, b int) {
	t.Helper()
	fds, e := k.Socketpair(syscall.AF_UNIX, typ, 0)
	ok(t, e)
	return fds[0], fds[1]
}

func unixAddr(path string) []byte { return append([]byte{syscall.AF_UNIX, 0}, path...) }

func listener(t *testing.T, k *Kernel, path string, backlog int) int {
	t.Helper()
	l, e := k.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	ok(t, e)
	ok(t, k.Bind(l, unixAddr(path)))
	ok(t, k.Listen(l, backlog))
	return l
}

// waitsFor runs f, which has to wait, and returns where its result comes.
func waitsFor[T any](t *testing.T, f func() T) <-chan T {
	t.Helper()
	c := make(chan T, 1)
	go func() { c <- f() }()
	select {
	case r := <-c:
		t.Fatalf("it does not wait, but answers %v", r)
	case <-time.After(20 * time.Millisecond):
	}
	return c
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

type done struct {
	n int
	e syscall.Errno
}

func TestSocketWaits(t *testing.T) {
	k, _ := withSockets()
	a, b := pair(t, k, syscall.SOCK_STREAM)
	read := func() done {
		n, e := k.Read(b, make([]byte, 10))
		return done{n, e}
	}
	c := waitsFor(t, read)
	k.Write(a, []byte("x"))
	equal(t, "read", <-c, done{1, 0})

	// A deadline, as package net sets it.
	ok(t, k.SetDeadline(b, 'r', int64(10*time.Millisecond)))
	equal(t, "read until the deadline", read(), done{0, syscall.EAGAIN})
	equal(t, "wait", k.Wait(b, 'r'), syscall.ETIMEDOUT)
	ok(t, k.SetDeadline(b, 'r', 0))

	// SO_RCVTIMEO does not bound Wait.
	timeout := make([]byte, 16)
	binary.NativeEndian.PutUint64(timeout[8:], 10000)
	ok(t, k.Setsockopt(b, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, timeout))
	got := make([]byte, 16)
	n, e := k.Getsockopt(b, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, got)
	ok(t, e)
	equal(t, "SO_RCVTIMEO", string(got[:n]), string(timeout))
	equal(t, "read until the timeout", read(), done{0, syscall.EAGAIN})
	waits := waitsFor(t, func() syscall.Errno { return k.Wait(b, 'r') })
	k.Write(a, []byte("y"))
	equal(t, "wait", <-waits, 0)
	equal(t, "read", read(), done{1, 0})
	ok(t, k.Setsockopt(b, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, make([]byte, 16)))
	binary.NativeEndian.PutUint64(timeout[8:], 1e6)
	equal(t, "a second of microseconds", k.Setsockopt(b, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, timeout), syscall.EDOM)

	// Close and the end.
	c = waitsFor(t, read)
	k.Interrupt(b)
	equal(t, "interrupted read", <-c, done{0, syscall.EAGAIN})
	a, b = pair(t, k, syscall.SOCK_STREAM)
	c = waitsFor(t, read)
	k.Close(b)
	equal(t, "read of what is closed", <-c, done{0, syscall.EBADF})
	a, b = pair(t, k, syscall.SOCK_SEQPACKET)
	c = waitsFor(t, read)
	k.Close(a)
	equal(t, "read behind the end", <-c, done{0, 0})
}

func TestSocketWaitAll(t *testing.T) {
	k, _ := withSockets()
	a, b := pair(t, k, syscall.SOCK_STREAM)
	k.Write(a, []byte("1234"))
	m := SocketMessage{Buffers: [][]byte{make([]byte, 3), make([]byte, 7)}}
	c := waitsFor(t, func() done {
		n, e := k.Recvmsg(b, &m, syscall.MSG_WAITALL)
		return done{n, e}
	})
	k.Write(a, []byte("567890abc"))
	equal(t, "recvmsg", <-c, done{10, 0})
	equal(t, "content", string(bytes.Join(m.Buffers, nil)), "1234567890")
	k.Close(a)
	n, e := k.Recvmsg(b, &m, syscall.MSG_WAITALL)
	equal(t, "recvmsg of the rest", done{n, e}, done{3, 0})
}

// TestSocketRoom: what a socket holds is bounded, and writes wait until somebody
// reads.
func TestSocketRoom(t *testing.T) {
	k, _ := withSockets()
	for _, typ := range []int{syscall.SOCK_STREAM, syscall.SOCK_DGRAM, syscall.SOCK_SEQPACKET} {
		for _, size := range []int{1, 1000, 60000} {
			a, b := pair(t, k, typ|syscall.SOCK_NONBLOCK)
			p := make([]byte, size)
			sent := 0
			for {
				n, e := k.Write(a, p)
				if e == syscall.EAGAIN {
					break
				}
				ok(t, e)
				sent += n
			}
			if sent < size || sent > 300000 {
				t.Errorf("type %d: writes of %d bytes: there is room for %d", typ, size, sent)
			}
			k.Fcntl(a, syscall.F_SETFL, 0)
			c := waitsFor(t, func() done {
				n, e := k.Write(a, p)
				return done{n, e}
			})
			for sent > 0 {
				n, e := k.Read(b, make([]byte, size))
				ok(t, e)
				sent -= n
			}
			equal(t, "write", <-c, done{size, 0})
		}
	}
}

// TestConnectWaits: for room among those that wait to be accepted.
func TestConnectWaits(t *testing.T) {
	k, _ := withSockets()
	l := listener(t, k, "/l", 0)
	dial := func() syscall.Errno {
		c, e := k.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		ok(t, e)
		return k.Connect(c, unixAddr("/l"))
	}
	ok(t, dial())
	c := waitsFor(t, dial)
	_, _, e := k.Accept4(l, 0)
	ok(t, e)
	equal(t, "connect", <-c, 0)
	c = waitsFor(t, dial)
	k.Close(l)
	equal(t, "connect to what is closed", <-c, syscall.ECONNREFUSED)
}

// TestDatagramWaits: a socket that can send says so, but whom it sends to may have no
// room; Wait knows.
func TestDatagramWaits(t *testing.T) {
	k, _ := withSockets()
	to, e := k.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	ok(t, e)
	ok(t, k.Bind(to, unixAddr("/to")))
	from, e := k.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK, 0)
	ok(t, e)
	m := SocketMessage{Buffers: [][]byte{[]byte("x")}, Addr: unixAddr("/to")}
	for e == 0 {
		_, e = k.Sendmsg(from, &m, 0)
	}
	equal(t, "sendmsg", e, syscall.EAGAIN)
	c := waitsFor(t, func() syscall.Errno { return k.Wait(from, 'w') })
	k.Read(to, make([]byte, 1))
	equal(t, "wait", <-c, 0)
	_, e = k.Sendmsg(from, &m, 0)
	equal(t, "sendmsg", e, 0)
}

// TestAcceptWithoutDescriptor: a connection that there is no descriptor for goes on
// waiting.
func TestAcceptWithoutDescriptor(t *testing.T) {
	k, _ := withSockets()
	l := listener(t, k, "/l", 1)
	c, _ := k.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	ok(t, k.Connect(c, unixAddr("/l")))
	k.table.limit.Store(2)
	_, _, e := k.Accept4(l, 0)
	equal(t, "accept", e, syscall.EMFILE)
	k.table.limit.Store(maxFiles)
	_, _, e = k.Accept4(l, 0)
	equal(t, "accept", e, 0)
}

// TestBrokenPipe: SIGPIPE goes along with EPIPE of streams and pipes, but for
// MSG_NOSIGNAL.
func TestBrokenPipe(t *testing.T) {
	k, _ := withSockets()
	r := k.AddSignalReader(SigsetOf(syscall.SIGPIPE), func() {})
	k.signals.blocked = SigsetOf(syscall.SIGPIPE)
	for _, test := range []struct {
		typ, flags int
		signal     bool
	}{
		{syscall.SOCK_STREAM, 0, true}, {syscall.SOCK_STREAM, syscall.MSG_NOSIGNAL, false}, {syscall.SOCK_SEQPACKET, 0, false},
	} {
		a, b := pair(t, k, test.typ)
		k.Close(b)
		_, e := k.Sendmsg(a, &SocketMessage{Buffers: [][]byte{{1}}}, test.flags)
		equal(t, "sendmsg", e, syscall.EPIPE)
		_, signal := k.TakeSignal(r)
		equal(t, fmt.Sprintf("SIGPIPE of type %d, flags %#x", test.typ, test.flags), signal, test.signal)
	}
	var p [2]int
	ok(t, k.Pipe2(&p, 0))
	k.Close(p[0])
	_, e := k.Write(p[1], []byte{1})
	equal(t, "write", e, syscall.EPIPE)
	_, signal := k.TakeSignal(r)
	equal(t, "SIGPIPE of a pipe", signal, true)
}

// send sends fd along with a byte.
func send(t *testing.T, k *Kernel, through int, fds ...int) {
	t.Helper()
	data := make([]byte, 4*len(fds))
	for i, fd := range fds {
		setInteger(data[4*i:], int32(fd))
	}
	control := make([]byte, cmsgHeader, cmsgHeader+len(data))
	binary.NativeEndian.PutUint64(control, uint64(cmsgHeader+len(data)))
	setInteger(control[8:], syscall.SOL_SOCKET)
	setInteger(control[12:], syscall.SCM_RIGHTS)
	_, e := k.Sendmsg(through, &SocketMessage{Buffers: [][]byte{{1}}, Control: append(control, data...)}, 0)
	ok(t, e)
}

// TestRights: a descriptor that was sent is open until it is received, and is the
// same file then.
func TestRights(t *testing.T) {
	k, _ := withSockets()
	for _, typ := range []int{syscall.SOCK_STREAM, syscall.SOCK_DGRAM, syscall.SOCK_SEQPACKET} {
		a, b := pair(t, k, typ)
		var p [2]int
		ok(t, k.Pipe2(&p, 0))
		send(t, k, a, p[1])
		k.Close(p[1])
		m := SocketMessage{Buffers: [][]byte{make([]byte, 9)}, Control: make([]byte, 100)}
		_, e := k.Recvmsg(b, &m, syscall.MSG_CMSG_CLOEXEC)
		ok(t, e)
		equal(t, "length of control", len(m.Control), 24)
		fd := int(integer(m.Control[cmsgHeader:]))
		flags, e := k.Fcntl(fd, syscall.F_GETFD, 0)
		equal(t, "its flags", done{flags, e}, done{syscall.FD_CLOEXEC, 0})
		k.Write(fd, []byte("hi"))
		got := make([]byte, 9)
		n, e := k.Read(p[0], got)
		equal(t, "what came through", string(got[:n]), "hi")
		k.Close(fd)
		n, e = k.Read(p[0], got)
		equal(t, "the end", done{n, e}, done{0, 0})

		// Without room for it, it is closed.
		ok(t, k.Pipe2(&p, 0))
		send(t, k, a, p[1])
		k.Close(p[1])
		k.Read(b, got)
		n, e = k.Read(p[0], got)
		equal(t, "the end", done{n, e}, done{0, 0})
	}
	a, _ := pair(t, k, syscall.SOCK_STREAM)
	m := SocketMessage{Buffers: [][]byte{{1}}, Control: cmsgOf(syscall.SCM_RIGHTS, []byte{99, 0, 0, 0})}
	_, e := k.Sendmsg(a, &m, 0)
	equal(t, "what is not open", e, syscall.EBADF)
	m.Control = cmsgOf(syscall.SCM_RIGHTS, make([]byte, 4*(maxRights+1)))
	_, e = k.Sendmsg(a, &m, 0)
	equal(t, "too many", e, syscall.EINVAL)
}

func cmsgOf(typ int, data []byte) []byte {
	b := make([]byte, cmsgHeader)
	binary.NativeEndian.PutUint64(b, uint64(cmsgHeader+len(data)))
	setInteger(b[8:], syscall.SOL_SOCKET)
	setInteger(b[12:], int32(typ))
	return append(b, data...)
}

// TestRightsCycles: sockets of which only each other's queues know end, and what is
// in these with them; those that somebody can still get at do not.
func TestRightsCycles(t *testing.T) {
	k, f := withSockets()
	sockets := func() int { return strings.Count(string(f.AppendTable(nil)), "\n") - 1 }
	var p [2]int
	ok(t, k.Pipe2(&p, 0))

	// One in its own queue, two in each other's, three in a ring, with a pipe.
	a, b := pair(t, k, syscall.SOCK_STREAM)
	send(t, k, a, b, p[1])
	k.Close(a)
	k.Close(b)
	var ring [3][2]int
	for i := range ring {
		ring[i][0], ring[i][1] = pair(t, k, syscall.SOCK_DGRAM)
	}
	for i := range ring {
		send(t, k, ring[i][0], ring[(i+1)%3][1], ring[i][0])
	}
	equal(t, "sockets of the ring", sockets(), 6)
	for i := range ring {
		k.Close(ring[i][0])
	}
	keep := ring[1][1]
	k.Close(ring[0][1])
	k.Close(ring[2][1])
	equal(t, "sockets that one leads to", sockets(), 6)
	m := SocketMessage{Buffers: [][]byte{make([]byte, 1)}, Control: make([]byte, 100)}
	_, e := k.Recvmsg(keep, &m, 0)
	ok(t, e)
	for c := m.Control[cmsgHeader:]; len(c) >= 4; c = c[4:] {
		k.Close(int(integer(c)))
	}
	k.Close(keep)
	equal(t, "sockets that nobody can get at", sockets(), 0)
	k.Close(p[1])
	n, e := k.Read(p[0], make([]byte, 1))
	equal(t, "end of the pipe that was sent", done{n, e}, done{0, 0})

	// A listener whose own connection, not accepted, has it in its queue.
	l := listener(t, k, "/l", 1)
	c, e := k.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	ok(t, e)
	ok(t, k.Connect(c, unixAddr("/l")))
	send(t, k, c, l, c)
	k.Close(l)
	equal(t, "sockets, of which one cannot be reached", sockets(), 1)
	_, e = k.Read(c, make([]byte, 1))
	equal(t, "read of a connection that was never accepted", e, syscall.ECONNRESET)
}

// TestSocketStorm has many goroutines do everything to a few sockets at once.
func TestSocketStorm(t *testing.T) {
	k, f := withSockets()
	var wg sync.WaitGroup
	stop := time.Now().Add(300 * time.Millisecond)
	for g := range 8 {
		wg.Go(func() {
			for i := 0; time.Now().Before(stop); i++ {
				path := fmt.Sprintf("\x00%d", (g+i)%3)
				typ := []int{syscall.SOCK_STREAM, syscall.SOCK_DGRAM, syscall.SOCK_SEQPACKET}[i%3] | syscall.SOCK_NONBLOCK
				a, _ := k.Socket(syscall.AF_UNIX, typ, 0)
				fds, _ := k.Socketpair(syscall.AF_UNIX, typ, 0)
				k.Bind(a, unixAddr(path))
				k.Listen(a, 2)
				k.Connect(fds[0], unixAddr(path))
				c, _ := k.Socket(syscall.AF_UNIX, typ, 0)
				k.Connect(c, unixAddr(path))
				data := make([]byte, 8)
				setInteger(data, int32(c))
				setInteger(data[4:], int32(fds[1]))
				k.Sendmsg(c, &SocketMessage{Buffers: [][]byte{{1}}, Control: cmsgOf(syscall.SCM_RIGHTS, data)}, syscall.MSG_NOSIGNAL)
				k.Sendmsg(fds[0], &SocketMessage{Buffers: [][]byte{{1}}, Control: cmsgOf(syscall.SCM_RIGHTS, data)}, syscall.MSG_NOSIGNAL)
				n, _, _ := k.Accept4(a, syscall.SOCK_NONBLOCK)
				m := SocketMessage{Buffers: [][]byte{make([]byte, 1)}, Control: make([]byte, 100)}
				if _, e := k.Recvmsg(n, &m, 0); e == 0 {
					for c := m.Control[min(cmsgHeader, len(m.Control)):]; len(c) >= 4; c = c[4:] {
						k.Close(int(integer(c)))
					}
				}
				k.SocketShutdown(fds[1], i%3)
				for _, fd := range []int{a, fds[0], fds[1], c, n} {
					k.Close(fd)
				}
				if i%64 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	// Descriptors are closed by others as well here, so that some may be left.
	for _, fd := range k.Descriptors() {
		k.Close(fd)
	}
	a, _ := pair(t, k, syscall.SOCK_STREAM)
	k.Close(a)
	for _, fd := range k.Descriptors() {
		k.Close(fd)
	}
	equal(t, "sockets that are left", string(f.AppendTable(nil)), "Num       RefCount Protocol Flags    Type St Inode Path\n")
}

// TestSocketAllocs: reads and writes that do not wait cost what the queue holds.
func TestSocketAllocs(t *testing.T) {
	k, _ := withSockets()
	a, b := pair(t, k, syscall.SOCK_STREAM)
	p := make([]byte, 100)
	n := testing.AllocsPerRun(100, func() {
		k.Write(a, p)
		k.Read(b, p)
	})
	if n > 4 {
		t.Errorf("a write and a read allocate %v objects", n)
	}
}
