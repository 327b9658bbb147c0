package netstack

import (
	"math"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// keptOption is an option whose value is kept to be read again, and decides of nothing that
// the stack does: what it is a hint for is not there, or its effect is no other one here.
type keptOption struct {
	unset       int  // its value before it is set
	least, most int  // others are EINVAL
	flag        bool // any value counts as 0 or 1
	closed      bool // only before a connection is made, or listened for
	listening   bool // with closed: when listening, too
}

// anyInt and anyFlag have no bounds.
var anyInt = keptOption{least: math.MinInt32, most: math.MaxInt32}

var anyFlag = keptOption{least: math.MinInt32, most: math.MaxInt32, flag: true}

// keptOptions are those of sockets of the internet, as Linux bounds them (net/core/sock.c,
// net/ipv4/tcp.c, ip_sockglue.c and net/ipv6/ipv6_sockglue.c).
var keptOptions = map[optionKey]keptOption{
	{syscall.SOL_SOCKET, syscall.SO_DEBUG}:     anyFlag,
	{syscall.SOL_SOCKET, syscall.SO_DONTROUTE}: anyFlag,
	{syscall.SOL_SOCKET, syscall.SO_OOBINLINE}: anyFlag,
	{syscall.SOL_SOCKET, syscall.SO_PASSCRED}:  anyFlag,
	{syscall.SOL_SOCKET, syscall.SO_RXQ_OVFL}:  anyFlag,
	{syscall.SOL_SOCKET, soSelectErrQueue}:     anyFlag, // see Poll
	{syscall.SOL_SOCKET, soPreferBusy}:         anyFlag,
	{syscall.SOL_SOCKET, soZeroCopy}:           {most: 1}, // see copied
	{syscall.SOL_SOCKET, syscall.SO_PRIORITY}:  anyInt,
	{syscall.SOL_SOCKET, syscall.SO_MARK}:      anyInt,
	{syscall.SOL_SOCKET, soBusyPoll}:           {most: math.MaxInt32},

	{syscall.IPPROTO_TCP, tcpNotSentLowat}:       anyInt,
	{syscall.IPPROTO_TCP, tcpTimestamp}:          anyInt,
	{syscall.IPPROTO_TCP, tcpInq}:                {most: 1},
	{syscall.IPPROTO_TCP, tcpThinLinear}:         {most: 1},
	{syscall.IPPROTO_TCP, tcpSaveSYN}:            {most: 2},
	{syscall.IPPROTO_TCP, tcpFastOpenConnect}:    {most: 1, closed: true},
	{syscall.IPPROTO_TCP, tcpFastOpenNoCookie}:   {most: 1, closed: true, listening: true},
	{syscall.IPPROTO_IP, syscall.IP_FREEBIND}:    anyFlag,
	{syscall.IPPROTO_IP, ipBindAddressNoPort}:    anyFlag,
	{syscall.IPPROTO_IP, ipChecksum}:             anyFlag,
	{syscall.IPPROTO_IP, syscall.IP_RECVOPTS}:    anyFlag,
	{syscall.IPPROTO_IP, syscall.IP_RETOPTS}:     anyFlag,
	{syscall.IPPROTO_IP, syscall.IP_TRANSPARENT}: anyFlag,

	{syscall.IPPROTO_IPV6, ipv6AutoFlowLabel}: {unset: 1, least: math.MinInt32, most: math.MaxInt32, flag: true},
	{syscall.IPPROTO_IPV6, ipv6MulticastAll}:  {unset: 1, least: math.MinInt32, most: math.MaxInt32, flag: true},
	{syscall.IPPROTO_IPV6, ipv6FlowInfoSend}:  anyFlag,
	{syscall.IPPROTO_IPV6, ipv6RecvPathMTU}:   anyFlag,
	{syscall.IPPROTO_IPV6, ipv6DontFrag}:      anyFlag,
	{syscall.IPPROTO_IPV6, ipv6FreeBind}:      anyFlag,
	{syscall.IPPROTO_IPV6, ipv6Transparent}:   anyFlag,
	{syscall.IPPROTO_IPV6, ipv6MinHopCount}:   {most: 255},

	{syscall.IPPROTO_UDP, udpNoCheck6T}: anyFlag,
	{syscall.IPPROTO_UDP, udpNoCheck6R}: anyFlag,
}

// kept is the value of an option that is only kept.
func (k *sock) kept(level, name int) (v int, ok bool) {
	o, ok := keptOptions[optionKey{level, name}]
	if !ok {
		return 0, false
	}
	return k.settings.get(level, name, o.unset), true
}

// keep sets one, if it is one.
func (k *sock) keep(level, name, v int) (ok bool, err error) {
	o, ok := keptOptions[optionKey{level, name}]
	switch {
	case !ok:
		return false, nil
	case v < o.least || v > o.most, o.closed && k.begun() && !(o.listening && k.listening()):
		return true, syscall.EINVAL
	case o.flag:
		v = int(boolInt(v != 0))
	}
	k.settings.note(level, name, v)
	return true, nil
}

// listening reports whether the socket is a stream that waits for connections.
func (k *sock) listening() bool {
	return k.stream() && tcp.EndpointState(k.ep.State()) == tcp.StateListen && !k.deaf.Load()
}

// deferSeconds is what becomes of the seconds of TCP_DEFER_ACCEPT: Linux keeps them as a
// number of retransmissions, the first after a second, and each of the next after twice the
// time, two minutes at most.
func deferSeconds(seconds int) int {
	const first, last, most = 1, 120, 255
	if seconds <= 0 {
		return 0
	}
	sum, next := first, first
	for n := 1; seconds > sum && n < most; n++ {
		next = min(2*next, last)
		sum += next
	}
	return sum
}

// peerName is SO_PEERNAME: getpeername(2) as an option.
func (k *sock) peerName(room int) (any, error) {
	b, err := k.Peer()
	if err == nil && room > len(b) {
		return nil, syscall.EINVAL
	}
	return b, err
}

// interfaceIndex checks that of IP_UNICAST_IF and IPV6_UNICAST_IF, in network byte order.
func (k *sock) interfaceIndex(v int) error {
	b := uint32(v)
	id := b>>24 | b>>8&0xff00 | b<<8&0xff0000 | b<<24
	if id != 0 && !k.s.HasNIC(tcpip.NICID(id)) {
		return syscall.EADDRNOTAVAIL
	}
	return nil
}
