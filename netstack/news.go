package netstack

import (
	"net/netip"
	"slices"
	"sync"
	"syscall"
)

// Groups of NETLINK_ROUTE that are told of changes, by their bits in nl_groups
// (RTMGRP_LINK, ...).
const (
	groupLink   = 1 << 0
	groupAddr4  = 1 << 4
	groupRoute4 = 1 << 6
	groupAddr6  = 1 << 8
	groupRoute6 = 1 << 10
)

// news tells sockets of NETLINK_ROUTE what has changed: whatever it was that changed
// it, what there is is compared with what there was.
type news struct {
	mu      sync.Mutex
	readers map[*netlinkSocket]bool
	links   []Interface
	routes  []Route
}

// subscribe has a socket be told.
func (s *Stack) subscribe(k *netlinkSocket) {
	n := &s.news
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.readers) == 0 {
		n.readers = map[*netlinkSocket]bool{}
		n.links, n.routes = s.Interfaces(), s.Routes()
	}
	n.readers[k] = true
}

func (s *Stack) unsubscribe(k *netlinkSocket) {
	s.news.mu.Lock()
	defer s.news.mu.Unlock()
	delete(s.news.readers, k)
}

// publish tells what has changed since it was last called.
func (s *Stack) publish() {
	n := &s.news
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.readers) == 0 {
		return
	}
	links, routes := s.Interfaces(), s.Routes()
	for _, i := range links {
		at := slices.IndexFunc(n.links, func(o Interface) bool { return o.Index == i.Index })
		var was Interface
		if at >= 0 {
			was = n.links[at]
		}
		if at < 0 || was.Flags() != i.Flags() || was.MTU != i.MTU {
			n.send(groupLink, func(r *reply) { r.link(&i) })
		}
		changes(was.Addresses, i.Addresses, func(p netip.Prefix, gone bool) {
			n.tellAddress(&i, p, gone)
		})
	}
	changes(bare(n.routes), bare(routes), func(t Route, gone bool) {
		list := routes
		if gone {
			list = n.routes
		}
		whole := t
		whole.Connected = true
		t.Connected = slices.Contains(list, whole)
		n.send(byFamily(t.To.Addr(), groupRoute4, groupRoute6), func(r *reply) { r.deleted = gone; r.route(&t, syscall.AF_UNSPEC) })
	})
	n.links, n.routes = links, routes
}

// bare are routes without Connected, which changes with addresses: no news of the routes.
func bare(list []Route) []Route {
	list = slices.Clone(list)
	for i := range list {
		list[i].Connected = false
	}
	return list
}

// address tells of an address that is as it was.
func (n *news) address(i *Interface, p netip.Prefix) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tellAddress(i, p, false)
}

// tellAddress tells of an address. The caller holds mu.
func (n *news) tellAddress(i *Interface, p netip.Prefix, gone bool) {
	n.send(byFamily(p.Addr(), groupAddr4, groupAddr6), func(r *reply) { r.deleted = gone; r.address(i, p, syscall.AF_UNSPEC) })
}

func byFamily(a netip.Addr, four, six uint32) uint32 {
	if a.Is4() {
		return four
	}
	return six
}

// changes calls do for what is only in one of two lists, what is gone first.
func changes[T comparable](was, is []T, do func(v T, gone bool)) {
	for _, v := range was {
		if !slices.Contains(is, v) {
			do(v, true)
		}
	}
	for _, v := range is {
		if !slices.Contains(was, v) {
			do(v, false)
		}
	}
}

// send gives a message to the sockets of a group.
func (n *news) send(group uint32, write func(r *reply)) {
	var r reply
	write(&r)
	for k := range n.readers {
		k.hear(group, r.out)
	}
}
