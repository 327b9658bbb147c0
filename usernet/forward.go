package usernet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Forward is a port of the host that leads to one of the guest.
type Forward struct {
	Bind  netip.Addr // of the host; zero: all its addresses
	Host  uint16     // port; 0: one that is free
	Guest uint16     // port
	UDP   bool       // else TCP
}

// ParseForward reads [BIND:]HOST:GUEST[/udp]. An IPv6 address stands in brackets.
func ParseForward(s string) (f Forward, err error) {
	ports, protocol, ok := strings.Cut(s, "/")
	if ok && protocol != "udp" && protocol != "tcp" {
		return f, fmt.Errorf("%q: %q is neither tcp nor udp", s, protocol)
	}
	f.UDP = protocol == "udp"
	rest, guest, ok := cutLast(ports)
	if !ok {
		return f, fmt.Errorf("%q: want [BIND:]HOST:GUEST[/udp], ports of the host and of the guest", s)
	}
	bind, host, bound := cutLast(rest)
	if !bound {
		host = rest
	}
	if f.Host, err = parsePort(host); err != nil {
		return f, fmt.Errorf("%q: port %w of the host", s, err)
	}
	if f.Guest, err = parsePort(guest); err == nil && f.Guest == 0 {
		err = errors.New("0")
	}
	if err != nil {
		return f, fmt.Errorf("%q: port %w of the guest", s, err)
	}
	if !bound {
		return f, nil
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(bind, "["), "]")
	f.Bind, err = netip.ParseAddr(inner)
	if err != nil || f.Bind.Is6() != (bind == "["+inner+"]") {
		return f, fmt.Errorf("%q: %q is no address of the host; want one such as 127.0.0.1 or [::1]", s, bind)
	}
	return f, nil
}

func cutLast(s string) (before, after string, ok bool) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
}

// parsePort reads a port; the error is what was found in its place.
func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || strings.HasPrefix(s, "+") {
		return 0, fmt.Errorf("%q, which is no number up to 65535,", s)
	}
	return uint16(n), nil
}

func (f Forward) network() string {
	if f.UDP {
		return "udp"
	}
	return "tcp"
}

func (f Forward) address() string {
	host := ""
	if f.Bind.IsValid() {
		host = f.Bind.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(f.Host)))
}

// String is the forward as ParseForward reads it.
func (f Forward) String() string {
	s := strings.TrimPrefix(f.address(), ":") + ":" + strconv.Itoa(int(f.Guest))
	if f.UDP {
		s += "/udp"
	}
	return s
}

// Listen opens the socket of a forward, and fills its port in if any was wanted.
func (f *Forward) Listen() (*os.File, error) {
	var file *os.File
	var err error
	if f.UDP {
		file, err = f.listenUDP()
	} else {
		file, err = f.listenTCP()
	}
	if err != nil {
		return nil, listenError(*f, err)
	}
	return file, nil
}

// listenError says what can be done about a port that cannot be had.
func listenError(f Forward, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d/%s of the host is in use; choose another one, or 0 for one that is free", f.Host, f.network())
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("port %d/%s of the host is for root alone; choose one from %s on", f.Host, f.network(), unprivilegedPort())
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%v is no address of the host", f.Bind)
	}
	return fmt.Errorf("port %d/%s of the host: %w", f.Host, f.network(), err)
}

func unprivilegedPort() string {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return "1024"
	}
	return strings.TrimSpace(string(data))
}

func (f *Forward) listenTCP() (*os.File, error) {
	var c net.ListenConfig
	c.SetMultipathTCP(false)
	l, err := c.Listen(context.Background(), "tcp", f.address())
	if err != nil {
		return nil, err
	}
	defer l.Close()
	f.Host = uint16(l.Addr().(*net.TCPAddr).Port)
	return l.(*net.TCPListener).File()
}

func (f *Forward) listenUDP() (*os.File, error) {
	c, err := net.ListenPacket("udp", f.address())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	f.Host = uint16(c.LocalAddr().(*net.UDPAddr).Port)
	return c.(*net.UDPConn).File()
}

