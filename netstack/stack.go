// Package netstack is the internet for the calls on sockets: the families AF_INET,
// AF_INET6, AF_PACKET and AF_NETLINK on gVisor's TCP/IP stack.
package netstack

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/log"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/raw"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/yolkos/yolk/fs/socket"
)

// Stack is a network stack with its interfaces, and the sockets on it.
type Stack struct {
	*stack.Stack

	mu      sync.Mutex
	sockets map[tcpip.Endpoint]*sock // those that a program holds
	held    map[*sock]struct{}       // listeners that wait for memory
	links   []*link                  // in the order of their numbers
	names   names

	ended         atomic.Bool   // the program has
	made          atomic.Uint64 // sockets, ever
	timeWaitLimit int

	// Of await.go.
	expecting atomic.Bool
	ready     chan struct{} // closed when it is not so
	waiting   map[*sock]bool

	memory   meter
	squeezed bool // buffers are small, see pressed

	news news
	loop *loopLink

	listeners listeners

	raw  rawTable
	taps atomic.Pointer[[]*packetSocket] // who looks at frames
}

// Options are what a Stack is made for.
type Options struct {
	// Memory is how many bytes of memory there are for programs; 0: enough.
	Memory uint64
	// Usage tells how it is used; nil: as the Go runtime says.
	Usage func() Usage
}

// silent keeps the stack's own log to itself: it has lines for packets of others.
type silent struct{}

func (silent) Emit(int, log.Level, time.Time, string, ...any) {}

var silence = sync.OnceFunc(func() { log.SetTarget(silent{}) })

// loopbackID is the number of the interface lo.
const loopbackID = 1

// New makes a stack whose only interface is lo, with 127.0.0.1/8 and ::1/128.
func New(o Options) (*Stack, error) {
	silence()
	s := &Stack{sockets: map[tcpip.Endpoint]*sock{}, waiting: map[*sock]bool{}, ready: make(chan struct{}), timeWaitLimit: timeWaitLimit(o.Memory)}
	close(s.ready)
	s.held = map[*sock]struct{}{}
	s.memory = meter{total: o.Memory, usage: o.Usage, collect: runtime.GC, looked: s.pressed}
	if o.Usage == nil {
		s.memory.usage = RuntimeUsage
	}
	ndp := ipv6.NewProtocolWithOptions(ipv6.Options{
		NDPConfigs:       ipv6.DefaultNDPConfigurations(),
		AutoGenLinkLocal: true,
		NDPDisp:          &routerDiscovery{s: s},
	})
	s.Stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{s.withRaw(ipv4.NewProtocol), s.withRaw(ndp), arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
		HandleLocal:        true,
		RawFactory:         raw.EndpointFactory{},
	})
	if err := s.tune(o); err != nil {
		return nil, err
	}
	s.loop = newLoopLink(s)
	if err := s.CreateNICWithOptions(loopbackID, s.loop, stack.NICOptions{Name: "lo", Disabled: true}); err != nil {
		return nil, fmt.Errorf("interface lo: %s", err)
	}
	s.withoutRouters(loopbackID)
	if err := s.EnableNIC(loopbackID); err != nil {
		return nil, fmt.Errorf("interface lo: %s", err)
	}
	for _, a := range []struct {
		proto  tcpip.NetworkProtocolNumber
		prefix tcpip.AddressWithPrefix
	}{
		{header.IPv4ProtocolNumber, tcpip.AddressWithPrefix{Address: tcpip.AddrFrom4([4]byte{127, 0, 0, 1}), PrefixLen: 8}},
		{header.IPv6ProtocolNumber, tcpip.AddressWithPrefix{Address: header.IPv6Loopback, PrefixLen: 128}},
	} {
		p := tcpip.ProtocolAddress{Protocol: a.proto, AddressWithPrefix: a.prefix}
		if err := s.AddProtocolAddress(loopbackID, p, stack.AddressProperties{}); err != nil {
			return nil, fmt.Errorf("address %s of lo: %s", a.prefix, err)
		}
		s.AddRoute(tcpip.Route{Destination: a.prefix.Subnet(), NIC: loopbackID})
	}
	return s, nil
}

// withoutRouters has an interface look for no routers.
func (s *Stack) withoutRouters(id tcpip.NICID) {
	ep, err := s.GetNetworkEndpoint(id, header.IPv6ProtocolNumber)
	if err != nil {
		return
	}
	if ep, ok := ep.(ipv6.NDPEndpoint); ok {
		ep.SetNDPConfigurations(ipv6.NDPConfigurations{HandleRAs: ipv6.HandlingRAsDisabled})
	}
}

