package usernet

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// unreachableCode is why a destination cannot be reached, in the codes of ICMP
// (RFC 792, RFC 1812 §5.2.7.1) and of ICMPv6 (RFC 4443 §3.1).
type unreachableCode struct{ v4, v6 uint8 }

var (
	netUnreachable  = unreachableCode{0, 0}
	hostUnreachable = unreachableCode{1, 3}
	portUnreachable = unreachableCode{3, 4}
	prohibited      = unreachableCode{13, 1}
)

// unreachable says which message an error of the host's network is for the guest;
// nil if none.
func unreachable(err error) *unreachableCode {
	switch {
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return &netUnreachable // EADDRNOTAVAIL: no address of that family
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EINVAL):
		return &hostUnreachable
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return &prohibited
	}
	return nil
}

// mostQuoted is how much of a packet a message about it repeats, in bytes: the
// header of IP, with options, and 8 bytes (RFC 792).
const mostQuoted = header.IPv4MaximumHeaderSize + 8

// quote returns the head of a packet, for a message about it.
func quote(pkt *stack.PacketBuffer) []byte {
	head := append([]byte(nil), pkt.NetworkHeader().Slice()...)
	head = append(head, pkt.TransportHeader().Slice()...)
	return head[:min(len(head), mostQuoted)]
}

// sendUnreachable tells the guest about a packet of its own.
func (n *Network) sendUnreachable(guest netip.Addr, code unreachableCode, quoted []byte) {
	msg := make([]byte, 8, 8+len(quoted))
	msg[0], msg[1] = byte(header.ICMPv4DstUnreachable), code.v4
	if guest.Is6() {
		msg[0], msg[1] = byte(header.ICMPv6DstUnreachable), code.v6
	}
	n.sendICMP(n.config.routerAddr(guest), guest, append(msg, quoted...))
}

// sendICMP sends a message to the guest, whose checksum is made here.
func (n *Network) sendICMP(from, to netip.Addr, msg []byte) {
	protocol := header.ICMPv4ProtocolNumber
	msg[2], msg[3] = 0, 0
	if to.Is6() {
		protocol = header.ICMPv6ProtocolNumber
		header.ICMPv6(msg).SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{
			Header: msg, Src: toStack(from), Dst: toStack(to),
		}))
	} else {
		header.ICMPv4(msg).SetChecksum(^checksum.Checksum(msg, 0))
	}
	r, err := n.stack.FindRoute(nic, toStack(from), toStack(to), protocolOf(to), false)
	if err != nil {
		return // for example an address that is none
	}
	defer r.Release()
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{ReserveHeaderBytes: int(r.MaxHeaderLength()), Payload: buffer.MakeWithData(msg)})
	defer pkt.DecRef()
	_ = r.WritePacket(stack.NetworkHeaderParams{Protocol: protocol, TTL: r.DefaultTTL()}, pkt) // as reliable as the network
}

// takePing takes ICMP messages for others than the router, which answers by
// itself. Only an echo request goes further.
func (n *Network) takePing(id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
	head := pkt.TransportHeader().Slice()
	dst, guest := fromStack(id.LocalAddress), fromStack(id.RemoteAddress)
	request := byte(header.ICMPv4Echo)
	if dst.Is6() {
		request = byte(header.ICMPv6EchoRequest)
	}
	if len(head) < 8 || head[0] != request || n.isRouter(id.LocalAddress) {
		return true
	}
	msg := append(append([]byte(nil), head...), pkt.Data().AsRange().ToSlice()...)
	err := n.ping(netip.AddrPortFrom(guest, binary.BigEndian.Uint16(msg[4:])), dst, msg)
	if code := unreachable(err); code != nil {
		n.sendUnreachable(guest, *code, quote(pkt))
	}
	return true
}

// ping sends an echo request to the host's network, by a flow for each pair of
// destination and identifier.
func (n *Network) ping(from netip.AddrPort, dst netip.Addr, msg []byte) error {
	if _, err := n.config.destination(netip.AddrPortFrom(dst, 0)); err != nil {
		return err
	}
	key := flowKey{from: from, to: netip.AddrPortFrom(dst, 0), ping: true}
	f := n.flows.find(key)
	if f == nil {
		conn, err := pingSocket(dst)
		if err != nil {
			return err
		}
		if f = n.flows.add(key, conn, nil); f == nil {
			return nil
		}
		go n.takeEchoes(f)
	}
	f.used()
	_, err := f.host.Write(msg)
	return err
}

// takeEchoes carries answers to the guest.
func (n *Network) takeEchoes(f *flow) {
	defer n.flows.remove(f)
	reply := byte(header.ICMPv4EchoReply)
	if f.key.to.Addr().Is6() {
		reply = byte(header.ICMPv6EchoReply)
	}
	_ = f.receive(func(msg []byte) {
		if len(msg) < 8 || msg[0] != reply {
			return
		}
		binary.BigEndian.PutUint16(msg[4:], f.key.from.Port()) // the kernel has put its own
		n.sendICMP(f.key.to.Addr(), f.key.from.Addr(), append([]byte(nil), msg...))
	})
}

// pingSocket makes a socket for echo requests, which the host allows the groups of
// net.ipv4.ping_group_range (icmp(7)). The error is EACCES if it does not.
func pingSocket(dst netip.Addr) (*net.UDPConn, error) {
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if dst.Is6() {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "ping")
	defer f.Close()
	if dst.Is6() {
		err = unix.Connect(fd, &unix.SockaddrInet6{Addr: dst.As16()})
	} else {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: dst.As4()})
	}
	if err != nil {
		return nil, err
	}
	conn, err := net.FileConn(f) // a duplicate
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}
