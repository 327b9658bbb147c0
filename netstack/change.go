package netstack

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// What a program changes of interfaces, addresses, routes and neighbours: requests of
// rtnetlink(7), and some of netdevice(7). There is one table of routes, whose metrics
// are all the same.

// interfaceAt finds an interface by its number.
func (s *Stack) interfaceAt(index int) (Interface, bool) {
	list := s.Interfaces()
	at := slices.IndexFunc(list, func(i Interface) bool { return i.Index == index })
	if at < 0 {
		return Interface{}, false
	}
	return list[at], true
}

// setUp brings an interface up or down. Routes over one that is down are gone, and
// those to its own networks are there again when it is up.
func (s *Stack) setUp(id tcpip.NICID, up bool) error {
	if s.CheckNIC(id) == up {
		return nil
	}
	if !up {
		if err := s.DisableNIC(id); err != nil {
			return errno(err)
		}
		s.RemoveRoutes(func(r tcpip.Route) bool { return r.NIC == id })
		s.tell()
		return nil
	}
	if err := s.EnableNIC(id); err != nil {
		return errno(err)
	}
	i, _ := s.interfaceAt(int(id))
	for _, p := range i.Addresses {
		s.setRoute(s.connected(id, p))
	}
	if !i.Loopback {
		s.setRoute(tcpip.Route{Destination: linkLocal6, NIC: id})
	}
	s.tell()
	return nil
}

// connected is the route to the network that an address is in.
func (s *Stack) connected(id tcpip.NICID, p netip.Prefix) tcpip.Route {
	a := tcpip.AddressWithPrefix{Address: addressOf(p.Addr()), PrefixLen: p.Bits()}
	return tcpip.Route{Destination: a.Subnet(), NIC: id, SourceHint: a.Address}
}

// setMTU sets the MTU of an interface, in bytes.
func (s *Stack) setMTU(id tcpip.NICID, mtu uint32) error {
	out := s.linkOf(id)
	if out == nil {
		return syscall.ENODEV
	}
	if most := out.mostMTU(); mtu < header.IPv4MinimumMTU || int64(mtu) > int64(most) {
		return syscall.EINVAL
	}
	err := s.SetNICMTU(id, mtu)
	s.tell()
	return errno(err)
}

// changeLink is RTM_NEWLINK and RTM_SETLINK for an interface that is there.
func (s *Stack) changeLink(body []byte) error {
	if len(body) < syscall.SizeofIfInfomsg {
		return syscall.EINVAL
	}
	index := int(int32(binary.NativeEndian.Uint32(body[4:])))
	flags, change := binary.NativeEndian.Uint32(body[8:]), binary.NativeEndian.Uint32(body[12:])
	a := attributes(body, syscall.SizeofIfInfomsg)
	i, ok := s.interfaceAt(index)
	if index <= 0 {
		name := cString(a[syscall.IFLA_IFNAME])
		list := s.Interfaces()
		if at := slices.IndexFunc(list, func(i Interface) bool { return i.Name == name }); at >= 0 {
			i, ok = list[at], true
		}
	}
	if !ok {
		if index <= 0 && a[syscall.IFLA_LINKINFO] != nil {
			return syscall.EOPNOTSUPP // a new one, of some kind
		}
		return syscall.ENODEV
	}
	id := tcpip.NICID(i.Index)
	for typ := range a {
		switch typ {
		case syscall.IFLA_IFNAME, syscall.IFLA_MTU, syscall.IFLA_TXQLEN, iflaExtMask:
		default:
			return syscall.EOPNOTSUPP
		}
	}
	if name := cString(a[syscall.IFLA_IFNAME]); name != "" && name != i.Name {
		return syscall.EOPNOTSUPP
	}
	if mtu := a[syscall.IFLA_MTU]; len(mtu) >= 4 {
		if err := s.setMTU(id, binary.NativeEndian.Uint32(mtu)); err != nil {
			return err
		}
	}
	// Who says not which flags mean all, which are those that can be changed.
	if change&syscall.IFF_UP != 0 || change == 0 && flags != 0 {
		return s.setUp(id, flags&syscall.IFF_UP != 0)
	}
	return nil
}

