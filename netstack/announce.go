package netstack

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Announce implements nic.Stack: everybody on the link learns where the addresses of
// this interface are (gratuitous ARP, RFC 5227 §3; unsolicited neighbour
// advertisements, RFC 4861 §7.2.6).
func (l *link) Announce() {
	info, ok := l.s.SingleNICInfo(l.id)
	if !ok {
		return
	}
	own := l.LinkAddress()
	for _, a := range info.ProtocolAddresses {
		ip := a.AddressWithPrefix.Address
		switch a.Protocol {
		case header.IPv4ProtocolNumber:
			l.sendRaw(announceARP(own, ip), nil)
		case header.IPv6ProtocolNumber:
			l.sendRaw(announceNDP(own, ip), nil)
		}
	}
}

// announceARP is an ARP request for one's own address.
func announceARP(own tcpip.LinkAddress, ip tcpip.Address) []byte {
	b := make([]byte, header.EthernetMinimumSize+header.ARPSize)
	header.Ethernet(b).Encode(&header.EthernetFields{SrcAddr: own, DstAddr: header.EthernetBroadcastAddress, Type: header.ARPProtocolNumber})
	arp := header.ARP(b[header.EthernetMinimumSize:])
	arp.SetIPv4OverEthernet()
	arp.SetOp(header.ARPRequest)
	copy(arp.HardwareAddressSender(), own)
	copy(arp.ProtocolAddressSender(), ip.AsSlice())
	copy(arp.ProtocolAddressTarget(), ip.AsSlice())
	return b
}

// announceNDP is a neighbour advertisement to all nodes.
func announceNDP(own tcpip.LinkAddress, ip tcpip.Address) []byte {
	options := header.NDPOptionsSerializer{header.NDPTargetLinkLayerAddressOption(own)}
	size := header.ICMPv6NeighborAdvertMinimumSize + options.Length()
	b := make([]byte, header.EthernetMinimumSize+header.IPv6MinimumSize+size)
	all := header.IPv6AllNodesMulticastAddress
	header.Ethernet(b).Encode(&header.EthernetFields{SrcAddr: own, DstAddr: header.EthernetAddressFromMulticastIPv6Address(all), Type: header.IPv6ProtocolNumber})
	header.IPv6(b[header.EthernetMinimumSize:]).Encode(&header.IPv6Fields{
		PayloadLength: uint16(size), TransportProtocol: header.ICMPv6ProtocolNumber,
		HopLimit: header.NDPHopLimit, SrcAddr: ip, DstAddr: all,
	})
	msg := header.ICMPv6(b[header.EthernetMinimumSize+header.IPv6MinimumSize:])
	msg.SetType(header.ICMPv6NeighborAdvert)
	na := header.NDPNeighborAdvert(msg.MessageBody())
	na.SetTargetAddress(ip)
	na.SetOverrideFlag(true)
	na.Options().Serialize(options)
	msg.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: msg, Src: ip, Dst: all}))
	return b
}
