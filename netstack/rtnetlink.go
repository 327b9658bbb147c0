package netstack

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// answer answers a message.
func (s *Stack) answer(request []byte, port uint32) [][]byte {
	typ, flags := binary.NativeEndian.Uint16(request[4:]), binary.NativeEndian.Uint16(request[6:])
	r := &reply{seq: binary.NativeEndian.Uint32(request[8:]), port: port}
	if flags&syscall.NLM_F_REQUEST == 0 || typ < syscall.NLMSG_MIN_TYPE {
		return nil // an acknowledgement, or nothing
	}
	body := request[sizeNlmsghdr:]
	dump := flags&syscall.NLM_F_DUMP == syscall.NLM_F_DUMP
	if dump {
		r.flags = syscall.NLM_F_MULTI
	}
	family := uint8(syscall.AF_UNSPEC)
	if len(body) > 0 {
		family = dumped(typ, body[0])
	}
	var e syscall.Errno
	switch {
	case typ == syscall.RTM_GETLINK && dump && family == syscall.AF_BRIDGE:
	case typ == syscall.RTM_GETLINK && dump:
		for _, i := range s.Interfaces() {
			r.link(&i)
		}
	case typ == syscall.RTM_GETLINK:
		e = s.answerLink(r, body)
	case typ == syscall.RTM_GETADDR && dump:
		for _, i := range s.Interfaces() {
			for _, a := range i.Addresses {
				r.address(&i, a, family)
			}
		}
	case typ == syscall.RTM_GETROUTE && dump:
		for _, t := range s.Routes() {
			r.route(&t, family)
		}
	case typ == syscall.RTM_GETROUTE:
		e = s.answerRoute(r, body)
	case typ == syscall.RTM_GETNEIGH && dump:
		for _, n := range s.LinkNeighbors() {
			r.neighbor(&n, family)
		}
	case typ == syscall.RTM_GETRULE && dump:
		r.rules(body)
	case dump && (typ == syscall.RTM_GETQDISC || typ == syscall.RTM_GETTCLASS || typ == syscall.RTM_GETTFILTER):
		// there are none
	default:
		e = s.change(typ, flags, body)
	}
	switch {
	case e != 0:
		r.out = nil
		r.failed(e, request)
	case dump:
		r.done()
	case flags&syscall.NLM_F_ACK != 0:
		r.failed(0, request)
	}
	return r.out
}

// dumped is the family whose part of a table a dump is of. Linux asks the one that is named,
// and where that has no such table all that have one: a family without addresses, or a byte
// that names none (vishvananda/netlink asks for routes of 0xff), is AF_UNSPEC. AF_BRIDGE has
// links and neighbours, those of bridges, of which there are none.
func dumped(typ uint16, family uint8) uint8 {
	switch {
	case family == syscall.AF_INET || family == syscall.AF_INET6:
		return family
	case family == syscall.AF_BRIDGE && (typ == syscall.RTM_GETLINK || typ == syscall.RTM_GETNEIGH):
		return family
	}
	return syscall.AF_UNSPEC
}

// change does what a request wants to have changed.
func (s *Stack) change(typ, flags uint16, body []byte) syscall.Errno {
	var err error
	switch typ {
	case syscall.RTM_NEWLINK, syscall.RTM_SETLINK:
		err = s.changeLink(body)
	case syscall.RTM_NEWADDR, syscall.RTM_DELADDR:
		err = s.changeAddress(body, typ == syscall.RTM_NEWADDR, flags)
	case syscall.RTM_NEWROUTE, syscall.RTM_DELROUTE:
		err = s.changeRoute(body, typ == syscall.RTM_NEWROUTE, flags)
	case syscall.RTM_NEWNEIGH, syscall.RTM_DELNEIGH:
		err = s.changeNeighbor(body, typ == syscall.RTM_NEWNEIGH)
	default:
		return syscall.EOPNOTSUPP
	}
	e, _ := err.(syscall.Errno)
	return e
}

// attributes reads those of a request, behind its header of skip bytes.
func attributes(body []byte, skip int) map[uint16][]byte {
	list := map[uint16][]byte{}
	if len(body) < skip {
		return list
	}
	for b := body[skip:]; len(b) >= sizeRtattr; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < sizeRtattr || n > len(b) {
			break
		}
		list[binary.NativeEndian.Uint16(b[2:])&0x3fff] = b[sizeRtattr:n]
		b = b[min(align4(n), len(b)):]
	}
	return list
}

// answerLink finds one interface, by its number or name.
func (s *Stack) answerLink(r *reply, body []byte) syscall.Errno {
	if len(body) < syscall.SizeofIfInfomsg {
		return syscall.EINVAL
	}
	index := int(int32(binary.NativeEndian.Uint32(body[4:])))
	a := attributes(body, syscall.SizeofIfInfomsg)
	name := cString(a[syscall.IFLA_IFNAME])
	if name == "" {
		name = cString(a[iflaAltIfname])
	}
	for _, i := range s.Interfaces() {
		if index > 0 && i.Index == index || index <= 0 && i.Name == name {
			r.link(&i)
			return 0
		}
	}
	if index <= 0 && name == "" {
		return syscall.EINVAL
	}
	return syscall.ENODEV
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// answerRoute tells by which route an address is reached.
func (s *Stack) answerRoute(r *reply, body []byte) syscall.Errno {
	if len(body) < syscall.SizeofRtMsg {
		return syscall.EINVAL
	}
	dst, ok := netip.AddrFromSlice(attributes(body, syscall.SizeofRtMsg)[syscall.RTA_DST])
	if !ok {
		return syscall.EINVAL
	}
	route, err := s.FindRoute(0, tcpip.Address{}, addressOf(dst), networkOf(addressOf(dst)), false)
	if err != nil {
		return syscall.ENETUNREACH
	}
	defer route.Release()
	t := Route{To: netip.PrefixFrom(dst, dst.BitLen()), Interface: int(route.NICID())}
	next, local := route.NextHop(), route.LocalAddress()
	t.Gateway, _ = netip.AddrFromSlice(next.AsSlice())
	t.Source, _ = netip.AddrFromSlice(local.AsSlice())
	if dst.Is6() {
		r.route(&t, syscall.AF_UNSPEC)
		return 0
	}
	// With IPv4 it is no route of a table, but what is made of one for this address.
	const cloned = 0x200 // RTM_F_CLONED
	kind := byte(syscall.RTN_UNICAST)
	if dst.IsLoopback() || s.CheckLocalAddress(0, networkOf(addressOf(dst)), addressOf(dst)) != 0 {
		kind = syscall.RTN_LOCAL
	}
	if from, ok := loopbackSource(addressOf(dst)); ok {
		t.Source, _ = netip.AddrFromSlice(from.AsSlice())
	}
	r.begin(syscall.RTM_NEWROUTE)
	r.put(syscall.AF_INET, 32, 0, 0, syscall.RT_TABLE_MAIN, syscall.RTPROT_UNSPEC, scopeGlobal, kind)
	r.put32(cloned)
	r.routeAttrs(&t, syscall.RT_TABLE_MAIN)
	return 0
}
