package netstack

import (
	"net/netip"
	"slices"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// Lose is called when what is behind the network cards is gone for good: their
// interfaces are down, and connections over them end with ENETDOWN, those that wait
// at once.
func (s *Stack) Lose() {
	s.mu.Lock()
	links := append([]*link(nil), s.links...)
	s.mu.Unlock()
	// First nothing new begins, then what there is ends: who hears of the end finds no
	// way out any more.
	s.markLost(links)
	for _, l := range links {
		l.LinkChanged(false)
		_ = s.setUp(l.id, false) // it is there
	}
	s.arrived() // no address is to be expected
	for _, k := range s.markLost(links) {
		k.ep.Abort()
	}
}

// markLost marks the connections over some interfaces, and returns them.
func (s *Stack) markLost(links []*link) (lost []*sock) {
	s.mu.Lock()
	var streams []*sock
	for _, k := range s.sockets {
		if k.stream() && k.begun() {
			streams = append(streams, k)
		}
	}
	s.mu.Unlock()
	for _, l := range links {
		i, _ := s.interfaceAt(int(l.id))
		for _, k := range streams {
			if k.leavesBy(&i) {
				k.lost.Store(true)
				lost = append(lost, k)
			}
		}
	}
	return lost
}

// leavesBy reports whether a connection has an address of an interface.
func (k *sock) leavesBy(i *Interface) bool {
	local, err := k.ep.GetLocalAddress()
	if err != nil || k.ep.SocketOptions().GetAcceptConn() {
		return false
	}
	a := unmapped(local.Addr)
	ip, _ := netip.AddrFromSlice(a.AsSlice())
	return slices.ContainsFunc(i.Addresses, func(p netip.Prefix) bool { return p.Addr() == ip })
}

// errno is an error of the socket's endpoint.
func (k *sock) errno(err tcpip.Error) error {
	e := errno(err)
	switch err.(type) {
	case *tcpip.ErrConnectionReset, *tcpip.ErrConnectionRefused, *tcpip.ErrTimeout, *tcpip.ErrConnectionAborted,
		*tcpip.ErrHostUnreachable, *tcpip.ErrNetworkUnreachable, *tcpip.ErrAborted:
		k.ep.SocketOptions().GetLastError() // where it is a second time
	}
	if e != nil && e != syscall.EAGAIN && k.lost.Load() {
		return syscall.ENETDOWN
	}
	return e
}
