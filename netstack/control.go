package netstack

import (
	"encoding/binary"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/yolkos/yolk/fs/socket"
)

// Names of ancillary data and options that package syscall does not have.
const (
	soTimestampNS    = 35  // SO_TIMESTAMPNS
	soTimestampNew   = 63  // SO_TIMESTAMP_NEW
	soTimestampNSNew = 64  // SO_TIMESTAMPNS_NEW
	udpSegment       = 103 // UDP_SEGMENT
	udpGRO           = 104 // UDP_GRO
	ipRecvOrigDst    = 20  // IP_RECVORIGDSTADDR
	ipv6RecvOrigDst  = 74  // IPV6_RECVORIGDSTADDR
)

// sizeCmsghdr is the length of struct cmsghdr, and what such are aligned to.
const (
	sizeCmsghdr = 16
	cmsgAlign   = 8
)

// Lengths of struct in_pktinfo and in6_pktinfo.
const (
	sizePktinfo  = 12
	sizePktinfo6 = 20
)

// sendControl is what ancillary data asks for.
type sendControl struct {
	tcpip.SendableControlMessages
	tos     int           // IP_TOS or IPV6_TCLASS; -1: the socket's
	segment int           // UDP_SEGMENT; 0: the socket's
	pktinfo bool          // there was an IP_PKTINFO, which says where it goes out:
	nic     tcpip.NICID   // 0: by the route
	source  tcpip.Address // none: by the route, whatever the socket is bound to
}

// toIPv4 reports whether a message goes by IPv4: to an address, or to the peer.
func (k *sock) toIPv4(to *tcpip.FullAddress) bool {
	if k.family == syscall.AF_INET {
		return true
	}
	if to == nil {
		peer, err := k.ep.GetRemoteAddress()
		if err != nil {
			return false
		}
		to = &peer
	}
	return unmapped(to.Addr).Len() == header.IPv4AddressSize
}

// parseControl reads the ancillary data of a message that is to be sent. What is of
// another protocol than the one by which it goes is no matter.
func (k *sock) parseControl(b []byte, four bool, c *sendControl) error {
	for len(b) >= sizeCmsghdr {
		n := binary.NativeEndian.Uint64(b)
		level, typ := int32(binary.NativeEndian.Uint32(b[8:])), int32(binary.NativeEndian.Uint32(b[12:]))
		if n < sizeCmsghdr || n > uint64(len(b)) {
			return syscall.EINVAL
		}
		data := b[sizeCmsghdr:n]
		var err error
		switch {
		case level == syscall.IPPROTO_UDP && k.protocol == syscall.IPPROTO_UDP:
			err = c.udp(int(typ), data)
		case level == syscall.IPPROTO_IP && four:
			err = c.ip(int(typ), data)
		case level == syscall.IPPROTO_IPV6 && four && typ == syscall.IPV6_PKTINFO && k.family == syscall.AF_INET6:
			err = c.mappedSource(data)
		case level == syscall.IPPROTO_IPV6 && !four:
			err = c.ipv6(int(typ), data)
		}
		if err != nil {
			return err
		}
		b = b[min((n+cmsgAlign-1)&^(cmsgAlign-1), uint64(len(b))):]
	}
	return nil
}

// number reads an int from least to most.
func number(data []byte, least, most int) (int, error) {
	if len(data) != 4 {
		return 0, syscall.EINVAL
	}
	if n := int(int32(binary.NativeEndian.Uint32(data))); n >= least && n <= most {
		return n, nil
	}
	return 0, syscall.EINVAL
}

// udp reads what is of IPPROTO_UDP.
func (c *sendControl) udp(typ int, data []byte) error {
	if typ != udpSegment || len(data) != 2 {
		return syscall.EINVAL
	}
	c.segment = int(binary.NativeEndian.Uint16(data))
	return nil
}

// ip reads what is of IPPROTO_IP.
func (c *sendControl) ip(typ int, data []byte) (err error) {
	switch typ {
	case syscall.IP_PKTINFO:
		if len(data) != sizePktinfo {
			return syscall.EINVAL
		}
		c.pktinfo, c.nic = true, tcpip.NICID(binary.NativeEndian.Uint32(data))
		if ip := [4]byte(data[4:8]); ip != [4]byte{} {
			c.source = tcpip.AddrFrom4(ip)
		}
	case syscall.IP_TTL:
		n, e := number(data, 1, 255)
		c.HasTTL, c.TTL, err = true, uint8(n), e
	case syscall.IP_TOS:
		if len(data) == 1 {
			c.tos = int(data[0])
			return nil
		}
		c.tos, err = number(data, 0, 255)
	default:
		return syscall.EINVAL
	}
	return err
}

