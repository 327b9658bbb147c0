package netstack

import (
	"fmt"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// noteGroup keeps of a socket that it has joined a group, or left it: it may name the
// interface in another way then.
func (k *sock) noteGroup(join bool, m tcpip.MembershipOption) {
	k.settings.mu.Lock()
	defer k.settings.mu.Unlock()
	if join {
		k.settings.groups = append(k.settings.groups, m)
		return
	}
	i := slices.Index(k.settings.groups, m)
	if i < 0 {
		i = slices.IndexFunc(k.settings.groups, func(o tcpip.MembershipOption) bool { return o.MulticastAddr == m.MulticastAddr })
	}
	if i >= 0 {
		k.settings.groups = slices.Delete(k.settings.groups, i, i+1)
	}
}

// group is one that an interface listens to.
type group struct {
	address tcpip.Address
	users   int // sockets that have joined it; the stack itself is one
}

// groups are those of i, the newest first: what sockets have joined, and what RFC 1112
// and RFC 4291, section 2.8, have an interface listen to. The stack has the last
// word.
func (s *Stack) groups(i *Interface, six bool) (list []group) {
	add := func(a tcpip.Address) {
		n := slices.IndexFunc(list, func(g group) bool { return g.address == a })
		if n >= 0 {
			list[n].users++
		} else if in, err := s.IsInGroup(tcpip.NICID(i.Index), a); err == nil && in && (a.Len() == header.IPv6AddressSize) == six {
			list = append(list, group{a, 1})
		}
	}
	add(header.IPv4AllSystems)
	add(header.IPv6AllNodesMulticastAddress)
	for _, p := range i.Addresses {
		if p.Addr().Is6() {
			add(header.SolicitedNodeAddr(tcpip.AddrFrom16(p.Addr().As16())))
		}
	}
	own := len(list)
	s.mu.Lock()
	held := make([]*sock, 0, len(s.sockets))
	for _, k := range s.sockets {
		held = append(held, k)
	}
	s.mu.Unlock()
	for _, k := range held {
		k.settings.mu.Lock()
		joined := slices.Clone(k.settings.groups)
		k.settings.mu.Unlock()
		for _, m := range joined {
			if m.NIC == 0 || m.NIC == tcpip.NICID(i.Index) {
				add(m.MulticastAddr)
			}
		}
	}
	// Sockets are in no order.
	slices.SortFunc(list[own:], func(a, b group) int { return slices.Compare(a.address.AsSlice(), b.address.AsSlice()) })
	slices.Reverse(list)
	return list
}

func (s *Stack) procIGMP(b []byte) []byte {
	b = append(b, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"...)
	for _, i := range s.Interfaces() {
		groups := s.groups(&i, false)
		if len(groups) == 0 {
			continue
		}
		b = fmt.Appendf(b, "%d\t%-10s: %5d %7s\n", i.Index, i.Name, len(groups), "V3")
		for _, g := range groups {
			b = fmt.Appendf(b, "\t\t\t\t%s %5d 0:00000000\t\t0\n", hex4(to4(g.address)), g.users)
		}
	}
	return b
}

func (s *Stack) procIGMP6(b []byte) []byte {
	const loaded, noReport = 4, 8 // MAF_ of net/if_inet6.h
	for _, i := range s.Interfaces() {
		for _, g := range s.groups(&i, true) {
			flags := loaded
			if g.address == header.IPv6AllNodesMulticastAddress {
				flags |= noReport
			}
			b = fmt.Appendf(b, "%-4d %-15s %x %5d %08X 0\n", i.Index, i.Name, g.address.AsSlice(), g.users, flags)
		}
	}
	return b
}
