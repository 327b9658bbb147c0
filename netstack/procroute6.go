package netstack

import (
	"fmt"
	"net/netip"
)

// Of linux/ipv6_route.h and net/ipv6.h.
const (
	route6Local  = 0x80000000 // RTF_LOCAL
	route6Metric = 1024       // IP6_RT_PRIO_USER
	route6Prefix = 256        // IP6_RT_PRIO_ADDRCONF: of the prefixes of addresses
)

// procRoute6 is ipv6_route of /proc/net: destination, source, next hop, metric,
// references, uses, flags and interface, the numbers in hexadecimal.
func (s *Stack) procRoute6(b []byte) []byte {
	names := map[int]string{}
	line := func(to netip.Prefix, gateway netip.Addr, metric, flags uint32, name string) {
		ip, next := to.Addr().As16(), netip.IPv6Unspecified().As16()
		if gateway.IsValid() {
			next = gateway.As16()
		}
		b = fmt.Appendf(b, "%x %02x %032x 00 %x %08x %08x %08x %08x %8s\n", ip[:], to.Bits(), 0, next[:], metric, 1, 0, flags, name)
	}
	for _, i := range s.Interfaces() {
		names[i.Index] = i.Name
	}
	for _, r := range s.Routes() {
		if !r.To.Addr().Is6() {
			continue
		}
		flags := uint32(routeUp)
		if r.Gateway.IsValid() {
			flags |= routeGateway
		}
		line(r.To, r.Gateway, r.metric6(), flags, names[r.Interface])
	}
	// The machine's own addresses are routes as well, over the loopback interface.
	for _, i := range s.Interfaces() {
		for _, p := range i.Addresses {
			if p.Addr().Is6() {
				line(netip.PrefixFrom(p.Addr(), 128), netip.Addr{}, 0, routeUp|route6Local, "lo")
			}
		}
	}
	return b
}

// metric6 is the metric of a route of IPv6, where Linux has one for each.
func (r *Route) metric6() uint32 {
	if r.Connected {
		return route6Prefix
	}
	return route6Metric
}
