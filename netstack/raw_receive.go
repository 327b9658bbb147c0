package netstack

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/waiter"
)

// Raw sockets receive between IP and the transports: each datagram for this host, whole and
// behind its extension headers, is offered to them first. Who has none of its protocol is
// told so by ICMP only if neither a transport nor a raw socket takes it.

// rawTable has the raw sockets of a stack.
type rawTable struct {
	open atomic.Int32 // how many there are: for none, nothing is looked at
	mu   sync.Mutex
	// list has them by protocol. Lists are replaced, and never change.
	list map[rawKey][]*rawEndpoint
}

type rawKey struct {
	network  tcpip.NetworkProtocolNumber
	protocol tcpip.TransportProtocolNumber
}

func (t *rawTable) add(e *rawEndpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := rawKey{e.network, e.protocol}
	if t.list == nil {
		t.list = map[rawKey][]*rawEndpoint{}
	}
	t.list[key] = append(slices.Clip(t.list[key]), e)
	t.open.Add(1)
}

func (t *rawTable) remove(e *rawEndpoint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := rawKey{e.network, e.protocol}
	i := slices.Index(t.list[key], e)
	if i < 0 {
		return
	}
	t.open.Add(-1)
	if t.list[key] = slices.Delete(slices.Clone(t.list[key]), i, i+1); len(t.list[key]) == 0 {
		delete(t.list, key)
	}
}

func (t *rawTable) find(network tcpip.NetworkProtocolNumber, protocol tcpip.TransportProtocolNumber) []*rawEndpoint {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list[rawKey{network, protocol}]
}

// deliver gives a packet to those that want it, and reports whether there was one. Data
// tells what of it is theirs.
func (t *rawTable) deliver(s *Stack, protocol tcpip.TransportProtocolNumber, pkt *stack.PacketBuffer, data func(*stack.PacketBuffer) []byte) (taken bool) {
	var d *rawDatagram
	for _, e := range t.find(pkt.NetworkProtocolNumber, protocol) {
		if net := pkt.Network(); !e.hears(pkt.NICID, net.SourceAddress(), net.DestinationAddress()) {
			continue
		}
		taken = true
		if d == nil {
			d = newRawDatagram(s, pkt, data(pkt))
		}
		e.take(d, pkt)
	}
	return taken
}

// rawData is what raw sockets get of a packet: all, with IPv4, what is behind the headers of
// IPv6. It is a copy, for a packet may hold more memory than it has bytes.
func rawData(pkt *stack.PacketBuffer) []byte {
	if pkt.NetworkProtocolNumber == header.IPv6ProtocolNumber {
		return slices.Concat(pkt.TransportHeader().Slice(), pkt.Data().AsRange().ToSlice())
	}
	return behind(pkt, 0)
}

// behindIPv6 is what is behind the header of IPv6 itself.
func behindIPv6(pkt *stack.PacketBuffer) []byte { return behind(pkt, header.IPv6MinimumSize) }

func behind(pkt *stack.PacketBuffer, n int) []byte {
	return slices.Concat(pkt.NetworkHeader().Slice()[n:], pkt.TransportHeader().Slice(), pkt.Data().AsRange().ToSlice())
}

// newRawDatagram is a packet with the data that raw sockets get of it.
func newRawDatagram(s *Stack, pkt *stack.PacketBuffer, data []byte) *rawDatagram {
	ip, net := pkt.NetworkHeader().Slice(), pkt.Network()
	class, _ := net.TOS()
	dst := net.DestinationAddress()
	d := &rawDatagram{data: data, from: tcpip.FullAddress{NIC: pkt.NICID, Addr: net.SourceAddress()}}
	c := &d.control
	c.HasTimestamp, c.Timestamp = true, s.Clock().Now()
	// Where it went has the port of the transports that have ports (ip_cmsg_recv_dstaddr).
	if own := data[len(data)-len(pkt.TransportHeader().Slice())-pkt.Data().Size():]; len(own) >= 4 {
		c.HasOriginalDstAddress = true
		c.OriginalDstAddress = tcpip.FullAddress{NIC: pkt.NICID, Addr: dst, Port: binary.BigEndian.Uint16(own[2:])}
	}
	if pkt.NetworkProtocolNumber == header.IPv6ProtocolNumber {
		c.HasHopLimit, c.HopLimit = true, header.IPv6(ip).HopLimit()
		c.HasTClass, c.TClass = true, uint32(class)
		c.HasIPv6PacketInfo, c.IPv6PacketInfo = true, tcpip.IPv6PacketInfo{NIC: pkt.NICID, Addr: dst}
		return d
	}
	// What was put together of fragments has the sum of the first one's header.
	h := header.IPv4(data[:len(ip)])
	h.SetChecksum(0)
	h.SetChecksum(^h.CalculateChecksum())
	c.HasTTL, c.TTL = true, h.TTL()
	c.HasTOS, c.TOS = true, class
	c.HasIPPacketInfo = true
	c.PacketInfo = tcpip.IPPacketInfo{NIC: pkt.NICID, LocalAddr: dst, DestinationAddr: dst}
	return d
}

