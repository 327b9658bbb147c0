package usernet

import (
	"fmt"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const nic = 1 // the one device of the stack

// timeWait is how long the stack remembers a connection that it has closed. On
// this wire no packet comes late; a minute, as usual, would use up the ports of a
// guest that is asked often.
const timeWait = time.Second

// newStack makes the stack: a router whose addresses are all there are, so that
// every connection of the guest ends in it.
func (n *Network) newStack() error {
	s := stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{
			tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6,
		},
	})
	n.stack = s
	var failed tcpip.Error
	try := func(err tcpip.Error) {
		if err != nil && failed == nil {
			failed = err
		}
	}
	wait := tcpip.TCPTimeWaitTimeoutOption(timeWait)
	moderate := tcpip.TCPModerateReceiveBufferOption(false) // sizes are given: see budget
	sack := tcpip.TCPSACKEnabled(true)
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: minBuffer, Default: maxBuffer, Max: maxBuffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: minBuffer, Default: maxBuffer, Max: maxBuffer}
	for _, o := range []tcpip.SettableTransportProtocolOption{&wait, &moderate, &sack, &receive, &send} {
		try(s.SetTransportProtocolOption(tcp.ProtocolNumber, o))
	}
	try(s.CreateNIC(nic, n.link))
	try(s.SetPromiscuousMode(nic, true))
	try(s.SetSpoofing(nic, true))
	for _, a := range []netip.Addr{n.config.Router4, n.config.Router6} {
		try(s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
			Protocol:          protocolOf(a),
			AddressWithPrefix: toStack(a).WithPrefix(),
		}, stack.AddressProperties{}))
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}, {Destination: header.IPv6EmptySubnet, NIC: nic}})
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, n.tcpHandler())
	s.SetTransportProtocolHandler(udp.ProtocolNumber, n.takeUDP)
	s.SetTransportProtocolHandler(icmp.ProtocolNumber4, n.takePing)
	s.SetTransportProtocolHandler(icmp.ProtocolNumber6, n.takePing)
	if failed != nil {
		s.Close()
		return fmt.Errorf("network stack: %v", failed)
	}
	return nil
}

func protocolOf(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}

func toStack(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.AsSlice()) }

func fromStack(a tcpip.Address) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.AsSlice()) // zero of zero
	return addr
}

// guestAddr is the guest's address of the family of another one.
func (c *Config) guestAddr(like netip.Addr) netip.Addr {
	if like.Is4() {
		return c.Guest4.Addr()
	}
	return c.Guest6.Addr()
}

// routerAddr is the router's.
func (c *Config) routerAddr(like netip.Addr) netip.Addr {
	if like.Is4() {
		return c.Router4
	}
	return c.Router6
}
