package netstack

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/yolkos/yolk/netstack/dhcp"
)

// isDHCP reports whether a frame, of which head is the beginning, is for a DHCP
// client. What is cut over several buffers before its ports is none.
func isDHCP(head []byte) bool {
	if header.Ethernet(head).Type() != header.IPv4ProtocolNumber {
		return false
	}
	ip := header.IPv4(head[header.EthernetMinimumSize:])
	if len(ip) < header.IPv4MinimumSize || ip[0]>>4 != 4 || ip.TransportProtocol() != header.UDPProtocolNumber {
		return false
	}
	n := int(ip.HeaderLength())
	return n >= header.IPv4MinimumSize && len(ip) >= n+header.UDPMinimumSize &&
		ip.FragmentOffset() == 0 && !ip.More() && header.UDP(ip[n:]).DestinationPort() == dhcp.ClientPort
}

// dhcpConn carries the messages of DHCP over a link that need not have an address:
// they pass by the stack.
type dhcpConn struct {
	link     *link
	received chan []byte
}

// dhcpBacklog is how many messages may wait; more are dropped.
const dhcpBacklog = 8

func newDHCPConn(l *link) *dhcpConn {
	c := &dhcpConn{link: l, received: make(chan []byte, dhcpBacklog)}
	take := c.take
	l.tap.Store(&take)
	return c
}

// take takes the message out of a frame.
func (c *dhcpConn) take(frame []byte) {
	ip := header.IPv4(frame[header.EthernetMinimumSize:])
	if !ip.IsValid(len(ip)) || !ip.IsChecksumValid() {
		return
	}
	udp := header.UDP(ip.Payload())
	if n := int(udp.Length()); n < header.UDPMinimumSize || n > len(udp) {
		return
	}
	payload := udp[header.UDPMinimumSize:udp.Length()]
	select {
	case c.received <- payload:
	default:
	}
}

// Received implements dhcp.Conn, like Send.
func (c *dhcpConn) Received() <-chan []byte { return c.received }

func (c *dhcpConn) Send(message []byte, from, to netip.Addr) {
	src, dst := header.IPv4Any, header.IPv4Broadcast
	if from.Is4() {
		src = tcpip.AddrFrom4(from.As4())
	}
	hw := header.EthernetBroadcastAddress
	if to.Is4() {
		if a, ok := c.neighbour(to); ok {
			dst, hw = tcpip.AddrFrom4(to.As4()), a
		}
	}
	size := header.UDPMinimumSize + len(message)
	b := make([]byte, header.EthernetMinimumSize+header.IPv4MinimumSize+size)
	header.Ethernet(b).Encode(&header.EthernetFields{SrcAddr: c.link.LinkAddress(), DstAddr: hw, Type: header.IPv4ProtocolNumber})
	ip := header.IPv4(b[header.EthernetMinimumSize:])
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(header.IPv4MinimumSize + size), TTL: defaultTTL,
		Protocol: uint8(header.UDPProtocolNumber), SrcAddr: src, DstAddr: dst,
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	udp := header.UDP(ip[header.IPv4MinimumSize:])
	udp.Encode(&header.UDPFields{SrcPort: dhcp.ClientPort, DstPort: dhcp.ServerPort, Length: uint16(size)})
	copy(udp[header.UDPMinimumSize:], message)
	sum := header.PseudoHeaderChecksum(header.UDPProtocolNumber, src, dst, uint16(size))
	binary.BigEndian.PutUint16(udp[6:], ^checksum.Checksum(udp, sum))
	c.link.sendRaw(b, nil)
}

// neighbour is the Ethernet address by which a server can be reached, if the stack
// knows it. A server that is not known gets what is for it as everybody does.
func (c *dhcpConn) neighbour(a netip.Addr) (tcpip.LinkAddress, bool) {
	list, err := c.link.s.Neighbors(c.link.id, header.IPv4ProtocolNumber)
	if err != nil {
		return "", false
	}
	for _, n := range list {
		if n.Addr == tcpip.AddrFrom4(a.As4()) && len(n.LinkAddr) == header.EthernetAddressSize {
			return n.LinkAddr, true
		}
	}
	return "", false
}
