package netstack

import (
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// TestAcceptedOptions: a connection has the options of when it was made, those after
// the change have the new ones, none is lost, and what nobody accepts ends.
func TestAcceptedOptions(t *testing.T) {
	s := newStack(t)
	to := v4(80, 127, 0, 0, 1)
	l := s.listen(t, syscall.AF_INET, to)
	var clients []*socket.File
	dial := func() {
		c := s.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err := connect(t, c, to); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
		if err := l.Ready(socket.In, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []byte{64, 10, 11} {
		dial()
		if err := l.SetOption(syscall.IPPROTO_IP, syscall.IP_TTL, []byte{byte(10 + i), 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		if now, _ := l.Poll(fs.PollIn); now != fs.PollIn {
			t.Fatalf("poll: %#x with a connection that waits", now)
		}
		k, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		var b [4]byte
		if _, err := k.Option(syscall.IPPROTO_IP, syscall.IP_TTL, b[:]); err != nil || b[0] != want {
			t.Errorf("connection %d has TTL %d, %v, want %d", i, b[0], err, want)
		}
		n, _ := clients[i].Name()
		if p, _ := k.Peer(); string(p) != string(n) {
			t.Errorf("connection %d is of %v, want %v", i, p, n)
		}
	}
	if _, err := l.Accept(); err != syscall.EAGAIN {
		t.Errorf("no connection waits: %v", err)
	}
	dial()
	_ = l.SetOption(syscall.IPPROTO_IP, syscall.IP_TTL, []byte{64, 0, 0, 0})
	l.Release()
	if _, err := clients[3].Read(make([]byte, 1)); err != syscall.ECONNRESET {
		t.Errorf("a connection that nobody accepted: %v", err)
	}
}
