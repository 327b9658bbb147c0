package netstack

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Lengths of structures of rtnetlink(7).
const (
	sizeNlmsghdr = 16
	sizeRtattr   = 4
)

func align4(n int) int { return (n + 3) &^ 3 }

// reply makes the answer to one request: messages, in datagrams.
type reply struct {
	seq, port uint32
	flags     uint16
	deleted   bool // what is told of is there no more
	out       [][]byte
	at        int // where the message that is being made begins in the last one
}

// begin begins a message.
func (r *reply) begin(typ uint16) {
	if len(r.out) == 0 {
		r.out = append(r.out, nil)
	}
	b := r.out[len(r.out)-1]
	r.at = len(b)
	b = binary.NativeEndian.AppendUint32(b, 0)
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, r.flags)
	b = binary.NativeEndian.AppendUint32(b, r.seq)
	r.out[len(r.out)-1] = binary.NativeEndian.AppendUint32(b, r.port)
}

// event is the type of a message, RTM_NEW... or RTM_DEL....
func (r *reply) event(typ uint16) uint16 {
	if r.deleted {
		return typ + 1
	}
	return typ
}

func (r *reply) put(p ...byte) { r.out[len(r.out)-1] = append(r.out[len(r.out)-1], p...) }
func (r *reply) put16(v uint16) {
	r.out[len(r.out)-1] = binary.NativeEndian.AppendUint16(r.out[len(r.out)-1], v)
}
func (r *reply) put32(v uint32) {
	r.out[len(r.out)-1] = binary.NativeEndian.AppendUint32(r.out[len(r.out)-1], v)
}

// attr adds an attribute.
func (r *reply) attr(typ uint16, value ...byte) {
	r.put16(uint16(sizeRtattr + len(value)))
	r.put16(typ)
	r.put(value...)
	for len(r.out[len(r.out)-1])%4 != 0 {
		r.put(0)
	}
}

func (r *reply) attr32(typ uint16, v uint32) {
	r.attr(typ, binary.NativeEndian.AppendUint32(nil, v)...)
}

// end ends a message. One that makes its datagram too long gets the next.
func (r *reply) end() {
	b := r.out[len(r.out)-1]
	binary.NativeEndian.PutUint32(b[r.at:], uint32(len(b)-r.at))
	if len(b) > netlinkDatagram && r.at > 0 {
		m := append([]byte(nil), b[r.at:]...)
		r.out[len(r.out)-1] = b[:r.at:r.at]
		r.out = append(r.out, m)
	}
}

// done ends a dump, failed any request.
func (r *reply) done() {
	r.begin(syscall.NLMSG_DONE)
	r.put32(0)
	r.end()
}

func (r *reply) failed(e syscall.Errno, request []byte) {
	r.flags = 0
	r.begin(syscall.NLMSG_ERROR)
	r.put32(uint32(-int32(e)))
	r.put(request[:sizeNlmsghdr]...)
	r.end()
}

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

// Attributes of links that package syscall does not have (linux/if_link.h).
const (
	iflaStats64     = 23
	iflaGroup       = 27
	iflaPromiscuity = 30
	iflaTxQueues    = 31
	iflaRxQueues    = 32
	iflaCarrier     = 33
	iflaExtMask     = 29
	iflaAltIfname   = 53

	operUnknown, operDown, operUp = 0, 2, 6 // IF_OPER_
)

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

// hardware is the ARPHRD_ type of an interface.
func (i *Interface) hardware() uint16 {
	if i.Loopback {
		return syscall.ARPHRD_LOOPBACK
	}
	return syscall.ARPHRD_ETHER
}

