package netstack

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/netstack/dhcp"
)

// Config is how an interface comes to its addresses.
type Config struct {
	// Addresses it has, with the lengths of their subnets. Without one of IPv4 it
	// asks by DHCP; IPv6 listens to routers in any case.
	Addresses []netip.Prefix
	Gateways  []netip.Addr
	// Servers and Search are for the resolver, and hide what others say.
	Servers []netip.Addr
	Search  []string
	// Hostname is told to the DHCP server.
	Hostname string
	// Logf, if not nil, gets a line for each thing that a user may want to know of.
	Logf func(format string, args ...any)
}

// AddDevice makes an interface of a network card: eth0, eth1, ...
func (s *Stack) AddDevice(dev nic.Device, c Config) error {
	s.mu.Lock()
	number := len(s.links)
	id := tcpip.NICID(loopbackID + 1 + number)
	l := newLink(s, id, fmt.Sprintf("eth%d", number), dev)
	s.links = append(s.links, l)
	s.mu.Unlock()
	if c.Logf == nil {
		c.Logf = func(string, ...any) {}
	}
	if err := s.CreateNICWithOptions(id, l, stack.NICOptions{Name: l.name}); err != nil {
		return fmt.Errorf("interface %s: %s", l.name, err)
	}
	s.setRoute(tcpip.Route{Destination: linkLocal6, NIC: id})
	dynamic := true
	for _, p := range c.Addresses {
		if p.Addr().Is4() {
			dynamic = false
		}
		if err := s.setAddress(id, p); err != nil {
			return fmt.Errorf("interface %s, address %s: %w", l.name, p, err)
		}
	}
	for _, g := range c.Gateways {
		s.setRoute(defaultRoute(id, g))
	}
	if len(c.Servers) > 0 || len(c.Search) > 0 {
		s.setNames(func(n *names) { n.configured = resolver{c.Servers, c.Search} })
	}
	restart := make(chan struct{}, 1)
	l.changed = func(up bool) {
		c.Logf("%s: link %s", l.name, map[bool]string{true: "up", false: "down"}[up])
		s.publish()
		if up {
			select {
			case restart <- struct{}{}:
			default:
			}
		}
	}
	if dynamic {
		if l.up.Load() {
			s.expect()
		}
		s.startDHCP(l, &c, restart)
	}
	if err := l.start(); err != nil {
		return err
	}
	return nil
}

// linkLocal6 is fe80::/64.
var linkLocal6 = header.IPv6LinkLocalPrefix.Subnet()

// setAddress adds an address and the route to its subnet.
func (s *Stack) setAddress(id tcpip.NICID, p netip.Prefix) error {
	a := tcpip.AddressWithPrefix{Address: addressOf(p.Addr()), PrefixLen: p.Bits()}
	proto := tcpip.ProtocolAddress{Protocol: networkOf(a.Address), AddressWithPrefix: a}
	if err := s.AddProtocolAddress(id, proto, stack.AddressProperties{}); err != nil {
		if _, ok := err.(*tcpip.ErrDuplicateAddress); !ok {
			return errno(err)
		}
	}
	if _, other := s.neighborOf(id, p); s.CheckNIC(id) && !other {
		s.setRoute(s.connected(id, p))
	}
	s.tell()
	return nil
}

// neighborOf finds another address of an interface in the same subnet. The first of
// them is the source of what goes there.
func (s *Stack) neighborOf(id tcpip.NICID, p netip.Prefix) (netip.Prefix, bool) {
	i, _ := s.interfaceAt(int(id))
	at := slices.IndexFunc(i.Addresses, func(o netip.Prefix) bool { return o != p && o.Masked() == p.Masked() })
	if at < 0 {
		return netip.Prefix{}, false
	}
	return i.Addresses[at], true
}

// dropAddress removes an address and the route to its subnet.
func (s *Stack) dropAddress(id tcpip.NICID, p netip.Prefix) {
	_ = s.RemoveAddress(id, addressOf(p.Addr())) // it may be gone
	if o, other := s.neighborOf(id, p); other {
		s.setRoute(s.connected(id, o))
	} else {
		s.dropRoute(s.connected(id, p))
	}
	s.tell()
}

