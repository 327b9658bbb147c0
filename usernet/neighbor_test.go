package usernet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// frames of a raw guest come through a channel.
func (g *guest) raw() <-chan []byte {
	c := make(chan []byte, 100)
	go g.frames(func(frame []byte) {
		select {
		case c <- slices.Clone(frame):
		default:
		}
	})
	return c
}

func next(t testing.TB, c <-chan []byte) []byte {
	t.Helper()
	select {
	case frame := <-c:
		return frame
	case <-time.After(hang):
		t.Fatal("no frame")
		return nil
	}
}

// ethernet makes a frame of the guest.
func (g *guest) ethernet(protocol uint16, packet []byte) []byte {
	f := append([]byte{255, 255, 255, 255, 255, 255}, g.config.GuestMAC[:]...)
	return append(binary.BigEndian.AppendUint16(f, protocol), packet...)
}

// dhcp makes a message of a client.
func (g *guest) dhcp(kind byte, broadcast bool, options ...byte) []byte {
	m := make([]byte, dhcpFixed)
	m[0], m[1], m[2] = 1, 1, 6
	copy(m[4:], "xid!")
	if broadcast {
		m[10] = 0x80
	}
	copy(m[28:], g.config.GuestMAC[:])
	m = binary.BigEndian.AppendUint32(m, dhcpCookie)
	m = append(append(m, optionType, 1, kind), options...)
	m = append(m, optionEnd)
	zero, all := netip.IPv4Unspecified(), netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return g.ethernet(0x0800, udpPacket(zero, all, dhcpClientPort, dhcpServerPort, m))
}

// reply takes a frame with a message of the server apart.
func reply(t *testing.T, g *guest, frame []byte) (m []byte, options map[byte][]byte) {
	t.Helper()
	ip := header.IPv4(frame[14:])
	if !ip.IsValid(len(frame)-14) || !ip.IsChecksumValid() || ip.TransportProtocol() != header.UDPProtocolNumber {
		t.Fatalf("no packet of UDP: %x", frame)
	}
	u := header.UDP(ip.Payload())
	if u.SourcePort() != 67 || u.DestinationPort() != 68 || fromStack(ip.SourceAddress()) != g.config.Router4 {
		t.Fatalf("a packet from %v, ports %d to %d", ip.SourceAddress(), u.SourcePort(), u.DestinationPort())
	}
	m = u.Payload()
	options = map[byte][]byte{}
	for rest := m[dhcpFixed+4:]; rest[0] != optionEnd; rest = rest[2+rest[1]:] {
		options[rest[0]] = rest[2 : 2+rest[1]]
	}
	if m[0] != 2 || string(m[4:8]) != "xid!" || !slices.Equal(m[28:34], g.config.GuestMAC[:]) || len(m) < dhcpMinimum {
		t.Errorf("message %x", m)
	}
	return m, options
}

