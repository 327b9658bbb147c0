package netstack

import (
	"encoding/binary"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Options of IPPROTO_IPV6 that package syscall does not have.
const (
	ipv6AutoFlowLabel = 70
	ipv6MulticastAll  = 29
	ipv6FlowInfo      = 11
	ipv6UnicastIf     = 76
	ipv6FlowInfoSend  = 33
	ipv6RecvPathMTU   = 60
	ipv6DontFrag      = 62
	ipv6AddrPrefs     = 72
	ipv6MinHopCount   = 73
	ipv6FreeBind      = 78
	ipv6Transparent   = 75
)

// networkOf is the protocol of an address.
func networkOf(a tcpip.Address) tcpip.NetworkProtocolNumber {
	if a.Len() == header.IPv4AddressSize {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}

// isMulticast reports whether a is that of a group.
func isMulticast(a tcpip.Address) bool {
	return header.IsV4MulticastAddress(a) || header.IsV6MulticastAddress(a)
}

func (k *sock) ipv6Option(name int) (any, error) {
	if v, ok := k.kept(syscall.IPPROTO_IPV6, name); ok {
		return v, nil
	}
	o := k.ep.SocketOptions()
	switch name {
	case syscall.IPV6_V6ONLY:
		return o.GetV6Only(), nil
	case syscall.IPV6_UNICAST_HOPS:
		v, err := k.ep.GetSockOptInt(tcpip.IPv6HopLimitOption)
		if err == nil && v == tcpip.UseDefaultIPv6HopLimit {
			v = defaultTTL
		}
		return v, errno(err)
	case syscall.IPV6_MULTICAST_HOPS:
		return k.stackInt(tcpip.MulticastTTLOption)
	case syscall.IPV6_MULTICAST_LOOP:
		return o.GetMulticastLoop(), nil
	case syscall.IPV6_MULTICAST_IF:
		if k.stream() {
			return 0, nil
		}
		return k.stackInt(tcpip.IPv6MulticastInterfaceOption)
	case syscall.IPV6_RECVPKTINFO:
		return k.settings.pktinfo6.Load(), nil
	case syscall.IPV6_RECVHOPLIMIT:
		return o.GetReceiveHopLimit(), nil
	case syscall.IPV6_RECVTCLASS:
		return o.GetReceiveTClass(), nil
	case syscall.IPV6_TCLASS:
		return k.stackInt(tcpip.IPv6TrafficClassOption)
	case syscall.IPV6_RECVERR:
		return o.GetIPv6RecvError(), nil
	case ipv6RecvOrigDst:
		return o.GetReceiveOriginalDstAddress(), nil
	case syscall.IPV6_CHECKSUM, ipv6Hdrincl:
		return k.rawOption6(name)
	case syscall.IPV6_MTU:
		return k.pathMTU()
	case syscall.IPV6_MTU_DISCOVER:
		return k.settings.get(syscall.IPPROTO_IPV6, name, syscall.IPV6_PMTUDISC_WANT), nil
	case ipv6FlowInfo, ipv6AddrPrefs, ipv6UnicastIf, syscall.IPV6_ROUTER_ALERT:
		return k.settings.get(syscall.IPPROTO_IPV6, name, 0), nil
	}
	return nil, syscall.ENOPROTOOPT
}

func (k *sock) setIPv6Option(name int, value []byte) error {
	o := k.ep.SocketOptions()
	switch name {
	case syscall.IPV6_JOIN_GROUP, syscall.IPV6_LEAVE_GROUP:
		if len(value) < 20 {
			return syscall.EINVAL
		}
		m := tcpip.MembershipOption{
			MulticastAddr: tcpip.AddrFrom16([16]byte(value[:16])),
			NIC:           tcpip.NICID(binary.NativeEndian.Uint32(value[16:])),
		}
		return k.membership(name == syscall.IPV6_JOIN_GROUP, m)
	case mcastJoinGroup, mcastLeaveGroup:
		m, err := parseGroupReq(value)
		if err != nil {
			return err
		}
		return k.membership(name == mcastJoinGroup, m)
	}
	v, err := intValue(value)
	if err != nil {
		return err
	}
	if ok, err := k.keep(syscall.IPPROTO_IPV6, name, v); ok {
		return err
	}
	switch name {
	case syscall.IPV6_V6ONLY:
		if k.bound() || k.stream() && tcp.EndpointState(k.ep.State()) != tcp.StateInitial {
			return syscall.EINVAL
		}
		o.SetV6Only(v != 0)
	case syscall.IPV6_UNICAST_HOPS:
		if v < -1 || v > 255 {
			return syscall.EINVAL
		}
		return errno(k.ep.SetSockOptInt(tcpip.IPv6HopLimitOption, v))
	case syscall.IPV6_MULTICAST_HOPS:
		if k.stream() {
			return syscall.ENOPROTOOPT
		}
		if v < -1 || v > 255 {
			return syscall.EINVAL
		}
		if v == -1 {
			v = 1
		}
		return errno(k.ep.SetSockOptInt(tcpip.MulticastTTLOption, v))
	case syscall.IPV6_MULTICAST_LOOP:
		if v != 0 && v != 1 {
			return syscall.EINVAL
		}
		o.SetMulticastLoop(v != 0)
	case syscall.IPV6_MULTICAST_IF:
		if k.stream() {
			return syscall.ENOPROTOOPT
		}
		if v != 0 && !k.s.HasNIC(tcpip.NICID(v)) {
			return syscall.ENODEV
		}
		return errno(k.ep.SetSockOptInt(tcpip.IPv6MulticastInterfaceOption, v))
	case syscall.IPV6_RECVPKTINFO:
		k.settings.pktinfo6.Store(v != 0)
		k.wantPacketInfo()
	case syscall.IPV6_RECVHOPLIMIT:
		o.SetReceiveHopLimit(v != 0)
	case syscall.IPV6_RECVTCLASS:
		o.SetReceiveTClass(v != 0)
	case syscall.IPV6_TCLASS:
		if v < -1 || v > 255 {
			return syscall.EINVAL
		}
		return errno(k.ep.SetSockOptInt(tcpip.IPv6TrafficClassOption, max(v, 0)))
	case syscall.IPV6_RECVERR:
		o.SetIPv6RecvError(v != 0)
	case ipv6RecvOrigDst:
		o.SetReceiveOriginalDstAddress(v != 0)
	case syscall.IPV6_CHECKSUM, ipv6Hdrincl:
		return k.setRawOption6(syscall.IPPROTO_IPV6, name, value)
	case syscall.IPV6_MTU_DISCOVER:
		if v < 0 || v >= len(pmtudOfLinux) {
			return syscall.EINVAL
		}
		k.settings.note(syscall.IPPROTO_IPV6, name, v)
	case ipv6AddrPrefs:
		k.settings.note(syscall.IPPROTO_IPV6, name, v)
	case ipv6UnicastIf:
		if len(value) != 4 {
			return syscall.EINVAL
		}
		if err := k.interfaceIndex(v); err != nil {
			return err
		}
		k.settings.note(syscall.IPPROTO_IPV6, name, v)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}
