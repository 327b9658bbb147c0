package netstack

import (
	"slices"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/waiter"
)

// rawError is an error of ICMP as Linux tells it, and whether it is one that does not pass.
type rawError struct {
	number syscall.Errno
	final  bool
}

// unreachable4 are those of the type "destination unreachable" by their codes
// (icmp_err_convert of Linux), unreachable6 those of ICMPv6 (icmpv6_err_convert).
var (
	unreachable4 = []rawError{
		{syscall.ENETUNREACH, false}, {syscall.EHOSTUNREACH, false}, {syscall.ENOPROTOOPT, true}, {syscall.ECONNREFUSED, true},
		{syscall.EMSGSIZE, false}, {syscall.EOPNOTSUPP, false}, {syscall.ENETUNREACH, true}, {syscall.EHOSTDOWN, true},
		{syscall.ENONET, true}, {syscall.ENETUNREACH, true}, {syscall.EHOSTUNREACH, true}, {syscall.ENETUNREACH, false},
		{syscall.EHOSTUNREACH, false}, {syscall.EHOSTUNREACH, true}, {syscall.EHOSTUNREACH, true}, {syscall.EHOSTUNREACH, true},
	}
	unreachable6 = []rawError{
		{syscall.ENETUNREACH, false}, {syscall.EACCES, true}, {syscall.EHOSTUNREACH, false}, {syscall.EHOSTUNREACH, false},
		{syscall.ECONNREFUSED, true}, {syscall.EACCES, true}, {syscall.EACCES, true},
	}
)

// errorOf4 is what a message of ICMP says of a datagram; no number: nothing.
func errorOf4(typ header.ICMPv4Type, code byte) rawError {
	switch {
	case typ == header.ICMPv4DstUnreachable && int(code) < len(unreachable4):
		return unreachable4[code]
	case typ == header.ICMPv4TimeExceeded && header.ICMPv4Code(code) != header.ICMPv4ReassemblyTimeout:
		return rawError{syscall.EHOSTUNREACH, false}
	case typ == header.ICMPv4ParamProblem:
		return rawError{syscall.EPROTO, true}
	}
	return rawError{}
}

// errorOf6 is what one of ICMPv6 says.
func errorOf6(typ header.ICMPv6Type, code byte) rawError {
	switch {
	case typ >= header.ICMPv6EchoRequest: // none of an error (RFC 4443, 2.1)
		return rawError{}
	case typ == header.ICMPv6DstUnreachable && int(code) < len(unreachable6):
		return unreachable6[code]
	case typ == header.ICMPv6DstUnreachable, typ == header.ICMPv6ParamProblem:
		return rawError{syscall.EPROTO, true}
	case typ == header.ICMPv6PacketTooBig:
		return rawError{syscall.EMSGSIZE, false}
	case typ == header.ICMPv6TimeExceeded:
		return rawError{syscall.EHOSTUNREACH, false}
	}
	return rawError{syscall.EPROTO, false}
}

// Lengths in bytes: of the header of such a message, and of what it has to quote behind the
// header of IP (RFC 792).
const (
	icmpErrorHeader = 8
	leastQuoted     = 8
)

// tell tells raw sockets what a message of ICMP says of a datagram of theirs.
func (t *rawTable) tell(pkt *stack.PacketBuffer) {
	b := slices.Concat(pkt.TransportHeader().Slice(), pkt.Data().AsRange().ToSlice())
	if len(b) < icmpErrorHeader {
		return
	}
	quoted := b[icmpErrorHeader:]
	var what rawError
	var local, remote tcpip.Address
	var protocol tcpip.TransportProtocolNumber
	var at int
	sum := uint16(0)
	switch {
	case pkt.NetworkProtocolNumber == header.IPv6ProtocolNumber && len(quoted) >= header.IPv6MinimumSize:
		ip, net := header.IPv6(quoted), pkt.Network()
		what = errorOf6(header.ICMPv6Type(b[0]), b[1])
		local, remote = ip.SourceAddress(), ip.DestinationAddress()
		protocol, at, _ = behindExtensions(quoted)
		sum = header.PseudoHeaderChecksum(header.ICMPv6ProtocolNumber, net.SourceAddress(), net.DestinationAddress(), uint16(len(b)))
	case pkt.TransportProtocolNumber == header.ICMPv4ProtocolNumber && len(quoted) >= header.IPv4MinimumSize:
		ip := header.IPv4(quoted)
		what = errorOf4(header.ICMPv4Type(b[0]), b[1])
		local, remote = ip.SourceAddress(), ip.DestinationAddress()
		protocol, at = ip.TransportProtocol(), int(ip.HeaderLength())
	}
	if what.number == 0 || len(quoted) < at+leastQuoted || checksum.Checksum(b, sum) != 0xffff {
		return
	}
	for _, e := range t.find(pkt.NetworkProtocolNumber, protocol) {
		if e.hears(pkt.NICID, remote, local) {
			e.fail(what)
		}
	}
}

// fail tells the socket what became of a datagram: a connected one of what is final, and who
// has asked for errors (IP_RECVERR) of all.
func (e *rawEndpoint) fail(what rawError) {
	all := e.SocketOptions().GetIPv4RecvError()
	if e.network == header.IPv6ProtocolNumber {
		all = e.SocketOptions().GetIPv6RecvError()
	}
	if k := e.of.Load(); what.number == syscall.EMSGSIZE && k != nil {
		what.final = k.finallyTooBig()
	}
	e.mu.Lock()
	told := all || e.connected && what.final
	if told {
		e.err = what.number
	}
	e.mu.Unlock()
	if told {
		e.waiters.Notify(waiter.EventErr)
	}
}

// finallyTooBig reports whether a datagram that is too big for the way is an error, by
// IP_MTU_DISCOVER and IPV6_MTU_DISCOVER.
func (k *sock) finallyTooBig() bool {
	if k.family == syscall.AF_INET6 {
		return k.mtuDiscover() == syscall.IPV6_PMTUDISC_DO
	}
	return k.mtuDiscover() != syscall.IP_PMTUDISC_DONT
}

// takeError takes what became of what was sent, if it is bad.
func (e *rawEndpoint) takeError() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == 0 {
		return nil
	}
	err := e.err
	e.err = 0
	return err
}
