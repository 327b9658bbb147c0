package netstack

import (
	"syscall"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// The stack knows neither a traffic class nor, with IPv4, a source of one message alone.
// Datagrams that ask for them are made here, and those whose source it does not find.

// special reports whether a message asks for what the stack's sockets cannot do.
func (k *sock) special(c *sendControl, to *tcpip.FullAddress) bool {
	if k.typ == syscall.SOCK_RAW || k.ownSource(to) {
		return true
	}
	return c.tos >= 0 || c.pktinfo || c.HasIPv6PacketInfo && k.typ == syscall.SOCK_DGRAM && k.protocol == syscall.IPPROTO_UDP
}

// writeBuilt sends one such datagram.
func (k *sock) writeBuilt(p tcpip.Payloader, o tcpip.WriteOptions, c *sendControl) (int, error) {
	switch {
	case k.typ == syscall.SOCK_RAW:
		return k.writeRaw(p, o, c)
	case k.protocol != syscall.IPPROTO_ICMP && k.protocol != syscall.IPPROTO_ICMPV6, k.ownSource(o.To):
		return k.writeRoute(p, o, c)
	}
	// An echo has the identifier of the socket, which the stack fills in: it gets the
	// class for this one.
	option := tcpip.IPv4TOSOption
	if k.family == syscall.AF_INET6 {
		option = tcpip.IPv6TrafficClassOption
	}
	if was, err := k.ep.GetSockOptInt(option); err == nil && c.tos >= 0 {
		_ = k.ep.SetSockOptInt(option, c.tos) // it has it
		defer k.ep.SetSockOptInt(option, was)
	}
	return k.write(p, o)
}

// writeRoute sends one on a route of its own.
func (k *sock) writeRoute(p tcpip.Payloader, o tcpip.WriteOptions, c *sendControl) (int, error) {
	if err := k.ep.SocketOptions().GetLastError(); err != nil {
		return 0, errno(err)
	}
	if k.settings.shut.Load() {
		return 0, syscall.EPIPE
	}
	local, err := k.ep.GetLocalAddress()
	if err == nil && local.Port == 0 {
		_ = k.ep.Bind(tcpip.FullAddress{}) // if another call was quicker, it is bound
		local, err = k.ep.GetLocalAddress()
	}
	if err != nil {
		return 0, errno(err)
	}
	var to tcpip.FullAddress
	if o.To != nil {
		to = *o.To
	} else if to, err = k.ep.GetRemoteAddress(); err != nil {
		return 0, syscall.EDESTADDRREQ
	}
	route, e := k.routeFor(to, local, c)
	if e != nil {
		return 0, e
	}
	defer route.Release()
	if route.IsOutboundBroadcast() && !k.ep.SocketOptions().GetBroadcast() {
		return 0, syscall.EACCES
	}
	size := p.Len()
	b := make([]byte, size)
	if n, _ := p.Read(b); n < size { // it reads what it says
		return 0, syscall.EFAULT
	}
	if k.protocol == syscall.IPPROTO_ICMP {
		echo := header.ICMPv4(b)
		if size < header.ICMPv4MinimumSize || echo.Type() != header.ICMPv4Echo || echo.Code() != 0 {
			return 0, syscall.EINVAL
		}
		echo.SetIdent(local.Port)
		echo.SetChecksum(0)
		echo.SetChecksum(^checksum.Checksum(b, 0))
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: header.UDPMinimumSize + int(route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(b),
	})
	defer pkt.DecRef()
	if k.protocol == syscall.IPPROTO_UDP {
		if size > header.UDPMaximumPacketSize-header.UDPMinimumSize {
			return 0, syscall.EMSGSIZE
		}
		k.addUDP(pkt, route, local.Port, to.Port)
	}
	h := stack.NetworkHeaderParams{Protocol: tcpip.TransportProtocolNumber(k.protocol), TTL: k.ttl(route, c), TOS: k.class(route, c)}
	if err := route.WritePacket(h, pkt); err != nil {
		return 0, errno(err)
	}
	return size, nil
}

// routeFor is the way of a datagram, from the source that c wants.
func (k *sock) routeFor(to, local tcpip.FullAddress, c *sendControl) (*stack.Route, error) {
	dst := unmapped(to.Addr)
	if dst.Len() == 0 {
		dst = loopbackOf((&family{k.s, k.family}).network()) // "any" is this host
	}
	proto := networkOf(dst)
	id, source := to.NIC, unmapped(local.Addr)
	if id == 0 {
		id = tcpip.NICID(k.ep.SocketOptions().GetBindToDevice())
	}
	if c.HasIPv6PacketInfo {
		if c.IPv6PacketInfo.NIC != 0 {
			id = c.IPv6PacketInfo.NIC
		}
		if c.IPv6PacketInfo.Addr.Len() != 0 {
			source = c.IPv6PacketInfo.Addr
		}
	}
	if c.pktinfo {
		if c.nic != 0 {
			id = c.nic
		}
		source = c.source
	} else if from, ok := loopbackSource(dst); ok && k.ownSource(&to) {
		source = from
	}
	switch {
	case id != 0 && !k.s.HasNIC(id):
		return nil, syscall.ENODEV
	case source.Len() == 0 || source.Unspecified():
		source = tcpip.Address{}
	case isMulticast(source) || networkOf(source) != proto:
		return nil, syscall.EINVAL
	case k.s.CheckLocalAddress(0, proto, source) != 0:
	case proto == header.IPv4ProtocolNumber:
		return nil, syscall.ENETUNREACH
	default:
		return nil, syscall.EINVAL
	}
	if id == 0 {
		id = multicastNIC(k.ep, dst)
	}
	route, err := k.s.FindRoute(id, source, dst, proto, k.ep.SocketOptions().GetMulticastLoop())
	return route, errno(err)
}

// addUDP puts the header of UDP before a payload.
func (k *sock) addUDP(pkt *stack.PacketBuffer, route *stack.Route, from, to uint16) {
	size := uint16(pkt.Data().Size() + header.UDPMinimumSize)
	udp := header.UDP(pkt.TransportHeader().Push(header.UDPMinimumSize))
	pkt.TransportProtocolNumber = header.UDPProtocolNumber
	udp.Encode(&header.UDPFields{SrcPort: from, DstPort: to, Length: size})
	if k.ep.SocketOptions().GetNoChecksum() && route.NetProto() == header.IPv4ProtocolNumber {
		return
	}
	sum := checksum.Combine(route.PseudoHeaderChecksum(header.UDPProtocolNumber, size), pkt.Data().Checksum())
	if sum = ^udp.CalculateChecksum(sum); sum == 0 {
		sum = 0xffff // 0 is: none (RFC 768)
	}
	udp.SetChecksum(sum)
}

// ttl is how many hops a datagram may take.
func (k *sock) ttl(route *stack.Route, c *sendControl) uint8 {
	four := route.NetProto() == header.IPv4ProtocolNumber
	switch {
	case four && c.HasTTL:
		return c.TTL
	case !four && c.HasHopLimit:
		return c.HopLimit
	}
	option := tcpip.IPv6HopLimitOption
	if four {
		option = tcpip.IPv4TTLOption
	}
	if isMulticast(route.RemoteAddress()) {
		option = tcpip.MulticastTTLOption
	}
	v, err := k.ep.GetSockOptInt(option)
	if err != nil || v <= 0 && option != tcpip.MulticastTTLOption {
		return route.DefaultTTL()
	}
	return uint8(v)
}

// class is the type of service, or traffic class, of a datagram.
func (k *sock) class(route *stack.Route, c *sendControl) uint8 {
	if c.tos >= 0 {
		return uint8(c.tos)
	}
	option := tcpip.IPv6TrafficClassOption
	if route.NetProto() == header.IPv4ProtocolNumber {
		option = tcpip.IPv4TOSOption
	}
	v, _ := k.ep.GetSockOptInt(option) // each has it
	return uint8(v)
}
