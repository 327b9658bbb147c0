package syscalls

import (
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/unixsocket"
)

// unixKernel is a Kernel with unix sockets.
func unixKernel() *Kernel {
	k := newOurs().k
	k.Families[syscall.AF_UNIX] = unixsocket.New(k)
	return k
}

func TestUnixSmoke(t *testing.T) {
	k := unixKernel()
	l, e := k.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if e != 0 {
		t.Fatal(e)
	}
	addr := []byte("\x01\x00/s")
	if e := k.Bind(l, addr); e != 0 {
		t.Fatal(e)
	}
	if e := k.Listen(l, 5); e != 0 {
		t.Fatal(e)
	}
	c, _ := k.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if e := k.Connect(c, addr); e != 0 {
		t.Fatal(e)
	}
	s, _, e := k.Accept4(l, 0)
	if e != 0 {
		t.Fatal(e)
	}
	go k.Write(c, []byte("hello"))
	b := make([]byte, 10)
	n, e := k.Read(s, b)
	if e != 0 || string(b[:n]) != "hello" {
		t.Fatal(n, e)
	}
	k.Close(c)
	if n, e := k.Read(s, b); n != 0 || e != 0 {
		t.Fatal(n, e)
	}
}