// Forward passes on what comes to the socket of a forward of the configuration,
// counted from 0, until the network ends. It closes the file.
func (n *Network) Forward(i int, socket *os.File) error {
	defer socket.Close()
	f := n.config.Forwards[i]
	if f.UDP {
		c, err := net.FilePacketConn(socket)
		if err != nil {
			return err
		}
		n.serving.Go(func() { n.forwardUDP(i, f.Guest, c.(*net.UDPConn)) })
		return nil
	}
	l, err := net.FileListener(socket)
	if err != nil {
		return err
	}
	n.serving.Go(func() { n.forwardTCP(f.Guest, l.(*net.TCPListener)) })
	return nil
}

// acceptPause is how long to wait when no connection can be accepted, for want of
// descriptors for example.
const acceptPause = 50 * time.Millisecond

func (n *Network) forwardTCP(port uint16, l *net.TCPListener) {
	defer l.Close()
	defer context.AfterFunc(n.ctx, func() { l.Close() })()
	var served atomic.Bool
	for {
		host, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(acceptPause)
			continue
		}
		go func() {
			ep, wq, err := n.dialServer(port, &served, guestTimeout)
			if err != nil {
				reset(host)
				return
			}
			n.splice(ep, wq, host)
		}()
	}
}

// udpForward is a forward of datagrams at work. Those that come from one address are a
// flow. It leads to the guest's IPv4, until that says that nobody is there: then to its
// IPv6, and so on.
type udpForward struct {
	n      *Network
	number int // counted from 1
	port   uint16
	c      *net.UDPConn
	six    atomic.Bool
}

// guest is the address that it leads to now.
func (u *udpForward) guest() netip.Addr {
	if u.six.Load() {
		return u.n.config.Guest6.Addr()
	}
	return u.n.config.Guest4.Addr()
}

func (n *Network) forwardUDP(i int, port uint16, c *net.UDPConn) {
	defer c.Close()
	defer context.AfterFunc(n.ctx, func() { c.Close() })()
	wantDestinations(c)
	u := &udpForward{n: n, number: i + 1, port: port, c: c}
	buf := make([]byte, maxDatagram)
	oob := make([]byte, 128)
	for {
		size, oobSize, _, from, err := c.ReadMsgUDPAddrPort(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // told of a datagram that was sent before
		}
		u.send(buf[:size], from, oob[:oobSize], true)
	}
}

// send sends a datagram to the guest. Source says which address of the host it came
// to. If it is the first of a flow and is refused, it is sent to the other address once,
// if again is set.
func (u *udpForward) send(p []byte, from netip.AddrPort, source []byte, again bool) {
	guest := u.guest()
	key := flowKey{from: from, to: netip.AddrPortFrom(guest, u.port), forward: u.number}
	f := u.n.flows.find(key)
	if f == nil {
		s, err := u.n.guestUDP(guest, u.port)
		if err != nil {
			return
		}
		if f = u.n.flows.add(key, nil, s); f == nil {
			return
		}
		go u.answers(f, append([]byte(nil), p...), append([]byte(nil), source...), again)
	}
	f.used()
	f.guest.send(p)
}

// answers carries what the guest says of a flow that began with a datagram.
func (u *udpForward) answers(f *flow, first, source []byte, again bool) {
	answered := false
	refused := func() {
		if answered {
			return
		}
		answered = true
		u.six.Store(f.key.to.Addr().Is4())
		u.n.flows.remove(f)
		if again {
			u.send(first, f.key.from, source, false)
		}
	}
	f.guest.receive(refused, func(p []byte) {
		answered = true
		f.used()
		_, _, _ = u.c.WriteMsgUDPAddrPort(p, source, f.key.from) // as reliable as the network
	})
	u.n.flows.remove(f)
}

// wantDestinations has a socket say which address of the host each datagram was
// sent to. In that form, given back with an answer, it says where the answer comes
// from (ip(7), ipv6(7)).
func wantDestinations(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// A socket of one family has not both; without, the kernel chooses.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	})
}
