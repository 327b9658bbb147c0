package usernet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
)

// A forwarded port leads to the guest's IPv6 where nothing listens on its IPv4, from
// addresses of the host of both families.
func TestForwardIPv6(t *testing.T) {
	for _, bind := range []string{"127.0.0.1", "::1"} {
		g, to := newForwarded(t, Forward{Bind: netip.MustParseAddr(bind), Guest: 80})
		l, err := gonet.ListenTCP(g.stack, tcpip.FullAddress{NIC: 1, Addr: toStack(g.config.Guest6.Addr()), Port: 80}, ipv6.ProtocolNumber)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, c.RemoteAddr().(*net.TCPAddr).IP)
			c.Close()
		}()
		c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(hang))
		got, err := io.ReadAll(c)
		c.Close()
		if want := g.config.Router6.String(); string(got) != want || err != nil {
			t.Errorf("%s: the guest sees %q, %v, want %s", bind, got, err, want)
		}
	}
}

// Who connects while the guest's server is about to listen, in a guest without IPv6, is
// served when it does: a guest that says nothing by IPv6 is not waited for.
func TestForwardBeforeServer(t *testing.T) {
	g, to := newForwarded(t, Forward{Bind: netip.MustParseAddr("127.0.0.1"), Guest: 80})
	if err := g.stack.RemoveAddress(1, toStack(g.config.Guest6.Addr())); err != nil {
		t.Fatal(err)
	}
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.Sleep(50 * time.Millisecond) // it may have been refused meanwhile
	l, err := gonet.ListenTCP(g.stack, tcpip.FullAddress{NIC: 1, Addr: toStack(g.config.Guest4.Addr()), Port: 80}, ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "served")
			c.Close()
		}
	}()
	_ = c.SetDeadline(time.Now().Add(hang))
	if got, err := io.ReadAll(c); string(got) != "served" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// Until the guest's server has taken a connection for the first time, one that is
// refused is tried again: it is about to listen. After that, a refusal is passed on at once.
func TestForwardRefusedAtFirst(t *testing.T) {
	g, to := newForwarded(t, Forward{Bind: netip.MustParseAddr("127.0.0.1"), Guest: 80})
	resets := func() uint64 { return g.stack.Stats().TCP.ResetsSent.Value() }
	read := func(c *net.TCPConn) (string, error) {
		_ = c.SetDeadline(time.Now().Add(hang))
		got, err := io.ReadAll(c)
		return string(got), err
	}
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for deadline := time.Now().Add(hang); resets() < 2; time.Sleep(time.Millisecond) { // by IPv4 and IPv6
		if time.Now().After(deadline) {
			t.Fatal("the guest has refused nothing")
		}
	}
	l, err := gonet.ListenTCP(g.stack, tcpip.FullAddress{NIC: 1, Addr: toStack(g.config.Guest4.Addr()), Port: 80}, ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			fmt.Fprint(c, "served")
			c.Close()
		}
		accepted <- err
	}()
	if got, err := read(c); got != "served" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if err := <-accepted; err != nil {
		t.Fatal(err)
	}
	l.Close()
	before := resets()
	// It may be reset before the call that makes it returns.
	late, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
	got := ""
	if err == nil {
		defer late.Close()
		got, err = read(late)
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the server has closed: %q, %v", got, err)
	}
	if n := resets() - before; n != 2 {
		t.Errorf("after the server has closed, the guest has refused %d times, want 2: by IPv4 and IPv6", n)
	}
}

// The same with datagrams: the first of a sender is not lost, and when the guest's
// server is one of IPv4 later on, that is found too.
func TestForwardUDPIPv6(t *testing.T) {
	g, to := newForwarded(t, Forward{Bind: netip.MustParseAddr("::1"), Guest: 53, UDP: true})
	to = netip.AddrPortFrom(to.Addr(), g.net.config.Forwards[0].Host)
	serve := func(at netip.Addr) *gonet.UDPConn {
		a := fullAddress(netip.AddrPortFrom(at, 53))
		c, err := gonet.DialUDP(g.stack, &a, nil, protocolOf(at))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			buf := make([]byte, 100)
			for {
				n, from, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(append([]byte("re "), buf[:n]...), from)
			}
		}()
		return c
	}
	for i, at := range []netip.Addr{g.config.Guest6.Addr(), g.config.Guest4.Addr(), g.config.Guest6.Addr()} {
		s := serve(at)
		for k := range 3 {
			client, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprint(i, " ", k)
			if got, err := ask(t, client, []byte(text)); string(got) != "re "+text {
				t.Errorf("server at %v: %q, %v", at, got, err)
			}
			client.Close()
		}
		s.Close()
	}
}