// addressIn reads struct ifaddrmsg.
func (s *Stack) addressIn(body []byte) (id tcpip.NICID, p netip.Prefix, err error) {
	if len(body) < syscall.SizeofIfAddrmsg {
		return 0, p, syscall.EINVAL
	}
	a := attributes(body, syscall.SizeofIfAddrmsg)
	b := a[syscall.IFA_LOCAL]
	if b == nil {
		b = a[syscall.IFA_ADDRESS]
	}
	ip, ok := netip.AddrFromSlice(b)
	if p = netip.PrefixFrom(ip, int(body[1])); !ok || familyOf(ip) != body[0] || !p.IsValid() {
		return 0, p, syscall.EINVAL
	}
	id = tcpip.NICID(int32(binary.NativeEndian.Uint32(body[4:])))
	if !s.HasNIC(id) {
		return 0, p, syscall.ENODEV
	}
	return id, p, nil
}

// changeAddress is RTM_NEWADDR and RTM_DELADDR.
func (s *Stack) changeAddress(body []byte, add bool, flags uint16) error {
	id, p, err := s.addressIn(body)
	if err != nil {
		return err
	}
	i, _ := s.interfaceAt(int(id))
	at := slices.IndexFunc(i.Addresses, func(o netip.Prefix) bool { return o.Addr() == p.Addr() })
	switch {
	case !add && (at < 0 || i.Addresses[at].Bits() != p.Bits()):
		return syscall.EADDRNOTAVAIL
	case !add:
		s.dropAddress(id, p)
		return nil
	case p.Addr().IsMulticast() || p.Addr().IsUnspecified() && p.Addr().Is6():
		return syscall.EINVAL
	case at >= 0 && flags&(syscall.NLM_F_EXCL|syscall.NLM_F_REPLACE) != syscall.NLM_F_REPLACE:
		return syscall.EEXIST
	case at >= 0:
		s.news.address(&i, p) // what it replaces is the time that it is valid for
		return nil
	}
	return s.setAddress(id, p)
}

// routeIn reads struct rtmsg.
func (s *Stack) routeIn(body []byte) (r tcpip.Route, err error) {
	if len(body) < syscall.SizeofRtMsg {
		return r, syscall.EINVAL
	}
	a := attributes(body, syscall.SizeofRtMsg)
	family, bits := body[0], int(body[1])
	to := netip.AddrFrom4([4]byte{})
	if family == syscall.AF_INET6 {
		to = netip.AddrFrom16([16]byte{})
	} else if family != syscall.AF_INET {
		return r, syscall.EOPNOTSUPP
	}
	if b := a[syscall.RTA_DST]; b != nil {
		to, _ = netip.AddrFromSlice(b)
	}
	p := netip.PrefixFrom(to, bits)
	if !p.IsValid() || familyOf(to) != family || p.Masked() != p {
		return r, syscall.EINVAL
	}
	if table := body[4]; table != syscall.RT_TABLE_UNSPEC && table != syscall.RT_TABLE_MAIN && table != syscall.RT_TABLE_COMPAT {
		return r, syscall.EOPNOTSUPP
	}
	if b := a[syscall.RTA_TABLE]; len(b) >= 4 && binary.NativeEndian.Uint32(b) != syscall.RT_TABLE_MAIN {
		return r, syscall.EOPNOTSUPP
	}
	r.Destination = tcpip.AddressWithPrefix{Address: addressOf(to), PrefixLen: bits}.Subnet()
	if b := a[syscall.RTA_OIF]; len(b) >= 4 {
		r.NIC = tcpip.NICID(int32(binary.NativeEndian.Uint32(b)))
		if !s.HasNIC(r.NIC) {
			return r, syscall.ENODEV
		}
	}
	for typ, at := range map[uint16]*tcpip.Address{syscall.RTA_GATEWAY: &r.Gateway, syscall.RTA_PREFSRC: &r.SourceHint} {
		if b := a[typ]; b != nil {
			ip, _ := netip.AddrFromSlice(b)
			if familyOf(ip) != family || !ip.IsValid() {
				return r, syscall.EINVAL
			}
			if *at = addressOf(ip); ip.IsUnspecified() {
				*at = tcpip.Address{}
			}
		}
	}
	return r, nil
}

