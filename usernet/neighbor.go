package usernet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// The router is the guest's only neighbour: it answers for its own addresses, and
// for no others.

// takeARP answers a request for the router's hardware address (RFC 826).
func (n *Network) takeARP(packet []byte) {
	q := header.ARP(packet)
	router := n.config.Router4
	if !q.IsValid() || q.Op() != header.ARPRequest || tcpip.AddrFromSlice(q.ProtocolAddressTarget()) != toStack(router) {
		return
	}
	p := make([]byte, header.ARPSize)
	a := header.ARP(p)
	a.SetIPv4OverEthernet()
	a.SetOp(header.ARPReply)
	copy(a.HardwareAddressSender(), n.config.RouterMAC[:])
	copy(a.ProtocolAddressSender(), router.AsSlice())
	copy(a.HardwareAddressTarget(), q.HardwareAddressSender())
	copy(a.ProtocolAddressTarget(), q.ProtocolAddressSender())
	var to HardwareAddr
	copy(to[:], q.HardwareAddressSender())
	n.link.send(to, header.ARPProtocolNumber, p)
}

// Options of neighbour discovery, and their sizes in bytes (RFC 4861 §4.6,
// RFC 8106 §5.1).
const (
	sourceLinkAddress = 1
	targetLinkAddress = 2
	prefixInformation = 3
	mtuOption         = 5
	rdnssOption       = 25

	neighborSolicitSize = 24
	routerSolicitSize   = 8
)

// hopLimit is that of all messages of neighbour discovery: none has come through a
// router (RFC 4861 §7.1).
const hopLimit = 255

// Times of router advertisements, in the guest (RFC 4861 §6.2.1).
const (
	routerLifetime    = 30 * time.Minute
	advertiseInterval = 10 * time.Minute
	forever           = 0xffffffff // seconds
)

var (
	allNodes    = netip.MustParseAddr("ff02::1")
	allNodesMAC = HardwareAddr{0x33, 0x33, 0, 0, 0, 1} // RFC 2464 §7
)

// routerLink is the router's link-local address, with its hardware address in it
// (RFC 4291, appendix A).
func (c *Config) routerLink() netip.Addr {
	m := c.RouterMAC
	return netip.AddrFrom16([16]byte{0xfe, 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]})
}

// takeNeighbor answers messages of neighbour discovery, and reports whether a
// packet was one.
func (n *Network) takeNeighbor(packet []byte) bool {
	ip := header.IPv6(packet)
	if !ip.IsValid(len(packet)) || ip.TransportProtocol() != header.ICMPv6ProtocolNumber {
		return false
	}
	msg := packet[header.IPv6MinimumSize:][:ip.PayloadLength()]
	if len(msg) < header.ICMPv6MinimumSize {
		return false
	}
	kind := header.ICMPv6(msg).Type()
	switch kind {
	case header.ICMPv6RouterSolicit, header.ICMPv6RouterAdvert, header.ICMPv6NeighborSolicit, header.ICMPv6NeighborAdvert, header.ICMPv6RedirectMsg:
	default:
		return false
	}
	if ip.HopLimit() != hopLimit || msg[1] != 0 {
		return true
	}
	switch {
	case kind == header.ICMPv6RouterSolicit && len(msg) >= routerSolicitSize:
		n.sendAdvertisement(hostHasIPv6())
	case kind == header.ICMPv6NeighborSolicit && len(msg) >= neighborSolicitSize:
		target := netip.AddrFrom16([16]byte(msg[8:24]))
		if target == n.config.Router6 || target == n.config.routerLink() {
			n.answerNeighbor(fromStack(ip.SourceAddress()), target)
		}
	}
	return true
}

// answerNeighbor sends a neighbour advertisement (RFC 4861 §7.2.4).
func (n *Network) answerNeighbor(asker, target netip.Addr) {
	const solicited, override, router = 0x40, 0x20, 0x80
	msg := make([]byte, 8, 32)
	msg[0], msg[4] = byte(header.ICMPv6NeighborAdvert), solicited|override|router
	to := n.link.guestMAC()
	if asker.IsUnspecified() { // who asks whether it may have that address
		msg[4] &^= solicited
		asker, to = allNodes, allNodesMAC
	}
	msg = append(msg, target.AsSlice()...)
	msg = append(msg, targetLinkAddress, 1)
	msg = append(msg, n.config.RouterMAC[:]...)
	n.sendNeighbor(to, target, asker, msg)
}

// advertise tells of the router again and again, before the guest forgets it.
func (n *Network) advertise() {
	tick := time.NewTicker(advertiseInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.sendAdvertisement(hostHasIPv6())
		case <-n.ctx.Done():
			return
		}
	}
}

// sendAdvertisement sends a router advertisement (RFC 4861 §4.2): a router for
// everything else only if the host has a way there.
func (n *Network) sendAdvertisement(routes bool) {
	const onLink, autonomous = 0x80, 0x40
	msg := make([]byte, 16, 128)
	msg[0], msg[4] = byte(header.ICMPv6RouterAdvert), 64
	if routes {
		binary.BigEndian.PutUint16(msg[6:], uint16(routerLifetime/time.Second))
	}
	msg = append(append(msg, sourceLinkAddress, 1), n.config.RouterMAC[:]...)
	msg = append(msg, mtuOption, 1, 0, 0)
	msg = binary.BigEndian.AppendUint32(msg, uint32(n.config.MTU))
	prefix := n.config.Guest6.Masked()
	flags := byte(onLink)
	if prefix.Bits() == 64 { // that of addresses which a guest makes itself (RFC 4862)
		flags |= autonomous
	}
	msg = append(msg, prefixInformation, 4, byte(prefix.Bits()), flags)
	msg = binary.BigEndian.AppendUint32(msg, forever)
	msg = binary.BigEndian.AppendUint32(msg, forever)
	msg = append(append(msg, 0, 0, 0, 0), prefix.Addr().AsSlice()...)
	msg = append(msg, rdnssOption, 3, 0, 0)
	msg = binary.BigEndian.AppendUint32(msg, forever)
	msg = append(msg, n.config.Router6.AsSlice()...)
	n.sendNeighbor(allNodesMAC, n.config.routerLink(), allNodes, msg)
}

func (n *Network) sendNeighbor(mac HardwareAddr, from, to netip.Addr, msg []byte) {
	header.ICMPv6(msg).SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: msg, Src: toStack(from), Dst: toStack(to)}))
	p := make([]byte, header.IPv6MinimumSize, header.IPv6MinimumSize+len(msg))
	header.IPv6(p).Encode(&header.IPv6Fields{
		PayloadLength: uint16(len(msg)), TransportProtocol: header.ICMPv6ProtocolNumber, HopLimit: hopLimit,
		SrcAddr: toStack(from), DstAddr: toStack(to),
	})
	n.link.send(mac, header.IPv6ProtocolNumber, append(p, msg...))
}

// hostHasIPv6 reports whether the host has a route to IPv6 addresses of others. To
// connect a socket for datagrams sends nothing; the address is for documentation
// (RFC 3849).
func hostHasIPv6() bool {
	conn, err := net.Dial("udp6", "[2001:db8::1]:9")
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
