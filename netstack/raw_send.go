package netstack

import (
	"encoding/binary"
	"math"
	"slices"
	"syscall"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/waiter"
)

// rawAddress is the address that a raw socket sends or connects to. What says no family is of
// the socket's own.
func (k *sock) rawAddress(b []byte) (tcpip.FullAddress, error) {
	family, err := addressFamily(b)
	least := sizeSockaddrIn
	if k.family == syscall.AF_INET6 {
		least = sizeSockaddrIn6V
	}
	switch {
	case err != nil:
		return tcpip.FullAddress{}, err
	case len(b) < least:
		return tcpip.FullAddress{}, syscall.EINVAL
	case family == syscall.AF_UNSPEC:
		b = slices.Clone(b)
		binary.NativeEndian.PutUint16(b, uint16(k.family))
	case family != k.family:
		return tcpip.FullAddress{}, syscall.EAFNOSUPPORT
	}
	a, _, err := decodeAddress(b)
	if err == nil && header.IsV4MappedAddress(a.Addr) {
		err = syscall.ENETUNREACH
	}
	return a, err
}

// writeRaw sends a datagram of a raw socket.
func (k *sock) writeRaw(p tcpip.Payloader, o tcpip.WriteOptions, c *sendControl) (int, error) {
	if p.Len() > math.MaxUint16 {
		return 0, syscall.EMSGSIZE
	}
	b := make([]byte, p.Len())
	if n, _ := p.Read(b); n < len(b) { // it reads what it says
		return 0, syscall.EFAULT
	}
	if err := k.sendRaw(b, o.To, c); err != nil {
		return 0, err
	}
	return len(b), nil
}

// sendRaw sends one to an address, nil: to the peer.
func (k *sock) sendRaw(b []byte, dst *tcpip.FullAddress, c *sendControl) error {
	e := k.raw()
	to, protocol := tcpip.FullAddress{}, e.protocol
	if dst != nil {
		to = *dst
		// The port says the protocol, which can be another one where the socket has none.
		if port := tcpip.TransportProtocolNumber(to.Port); k.family == syscall.AF_INET6 && port != 0 {
			if port != protocol && k.protocol != syscall.IPPROTO_RAW || port > math.MaxUint8 {
				return syscall.EINVAL
			}
			protocol = port
		}
	} else {
		var err tcpip.Error
		if to, err = e.GetRemoteAddress(); err != nil {
			return syscall.EDESTADDRREQ
		}
	}
	local, _ := e.GetLocalAddress()
	local.Addr = e.source(local.Addr, to.Addr)
	route, err := k.routeFor(to, local, c)
	if err != nil {
		return err
	}
	defer route.Release()
	if route.IsOutboundBroadcast() && !e.SocketOptions().GetBroadcast() {
		return syscall.EACCES
	}
	whole := e.SocketOptions().GetHeaderIncluded()
	if whole { // others Linux sends whatever became of the last ones
		if err := e.takeError(); err != nil {
			return err
		}
		if k.settings.shut.Load() {
			return syscall.EPIPE
		}
	}
	switch {
	case !e.hasRoom():
		return syscall.EAGAIN
	case whole:
		return e.sendWhole(route, b)
	}
	h := stack.NetworkHeaderParams{Protocol: protocol, TTL: k.ttl(route, c), TOS: k.class(route, c)}
	return k.sendPayload(route, b, h)
}

// sendPayload sends what has no header yet.
func (k *sock) sendPayload(route *stack.Route, b []byte, h stack.NetworkHeaderParams) error {
	e := k.raw()
	// How long the packet may be: what is longer than the MTU goes in fragments.
	header4 := 0
	if route.NetProto() == header.IPv4ProtocolNumber {
		header4 = header.IPv4MinimumSize
	}
	fits := len(b) <= int(route.MTU())
	if len(b)+header4 > math.MaxUint16 || !fits && k.unfragmented() {
		return syscall.EMSGSIZE
	}
	h.DF = fits && k.dontFragment()
	if at := int(e.checksum.Load()); at >= 0 && route.NetProto() == header.IPv6ProtocolNumber {
		if at >= len(b)-1 {
			return syscall.EINVAL
		}
		checksum.Put(b[at:], 0)
		sum := ^checksum.Checksum(b, route.PseudoHeaderChecksum(h.Protocol, uint16(len(b))))
		if sum == 0 && h.Protocol == header.UDPProtocolNumber {
			sum = 0xffff // 0 is: none (RFC 768)
		}
		checksum.Put(b[at:], sum)
	}
	pkt := e.packet(route, b)
	defer pkt.DecRef()
	return e.sent(route.WritePacket(h, pkt))
}

// sendWhole sends a packet that has its header.
func (e *rawEndpoint) sendWhole(route *stack.Route, b []byte) error {
	least := header.IPv6MinimumSize
	if route.NetProto() == header.IPv4ProtocolNumber {
		least = header.IPv4MinimumSize
	}
	switch {
	case len(b) > int(route.MTU())+least:
		return syscall.EMSGSIZE
	case len(b) < least:
		return syscall.EINVAL
	}
	pkt := e.packet(route, b)
	defer pkt.DecRef()
	return e.sent(route.WriteHeaderIncludedPacket(pkt))
}

// packet is one that is to be sent, which counts until it is.
func (e *rawEndpoint) packet(route *stack.Route, b []byte) *stack.PacketBuffer {
	charge := int64(len(b) + rawOverhead)
	e.sending.Add(charge)
	return stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: int(route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(b),
		OnRelease: func() {
			if limit := e.SocketOptions().GetSendBufferSize(); e.sending.Add(-charge)+charge >= limit {
				e.waiters.Notify(waiter.WritableEvents)
			}
		},
	})
}

// hasRoom reports whether SO_SNDBUF lets the socket send.
func (e *rawEndpoint) hasRoom() bool { return e.sending.Load() < e.SocketOptions().GetSendBufferSize() }

// sent is the error of what was sent. That an interface has no room is told to those alone
// who want to know of errors, as Linux has it.
func (e *rawEndpoint) sent(err tcpip.Error) error {
	o := e.SocketOptions()
	if _, full := err.(*tcpip.ErrNoBufferSpace); full && !o.GetIPv4RecvError() && !o.GetIPv6RecvError() {
		return nil
	}
	return errno(err)
}

// unfragmented reports whether IP_MTU_DISCOVER, or IPV6_MTU_DISCOVER, has what is longer than
// the MTU not be sent.
func (k *sock) unfragmented() bool {
	switch k.mtuDiscover() {
	case syscall.IP_PMTUDISC_DO, syscall.IP_PMTUDISC_PROBE, ipPMTUDiscInterface:
		return true
	}
	return false
}

// dontFragment reports whether it has the others say so to routers.
func (k *sock) dontFragment() bool {
	switch k.mtuDiscover() {
	case syscall.IP_PMTUDISC_WANT, syscall.IP_PMTUDISC_DO, syscall.IP_PMTUDISC_PROBE:
		return true
	}
	return false
}

func (k *sock) mtuDiscover() int {
	if k.family == syscall.AF_INET6 {
		return k.settings.get(syscall.IPPROTO_IPV6, syscall.IPV6_MTU_DISCOVER, syscall.IPV6_PMTUDISC_WANT)
	}
	return k.settings.get(syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER, syscall.IP_PMTUDISC_WANT)
}