// link is struct ifinfomsg and its attributes.
func (r *reply) link(i *Interface) {
	r.begin(syscall.RTM_NEWLINK)
	r.put(syscall.AF_UNSPEC, 0)
	r.put16(i.hardware())
	r.put32(uint32(i.Index))
	r.put32(i.Flags())
	r.put32(0)
	r.attr(syscall.IFLA_IFNAME, append([]byte(i.Name), 0)...)
	r.attr32(syscall.IFLA_TXQLEN, 1000)
	state, carrier, broadcast := byte(operUp), byte(1), byte(0xff)
	switch {
	case i.Loopback:
		state, broadcast = operUnknown, 0
	case !i.Running || i.Down:
		state, carrier = operDown, 0
	}
	r.attr(syscall.IFLA_OPERSTATE, state)
	r.attr(syscall.IFLA_LINKMODE, 0)
	r.attr32(syscall.IFLA_MTU, uint32(i.MTU))
	r.attr32(iflaGroup, 0)
	r.attr32(iflaPromiscuity, 0)
	r.attr32(iflaTxQueues, 1)
	r.attr32(iflaRxQueues, 1)
	r.attr(iflaCarrier, carrier)
	r.attr(syscall.IFLA_QDISC, []byte("noqueue\x00")...)
	r.attr(syscall.IFLA_ADDRESS, []byte(i.Address)...)
	r.attr(syscall.IFLA_BROADCAST, broadcast, broadcast, broadcast, broadcast, broadcast, broadcast)
	// struct rtnl_link_stats64: of its fields the first eight are known.
	st := make([]byte, 24*8)
	for at, v := range []uint64{i.Stats.RxFrames, i.Stats.TxFrames, i.Stats.RxBytes, i.Stats.TxBytes, i.Stats.RxErrors, i.Stats.TxErrors, i.Stats.RxDropped, i.Stats.TxDropped} {
		binary.NativeEndian.PutUint64(st[8*at:], v)
	}
	r.attr(iflaStats64, st...)
	// struct rtnl_link_stats: the same, cut to words.
	short := make([]byte, 0, len(st)/2)
	for at := 0; at < len(st); at += 8 {
		short = append(short, st[at:at+4]...)
	}
	r.attr(syscall.IFLA_STATS, short...)
	r.end()
}

// rules are those which a system has from the beginning: by which table a route is looked
// for, first those of its own addresses. Others are not taken. The families that have none
// are not all, as they are in other dumps.
func (r *reply) rules(body []byte) {
	family := uint8(syscall.AF_UNSPEC)
	if len(body) > 0 {
		family = body[0]
	}
	const toTable, fraPriority, fraSuppress, fraTable, fraProtocol = 1, 6, 14, 15, 21 // linux/fib_rules.h
	for _, f := range []uint8{syscall.AF_INET, syscall.AF_INET6} {
		for _, rule := range []struct{ priority, table uint32 }{{0, syscall.RT_TABLE_LOCAL}, {32766, syscall.RT_TABLE_MAIN}, {32767, syscall.RT_TABLE_DEFAULT}} {
			if family != syscall.AF_UNSPEC && family != f || f == syscall.AF_INET6 && rule.table == syscall.RT_TABLE_DEFAULT {
				continue
			}
			r.begin(syscall.RTM_NEWRULE)
			r.put(f, 0, 0, 0, byte(rule.table), 0, 0, toTable)
			r.put32(0)
			r.attr32(fraTable, rule.table)
			r.attr32(fraSuppress, 1<<32-1)
			r.attr(fraProtocol, syscall.RTPROT_KERNEL)
			if rule.priority != 0 {
				r.attr32(fraPriority, rule.priority)
			}
			r.end()
		}
	}
}

// Scopes of addresses and routes.
const (
	scopeGlobal = 0
	scopeLink   = 253
	scopeHost   = 254
)

func scopeOf(a netip.Addr) byte {
	switch {
	case a.IsLoopback():
		return scopeHost
	case a.IsLinkLocalUnicast():
		return scopeLink
	}
	return scopeGlobal
}

func familyOf(a netip.Addr) byte {
	if a.Is4() {
		return syscall.AF_INET
	}
	return syscall.AF_INET6
}

// ifaPermanent is IFA_F_PERMANENT.
const ifaPermanent = 0x80