// changeRoute is RTM_NEWROUTE and RTM_DELROUTE.
func (s *Stack) changeRoute(body []byte, add bool, flags uint16) error {
	r, err := s.routeIn(body)
	if err != nil {
		return err
	}
	if !add {
		gone := false
		for _, o := range s.GetRouteTable() {
			if !gone && o.Destination == r.Destination && (r.NIC == 0 || o.NIC == r.NIC) && (r.Gateway.Len() == 0 || o.Gateway == r.Gateway) {
				s.dropRoute(o)
				gone = true
			}
		}
		if !gone {
			return syscall.ESRCH
		}
		return nil
	}
	if err := s.completeRoute(&r); err != nil {
		return err
	}
	var there []tcpip.Route
	for _, o := range s.GetRouteTable() {
		if o.Destination == r.Destination {
			there = append(there, o)
		}
	}
	switch {
	case len(there) > 0 && flags&syscall.NLM_F_EXCL != 0:
		return syscall.EEXIST
	case len(there) == 0 && flags&syscall.NLM_F_CREATE == 0:
		return syscall.ENOENT
	case len(there) > 0 && flags&syscall.NLM_F_REPLACE != 0:
		s.dropRoute(there[0])
	}
	s.setRoute(r)
	return nil
}

// completeRoute finds the interface of a new route.
func (s *Stack) completeRoute(r *tcpip.Route) error {
	if r.SourceHint.Len() != 0 && s.CheckLocalAddress(0, networkOf(r.SourceHint), r.SourceHint) == 0 {
		return syscall.EINVAL
	}
	if r.Gateway.Len() != 0 {
		way, err := s.FindRoute(r.NIC, tcpip.Address{}, r.Gateway, networkOf(r.Gateway), false)
		if err != nil {
			return syscall.ENETUNREACH
		}
		defer way.Release()
		if next := way.NextHop(); next.Len() != 0 && next != r.Gateway {
			return syscall.ENETUNREACH // it is behind another router
		}
		r.NIC = way.NICID()
	}
	switch {
	case r.NIC == 0:
		return syscall.ENODEV
	case !s.CheckNIC(r.NIC):
		return syscall.ENETDOWN
	}
	return nil
}

// changeNeighbor is RTM_NEWNEIGH and RTM_DELNEIGH.
func (s *Stack) changeNeighbor(body []byte, add bool) error {
	const size = 12 // struct ndmsg
	if len(body) < size {
		return syscall.EINVAL
	}
	id := tcpip.NICID(int32(binary.NativeEndian.Uint32(body[4:])))
	a := attributes(body, size)
	ip, ok := netip.AddrFromSlice(a[ndaDst])
	switch {
	case !ok || familyOf(ip) != body[0]:
		return syscall.EINVAL
	case !s.HasNIC(id):
		return syscall.ENODEV
	case add && len(a[ndaLladdr]) != header.EthernetAddressSize:
		return syscall.EINVAL
	}
	addr := addressOf(ip)
	if add {
		return errno(s.AddStaticNeighbor(id, networkOf(addr), addr, tcpip.LinkAddress(a[ndaLladdr])))
	}
	if err := s.RemoveNeighbor(id, networkOf(addr), addr); err != nil {
		return syscall.ENOENT
	}
	return nil
}