// mappedSource reads struct in6_pktinfo with an address of IPv4.
func (c *sendControl) mappedSource(data []byte) error {
	if len(data) < sizePktinfo6 {
		return syscall.EINVAL
	}
	ip := tcpip.AddrFrom16([16]byte(data[:16]))
	if !header.IsV4MappedAddress(ip) {
		return syscall.EINVAL
	}
	c.pktinfo, c.nic, c.source = true, tcpip.NICID(binary.NativeEndian.Uint32(data[16:])), unmapped(ip)
	return nil
}

// ipv6 reads what is of IPPROTO_IPV6.
func (c *sendControl) ipv6(typ int, data []byte) (err error) {
	switch typ {
	case syscall.IPV6_PKTINFO:
		if len(data) < sizePktinfo6 {
			return syscall.EINVAL
		}
		c.HasIPv6PacketInfo = true
		c.IPv6PacketInfo.NIC = tcpip.NICID(binary.NativeEndian.Uint32(data[16:]))
		if ip := [16]byte(data[:16]); ip != [16]byte{} {
			c.IPv6PacketInfo.Addr = tcpip.AddrFrom16(ip)
		}
	case syscall.IPV6_HOPLIMIT:
		n, e := number(data, -1, 255)
		if err = e; n >= 0 {
			c.HasHopLimit, c.HopLimit = true, uint8(n)
		}
	case syscall.IPV6_TCLASS:
		n, e := number(data, -1, 255)
		c.tos, err = n&0xff, e
	default:
		return syscall.EINVAL
	}
	return err
}

// appendCmsg appends ancillary data to m, as far as there is room: what is cut off
// sets MSG_CTRUNC (put_cmsg of Linux).
func appendCmsg(m *socket.Message, level, typ int, data []byte) {
	room := cap(m.Control) - len(m.Control)
	if room < sizeCmsghdr {
		m.Flags |= syscall.MSG_CTRUNC
		return
	}
	if len(data) > room-sizeCmsghdr {
		data = data[:room-sizeCmsghdr]
		m.Flags |= syscall.MSG_CTRUNC
	}
	m.Control = binary.NativeEndian.AppendUint64(m.Control, uint64(sizeCmsghdr+len(data)))
	m.Control = binary.NativeEndian.AppendUint32(m.Control, uint32(level))
	m.Control = binary.NativeEndian.AppendUint32(m.Control, uint32(typ))
	m.Control = append(m.Control, data...)
	for len(m.Control)%cmsgAlign != 0 && len(m.Control) < cap(m.Control) {
		m.Control = append(m.Control, 0)
	}
}

func appendCmsgInt(m *socket.Message, level, typ int, v uint32) {
	appendCmsg(m, level, typ, binary.NativeEndian.AppendUint32(nil, v))
}

