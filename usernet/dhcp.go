package usernet

import (
	"encoding/binary"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Ports of DHCPv4, and the parts of its messages (RFC 2131 §2, in bytes).
const (
	dhcpServerPort = 67
	dhcpClientPort = 68

	dhcpFixed   = 236 // before the magic cookie
	dhcpCookie  = 0x63825363
	dhcpRequest = 1 // op
	dhcpReply   = 2
	dhcpMinimum = 300 // what some clients insist on (RFC 1542 §2.1)
)

// Options (RFC 2132).
const (
	optionMask       = 1
	optionRouter     = 3
	optionDNS        = 6
	optionHostname   = 12
	optionMTU        = 26
	optionBroadcast  = 28
	optionAddress    = 50
	optionLease      = 51
	optionType       = 53
	optionServer     = 54
	optionEnd        = 255
	optionPad        = 0
	dhcpDiscover     = 1
	dhcpOffer        = 2
	dhcpWant         = 3
	dhcpACK          = 5
	dhcpNAK          = 6
	dhcpInform       = 8
	dhcpHardwareType = 1 // Ethernet
)

// leaseTime is how long a guest may keep the address before it asks again. It is
// always given the same one.
const leaseTime = 24 * time.Hour

// dhcpMessage is what the server looks at in a message of a client.
type dhcpMessage struct {
	xid       [4]byte
	broadcast bool // the client cannot take packets to an address that it has not got yet
	client    netip.Addr
	mac       HardwareAddr
	kind      byte
	requested netip.Addr // zero: none
	server    netip.Addr // zero: any
}

// takeDHCP answers a packet to the DHCP server. It reports whether it was one.
func (n *Network) takeDHCP(packet []byte) bool {
	payload, ok := dhcpPayload(packet)
	if !ok {
		return false
	}
	if m, ok := parseDHCP(payload); ok {
		n.answerDHCP(m)
	}
	return true
}

// dhcpPayload returns the payload of an IPv4 packet to the port of DHCP servers.
// One that goes through the network is none of the router's business.
func dhcpPayload(packet []byte) ([]byte, bool) {
	ip := header.IPv4(packet)
	if !ip.IsValid(len(packet)) || ip.TransportProtocol() != header.UDPProtocolNumber || ip.More() || ip.FragmentOffset() != 0 {
		return nil, false
	}
	u := header.UDP(packet[ip.HeaderLength():ip.TotalLength()])
	if len(u) < header.UDPMinimumSize || u.DestinationPort() != dhcpServerPort || int(u.Length()) > len(u) || u.Length() < header.UDPMinimumSize {
		return nil, false
	}
	return u[header.UDPMinimumSize:u.Length()], true
}

// parseDHCP reads a message of a client; ok is false if it is none.
func parseDHCP(p []byte) (m dhcpMessage, ok bool) {
	if len(p) < dhcpFixed+4 || p[0] != dhcpRequest || p[1] != dhcpHardwareType || p[2] != 6 ||
		binary.BigEndian.Uint32(p[dhcpFixed:]) != dhcpCookie {
		return m, false
	}
	copy(m.xid[:], p[4:])
	m.broadcast = p[10]&0x80 != 0
	m.client = netip.AddrFrom4([4]byte(p[12:16]))
	copy(m.mac[:], p[28:])
	for options := p[dhcpFixed+4:]; len(options) > 0 && options[0] != optionEnd; {
		if options[0] == optionPad {
			options = options[1:]
			continue
		}
		if len(options) < 2 || len(options)-2 < int(options[1]) {
			return m, false
		}
		code, size := options[0], int(options[1]) // in bytes an option's end may be past 255
		value := options[2 : 2+size]
		options = options[2+size:]
		switch {
		case code == optionType && len(value) == 1:
			m.kind = value[0]
		case code == optionAddress && len(value) == 4:
			m.requested = netip.AddrFrom4([4]byte(value))
		case code == optionServer && len(value) == 4:
			m.server = netip.AddrFrom4([4]byte(value))
		}
	}
	return m, m.kind != 0
}

// answerDHCP answers a message as RFC 2131 §4.3 says. There is one address.
func (n *Network) answerDHCP(m dhcpMessage) {
	guest, router := n.config.Guest4.Addr(), n.config.Router4
	if m.server.IsValid() && m.server != router {
		return // it has chosen another server
	}
	kind := byte(dhcpOffer)
	switch m.kind {
	case dhcpDiscover:
	case dhcpWant:
		kind = dhcpACK
		want := m.requested
		if !want.IsValid() {
			want = m.client
		}
		if want != guest {
			kind = dhcpNAK
		}
	case dhcpInform:
		kind = dhcpACK
	default: // RELEASE and DECLINE change nothing
		return
	}
	// Where it goes: §4.1.
	to, mac := guest, m.mac
	switch {
	case kind == dhcpNAK || m.broadcast && m.client.IsUnspecified():
		to, mac = netip.AddrFrom4([4]byte{255, 255, 255, 255}), HardwareAddr{255, 255, 255, 255, 255, 255}
	case !m.client.IsUnspecified():
		to = m.client
	}
	n.link.send(mac, header.IPv4ProtocolNumber, udpPacket(router, to, dhcpServerPort, dhcpClientPort, n.dhcpReply(m, kind)))
}

// dhcpReply makes the server's message of a kind.
func (n *Network) dhcpReply(m dhcpMessage, kind byte) []byte {
	p := make([]byte, dhcpFixed, dhcpMinimum+256)
	p[0], p[1], p[2] = dhcpReply, dhcpHardwareType, 6
	copy(p[4:], m.xid[:])
	if m.broadcast {
		p[10] = 0x80
	}
	copy(p[12:], m.client.AsSlice())
	if m.kind != dhcpInform && kind != dhcpNAK {
		copy(p[16:], n.config.Guest4.Addr().AsSlice())
	}
	copy(p[28:], m.mac[:])
	p = binary.BigEndian.AppendUint32(p, dhcpCookie)
	option := func(code byte, value ...byte) { p = append(append(p, code, byte(len(value))), value...) }
	router := n.config.Router4.AsSlice()
	option(optionType, kind)
	option(optionServer, router...)
	if kind != dhcpNAK {
		if m.kind != dhcpInform {
			option(optionLease, binary.BigEndian.AppendUint32(nil, uint32(leaseTime/time.Second))...)
		}
		option(optionMask, binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-n.config.Guest4.Bits()))...)
		option(optionRouter, router...)
		option(optionDNS, router...)
		option(optionBroadcast, broadcast(n.config.Guest4).AsSlice()...)
		option(optionMTU, binary.BigEndian.AppendUint16(nil, uint16(n.config.MTU))...)
		if name := n.config.Hostname; name != "" && len(name) < 256 {
			option(optionHostname, []byte(name)...)
		}
	}
	p = append(p, optionEnd)
	if len(p) < dhcpMinimum {
		p = p[:dhcpMinimum]
	}
	return p
}

// udpPacket makes an IPv4 packet with a datagram, without a checksum of UDP, which
// IPv4 allows (RFC 768).
func udpPacket(from, to netip.Addr, fromPort, toPort uint16, payload []byte) []byte {
	size := header.IPv4MinimumSize + header.UDPMinimumSize + len(payload)
	p := make([]byte, size)
	ip := header.IPv4(p)
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(size), TTL: 64, Protocol: uint8(header.UDPProtocolNumber), SrcAddr: toStack(from), DstAddr: toStack(to),
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	header.UDP(p[header.IPv4MinimumSize:]).Encode(&header.UDPFields{
		SrcPort: fromPort, DstPort: toPort, Length: uint16(header.UDPMinimumSize + len(payload)),
	})
	copy(p[header.IPv4MinimumSize+header.UDPMinimumSize:], payload)
	return p
}
