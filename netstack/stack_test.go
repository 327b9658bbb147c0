package netstack

import (
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/socket"
)

// newStack makes a stack that ends with the test.
func newStack(t testing.TB) *Stack {
	t.Helper()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Destroy)
	return s
}

// openSocket makes a socket of the family with the calls that wait.
func (s *Stack) openSocket(t testing.TB, family, typ, protocol int) *socket.File {
	t.Helper()
	k, err := s.Family(family).Socket(typ, protocol)
	if err != nil {
		t.Fatal(err)
	}
	return socket.NewFile(k, &socket.Node{}, family, typ, protocol)
}

func v4(port uint16, a, b, c, d byte) []byte {
	return []byte{syscall.AF_INET, 0, byte(port >> 8), byte(port), a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0}
}

// connect is connect(2) that waits.
func connect(t testing.TB, f *socket.File, addr []byte) error {
	t.Helper()
	err := f.Connect(addr)
	if err != syscall.EINPROGRESS {
		return err
	}
	end := make(chan struct{})
	time.AfterFunc(time.Minute, func() { close(end) })
	return f.Await(socket.Out, end, func() error {
		if now, _ := f.Poll(4); now == 0 {
			return syscall.EAGAIN
		}
		var b [4]byte
		_, err := f.Option(syscall.SOL_SOCKET, syscall.SO_ERROR, b[:])
		if err == nil && b != [4]byte{} {
			return syscall.Errno(b[0])
		}
		return err
	})
}

func TestLoopbackStream(t *testing.T) {
	s := newStack(t)
	l := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := l.Bind(v4(8080, 127, 0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(5); err != nil {
		t.Fatal(err)
	}
	c := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connect(t, c, v4(8080, 127, 0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	var a socket.Socket
	if err := l.Await(socket.In, nil, func() (err error) { a, err = l.Accept(); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	f := socket.NewFile(a, &socket.Node{}, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	n, err := f.Read(b)
	if err != nil || string(b[:n]) != "hello" {
		t.Fatal(n, err)
	}
	c2 := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connect(t, c2, v4(8081, 127, 0, 0, 1)); err != syscall.ECONNREFUSED {
		t.Fatal(err)
	}
	c3 := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connect(t, c3, v4(8081, 1, 2, 3, 4)); err != syscall.ENETUNREACH {
		t.Fatal(err)
	}
	if err := c3.Bind(v4(8081, 1, 2, 3, 4)); err != syscall.EADDRNOTAVAIL {
		t.Fatal(err)
	}
}

// TestStreamToMany: a stream leads to one address, and it is told at once where
// others stand for many.
func TestStreamToMany(t *testing.T) {
	s := newStack(t)
	mapped := make([]byte, 28)
	copy(mapped, []byte{syscall.AF_INET6, 0, 0, 80})
	copy(mapped[8:], []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224, 0, 0, 1})
	multicast := make([]byte, 28)
	copy(multicast, []byte{syscall.AF_INET6, 0, 0, 80})
	copy(multicast[8:], []byte{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	for _, addr := range [][]byte{v4(80, 224, 0, 0, 1), v4(80, 255, 255, 255, 255), v4(80, 127, 255, 255, 255), mapped, multicast} {
		c := s.openSocket(t, int(addr[0]), syscall.SOCK_STREAM, 0)
		if err := c.Connect(addr); err != syscall.ENETUNREACH {
			t.Errorf("%v: %v, want ENETUNREACH", addr, err)
		}
		c.Release()
	}
}
