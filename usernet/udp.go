package usernet

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// guestSocketBuffer is what may wait for a datagram socket, in bytes.
const guestSocketBuffer = 256 << 10

// takeUDP takes the first datagram of a flow of the guest. The flow's socket on
// the host's side is connected: only the guest's peer can answer, and what ICMP
// says of it is heard.
func (n *Network) takeUDP(id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
	guest := netip.AddrPortFrom(fromStack(id.RemoteAddress), id.RemotePort)
	dst := netip.AddrPortFrom(fromStack(id.LocalAddress), id.LocalPort)
	key := flowKey{from: guest, to: dst}
	dns := dst.Port() == dnsPort && n.isRouter(id.LocalAddress)
	var host *net.UDPConn
	if !dns {
		to, err := n.config.destination(dst)
		if err == nil {
			host, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return false // the stack says that nobody is there
		}
		if err != nil {
			if code := unreachable(err); code != nil {
				n.sendUnreachable(guest.Addr(), *code, quote(pkt))
			}
			return true
		}
	}
	wq := &waiter.Queue{}
	ep, err := udp.NewForwarderRequest(n.stack, id, pkt.Clone()).CreateEndpoint(wq)
	if err != nil {
		if host != nil {
			host.Close()
		}
		return true
	}
	ep.SocketOptions().SetReceiveBufferSize(guestSocketBuffer, false)
	f := n.flows.add(key, host, &guestSocket{ep, wq})
	switch {
	case f == nil:
	case dns:
		go n.serveDNS(f)
	default:
		go n.fromGuest(f)
		go n.fromHost(f)
	}
	return true
}

// fromGuest carries a flow's datagrams to the host's side.
func (n *Network) fromGuest(f *flow) {
	f.guest.receive(nil, func(p []byte) {
		f.used()
		// What an earlier datagram met with is told by the next call: that of
		// fromHost may come too late to hear it.
		if _, err := f.host.Write(p); errors.Is(err, syscall.ECONNREFUSED) {
			n.tellRefused(f)
			_, _ = f.host.Write(p)
		}
	})
	n.flows.remove(f)
}

// fromHost carries them to the guest.
func (n *Network) fromHost(f *flow) {
	for {
		err := f.receive(f.guest.send)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			n.tellRefused(f)
			continue
		}
		if code := unreachable(err); code != nil {
			n.sendUnreachable(f.key.from.Addr(), *code, quoteUDP(f.key))
			continue
		}
		n.flows.remove(f)
		return
	}
}

func (n *Network) tellRefused(f *flow) {
	n.sendUnreachable(f.key.from.Addr(), portUnreachable, quoteUDP(f.key))
}

// quoteUDP makes the head of a flow's datagram anew, as far as it is known.
func quoteUDP(key flowKey) []byte {
	src, dst := toStack(key.from.Addr()), toStack(key.to.Addr())
	ip := make([]byte, header.IPv4MinimumSize, header.IPv6MinimumSize+header.UDPMinimumSize)
	if key.from.Addr().Is4() {
		header.IPv4(ip).Encode(&header.IPv4Fields{
			TotalLength: header.IPv4MinimumSize + header.UDPMinimumSize, TTL: 64,
			Protocol: uint8(header.UDPProtocolNumber), SrcAddr: src, DstAddr: dst,
		})
		header.IPv4(ip).SetChecksum(^header.IPv4(ip).CalculateChecksum())
	} else {
		ip = ip[:header.IPv6MinimumSize]
		header.IPv6(ip).Encode(&header.IPv6Fields{
			PayloadLength: header.UDPMinimumSize, TransportProtocol: header.UDPProtocolNumber,
			HopLimit: 64, SrcAddr: src, DstAddr: dst,
		})
	}
	ip = binary.BigEndian.AppendUint16(ip, key.from.Port())
	ip = binary.BigEndian.AppendUint16(ip, key.to.Port())
	return append(ip, 0, header.UDPMinimumSize, 0, 0)
}

// guestUDP makes a socket that talks to a port of one of the guest's addresses.
func (n *Network) guestUDP(guest netip.Addr, port uint16) (*guestSocket, error) {
	wq := &waiter.Queue{}
	ep, err := n.stack.NewEndpoint(udp.ProtocolNumber, protocolOf(guest), wq)
	if err != nil {
		return nil, errors.New(err.String())
	}
	ep.SocketOptions().SetReceiveBufferSize(guestSocketBuffer, false)
	if err = ep.Bind(tcpip.FullAddress{NIC: nic, Addr: toStack(n.config.routerAddr(guest))}); err == nil {
		err = ep.Connect(tcpip.FullAddress{NIC: nic, Addr: toStack(guest), Port: port})
	}
	if err != nil {
		ep.Close()
		return nil, errors.New(err.String())
	}
	return &guestSocket{ep, wq}, nil
}
