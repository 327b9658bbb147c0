package netstack

import (
	"encoding/binary"
	"net/netip"
	"syscall"
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