// The exchange of a client (RFC 2131 §3.1), with all that it is told.
func TestDHCP(t *testing.T) {
	config := testConfig()
	config.Hostname, config.MTU = "a-guest", 9000
	config.Guest4, config.Router4 = netip.MustParsePrefix("192.168.7.9/26"), netip.MustParseAddr("192.168.7.1")
	g := newGuest(t, config)
	frames := g.raw()
	mine := []byte{192, 168, 7, 9}
	for _, tt := range []struct {
		name    string
		frame   []byte
		kind    byte
		address []byte
		to      netip.Addr
	}{
		{"discover", g.dhcp(dhcpDiscover, false), dhcpOffer, mine, config.Guest4.Addr()},
		{"discover by broadcast", g.dhcp(dhcpDiscover, true), dhcpOffer, mine, netip.MustParseAddr("255.255.255.255")},
		{"request", g.dhcp(dhcpWant, false, optionAddress, 4, 192, 168, 7, 9, optionPad, optionServer, 4, 192, 168, 7, 1), dhcpACK, mine, config.Guest4.Addr()},
		{"request of another address", g.dhcp(dhcpWant, false, optionAddress, 4, 10, 0, 0, 1), dhcpNAK, make([]byte, 4), netip.MustParseAddr("255.255.255.255")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := g.send(tt.frame); err != nil {
				t.Fatal(err)
			}
			frame := next(t, frames)
			m, options := reply(t, g, frame)
			if options[optionType][0] != tt.kind || !slices.Equal(m[16:20], tt.address) {
				t.Errorf("type %d, address %d", options[optionType], m[16:20])
			}
			if to := fromStack(header.IPv4(frame[14:]).DestinationAddress()); to != tt.to {
				t.Errorf("it went to %v", to)
			}
			want := map[byte][]byte{
				optionServer: {192, 168, 7, 1}, optionLease: {0, 1, 0x51, 0x80}, optionMask: {255, 255, 255, 192}, optionRouter: {192, 168, 7, 1},
				optionDNS: {192, 168, 7, 1}, optionBroadcast: {192, 168, 7, 63}, optionMTU: {0x23, 0x28}, optionHostname: []byte("a-guest"),
			}
			if tt.kind == dhcpNAK {
				want = map[byte][]byte{optionServer: {192, 168, 7, 1}}
			}
			delete(options, optionType)
			for code, value := range want {
				if !slices.Equal(options[code], value) {
					t.Errorf("option %d: %d, want %d", code, options[code], value)
				}
				delete(options, code)
			}
			if len(options) > 0 {
				t.Errorf("more options: %d", options)
			}
		})
	}
	// Not for this server, and nothing to answer: the next frame is that of the
	// discovery after them.
	for _, f := range [][]byte{
		g.dhcp(dhcpWant, false, optionAddress, 4, 192, 168, 7, 9, optionServer, 4, 192, 168, 7, 2),
		g.dhcp(7, false), g.dhcp(4, false), g.dhcp(0, false), g.dhcp(dhcpDiscover, false, 12, 200), g.dhcp(dhcpDiscover, true),
	} {
		if err := g.send(f); err != nil {
			t.Fatal(err)
		}
	}
	if m, _ := reply(t, g, next(t, frames)); m[10] != 0x80 {
		t.Error("an answer to what has none")
	}
}

// The router answers for its own addresses and for no others: who asks whether an
// address is taken may have it.
func TestARP(t *testing.T) {
	g := newGuest(t, testConfig())
	frames := g.raw()
	ask := func(target netip.Addr) {
		p := make([]byte, header.ARPSize)
		a := header.ARP(p)
		a.SetIPv4OverEthernet()
		a.SetOp(header.ARPRequest)
		copy(a.HardwareAddressSender(), g.config.GuestMAC[:])
		copy(a.ProtocolAddressTarget(), target.AsSlice())
		if err := g.send(g.ethernet(0x0806, p)); err != nil {
			t.Fatal(err)
		}
	}
	ask(g.config.Guest4.Addr())
	ask(netip.MustParseAddr("10.0.2.77"))
	ask(g.config.Router4)
	frame := next(t, frames)
	a := header.ARP(frame[14:])
	if !a.IsValid() || a.Op() != header.ARPReply || !slices.Equal(a.ProtocolAddressSender(), g.config.Router4.AsSlice()) ||
		!slices.Equal(a.HardwareAddressSender(), g.config.RouterMAC[:]) || !slices.Equal(frame[:6], g.config.GuestMAC[:]) {
		t.Errorf("%x", frame)
	}
}

// ndp makes a frame with a message of neighbour discovery.
func (g *guest) ndp(from, to netip.Addr, msg []byte) []byte {
	header.ICMPv6(msg).SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: msg, Src: toStack(from), Dst: toStack(to)}))
	p := make([]byte, header.IPv6MinimumSize)
	header.IPv6(p).Encode(&header.IPv6Fields{
		PayloadLength: uint16(len(msg)), TransportProtocol: header.ICMPv6ProtocolNumber, HopLimit: 255, SrcAddr: toStack(from), DstAddr: toStack(to),
	})
	return g.ethernet(0x86dd, append(p, msg...))
}

