package usernet

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

// hostUDP answers each datagram with itself.
func hostUDP(t testing.TB, at netip.Addr) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	return netip.AddrPortFrom(at, uint16(c.LocalAddr().(*net.UDPAddr).Port))
}

// ask sends a datagram until there is an answer: one may be lost, and of an error the
// stack does not tell who is waiting already.
func ask(t testing.TB, c net.Conn, question []byte) ([]byte, error) {
	t.Helper()
	buf := make([]byte, maxDatagram)
	for end := time.Now().Add(hang); ; {
		if _, err := c.Write(question); err != nil {
			return nil, err
		}
		if err := c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			return nil, err
		}
		n, err := c.Read(buf)
		if ne, ok := err.(net.Error); ok && ne.Timeout() && time.Now().Before(end) {
			continue
		}
		return buf[:n], err
	}
}

// Datagrams of all sizes come and go, in both families, in one frame or several.
func TestUDP(t *testing.T) {
	for _, mtu := range []int{1500, MaxMTU} {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("mtu %d IPv6 %t", mtu, v6), func(t *testing.T) {
				config := testConfig()
				config.MTU = mtu
				at := hostAddr(t, v6)
				g := newGuest(t, config).boot()
				c := g.dialUDP(hostUDP(t, at))
				for i, size := range []int{1, 0, 1472, 1473, 9000, 60000} {
					text := random(size, uint64(i))
					if got, err := ask(t, c, text); err != nil || !bytes.Equal(got, text) {
						t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
					}
				}
			})
		}
	}
}

// Who sends to a port where nobody is hears of it, as does who sends where there is
// no way or where it may not.
func TestUDPUnreachable(t *testing.T) {
	g := newGuest(t, testConfig()).boot()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: hostAddr(t, false).AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	closed := c.LocalAddr().(*net.UDPAddr).AddrPort()
	c.Close()
	local := hostUDP(t, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	for _, to := range []netip.AddrPort{closed, netip.AddrPortFrom(g.config.Router4, local.Port()), netip.AddrPortFrom(g.config.Router6, local.Port())} {
		if got, err := ask(t, g.dialUDP(to), []byte("x")); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%v: %q, %v, want refused", to, got, err)
		}
	}
	for _, to := range []string{"169.254.169.254:80", "10.0.2.99:80", "[fe80::1]:80"} {
		addr := netip.MustParseAddrPort(to)
		told := g.unreachable()
		if addr.Addr().Is4() {
			c := g.dialUDP(addr)
			_, _ = c.Write([]byte("x"))
		} else {
			p := quoteUDP(flowKey{from: netip.AddrPortFrom(g.config.Guest6.Addr(), 9), to: addr})
			if err := g.send(g.ethernet(0x86dd, p)); err != nil {
				t.Fatal(err)
			}
		}
		want := hostUnreachable.v4
		if addr.Addr().Is6() {
			want = hostUnreachable.v6
		}
		select {
		case got := <-told:
			if got != want {
				t.Errorf("%s: code %d, want %d", to, got, want)
			}
		case <-time.After(hang):
			t.Errorf("%s: nothing is said", to)
		}
	}
}

// Flows end when they are idle, and there are never more than maxFlows.
func TestFlows(t *testing.T) {
	at := hostAddr(t, false)
	g := newGuest(t, testConfig()).boot()
	to := hostUDP(t, at)
	first := g.dialUDP(to)
	if _, err := ask(t, first, []byte("x")); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		g.net.flows.mu.Lock()
		defer g.net.flows.mu.Unlock()
		return len(g.net.flows.list)
	}
	if count() != 1 {
		t.Fatalf("%d flows", count())
	}
	g.net.flows.expire(time.Now().Add(-time.Minute))
	if count() != 1 {
		t.Error("a flow in use has ended")
	}
	g.net.flows.expire(time.Now().Add(time.Second))
	if count() != 0 {
		t.Error("an idle flow goes on")
	}
	if _, err := ask(t, first, []byte("x")); err != nil { // a new one
		t.Error(err)
	}
	for i := range maxFlows + 100 {
		key := flowKey{from: netip.AddrPortFrom(g.config.Guest4.Addr(), uint16(i)), to: to, ping: true}
		if g.net.flows.add(key, nil, nil) == nil {
			t.Fatalf("no flow %d", i)
		}
		if count() > maxFlows {
			t.Fatalf("%d flows", count())
		}
	}
	if g.net.flows.find(flowKey{from: netip.AddrPortFrom(g.config.Guest4.Addr(), 0), to: to, ping: true}) != nil {
		t.Error("the oldest flow is still there")
	}
}

// Only the guest's peer can answer: a datagram of anybody else does not get in.
func TestUDPStranger(t *testing.T) {
	at := hostAddr(t, false)
	g := newGuest(t, testConfig()).boot()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	guest := g.dialUDP(c.LocalAddr().(*net.UDPAddr).AddrPort())
	_, _ = guest.Write([]byte("question"))
	buf := make([]byte, 100)
	_, from, err := c.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(from))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for range 10 {
		_, _ = stranger.Write([]byte("stranger"))
	}
	_, _ = c.WriteToUDPAddrPort([]byte("answer"), from)
	n, err := guest.Read(buf)
	if string(buf[:n]) != "answer" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// A forwarded port of UDP leads to the guest, and each sender has its own answers,
// from the address that it has sent to.
func TestForwardUDP(t *testing.T) {
	for _, bind := range []string{"127.0.0.1", "::1", ""} {
		t.Run(bind, func(t *testing.T) {
			f := Forward{Guest: 53, UDP: true}
			if bind != "" {
				f.Bind = netip.MustParseAddr(bind)
			}
			g, _ := newForwarded(t, f)
			a := fullAddress(netip.AddrPortFrom(g.config.Guest4.Addr(), 53))
			c, err := gonet.DialUDP(g.stack, &a, nil, protocolOf(g.config.Guest4.Addr()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			go func() {
				buf := make([]byte, maxDatagram)
				for {
					n, from, err := c.ReadFrom(buf)
					if err != nil {
						return
					}
					_, _ = c.WriteTo(append([]byte("re "), buf[:n]...), from)
				}
			}()
			to := []string{bind}
			if bind == "" {
				to = []string{"127.0.0.1", "127.0.0.2", "::1", hostAddr(t, false).String()}
			}
			for _, at := range to {
				for i := range 4 {
					// Connected: the answer must come from there.
					client, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(at), g.net.config.Forwards[0].Host)))
					if err != nil {
						t.Fatal(err)
					}
					defer client.Close()
					text := fmt.Sprint(at, " ", i)
					if got, err := ask(t, client, []byte(text)); string(got) != "re "+text {
						t.Errorf("%s: %q, %v", text, got, err)
					}
				}
			}
		})
	}
}