// appendControl appends what a program has asked for of a datagram that came.
func (k *sock) appendControl(m *socket.Message, c *tcpip.ReceivableControlMessages, segment int) {
	if mode := k.settings.timestamp.Load(); mode != 0 && c.HasTimestamp {
		appendTimestamp(m, int(mode), c.Timestamp)
	}
	if segment != 0 {
		appendCmsgInt(m, syscall.IPPROTO_UDP, udpGRO, uint32(segment))
	}
	if c.HasIPPacketInfo && k.settings.pktinfo6.Load() {
		ip := to16(c.PacketInfo.DestinationAddr)
		appendCmsg(m, syscall.IPPROTO_IPV6, syscall.IPV6_PKTINFO, binary.NativeEndian.AppendUint32(ip[:], uint32(c.PacketInfo.NIC)))
	}
	if c.HasIPPacketInfo && k.settings.pktinfo4.Load() {
		local, dst := to4(c.PacketInfo.LocalAddr), to4(c.PacketInfo.DestinationAddr)
		b := binary.NativeEndian.AppendUint32(nil, uint32(c.PacketInfo.NIC))
		b = append(append(b, local[:]...), dst[:]...)
		appendCmsg(m, syscall.IPPROTO_IP, syscall.IP_PKTINFO, b)
	}
	if c.HasTTL {
		appendCmsgInt(m, syscall.IPPROTO_IP, syscall.IP_TTL, uint32(c.TTL))
	}
	if c.HasTOS {
		appendCmsg(m, syscall.IPPROTO_IP, syscall.IP_TOS, []byte{c.TOS})
	}
	if c.HasIPv6PacketInfo {
		ip := to16(c.IPv6PacketInfo.Addr)
		b := binary.NativeEndian.AppendUint32(ip[:], uint32(c.IPv6PacketInfo.NIC))
		appendCmsg(m, syscall.IPPROTO_IPV6, syscall.IPV6_PKTINFO, b)
	}
	if c.HasHopLimit {
		appendCmsgInt(m, syscall.IPPROTO_IPV6, syscall.IPV6_HOPLIMIT, uint32(c.HopLimit))
	}
	if c.HasTClass {
		appendCmsgInt(m, syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, c.TClass)
	}
	if c.HasOriginalDstAddress {
		level, typ := syscall.IPPROTO_IP, ipRecvOrigDst
		if k.family == syscall.AF_INET6 {
			level, typ = syscall.IPPROTO_IPV6, ipv6RecvOrigDst
		}
		appendCmsg(m, level, typ, appendAddress(nil, k.family, c.OriginalDstAddress))
	}
}

// appendTimestamp appends when a datagram came, as the option mode has it.
func appendTimestamp(m *socket.Message, mode int, t time.Time) {
	fraction := int64(t.Nanosecond())
	if mode == syscall.SO_TIMESTAMP || mode == soTimestampNew {
		fraction /= 1000
	}
	b := binary.NativeEndian.AppendUint64(nil, uint64(t.Unix()))
	b = binary.NativeEndian.AppendUint64(b, uint64(fraction))
	appendCmsg(m, syscall.SOL_SOCKET, mode, b)
}

// Origins of struct sock_extended_err.
const (
	originLocal = 1 // SO_EE_ORIGIN_LOCAL
	originICMP  = 2
	originICMP6 = 3
)

// recvError takes an error off the queue of IP_RECVERR: the datagram that caused it,
// to whom it went, and in IP_RECVERR (ip(7)) what was wrong with it.
func (k *sock) recvError(m *socket.Message) (int, error) {
	m.Addr = m.Addr[:0]
	e := k.ep.SocketOptions().DequeueErr()
	if e == nil {
		return 0, syscall.EAGAIN
	}
	m.Flags |= msgErrQueue
	number, _ := errno(e.Err).(syscall.Errno)
	b := binary.NativeEndian.AppendUint32(nil, uint32(number))
	origin, data := byte(originLocal), uint32(0)
	switch e.Cause.Origin() {
	case tcpip.SockExtErrorOriginICMP:
		origin = originICMP
	case tcpip.SockExtErrorOriginICMP6:
		origin = originICMP6
	case originZeroCopy:
		origin = originZeroCopy
		data = e.Cause.Info() // the last of those that are told of is the first
	}
	b = append(b, origin, e.Cause.Type(), e.Cause.Code(), 0)
	b = binary.NativeEndian.AppendUint32(b, e.Cause.Info())
	b = binary.NativeEndian.AppendUint32(b, data)
	level, typ := syscall.IPPROTO_IP, syscall.IP_RECVERR
	if k.family == syscall.AF_INET6 {
		level, typ = syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR
	}
	offender := e.Offender
	offender.Port = 0
	switch {
	case e.Cause.Origin().IsICMPErr():
		b = appendAddress(b, k.family, offender)
	case k.family == syscall.AF_INET6:
		b = append(b, make([]byte, sizeSockaddrIn6)...) // AF_UNSPEC: it was here
	default:
		b = append(b, make([]byte, sizeSockaddrIn)...)
	}
	appendCmsg(m, level, typ, b)
	if origin != originZeroCopy {
		m.Addr = appendAddress(m.Addr, k.family, e.Dst)
	}
	d := newBuffers(m.Buffers)
	if e.Payload == nil {
		return 0, nil
	}
	n, err := d.Write(e.Payload.AsSlice())
	if err != nil {
		m.Flags |= msgTrunc
	}
	return n, nil
}