// address is struct ifaddrmsg and its attributes.
func (r *reply) address(i *Interface, p netip.Prefix, family uint8) {
	a := p.Addr()
	if family != syscall.AF_UNSPEC && family != familyOf(a) {
		return
	}
	r.begin(r.event(syscall.RTM_NEWADDR))
	r.put(familyOf(a), byte(p.Bits()), ifaPermanent, scopeOf(a))
	r.put32(uint32(i.Index))
	r.attr(syscall.IFA_ADDRESS, a.AsSlice()...)
	if a.Is4() {
		r.attr(syscall.IFA_LOCAL, a.AsSlice()...)
		if !i.Loopback && p.Bits() < 31 {
			b := a.As4()
			host := ^uint32(0) >> p.Bits()
			r.attr(syscall.IFA_BROADCAST, binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(b[:])|host)...)
		}
		r.attr(syscall.IFA_LABEL, append([]byte(i.Name), 0)...)
	}
	r.attr32(8, ifaPermanent) // IFA_FLAGS
	const forever = 1<<32 - 1
	life := binary.NativeEndian.AppendUint32(nil, forever)
	life = binary.NativeEndian.AppendUint32(life, forever)
	r.attr(syscall.IFA_CACHEINFO, append(life, 0, 0, 0, 0, 0, 0, 0, 0)...)
	r.end()
}

// route is struct rtmsg and its attributes.
func (r *reply) route(t *Route, family uint8) {
	a := t.To.Addr()
	if family != syscall.AF_UNSPEC && family != familyOf(a) {
		return
	}
	r.begin(r.event(syscall.RTM_NEWROUTE))
	table, protocol, scope := byte(syscall.RT_TABLE_MAIN), byte(syscall.RTPROT_BOOT), byte(scopeLink)
	kind := byte(syscall.RTN_UNICAST)
	if t.Connected {
		protocol = syscall.RTPROT_KERNEL
	}
	// An address that is the whole of its network is no network to Linux, but where IPv6 has it.
	if a.IsLoopback() || a.Is4() && t.To.IsSingleIP() && t.Source == a {
		table, scope, kind = syscall.RT_TABLE_LOCAL, scopeHost, syscall.RTN_LOCAL
	}
	if t.Gateway.IsValid() || a.Is6() {
		scope = scopeGlobal
	}
	r.put(familyOf(a), byte(t.To.Bits()), 0, 0, table, protocol, scope, kind)
	r.put32(0)
	r.routeAttrs(t, table)
}

// routeAttrs are the attributes of a route, with which it ends.
func (r *reply) routeAttrs(t *Route, table byte) {
	a := t.To.Addr()
	r.attr32(syscall.RTA_TABLE, uint32(table))
	if t.To.Bits() > 0 {
		r.attr(syscall.RTA_DST, a.AsSlice()...)
	}
	if t.Gateway.IsValid() {
		r.attr(syscall.RTA_GATEWAY, t.Gateway.AsSlice()...)
	}
	if t.Source.IsValid() {
		r.attr(syscall.RTA_PREFSRC, t.Source.AsSlice()...)
	}
	if a.Is6() {
		r.attr32(syscall.RTA_PRIORITY, t.metric6())
	}
	r.attr32(syscall.RTA_OIF, uint32(t.Interface))
	r.end()
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

// States of neighbours (linux/neighbour.h).
const (
	nudIncomplete = 0x01
	nudReachable  = 0x02
	nudStale      = 0x04
	nudPermanent  = 0x80

	ndaDst    = 1
	ndaLladdr = 2
)

// neighbor is struct ndmsg and its attributes.
func (r *reply) neighbor(n *Neighbor, family uint8) {
	if family != syscall.AF_UNSPEC && family != familyOf(n.IP) {
		return
	}
	state := uint16(nudStale)
	switch {
	case n.Address == "":
		state = nudIncomplete
	case n.Static:
		state = nudPermanent
	case n.Reachable:
		state = nudReachable
	}
	r.begin(syscall.RTM_NEWNEIGH)
	r.put(familyOf(n.IP), 0, 0, 0)
	r.put32(uint32(n.Interface))
	r.put16(state)
	r.put(0, syscall.RTN_UNICAST)
	r.attr(ndaDst, n.IP.AsSlice()...)
	if n.Address != "" {
		r.attr(ndaLladdr, []byte(n.Address)...)
	}
	r.end()
}