// Who asks for routers is told of the network and of this one (RFC 4861 §4.2).
func TestRouterAdvertisement(t *testing.T) {
	g := newGuest(t, testConfig())
	frames := g.raw()
	if err := g.send(g.ndp(netip.MustParseAddr("fe80::1"), netip.MustParseAddr("ff02::2"), []byte{133, 0, 0, 0, 0, 0, 0, 0})); err != nil {
		t.Fatal(err)
	}
	frame := next(t, frames)
	ip := header.IPv6(frame[14:])
	src, dst := ip.SourceAddress(), ip.DestinationAddress()
	msg := header.ICMPv6(ip.Payload())
	if ip.HopLimit() != 255 || fromStack(src) != g.config.routerLink() || fromStack(dst) != allNodes || msg.Type() != header.ICMPv6RouterAdvert {
		t.Fatalf("%x", frame)
	}
	if sum := header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: msg, Src: src, Dst: dst}); sum != msg.Checksum() {
		t.Errorf("checksum %x, want %x", msg.Checksum(), sum)
	}
	ra := header.NDPRouterAdvert(msg.MessageBody())
	if lifetime := ra.RouterLifetime(); lifetime != 0 && lifetime != routerLifetime || (lifetime != 0) != hostHasIPv6() {
		t.Errorf("lifetime of the router: %v", lifetime)
	}
	it, err := ra.Options().Iter(true)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for {
		o, done, err := it.Next()
		if err != nil {
			t.Fatal(err)
		}
		if done {
			break
		}
		switch o := o.(type) {
		case header.NDPPrefixInformation:
			if o.PrefixLength() != 64 || !g.config.Guest6.Masked().Contains(fromStack(o.Prefix())) || !o.AutonomousAddressConfigurationFlag() || !o.OnLinkFlag() {
				t.Errorf("prefix %v", o)
			}
			seen |= 1
		case header.NDPRecursiveDNSServer:
			if list, err := o.Addresses(); err != nil || len(list) != 1 || fromStack(list[0]) != g.config.Router6 {
				t.Errorf("name servers %v, %v", list, err)
			}
			seen |= 2
		case header.NDPSourceLinkLayerAddressOption:
			if string(o.EthernetAddress()) != string(g.config.RouterMAC[:]) {
				t.Errorf("hardware address %v", o.EthernetAddress())
			}
			seen |= 4
		}
	}
	if seen != 7 {
		t.Errorf("options %b", seen)
	}
}

// A guest that looks whether somebody has its address hears of nobody; one that
// wants to be the router hears of that.
func TestNeighborSolicitation(t *testing.T) {
	g := newGuest(t, testConfig())
	frames := g.raw()
	ask := func(from, target netip.Addr) {
		msg := append([]byte{135, 0, 0, 0, 0, 0, 0, 0}, target.AsSlice()...)
		if err := g.send(g.ndp(from, netip.MustParseAddr("ff02::1:ff00:2"), msg)); err != nil {
			t.Fatal(err)
		}
	}
	unspecified, guest := netip.IPv6Unspecified(), g.config.Guest6.Addr()
	ask(unspecified, guest)
	ask(guest, netip.MustParseAddr("2001:db8::1"))
	for _, tt := range []struct {
		from, target netip.Addr
		to           netip.Addr
		flags        byte
	}{
		{unspecified, g.config.Router6, allNodes, 0xa0},
		{guest, g.config.Router6, guest, 0xe0},
		{guest, g.config.routerLink(), guest, 0xe0},
	} {
		ask(tt.from, tt.target)
		frame := next(t, frames)
		ip := header.IPv6(frame[14:])
		msg := ip.Payload()
		if msg[0] != 136 || msg[4] != tt.flags || fromStack(ip.DestinationAddress()) != tt.to || netip.AddrFrom16([16]byte(msg[8:24])) != tt.target ||
			!slices.Equal(msg[26:32], g.config.RouterMAC[:]) {
			t.Errorf("%v asks for %v: %x", tt.from, tt.target, frame)
		}
	}
}
