package usernet

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// patience of tests, for what takes no time on a machine that has any.
const hang = 2 * time.Minute

// guest is the machine at the other end: a stack of its own, with Ethernet, ARP
// and neighbour discovery.
type guest struct {
	t      testing.TB
	net    *Network
	stack  *stack.Stack
	conn   net.Conn
	config Config

	mu    sync.Mutex
	taken func(frame []byte) // sees each frame; may be nil
}

// testConfig is a network like that of guests.
func testConfig() Config { return Default() }

// newGuest starts a network and a guest on it.
func newGuest(t testing.TB, config Config) *guest {
	t.Helper()
	ours, theirs := socketPair(t)
	n, err := New(config, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve(theirs) }()
	g := &guest{t: t, net: n, conn: ours, config: config}
	t.Cleanup(func() {
		n.Close()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("network: %v", err)
			}
		case <-time.After(hang):
			t.Error("the network does not end")
		}
		ours.Close()
		if g.stack != nil {
			g.stack.Close()
		}
	})
	return g
}

func socketPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn := func(fd int) net.Conn {
		f := os.NewFile(uintptr(fd), "pair")
		defer f.Close()
		c, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return conn(fds[0]), conn(fds[1])
}

// boot gives the guest its stack, with the addresses of the configuration.
func (g *guest) boot() *guest {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
	})
	g.stack = s
	ep := channel.New(4096, uint32(g.config.MTU+header.EthernetMinimumSize), tcpip.LinkAddress(g.config.GuestMAC[:]))
	ep.LinkEPCapabilities = stack.CapabilityResolutionRequired
	try := func(err tcpip.Error) {
		g.t.Helper()
		if err != nil {
			g.t.Fatal(err)
		}
	}
	try(s.CreateNIC(1, ethernet.New(ep)))
	for _, p := range []netip.Prefix{g.config.Guest4, g.config.Guest6} {
		try(s.AddProtocolAddress(1, tcpip.ProtocolAddress{Protocol: protocolOf(p.Addr()), AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: toStack(p.Addr()), PrefixLen: p.Bits(),
		}}, stack.AddressProperties{}))
	}
	s.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, Gateway: toStack(g.config.Router4), NIC: 1},
		{Destination: header.IPv6EmptySubnet, Gateway: toStack(g.config.Router6), NIC: 1},
	})
	wait := tcpip.TCPTimeWaitTimeoutOption(time.Second)
	try(s.SetTransportProtocolOption(tcp.ProtocolNumber, &wait))
	sack := tcpip.TCPSACKEnabled(true)
	try(s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))
	go func() { // to the network
		for {
			pkt := ep.ReadContext(g.net.ctx)
			if pkt == nil {
				return
			}
			frame := pkt.ToView()
			b := binary.BigEndian.AppendUint32(nil, uint32(frame.Size()))
			_, err := g.conn.Write(append(b, frame.AsSlice()...))
			frame.Release()
			pkt.DecRef()
			if err != nil {
				return
			}
		}
	}()
	go g.frames(func(frame []byte) {
		pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(frame)})
		ep.InjectInbound(0, pkt)
		pkt.DecRef()
	})
	return g
}

// frames calls take for each frame of the network.
func (g *guest) frames(take func(frame []byte)) {
	r := newFrameReader(g.conn)
	for {
		frame, err := r.next()
		if err != nil {
			return
		}
		g.mu.Lock()
		taken := g.taken
		g.mu.Unlock()
		if taken != nil {
			taken(frame)
		}
		take(frame)
	}
}

// unreachable returns the codes of the messages that say so of a packet of the
// guest.
func (g *guest) unreachable() <-chan uint8 {
	codes := make(chan uint8, 10)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken = func(frame []byte) {
		packet := frame[header.EthernetMinimumSize:]
		if ip := header.IPv4(packet); ip.IsValid(len(packet)) {
			if p := ip.Payload(); ip.TransportProtocol() == header.ICMPv4ProtocolNumber && p[0] == byte(header.ICMPv4DstUnreachable) {
				codes <- p[1]
			}
		} else if ip := header.IPv6(packet); ip.IsValid(len(packet)) {
			if p := ip.Payload(); ip.TransportProtocol() == header.ICMPv6ProtocolNumber && p[0] == byte(header.ICMPv6DstUnreachable) {
				codes <- p[1]
			}
		}
	}
	return codes
}

// send sends a frame as it is.
func (g *guest) send(frame []byte) error {
	_, err := g.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
	return err
}

// dial connects to an address as the guest.
func (g *guest) dial(to netip.AddrPort) (*gonet.TCPConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	return gonet.DialContextTCP(ctx, g.stack, fullAddress(to), protocolOf(to.Addr()))
}

func (g *guest) dialUDP(to netip.AddrPort) *gonet.UDPConn {
	g.t.Helper()
	a := fullAddress(to)
	c, err := gonet.DialUDP(g.stack, nil, &a, protocolOf(to.Addr()))
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	return c
}

func (g *guest) listen(port uint16) *gonet.TCPListener {
	g.t.Helper()
	l, err := gonet.ListenTCP(g.stack, tcpip.FullAddress{NIC: 1, Port: port}, ipv4.ProtocolNumber)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { l.Close() })
	return l
}

func fullAddress(a netip.AddrPort) tcpip.FullAddress {
	return tcpip.FullAddress{NIC: 1, Addr: toStack(a.Addr()), Port: a.Port()}
}

// hostAddr is an address of this host that is not its loopback; tests that need
// one are skipped without.
func hostAddr(t testing.TB, v6 bool) netip.Addr {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if ip = ip.Unmap(); routable(ip) && ip.Is6() == v6 {
			return ip
		}
	}
	t.Skipf("this host has no address but its loopback (IPv6: %t)", v6)
	return netip.Addr{}
}

// hostListen listens on the host as anybody would.
func hostListen(t testing.TB, at netip.Addr, serve func(c *net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return netip.AddrPortFrom(at, uint16(l.Addr().(*net.TCPAddr).Port))
}

// echo sends back what it gets, and closes when the other side has.
func echo(c *net.TCPConn) {
	defer c.Close()
	// Not by splice(2), which takes two more descriptors.
	_, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, make([]byte, 16<<10))
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(hang); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, hang)
		}
	}
}
