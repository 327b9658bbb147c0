package netstack

import (
	"cmp"
	"net/netip"
	"slices"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/yolkos/yolk/drivers/nic"
)

// Interface is what programs see of a network interface.
type Interface struct {
	Index     int
	Name      string
	MTU       int
	Loopback  bool
	Down      bool              // a program has said so
	Running   bool              // the link is up
	Address   tcpip.LinkAddress // of 6 bytes
	Addresses []netip.Prefix
	Stats     nic.Stats
}

// Flags are those of struct ifreq (netdevice(7)).
func (i *Interface) Flags() uint32 {
	flags := uint32(syscall.IFF_UP)
	if i.Down {
		flags = 0
	} else if i.Running {
		flags |= syscall.IFF_RUNNING | iffLowerUp
	}
	if i.Loopback {
		return flags | syscall.IFF_LOOPBACK
	}
	return flags | syscall.IFF_BROADCAST | syscall.IFF_MULTICAST
}

const iffLowerUp = 0x10000 // IFF_LOWER_UP

// Interfaces returns all of them by their numbers.
func (s *Stack) Interfaces() []Interface {
	s.mu.Lock()
	links := slices.Clone(s.links)
	s.mu.Unlock()
	var list []Interface
	for id, info := range s.NICInfo() {
		i := Interface{Index: int(id), Name: info.Name, MTU: int(info.MTU), Loopback: info.Flags.Loopback, Down: !info.Flags.Running, Running: true, Address: info.LinkAddress}
		if len(i.Address) != header.EthernetAddressSize {
			i.Address = header.UnspecifiedEthernetAddress
		}
		for _, a := range info.ProtocolAddresses {
			ip, ok := netip.AddrFromSlice(a.AddressWithPrefix.Address.AsSlice())
			if ok {
				i.Addresses = append(i.Addresses, netip.PrefixFrom(ip, a.AddressWithPrefix.PrefixLen))
			}
		}
		if i.Loopback {
			i.Stats.RxFrames, i.Stats.RxBytes = info.Stats.Rx.Packets.Value(), info.Stats.Rx.Bytes.Value()
			i.Stats.TxFrames, i.Stats.TxBytes = info.Stats.Tx.Packets.Value(), info.Stats.Tx.Bytes.Value()
		}
		for _, l := range links {
			if l.id == id {
				i.Running, i.Stats = l.up.Load(), l.dev.Stats()
			}
		}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Interface) int { return cmp.Compare(a.Index, b.Index) })
	return list
}

// Route is a line of the routing table.
type Route struct {
	To        netip.Prefix
	Gateway   netip.Addr // not valid: on the link
	Source    netip.Addr // not valid: not said
	Interface int
	Connected bool // to a network that an address of the interface is in: it came with that
}

// Routes returns the routing table, the most specific ones first.
func (s *Stack) Routes() (list []Route) {
	interfaces := s.Interfaces()
	for _, r := range s.GetRouteTable() {
		to := r.Destination.ID()
		ip, ok := netip.AddrFromSlice(to.AsSlice())
		if !ok {
			continue
		}
		gateway, _ := netip.AddrFromSlice(r.Gateway.AsSlice())
		source, _ := netip.AddrFromSlice(r.SourceHint.AsSlice())
		route := Route{To: netip.PrefixFrom(ip, r.Destination.Prefix()), Gateway: gateway, Source: source, Interface: int(r.NIC)}
		for _, i := range interfaces {
			route.Connected = route.Connected || i.Index == route.Interface && !gateway.IsValid() && slices.ContainsFunc(i.Addresses, func(p netip.Prefix) bool { return p.Masked() == route.To })
		}
		list = append(list, route)
	}
	return list
}

// Neighbor is a machine on the link.
type Neighbor struct {
	IP        netip.Addr
	Address   tcpip.LinkAddress // "": not known
	Static    bool
	Reachable bool // else it may not be there any more
	Interface int
}

// LinkNeighbors returns the neighbours of all interfaces.
func (s *Stack) LinkNeighbors() (list []Neighbor) {
	for _, i := range s.Interfaces() {
		if i.Loopback {
			continue
		}
		for _, proto := range []tcpip.NetworkProtocolNumber{header.IPv4ProtocolNumber, header.IPv6ProtocolNumber} {
			entries, err := s.Neighbors(tcpip.NICID(i.Index), proto)
			if err != nil {
				continue
			}
			for _, e := range entries {
				ip, ok := netip.AddrFromSlice(e.Addr.AsSlice())
				if !ok {
					continue
				}
				list = append(list, Neighbor{
					IP: ip, Address: e.LinkAddr, Static: e.State.String() == "Static",
					Reachable: e.State.String() == "Reachable", Interface: i.Index,
				})
			}
		}
	}
	return list
}
