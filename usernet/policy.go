package usernet

import (
	"net/netip"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// destination says where on the host's side a connection to dst goes. The error is
// ECONNREFUSED for what is forbidden and EHOSTUNREACH for what nobody routes: the
// host's own loopback, which the guest could name in packets that it has made
// itself, addresses of no single machine, and those of the link
// (RFC 3927 §2.7, RFC 4291 §2.5.6), where a host's cloud keeps its secrets.
func (c *Config) destination(dst netip.AddrPort) (netip.AddrPort, error) {
	a := dst.Addr()
	switch {
	case a == c.Router4 || a == c.Router6:
		if !c.HostLoopback {
			return dst, syscall.ECONNREFUSED
		}
		loopback := netip.IPv6Loopback()
		if a.Is4() {
			loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		return netip.AddrPortFrom(loopback, dst.Port()), nil
	case !routable(a), c.Guest4.Contains(a), c.Guest6.Contains(a):
		return dst, syscall.EHOSTUNREACH
	}
	return dst, nil
}

// routable reports whether an address may be one of a machine behind a router.
func routable(a netip.Addr) bool {
	switch {
	case !a.IsValid(), a.IsUnspecified(), a.IsLoopback(), a.IsMulticast(), a.IsLinkLocalUnicast(), a.Is4In6():
		return false
	case a.Is4():
		first := a.As4()[0]
		return first != 0 && first < 240 // RFC 1122 §3.2.1.3; 255.255.255.255 among them
	}
	// ::/96, deprecated addresses with an IPv4 address in them (RFC 4291 §2.5.5.1).
	b := a.As16()
	return [12]byte(b[:12]) != [12]byte{}
}

// forRouting4 reports whether the stack is to see a packet: those to nobody or to
// many are not routed, and a sender must be one.
func forRouting4(packet []byte) bool {
	if len(packet) < header.IPv4MinimumSize {
		return false
	}
	h := header.IPv4(packet)
	return oneMachine(fromStack(h.SourceAddress())) && oneMachine(fromStack(h.DestinationAddress()))
}

func forRouting6(packet []byte) bool {
	if len(packet) < header.IPv6MinimumSize {
		return false
	}
	h := header.IPv6(packet)
	return oneMachine(fromStack(h.SourceAddress())) && oneMachine(fromStack(h.DestinationAddress()))
}

func oneMachine(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
