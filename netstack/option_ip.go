package netstack

import (
	"encoding/binary"
	"slices"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
)

// Options of IPPROTO_IP that package syscall does not have.
const (
	ipMulticastAll      = 49
	ipBindAddressNoPort = 24
	ipChecksum          = 23
	ipUnicastIf         = 50
	ipNodefrag          = 22
	ipPktOptions        = 9
	ipPMTUDiscInterface = 4 // a value of IP_MTU_DISCOVER
	soOriginalDst       = 80
	defaultTTL          = 64 // net.ipv4.ip_default_ttl
)

// Methods of path MTU discovery (IP_MTU_DISCOVER), which the stack numbers otherwise.
var pmtudOfLinux = []tcpip.PMTUDStrategy{
	0: tcpip.PMTUDiscoveryDont, 1: tcpip.PMTUDiscoveryWant, 2: tcpip.PMTUDiscoveryDo, 3: tcpip.PMTUDiscoveryProbe,
	4: tcpip.PMTUDiscoveryDont, 5: tcpip.PMTUDiscoveryDont, // IP_PMTUDISC_INTERFACE and _OMIT
}

// needsValue are options that cannot be set without a value; others are 0 then.
var needsValue = []int{
	syscall.IP_TTL, syscall.IP_MULTICAST_TTL, syscall.IP_MULTICAST_LOOP, ipMulticastAll, syscall.IP_FREEBIND, syscall.IP_TRANSPARENT,
	syscall.IP_ROUTER_ALERT, ipUnicastIf,
}

func (k *sock) ipOption(name int) (any, error) {
	if v, ok := k.kept(syscall.IPPROTO_IP, name); ok {
		return v, nil
	}
	o := k.ep.SocketOptions()
	switch name {
	case syscall.IP_TOS:
		return k.stackInt(tcpip.IPv4TOSOption)
	case syscall.IP_TTL:
		v, err := k.ep.GetSockOptInt(tcpip.IPv4TTLOption)
		if err == nil && v == tcpip.UseDefaultIPv4TTL {
			v = defaultTTL
		}
		return v, errno(err)
	case syscall.IP_PKTINFO:
		return k.settings.pktinfo4.Load(), nil
	case syscall.IP_RECVTTL:
		return o.GetReceiveTTL(), nil
	case syscall.IP_RECVTOS:
		return o.GetReceiveTOS(), nil
	case syscall.IP_RECVERR:
		return o.GetIPv4RecvError(), nil
	case ipRecvOrigDst:
		return o.GetReceiveOriginalDstAddress(), nil
	case syscall.IP_HDRINCL:
		return o.GetHeaderIncluded(), nil
	case syscall.IP_MTU_DISCOVER:
		return k.settings.get(syscall.IPPROTO_IP, name, syscall.IP_PMTUDISC_WANT), nil
	case syscall.IP_MTU:
		return k.pathMTU()
	case syscall.IP_MULTICAST_TTL:
		if k.stream() {
			return k.settings.get(syscall.IPPROTO_IP, name, 1), nil
		}
		return k.stackInt(tcpip.MulticastTTLOption)
	case syscall.IP_MULTICAST_LOOP:
		return o.GetMulticastLoop(), nil
	case syscall.IP_MULTICAST_IF:
		if k.stream() {
			return make([]byte, 4), nil // an address, and no number
		}
		var v tcpip.MulticastInterfaceOption
		if err := k.ep.GetSockOpt(&v); err != nil {
			return nil, errno(err)
		}
		ip := to4(v.InterfaceAddr)
		return ip[:], nil
	case soOriginalDst:
		return nil, syscall.ENOENT
	case ipMulticastAll:
		// A socket of IPv6 has it for IPv4 when it is asked for.
		return k.settings.get(syscall.IPPROTO_IP, name, int(boolInt(k.family == syscall.AF_INET))), nil
	case ipUnicastIf, ipNodefrag, syscall.IP_ROUTER_ALERT:
		return k.settings.get(syscall.IPPROTO_IP, name, 0), nil
	case syscall.IP_OPTIONS:
		return []byte{}, nil
	case ipPktOptions:
		if k.stream() {
			return []byte{}, nil // none of the address, which is wanted by IP_PKTINFO
		}
	}
	return nil, syscall.ENOPROTOOPT
}

