package netstack

import (
	"syscall"
	"testing"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs/socket"
)

// TestLose: when the network is gone, calls that wait end, and those that follow fail at
// once; the loopback goes on.
func TestLose(t *testing.T) {
	a, b := twoStacks(t, nic.Options{})
	to := v4(80, 10, 0, 0, 2)
	l := b.listen(t, syscall.AF_INET, to)
	dial := func(s *Stack) *socket.File {
		c := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err := connect(t, c, to); err != nil {
			t.Fatal(err)
		}
		return c
	}
	reads, writes := dial(a), dial(a)
	connecting := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connecting.Connect(v4(80, 10, 0, 0, 77)); err != syscall.EINPROGRESS { // nobody is there
		t.Fatal(err)
	}
	here := a.listen(t, syscall.AF_INET, v4(81, 127, 0, 0, 1))
	local := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connect(t, local, v4(81, 127, 0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 3)
	go func() {
		_, err := reads.Read(make([]byte, 1))
		if next := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0).Connect(to); next != syscall.ENETUNREACH {
			t.Errorf("a new connection of who has heard of it: %v", next)
		}
		got <- err
	}()
	go func() {
		for {
			if _, err := writes.Write(make([]byte, 1<<20)); err != nil {
				got <- err
				return
			}
		}
	}()
	go func() {
		err := connecting.Ready(socket.Out, nil)
		var e [4]byte
		if err == nil {
			_, err = connecting.Option(syscall.SOL_SOCKET, syscall.SO_ERROR, e[:])
		}
		if err == nil {
			err = syscall.Errno(e[0])
		}
		got <- err
	}()
	if _, err := accept(l); err != nil {
		t.Fatal(err)
	}
	a.Lose()
	for range 3 {
		if err := <-got; err != syscall.ENETDOWN {
			t.Errorf("a call that waits: %v", err)
		}
	}
	if _, err := reads.Read(make([]byte, 1)); err != syscall.ENETDOWN {
		t.Errorf("a call that follows: %v", err)
	}
	if err := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0).Connect(to); err != syscall.ENETUNREACH {
		t.Errorf("a new connection: %v", err)
	}
	if _, err := a.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0).Transmit(&socket.Message{Buffers: [][]byte{{1}}, Addr: to}, nil); err != syscall.ENETUNREACH {
		t.Errorf("a datagram: %v", err)
	}
	if _, err := local.Write([]byte("x")); err != nil {
		t.Errorf("loopback: %v", err)
	}
	if f, err := accept(here); err != nil {
		t.Errorf("loopback: %v", err)
	} else if n, err := f.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("loopback: %d, %v", n, err)
	}
}
