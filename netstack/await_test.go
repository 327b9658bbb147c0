package netstack

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// expecting returns a stack that asks for an address which nobody gives it, and one
// that has 10.0.0.2 on the same wire.
func expecting(t *testing.T) (a, b *Stack) {
	t.Helper()
	da, db := nic.Pair(macA, macB, nic.Options{})
	a, b = newStack(t), newStack(t)
	if err := a.AddDevice(da, Config{}); err != nil {
		t.Fatal(err)
	}
	if err := b.AddDevice(db, Config{Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/24")}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { da.Close(); db.Close() })
	return a, b
}

// never is the end of waiting for who does not wait.
var never = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// TestEarly: while the first address is awaited no call blocks; those that need it go
// on when it is there, or fail when it is not to be expected any more.
func TestEarly(t *testing.T) {
	for _, comes := range []bool{true, false} {
		a, b := expecting(t)
		to := v4(80, 10, 0, 0, 2)
		b.listen(t, syscall.AF_INET, to)
		b.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0).Bind(to)

		stream := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
		datagram := a.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		sends := a.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		mapped := a.openSocket(t, syscall.AF_INET6, syscall.SOCK_STREAM, 0)
		mappedTo := make([]byte, 28)
		copy(mappedTo, []byte{syscall.AF_INET6, 0, 0, 80})
		copy(mappedTo[18:], []byte{0xff, 0xff, 10, 0, 0, 2})
		start := time.Now()
		for f, addr := range map[*socket.File][]byte{stream: to, datagram: to, mapped: mappedTo} {
			if err := f.Dial(addr, never); err != syscall.EINPROGRESS {
				t.Fatalf("connect: %v", err)
			}
			if err := f.Dial(addr, never); err != syscall.EALREADY {
				t.Errorf("connect again: %v", err)
			}
			if _, err := f.Transmit(&socket.Message{Buffers: [][]byte{{1}}}, never); err != syscall.EAGAIN && err != syscall.EINTR {
				t.Errorf("send before it is connected: %v", err)
			}
			if now, _ := f.Poll(fs.PollIn | fs.PollOut); now != 0 {
				t.Errorf("ready for %#x before it is connected", now)
			}
		}
		m := &socket.Message{Buffers: [][]byte{{1}}, Addr: to}
		if _, err := sends.Transmit(m, never); err != syscall.EINTR && err != syscall.EAGAIN {
			t.Errorf("send: %v", err)
		}
		if now, _ := sends.Poll(fs.PollOut); now != 0 {
			t.Error("ready to send without a route")
		}
		bound := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err := bound.Bind(v4(80, 10, 0, 0, 1)); err != syscall.EADDRNOTAVAIL {
			t.Errorf("bind to an address that is not there: %v", err)
		}
		if err := bound.Bind(v4(80, 0, 0, 0, 0)); err != nil {
			t.Errorf("bind to any address: %v", err)
		}
		if err := connect(t, a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0), v4(9, 127, 0, 0, 1)); err != syscall.ECONNREFUSED {
			t.Errorf("loopback: %v", err)
		}
		if d := time.Since(start); d >= patience {
			t.Fatalf("calls took %v", d)
		}

		// Somebody waits for each.
		got := make(chan error, 3)
		for _, f := range []*socket.File{stream, datagram, mapped} {
			go func() { got <- f.Ready(socket.Out, nil) }()
		}
		sent := make(chan error)
		go func() { _, err := sends.Transmit(m, nil); sent <- err }()
		var want error = syscall.ENETUNREACH
		if comes {
			want = nil
			if err := a.setAddress(loopbackID+1, netip.MustParsePrefix("10.0.0.1/24")); err != nil {
				t.Fatal(err)
			}
		} else {
			a.arrived() // as when patience is over
		}
		for range 3 {
			if err := <-got; err != nil {
				t.Error(err)
			}
		}
		for _, f := range []*socket.File{stream, datagram, mapped} {
			var e [4]byte
			_, _ = f.Option(syscall.SOL_SOCKET, syscall.SO_ERROR, e[:])
			if comes != (e == [4]byte{}) || !comes && syscall.Errno(e[0]) != want {
				t.Errorf("the address comes: %t, SO_ERROR %d", comes, e[0])
			}
			if _, err := f.Peer(); comes != (err == nil) {
				t.Errorf("the address comes: %t, peer: %v", comes, err)
			}
		}
		if err := <-sent; err != want {
			t.Errorf("the address comes: %t, send: %v", comes, err)
		}
		for _, f := range []*socket.File{stream, datagram, sends, mapped, bound} {
			f.Release()
		}
		if len(a.waiting) != 0 {
			t.Errorf("%d sockets still wait", len(a.waiting))
		}
	}
}

// TestEarlyEnds: what is released or given up while it waits goes no further.
func TestEarlyEnds(t *testing.T) {
	a, _ := expecting(t)
	to := v4(80, 10, 0, 0, 2)
	f := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	g := a.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	for _, s := range []*socket.File{f, g} {
		if err := s.Connect(to); err != syscall.EINPROGRESS {
			t.Fatal(err)
		}
	}
	f.Release()
	if err := g.Connect([]byte{syscall.AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Error(err)
	}
	if err := a.setAddress(loopbackID+1, netip.MustParsePrefix("10.0.0.1/24")); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Peer(); err != syscall.ENOTCONN || len(a.waiting) != 0 {
		t.Errorf("peer: %v; %d wait", err, len(a.waiting))
	}
	if now, _ := g.Poll(fs.PollOut); now != fs.PollOut {
		t.Errorf("poll: %#x", now)
	}
}