// tune sets what is to be otherwise than the stack has it.
func (s *Stack) tune(o Options) error {
	def, limit := bufferSizes(o.Memory)
	if err := s.setBuffers(def, limit); err != nil {
		return fmt.Errorf("TCP buffers from %d to %d bytes: %s", def, limit, err)
	}
	// Loss detection by time (RACK, RFC 8985) stalls connections of which packets get
	// lost: by the third duplicate acknowledgement and SACK they go on.
	recovery := tcpip.TCPRecovery(0)
	sack, moderate := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(true)
	nagle := tcpip.TCPDelayEnabled(true) // until TCP_NODELAY
	cubic := tcpip.CongestionControlOption("cubic")
	// A port in TIME_WAIT can be had again where the sequence numbers allow it
	// (RFC 6191), so that a client does not run out of them.
	reuse := tcpip.TCPTimeWaitReuseOption(tcpip.TCPTimeWaitReuseGlobal)
	for _, opt := range []tcpip.SettableTransportProtocolOption{&recovery, &nagle, &sack, &moderate, &cubic, &reuse} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, opt); err != nil {
			return fmt.Errorf("TCP option %T: %s", opt, err)
		}
	}
	for _, opt := range []any{
		tcpip.SendBufferSizeOption{Min: bufferMin, Default: datagramDefault, Max: limit},
		tcpip.ReceiveBufferSizeOption{Min: bufferMin, Default: datagramDefault, Max: limit},
	} {
		if err := s.SetOption(opt); err != nil {
			return fmt.Errorf("stack option %T: %s", opt, err)
		}
	}
	// As net.ipv4.ip_local_port_range has it.
	if err := s.SetPortRange(32768, 60999); err != nil {
		return fmt.Errorf("range of ports: %s", err)
	}
	return nil
}

// family is AF_INET or AF_INET6.
type family struct {
	s      *Stack
	number int
}

// Family returns the family of AF_INET or AF_INET6.
func (s *Stack) Family(number int) socket.Family { return &family{s, number} }

// network is the number of the family's protocol.
func (f *family) network() tcpip.NetworkProtocolNumber {
	if f.number == syscall.AF_INET {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}

// ipprotoMax is IPPROTO_MAX of linux/in.h. What is above 255 is no number of IP: a raw socket
// can have it, and hears nothing.
const ipprotoMax = 263

// Socket implements socket.Family.
func (f *family) Socket(typ, protocol int) (socket.Socket, error) {
	if protocol < 0 || protocol >= ipprotoMax {
		return nil, syscall.EINVAL
	}
	echo, echoProto := syscall.IPPROTO_ICMP, header.ICMPv4ProtocolNumber
	if f.number == syscall.AF_INET6 {
		echo, echoProto = syscall.IPPROTO_ICMPV6, header.ICMPv6ProtocolNumber
	}
	var proto tcpip.TransportProtocolNumber
	switch typ {
	case syscall.SOCK_STREAM:
		if protocol == 0 {
			protocol = syscall.IPPROTO_TCP
		}
		if protocol != syscall.IPPROTO_TCP {
			return nil, syscall.EPROTONOSUPPORT
		}
		proto = tcp.ProtocolNumber
	case syscall.SOCK_DGRAM:
		switch protocol {
		case 0, syscall.IPPROTO_UDP:
			protocol, proto = syscall.IPPROTO_UDP, udp.ProtocolNumber
		case echo:
			proto = echoProto
		default:
			return nil, syscall.EPROTONOSUPPORT
		}
	case syscall.SOCK_RAW:
		if protocol == 0 {
			return nil, syscall.EPROTONOSUPPORT
		}
		q := &waiter.Queue{}
		ep, err := f.s.newRaw(f.network(), tcpip.TransportProtocolNumber(protocol), q)
		if err != nil {
			return nil, errno(err)
		}
		k := f.s.newSock(ep, q, f.number, typ, protocol)
		ep.of.Store(k)
		return k, nil
	default:
		return nil, syscall.ESOCKTNOSUPPORT
	}
	q := &waiter.Queue{}
	ep, err := f.s.NewEndpoint(proto, f.network(), q)
	if err != nil {
		return nil, errno(err)
	}
	return f.s.newSock(ep, q, f.number, typ, protocol), nil
}