// hears reports whether a packet is one for the socket, by its addresses.
func (e *rawEndpoint) hears(nic tcpip.NICID, src, dst tcpip.Address) bool {
	if id := e.SocketOptions().GetBindToDevice(); id != 0 && tcpip.NICID(id) != nic {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connected && e.peer.Addr != src {
		return false
	}
	// With IPv6 what goes to a group is heard whatever the socket is bound to.
	return e.local.Addr.Len() == 0 || e.local.Addr == dst || header.IsV6MulticastAddress(dst)
}

// take puts a datagram into the queue, unless it is full, or the socket filters it.
func (e *rawEndpoint) take(d *rawDatagram, pkt *stack.PacketBuffer) {
	if !e.passes(d, pkt) {
		return
	}
	limit := int(e.SocketOptions().GetReceiveBufferSize())
	e.mu.Lock()
	full := e.closed || e.charge >= limit
	if !full {
		e.queue = append(e.queue, d)
		e.charge += len(d.data) + rawOverhead
	}
	e.mu.Unlock()
	if full {
		e.s.Stats().DroppedPackets.Increment()
		return
	}
	e.waiters.Notify(waiter.ReadableEvents)
}

// passes reports whether ICMP_FILTER or ICMP6_FILTER lets a datagram pass, and its checksum
// is right, if IPV6_CHECKSUM has it verified.
func (e *rawEndpoint) passes(d *rawDatagram, pkt *stack.PacketBuffer) bool {
	if e.network == header.IPv4ProtocolNumber {
		if e.protocol != header.ICMPv4ProtocolNumber {
			return true
		}
		icmp := d.data[len(pkt.NetworkHeader().Slice()):]
		return len(icmp) >= header.ICMPv4MinimumSize && e.filter.Load()&(1<<icmp[0]) == 0 // it has types up to 31
	}
	if e.protocol == header.ICMPv6ProtocolNumber {
		var f tcpip.ICMPv6Filter
		if err := e.GetSockOpt(&f); len(d.data) < header.ICMPv6MinimumSize || err == nil && f.ShouldDeny(d.data[0]) {
			return false
		}
	}
	if e.checksum.Load() < 0 {
		return true
	}
	net := pkt.Network()
	sum := header.PseudoHeaderChecksum(e.protocol, net.SourceAddress(), net.DestinationAddress(), uint16(len(d.data)))
	return checksum.Checksum(d.data, sum) == 0xffff
}

// rawNetwork is a protocol of the network with rawDispatcher behind it.
type rawNetwork struct {
	stack.NetworkProtocol
	s *Stack
}

// withRaw has what a protocol delivers offered to raw sockets first.
func (s *Stack) withRaw(make stack.NetworkProtocolFactory) stack.NetworkProtocolFactory {
	return func(in *stack.Stack) stack.NetworkProtocol { return rawNetwork{make(in), s} }
}

// NewEndpoint implements stack.NetworkProtocol.
func (n rawNetwork) NewEndpoint(i stack.NetworkInterface, d stack.TransportDispatcher) stack.NetworkEndpoint {
	return n.NetworkProtocol.NewEndpoint(i, &rawDispatcher{d, n.s})
}

// rawDispatcher offers what comes to raw sockets, then to the stack's transports.
type rawDispatcher struct {
	stack.TransportDispatcher
	s *Stack
}

// ownMessages reports whether a protocol is one whose messages IP takes itself, most of
// which it gives to no transport.
func ownMessages(network tcpip.NetworkProtocolNumber, p tcpip.TransportProtocolNumber) bool {
	if network == header.IPv6ProtocolNumber {
		return p == header.ICMPv6ProtocolNumber
	}
	return p == header.ICMPv4ProtocolNumber || p == header.IGMPProtocolNumber
}

// extension reports whether a number is one that the stack takes for that of an extension
// header of IPv6, and not for a protocol.
func extension(p tcpip.TransportProtocolNumber) bool {
	switch header.IPv6ExtensionHeaderIdentifier(p) {
	case header.IPv6HopByHopOptionsExtHdrIdentifier, header.IPv6RoutingExtHdrIdentifier, header.IPv6FragmentExtHdrIdentifier,
		header.IPv6DestinationOptionsExtHdrIdentifier, header.IPv6ExperimentExtHdrIdentifier:
		return true
	}
	return false
}

// DeliverRawPacket implements stack.TransportDispatcher, like DeliverTransportPacket. It is
// called for each packet before it is known to be for this host, and, with IPv6, by the first
// header behind that of IP.
func (d *rawDispatcher) DeliverRawPacket(p tcpip.TransportProtocolNumber, pkt *stack.PacketBuffer) {
	if d.s.raw.open.Load() == 0 || !d.s.forHost(pkt) {
		return
	}
	if pkt.NetworkProtocolNumber == header.IPv6ProtocolNumber {
		if extension(p) {
			d.s.raw.deliver(d.s, p, pkt, behindIPv6)
		}
		p = pkt.TransportProtocolNumber // of the last one, if it is a known one and there
	}
	if ownMessages(pkt.NetworkProtocolNumber, p) {
		d.s.raw.deliver(d.s, p, pkt, rawData)
		d.s.raw.tell(pkt)
	}
}

func (d *rawDispatcher) DeliverTransportPacket(p tcpip.TransportProtocolNumber, pkt *stack.PacketBuffer) stack.TransportPacketDisposition {
	if d.s.raw.open.Load() != 0 && (!ownMessages(pkt.NetworkProtocolNumber, p) || reassembled(pkt)) {
		taken := d.s.raw.deliver(d.s, p, pkt, rawData)
		if taken && d.s.TransportProtocolInstance(p) == nil {
			return stack.TransportPacketHandled
		}
	}
	return d.TransportDispatcher.DeliverTransportPacket(p, pkt)
}

// forHost reports whether a packet is for this host.
func (s *Stack) forHost(pkt *stack.PacketBuffer) bool {
	dst := pkt.Network().DestinationAddress()
	if isMulticast(dst) {
		in, err := s.IsInGroup(pkt.NICID, dst)
		return in && err == nil
	}
	return dst == header.IPv4Broadcast || s.CheckLocalAddress(0, pkt.NetworkProtocolNumber, dst) != 0 ||
		s.IsSubnetBroadcast(pkt.NICID, pkt.NetworkProtocolNumber, dst)
}

// reassembled reports whether a packet of IPv6 was put together of fragments: the header of
// the first one is still there (RFC 8200, 4.5).
func reassembled(pkt *stack.PacketBuffer) bool {
	if pkt.NetworkProtocolNumber != header.IPv6ProtocolNumber {
		return false
	}
	_, _, fragment := behindExtensions(pkt.NetworkHeader().Slice())
	return fragment
}

// behindExtensions is the protocol behind the extension headers of IPv6, and where it begins,
// as far as the packet goes. What is a fragment is looked at no further.
func behindExtensions(packet []byte) (protocol tcpip.TransportProtocolNumber, at int, fragment bool) {
	const unit = 8 // of the lengths of extension headers
	next, at := packet[header.IPv6NextHeaderOffset], header.IPv6MinimumSize
	for at+unit <= len(packet) {
		h := packet[at:]
		switch header.IPv6ExtensionHeaderIdentifier(next) {
		case header.IPv6FragmentExtHdrIdentifier:
			if h[2] != 0 || h[3]&^6 != 0 { // an offset, or more to come
				return tcpip.TransportProtocolNumber(h[0]), at + unit, true
			}
			at += unit
		case header.IPv6HopByHopOptionsExtHdrIdentifier, header.IPv6RoutingExtHdrIdentifier, header.IPv6DestinationOptionsExtHdrIdentifier:
			at += (int(h[1]) + 1) * unit
		default:
			return tcpip.TransportProtocolNumber(next), at, false
		}
		next = h[0]
	}
	return tcpip.TransportProtocolNumber(next), at, false
}