func addressOf(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.AsSlice()) }

// defaultRoute leads everywhere by a router.
func defaultRoute(id tcpip.NICID, router netip.Addr) tcpip.Route {
	to := header.IPv4EmptySubnet
	if router.Is6() {
		to = header.IPv6EmptySubnet
	}
	return tcpip.Route{Destination: to, Gateway: addressOf(router), NIC: id}
}

func sameRoute(a, b tcpip.Route) bool {
	return a.Destination == b.Destination && a.NIC == b.NIC && a.Gateway == b.Gateway
}

// setRoute adds a route, unless there is the same.
func (s *Stack) setRoute(r tcpip.Route) {
	s.RemoveRoutes(func(o tcpip.Route) bool { return sameRoute(o, r) })
	s.AddRoute(r)
	s.resume()
	s.publish()
}

func (s *Stack) dropRoute(r tcpip.Route) {
	s.RemoveRoutes(func(o tcpip.Route) bool { return sameRoute(o, r) })
	s.publish()
}

// startDHCP has an interface get its address of IPv4 from a server, for as long as
// the machine runs.
func (s *Stack) startDHCP(l *link, c *Config, restart <-chan struct{}) {
	d := &lease{s: s, link: l, logf: c.Logf}
	client := &dhcp.Client{
		Conn: newDHCPConn(l), MAC: l.dev.Address(), Hostname: c.Hostname,
		Restart: restart, Got: d.got, Lost: d.lost,
	}
	go client.Run(context.Background())
}

// lease is what a lease has set.
type lease struct {
	s    *Stack
	link *link
	logf func(format string, args ...any)

	address netip.Prefix
	routes  []tcpip.Route
}

func (d *lease) got(l *dhcp.Lease) {
	if d.address != l.Address {
		d.remove()
		d.logf("%s: %s from the DHCP server %s, for %s", d.link.name, l.Address, l.Server, l.Expires)
	}
	d.address = l.Address
	if err := d.s.setAddress(d.link.id, l.Address); err != nil {
		d.logf("%s: address %s: %v", d.link.name, l.Address, err)
	}
	for _, r := range d.routes {
		d.s.dropRoute(r)
	}
	d.routes = d.routes[:0]
	// Where there are classless routes, the routers are not to be looked at (RFC 3442).
	for _, r := range l.Routes {
		to, err := tcpip.NewSubnet(addressOf(r.To.Addr()), tcpip.MaskFromBytes(maskOf(r.To.Bits())))
		if err != nil {
			continue
		}
		route := tcpip.Route{Destination: to, NIC: d.link.id, SourceHint: addressOf(l.Address.Addr())}
		if !r.Gateway.IsUnspecified() {
			route.Gateway = addressOf(r.Gateway)
		}
		d.routes = append(d.routes, route)
	}
	if len(l.Routes) == 0 && len(l.Routers) > 0 {
		d.routes = append(d.routes, defaultRoute(d.link.id, l.Routers[0]))
	}
	for _, r := range d.routes {
		d.s.setRoute(r)
	}
	if l.MTU >= header.IPv4MinimumMTU && l.MTU < d.link.dev.MTU() {
		d.link.SetMTU(uint32(l.MTU))
	}
	search := l.Search
	if len(search) == 0 && l.Domain != "" {
		search = []string{l.Domain}
	}
	d.s.setNames(func(n *names) {
		n.leased, n.hostname = resolver{l.DNS, search}, l.Hostname
	})
	d.s.arrived()
}

// maskOf is a mask of IPv4 with so many bits.
func maskOf(bits int) []byte {
	m := ^uint32(0) << (32 - bits)
	return []byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}
}

func (d *lease) lost() {
	d.logf("%s: the lease of %s is over", d.link.name, d.address)
	d.remove()
	d.s.setNames(func(n *names) { n.leased, n.hostname = resolver{}, "" })
}

func (d *lease) remove() {
	for _, r := range d.routes {
		d.s.dropRoute(r)
	}
	d.routes = nil
	if d.address.IsValid() {
		d.s.dropAddress(d.link.id, d.address)
	}
	d.address = netip.Prefix{}
}
