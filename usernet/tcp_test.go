package usernet

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// random is a text that is no other one's.
func random(size int, seed uint64) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(b)
	return b
}

// What the guest sends comes back, in both families, small and large frames.
func TestTCPEcho(t *testing.T) {
	for _, mtu := range []int{1500, MaxMTU} {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("mtu %d IPv6 %t", mtu, v6), func(t *testing.T) {
				at := hostAddr(t, v6)
				config := testConfig()
				config.MTU = mtu
				g := newGuest(t, config).boot()
				addr := hostListen(t, at, echo)
				var all sync.WaitGroup
				for i := range 8 {
					all.Go(func() {
						c, err := g.dial(addr)
						if err != nil {
							t.Error(err)
							return
						}
						defer c.Close()
						text := random(1<<20+i, uint64(i))
						go func() {
							_, _ = c.Write(text)
							_ = c.CloseWrite()
						}()
						got, err := io.ReadAll(c)
						if err != nil || !bytes.Equal(got, text) {
							t.Errorf("connection %d: %d bytes of %d, %v", i, len(got), len(text), err)
						}
					})
				}
				all.Wait()
			})
		}
	}
}

// Either side may close its half, and the other half goes on.
func TestTCPHalfClose(t *testing.T) {
	g := newGuest(t, testConfig()).boot()
	got := make(chan string, 1)
	addr := hostListen(t, hostAddr(t, false), func(c *net.TCPConn) {
		defer c.Close()
		_, _ = c.Write([]byte("hello"))
		_ = c.CloseWrite()
		text, _ := io.ReadAll(c)
		got <- string(text)
	})
	c, err := g.dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, err := io.ReadAll(c); string(text) != "hello" || err != nil {
		t.Fatalf("%q, %v", text, err)
	}
	if _, err := c.Write([]byte("bye")); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text := <-got; text != "bye" {
		t.Fatalf("%q", text)
	}
	eventually(t, "the connection is given up", func() bool { return g.net.buffers.conns.Load() == 0 })
}

// A reset of one side is one for the other, whatever that waits for.
func TestTCPReset(t *testing.T) {
	t.Run("of the host", func(t *testing.T) {
		g := newGuest(t, testConfig()).boot()
		addr := hostListen(t, hostAddr(t, false), func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 1))
			reset(c)
		})
		c, err := g.dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte{1})
		if _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("read: %v", err)
		}
		eventually(t, "the connection is given up", func() bool { return g.net.buffers.conns.Load() == 0 })
	})
	t.Run("of the guest", func(t *testing.T) {
		g := newGuest(t, testConfig()).boot()
		ended := make(chan error, 1)
		addr := hostListen(t, hostAddr(t, false), func(c *net.TCPConn) {
			_, _ = c.Write([]byte{1})
			_, err := c.Read(make([]byte, 1))
			ended <- err
		})
		c, err := g.dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		g.stack.Close() // it sends resets
		g.stack.Wait()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("read: %v", err)
		}
	})
}

// The guest's connection becomes what the host's was: nobody there is refused, no
// way there is told, and a port of the router leads nowhere.
func TestTCPRefused(t *testing.T) {
	g := newGuest(t, testConfig()).boot()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: hostAddr(t, false).AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	local := hostListen(t, netip.AddrFrom4([4]byte{127, 0, 0, 1}), echo)
	for _, tt := range []struct {
		to   netip.AddrPort
		want string
	}{
		{closed, "refused"},
		{netip.AddrPortFrom(g.config.Router4, local.Port()), "refused"},
		{netip.AddrPortFrom(g.config.Router6, local.Port()), "refused"},
		{netip.MustParseAddrPort("169.254.169.254:80"), "no route"},
		{netip.MustParseAddrPort("240.0.0.1:80"), "no route"},
	} {
		c, err := g.dial(tt.to)
		if err == nil {
			c.Close()
			t.Errorf("%v: connected", tt.to)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %s", tt.to, err, tt.want)
		}
	}
}

// With the setting the router's address is the host's loopback, in both families.
func TestHostLoopback(t *testing.T) {
	config := testConfig()
	config.HostLoopback = true
	g := newGuest(t, config).boot()
	for _, tt := range []struct{ listen, router string }{{"127.0.0.1", config.Router4.String()}, {"::1", config.Router6.String()}} {
		local := hostListen(t, netip.MustParseAddr(tt.listen), echo)
		c, err := g.dial(netip.AddrPortFrom(netip.MustParseAddr(tt.router), local.Port()))
		if err != nil {
			t.Errorf("%s: %v", tt.router, err)
			continue
		}
		_, _ = c.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Errorf("%s: %v", tt.router, err)
		}
		c.Close()
	}
}

// Who does not read is not written to without end: nothing is lost, and others
// go on.
func TestTCPSlowReader(t *testing.T) {
	g := newGuest(t, testConfig()).boot()
	const size = 32 << 20
	sum := make(chan [32]byte, 1)
	start := make(chan bool)
	slow := hostListen(t, hostAddr(t, false), func(c *net.TCPConn) {
		defer c.Close()
		<-start
		h := sha256.New()
		_, _ = io.Copy(h, c)
		sum <- [32]byte(h.Sum(nil))
	})
	other := hostListen(t, hostAddr(t, false), echo)
	c, err := g.dial(slow)
	if err != nil {
		t.Fatal(err)
	}
	text := random(size, 7)
	written := make(chan error, 1)
	go func() {
		_, err := c.Write(text)
		written <- errors.Join(err, c.CloseWrite())
	}()
	o, err := g.dial(other)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for range 100 {
		_, _ = o.Write([]byte("x"))
		if _, err := io.ReadFull(o, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-written:
		t.Fatalf("%d bytes went to somebody who reads none: %v", size, err)
	default:
	}
	close(start)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if <-sum != sha256.Sum256(text) {
		t.Error("other bytes came than were sent")
	}
}

// A forwarded port leads to the guest; the port is the chosen one where any was
// wanted.
func TestForwardTCP(t *testing.T) {
	g, to := newForwarded(t, Forward{Bind: netip.MustParseAddr("127.0.0.1"), Guest: 80})
	l := g.listen(80)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			text := random(1<<20, uint64(i))
			go func() {
				_, _ = c.Write(text)
				_ = c.CloseWrite()
			}()
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("connection %d: %d bytes of %d, %v", i, len(got), len(text), err)
			}
		})
	}
	all.Wait()
}

// Where the guest never has a listener, that is an error in the end.
func TestForwardTCPRefused(t *testing.T) {
	g, _ := newForwarded(t, Forward{Bind: netip.MustParseAddr("127.0.0.1"), Guest: 81})
	var served atomic.Bool
	ep, _, err := g.net.dialServer(81, &served, 3*firstTry)
	if err == nil {
		ep.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "refused") || served.Load() {
		t.Errorf("%v, served %t", err, served.Load())
	}
}

// newForwarded boots a guest with a forward, and returns where that is.
func newForwarded(t testing.TB, f Forward) (*guest, netip.AddrPort) {
	t.Helper()
	socket, err := f.Listen()
	if err != nil {
		t.Fatal(err)
	}
	config := testConfig()
	config.Forwards = []Forward{f}
	g := newGuest(t, config).boot()
	if err := g.net.Forward(0, socket); err != nil {
		t.Fatal(err)
	}
	return g, netip.AddrPortFrom(f.Bind, f.Host)
}