// stackInt is an option that the endpoint has as a number.
func (k *sock) stackInt(o tcpip.SockOptInt) (any, error) {
	v, err := k.ep.GetSockOptInt(o)
	return v, errno(err)
}

// pathMTU is that of a connected socket.
func (k *sock) pathMTU() (any, error) {
	peer, err := k.ep.GetRemoteAddress()
	if err != nil {
		return nil, syscall.ENOTCONN
	}
	route, err := k.s.FindRoute(peer.NIC, tcpip.Address{}, peer.Addr, networkOf(peer.Addr), false)
	if err != nil {
		return nil, syscall.ENOTCONN
	}
	defer route.Release()
	header := ipv4.ProtocolNumber == route.NetProto()
	if header {
		return int(route.MTU()) + 20, nil
	}
	return int(route.MTU()) + 40, nil
}

func (k *sock) setIPOption(name int, value []byte) error {
	o := k.ep.SocketOptions()
	switch name {
	case syscall.IP_ADD_MEMBERSHIP, syscall.IP_DROP_MEMBERSHIP:
		m, err := parseMreq(value)
		if err != nil {
			return err
		}
		return k.membership(name == syscall.IP_ADD_MEMBERSHIP, m)
	case syscall.IP_MULTICAST_IF:
		return k.multicastInterface(value)
	case mcastJoinGroup, mcastLeaveGroup:
		m, err := parseGroupReq(value)
		if err != nil {
			return err
		}
		return k.membership(name == mcastJoinGroup, m)
	case syscall.IP_OPTIONS:
		if len(value) == 0 {
			return nil
		}
		return syscall.EINVAL // none can be sent
	}
	if len(value) == 0 && slices.Contains(needsValue, name) {
		return syscall.EINVAL
	}
	v := smallValue(value)
	if ok, err := k.keep(syscall.IPPROTO_IP, name, v); ok {
		return err
	}
	switch name {
	case syscall.IP_TOS:
		return errno(k.ep.SetSockOptInt(tcpip.IPv4TOSOption, v&0xff))
	case syscall.IP_TTL:
		if v == -1 {
			v = tcpip.UseDefaultIPv4TTL
		} else if v < 1 || v > 255 {
			return syscall.EINVAL
		}
		return errno(k.ep.SetSockOptInt(tcpip.IPv4TTLOption, v))
	case syscall.IP_PKTINFO:
		k.settings.pktinfo4.Store(v != 0)
		k.wantPacketInfo()
	case syscall.IP_RECVTTL:
		o.SetReceiveTTL(v != 0)
	case syscall.IP_RECVTOS:
		o.SetReceiveTOS(v != 0)
	case syscall.IP_RECVERR:
		o.SetIPv4RecvError(v != 0)
	case ipRecvOrigDst:
		o.SetReceiveOriginalDstAddress(v != 0)
	case syscall.IP_HDRINCL:
		if k.typ != syscall.SOCK_RAW {
			return syscall.ENOPROTOOPT
		}
		o.SetHeaderIncluded(v != 0)
	case syscall.IP_MTU_DISCOVER:
		if v < 0 || v >= len(pmtudOfLinux) {
			return syscall.EINVAL
		}
		if err := k.ep.SetSockOptInt(tcpip.MTUDiscoverOption, int(pmtudOfLinux[v])); err != nil {
			return errno(err)
		}
		k.settings.note(syscall.IPPROTO_IP, name, v)
	case syscall.IP_MULTICAST_TTL:
		if k.stream() {
			return syscall.EINVAL
		}
		if v == -1 {
			v = 1
		}
		if v < 0 || v > 255 {
			return syscall.EINVAL
		}
		return errno(k.ep.SetSockOptInt(tcpip.MulticastTTLOption, v))
	case syscall.IP_MULTICAST_LOOP:
		o.SetMulticastLoop(v != 0)
	case ipMulticastAll:
		if v != 0 && v != 1 {
			return syscall.EINVAL
		}
		k.settings.note(syscall.IPPROTO_IP, name, v)
	case ipNodefrag, syscall.IP_ROUTER_ALERT:
		switch {
		case k.typ == syscall.SOCK_RAW:
		case name == ipNodefrag:
			return syscall.ENOPROTOOPT
		default:
			return syscall.EINVAL
		}
		k.settings.note(syscall.IPPROTO_IP, name, int(boolInt(v != 0)))
	case ipUnicastIf:
		if len(value) != 4 {
			return syscall.EINVAL
		}
		if err := k.interfaceIndex(v); err != nil {
			return err
		}
		k.settings.note(syscall.IPPROTO_IP, name, v)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// Options of both versions of IP for groups (RFC 3678).
const (
	mcastJoinGroup  = 42
	mcastLeaveGroup = 45
)

// parseMreq reads struct ip_mreq or ip_mreqn.
func parseMreq(b []byte) (m tcpip.MembershipOption, err error) {
	if len(b) < 8 {
		return m, syscall.EINVAL
	}
	m.MulticastAddr = tcpip.AddrFrom4([4]byte(b[:4]))
	if ip := [4]byte(b[4:8]); ip != [4]byte{} {
		m.InterfaceAddr = tcpip.AddrFrom4(ip)
	}
	if len(b) >= 12 {
		m.NIC = tcpip.NICID(binary.NativeEndian.Uint32(b[8:]))
	}
	return m, nil
}

// parseGroupReq reads struct group_req: an interface, and the group's sockaddr.
func parseGroupReq(b []byte) (m tcpip.MembershipOption, err error) {
	const addressAt, size = 8, 136
	if len(b) < size {
		return m, syscall.EINVAL
	}
	a, _, err := decodeAddress(b[addressAt:])
	if err != nil {
		return m, syscall.EADDRNOTAVAIL
	}
	m.MulticastAddr = a.Addr
	m.NIC = tcpip.NICID(binary.NativeEndian.Uint32(b))
	return m, nil
}

// membership joins a group or leaves it.
func (k *sock) membership(join bool, m tcpip.MembershipOption) error {
	if k.stream() {
		return syscall.EPROTO
	}
	if !isMulticast(m.MulticastAddr) {
		return syscall.EINVAL
	}
	// Who names the interface means it, whatever address stands beside it.
	if m.NIC != 0 {
		m.InterfaceAddr = tcpip.Address{}
	}
	var o tcpip.SettableSocketOption
	if join {
		o = (*tcpip.AddMembershipOption)(&m)
	} else {
		o = (*tcpip.RemoveMembershipOption)(&m)
	}
	err := errno(k.ep.SetSockOpt(o))
	if err == nil {
		k.noteGroup(join, m)
	}
	return err
}

// multicastInterface sets IP_MULTICAST_IF: an address, or struct ip_mreq(n).
func (k *sock) multicastInterface(b []byte) error {
	if k.stream() {
		return syscall.EINVAL
	}
	var o tcpip.MulticastInterfaceOption
	switch {
	case len(b) >= 8:
		m, err := parseMreq(b)
		if err != nil {
			return err
		}
		o.NIC, o.InterfaceAddr = m.NIC, m.InterfaceAddr
		if o.NIC != 0 {
			o.InterfaceAddr = tcpip.Address{}
		}
	case len(b) >= 4:
		if ip := [4]byte(b[:4]); ip == [4]byte{255, 255, 255, 255} {
			return syscall.EADDRNOTAVAIL
		} else if ip != [4]byte{} {
			o.InterfaceAddr = tcpip.AddrFrom4(ip)
		}
	default:
		return syscall.EINVAL
	}
	return errno(k.ep.SetSockOpt(&o))
}
