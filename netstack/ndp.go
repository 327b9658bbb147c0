package netstack

import (
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// routerDiscovery does what router advertisements say (RFC 4861, 4862, 8106): the
// stack makes addresses of them, and tells of routes and names. It tells while it
// holds locks of its own, so that what there is to do is done by a goroutine.
type routerDiscovery struct {
	s *Stack

	mu      sync.Mutex
	todo    []func()
	running bool
}

// advertisedMax is how much may be to do; what is told beyond that is forgotten until
// the router says it again.
const advertisedMax = 256

func (d *routerDiscovery) later(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.todo) >= advertisedMax {
		return
	}
	d.todo = append(d.todo, f)
	if d.running {
		return
	}
	d.running = true
	go func() {
		for {
			d.mu.Lock()
			if len(d.todo) == 0 {
				d.running = false
				d.mu.Unlock()
				return
			}
			next := d.todo[0]
			d.todo = d.todo[1:]
			d.mu.Unlock()
			next()
		}
	}()
}

// OnOffLinkRouteUpdated implements ipv6.NDPDispatcher, like the methods that follow.
func (d *routerDiscovery) OnOffLinkRouteUpdated(id tcpip.NICID, to tcpip.Subnet, router tcpip.Address, _ header.NDPRoutePreference) {
	d.later(func() { d.s.setRoute(tcpip.Route{Destination: to, Gateway: router, NIC: id}) })
}

func (d *routerDiscovery) OnOffLinkRouteInvalidated(id tcpip.NICID, to tcpip.Subnet, router tcpip.Address) {
	d.later(func() { d.s.dropRoute(tcpip.Route{Destination: to, Gateway: router, NIC: id}) })
}

func (d *routerDiscovery) OnOnLinkPrefixDiscovered(id tcpip.NICID, to tcpip.Subnet) {
	d.later(func() { d.s.setRoute(tcpip.Route{Destination: to, NIC: id}) })
}

func (d *routerDiscovery) OnOnLinkPrefixInvalidated(id tcpip.NICID, to tcpip.Subnet) {
	d.later(func() { d.s.dropRoute(tcpip.Route{Destination: to, NIC: id}) })
}

func (d *routerDiscovery) OnRecursiveDNSServerOption(id tcpip.NICID, servers []tcpip.Address, life time.Duration) {
	var list []netip.Addr
	for _, a := range servers {
		ip := netip.AddrFrom16(a.As16())
		if header.IsV6LinkLocalUnicastAddress(a) {
			ip = ip.WithZone(d.s.FindNICNameFromID(id))
		}
		list = append(list, ip)
	}
	if life == 0 {
		list = nil
	}
	d.later(func() { d.s.setNames(func(n *names) { n.advertised.servers = list }) })
}

func (d *routerDiscovery) OnDNSSearchListOption(_ tcpip.NICID, domains []string, life time.Duration) {
	list := domains
	if life == 0 {
		list = nil
	}
	d.later(func() { d.s.setNames(func(n *names) { n.advertised.search = list }) })
}

func (d *routerDiscovery) OnAutoGenAddress(tcpip.NICID, tcpip.AddressWithPrefix) stack.AddressDispatcher {
	d.later(d.s.tell)
	return nil
}

func (d *routerDiscovery) OnAutoGenAddressDeprecated(tcpip.NICID, tcpip.AddressWithPrefix) {}

func (d *routerDiscovery) OnAutoGenAddressInvalidated(tcpip.NICID, tcpip.AddressWithPrefix) {
	d.later(d.s.tell)
}

func (d *routerDiscovery) OnDuplicateAddressDetectionResult(tcpip.NICID, tcpip.Address, stack.DADResult) {
	d.later(d.s.resume)
}

func (*routerDiscovery) OnDHCPv6Configuration(tcpip.NICID, ipv6.DHCPv6ConfigurationFromNDPRA) {}

var _ ipv6.NDPDispatcher = (*routerDiscovery)(nil)
