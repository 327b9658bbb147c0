package netstack

import (
	"net/netip"
	"slices"
)

// names is what a resolver is to know, by who said it: the first of them that says
// anything counts for IPv4 and IPv6 alike, but for servers that routers advertise,
// which come behind those of DHCP.
type names struct {
	configured, leased, advertised resolver
	hostname                       string // of the lease
}

type resolver struct {
	servers []netip.Addr
	search  []string
}

// Names returns the name servers and the domains for short names, in order.
func (s *Stack) Names() (servers []netip.Addr, search []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &s.names
	servers, search = n.configured.servers, n.configured.search
	if len(servers) == 0 {
		servers = slices.Concat(n.leased.servers, n.advertised.servers)
	}
	if len(search) == 0 {
		search = slices.Concat(n.leased.search, n.advertised.search)
	}
	return slices.Clone(servers), slices.Clone(search)
}

// setNames changes what is known of names.
func (s *Stack) setNames(change func(*names)) {
	s.mu.Lock()
	change(&s.names)
	s.mu.Unlock()
	s.tell()
}

// tell tells that names or addresses have changed.
func (s *Stack) tell() {
	s.resume()
	s.publish()
}
