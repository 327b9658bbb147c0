package netstack

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"github.com/yolkos/yolk/fs/procfs"
)

// ProcFiles returns the files of /proc/net (proc(5)) by name: functions that append
// their contents.
func (s *Stack) ProcFiles() map[string]func(b []byte) []byte {
	return map[string]func(b []byte) []byte{
		"arp": s.procARP, "dev": s.procDev, "if_inet6": s.procInet6, "ipv6_route": s.procRoute6, "route": s.procRoute,
		"tcp":  func(b []byte) []byte { return s.procSockets(b, tcp.ProtocolNumber, false) },
		"tcp6": func(b []byte) []byte { return s.procSockets(b, tcp.ProtocolNumber, true) },
		"udp":  func(b []byte) []byte { return s.procSockets(b, udp.ProtocolNumber, false) },
		"udp6": func(b []byte) []byte { return s.procSockets(b, udp.ProtocolNumber, true) },
		// UDP-Lite is here, as on Linux, and has no sockets: who reads all tables of sockets
		// takes one that is missing for an error.
		"udplite":  func(b []byte) []byte { return s.procSockets(b, protocolUDPLite, false) },
		"udplite6": func(b []byte) []byte { return s.procSockets(b, protocolUDPLite, true) },
		"icmp":     func(b []byte) []byte { return s.procSockets(b, icmp.ProtocolNumber4, false) },
		"icmp6":    func(b []byte) []byte { return s.procSockets(b, icmp.ProtocolNumber6, true) },
		"snmp6":    s.procSNMP6,
		"igmp":     s.procIGMP, "igmp6": s.procIGMP6,
		"snmp": s.procSNMP, "sockstat": s.procSockstat, "softnet_stat": s.procSoftnet,
	}
}

// procSoftnet is softnet_stat: what each processor took from interfaces. Which one it was is
// not counted, so that all stands with the first.
func (s *Stack) procSoftnet(b []byte) []byte {
	var frames, dropped uint64
	for _, i := range s.Interfaces() {
		frames += i.Stats.RxFrames
		dropped += i.Stats.RxDropped
	}
	return fmt.Appendf(b, "%08x %08x"+strings.Repeat(" 00000000", 13)+"\n", uint32(frames), uint32(dropped))
}

func (s *Stack) procDev(b []byte) []byte {
	b = append(b, "Inter-|   Receive                                                |  Transmit\n"+
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"...)
	for _, i := range s.Interfaces() {
		b = fmt.Appendf(b, "%6s: %7d %7d %4d %4d    0     0          0         0 %8d %7d %4d %4d    0     0       0          0\n",
			i.Name, i.Stats.RxBytes, i.Stats.RxFrames, i.Stats.RxErrors, i.Stats.RxDropped,
			i.Stats.TxBytes, i.Stats.TxFrames, i.Stats.TxErrors, i.Stats.TxDropped)
	}
	return b
}

// Flags of routes (linux/route.h).
const (
	routeUp      = 1
	routeGateway = 2
)

func (s *Stack) procRoute(b []byte) []byte {
	line := func(text string) { b = fmt.Appendf(b, "%-127s\n", text) }
	line("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT")
	names := map[int]string{}
	for _, i := range s.Interfaces() {
		names[i.Index] = i.Name
	}
	routes := s.Routes()
	slices.SortStableFunc(routes, func(a, b Route) int { return cmp.Compare(a.To.Bits(), b.To.Bits()) })
	for _, r := range routes {
		if !r.To.Addr().Is4() || r.To.Addr().IsLoopback() {
			continue
		}
		flags, gateway := routeUp, [4]byte{}
		if r.Gateway.IsValid() {
			flags, gateway = flags|routeGateway, r.Gateway.As4()
		}
		mask := [4]byte(maskOf(r.To.Bits()))
		line(fmt.Sprintf("%s\t%s\t%s\t%04X\t0\t0\t0\t%s\t0\t0\t0", names[r.Interface], hex4(r.To.Addr().As4()), hex4(gateway), flags, hex4(mask)))
	}
	return b
}

// hex4 is an address as the machine's words have it.
func hex4(a [4]byte) string { return fmt.Sprintf("%02X%02X%02X%02X", a[3], a[2], a[1], a[0]) }

func (s *Stack) procARP(b []byte) []byte {
	b = append(b, "IP address       HW type     Flags       HW address            Mask     Device\n"...)
	names := map[int]string{}
	for _, i := range s.Interfaces() {
		names[i.Index] = i.Name
	}
	for _, n := range s.LinkNeighbors() {
		if !n.IP.Is4() {
			continue
		}
		flags, address := 0, tcpip.LinkAddress("\x00\x00\x00\x00\x00\x00")
		if n.Address != "" {
			flags, address = 2, n.Address
		}
		b = fmt.Appendf(b, "%-16s 0x1         0x%x         %s     *        %s\n", n.IP, flags, address, names[n.Interface])
	}
	return b
}

func (s *Stack) procInet6(b []byte) []byte {
	for _, i := range s.Interfaces() {
		for _, p := range i.Addresses {
			if !p.Addr().Is6() {
				continue
			}
			scope := 0x00
			switch {
			case p.Addr().IsLoopback():
				scope = 0x10
			case p.Addr().IsLinkLocalUnicast():
				scope = 0x20
			}
			ip := p.Addr().As16()
			b = fmt.Appendf(b, "%x %02x %02x %02x %02x %8s\n", ip[:], i.Index, p.Bits(), scope, ifaPermanent, i.Name)
		}
	}
	return b
}

// procSocket is a line of /proc/net/tcp and its like.
type procSocket struct {
	local, remote netip.AddrPort
	state         int
	send, receive int
	ino           uint64
}

const (
	stateListen     = 10  // TCP_LISTEN
	protocolUDPLite = 136 // IPPROTO_UDPLITE
)

func (s *Stack) procSockets(b []byte, proto tcpip.TransportProtocolNumber, six bool) []byte {
	title := procfs.Sockets
	if six {
		title = procfs.Sockets6
	}
	if proto != tcp.ProtocolNumber {
		title += " ref pointer drops"
	}
	b = fmt.Appendf(b, "%-*s\n", map[bool]int{false: 149, true: len(title)}[six], title)
	for n, k := range s.procList(proto, six) {
		line := fmt.Sprintf("%4d: %s %s %02X %08X:%08X 00:00000000 00000000     0        0 %d", n,
			procAddress(k.local, six), procAddress(k.remote, six), k.state, k.send, k.receive, k.ino)
		if proto != tcp.ProtocolNumber {
			line += " 2 0000000000000000 0"
		} else {
			line += " 1 0000000000000000 100 0 0 10 0"
		}
		b = fmt.Appendf(b, "%-149s\n", line)
	}
	return b
}

func procAddress(a netip.AddrPort, six bool) string {
	if !six {
		return fmt.Sprintf("%s:%04X", hex4(a.Addr().As4()), a.Port())
	}
	ip, text := a.Addr().As16(), ""
	for i := 0; i < 16; i += 4 {
		text += hex4([4]byte(ip[i:]))
	}
	return fmt.Sprintf("%s:%04X", text, a.Port())
}

// procList are the sockets of a protocol: those that programs hold, and what is left
// of connections that they have closed.
func (s *Stack) procList(proto tcpip.TransportProtocolNumber, six bool) (list []procSocket) {
	s.mu.Lock()
	held := make([]*sock, 0, len(s.sockets))
	known := map[any]bool{}
	for _, k := range s.sockets {
		held = append(held, k)
		known[k.ep] = true
	}
	s.mu.Unlock()
	want := syscall.AF_INET
	if six {
		want = syscall.AF_INET6
	}
	typ := syscall.SOCK_STREAM
	if proto != tcp.ProtocolNumber {
		typ = syscall.SOCK_DGRAM
	}
	for _, k := range held {
		if k.family != want || k.typ != typ || k.protocol != int(proto) {
			continue
		}
		p, ok := procOf(k.ep, six)
		if !ok {
			continue
		}
		p.ino = k.ino.Load()
		if n, err := k.received(); err == nil {
			p.receive = n
		}
		if k.stream() {
			p.send, _ = k.queued(false)
		}
		list = append(list, p)
	}
	if proto == tcp.ProtocolNumber {
		for _, e := range s.RegisteredEndpoints() {
			ep, ok := e.(*tcp.Endpoint)
			if !ok || known[tcpip.Endpoint(ep)] || (ep.NetProto == networkOf(tcpip.AddrFrom4([4]byte{}))) == six {
				continue
			}
			if p, ok := procOf(ep, six); ok {
				list = append(list, p)
			}
		}
	}
	slices.SortFunc(list, func(a, b procSocket) int {
		return cmp.Or(cmp.Compare(b.state, a.state), a.local.Compare(b.local), a.remote.Compare(b.remote))
	})
	return list
}

// procOf reads an endpoint that has a port.
func procOf(ep tcpip.Endpoint, six bool) (p procSocket, ok bool) {
	var id stack.TransportEndpointID
	switch i := ep.Info().(type) {
	case *stack.TransportEndpointInfo:
		id = i.ID
	default:
		return p, false
	}
	if id.LocalPort == 0 {
		return p, false
	}
	address := func(a tcpip.Address, port uint16) netip.AddrPort {
		if !six {
			return netip.AddrPortFrom(netip.AddrFrom4(to4(a)), port)
		}
		return netip.AddrPortFrom(netip.AddrFrom16(to16(a)), port)
	}
	p.local, p.remote = address(id.LocalAddress, id.LocalPort), address(id.RemoteAddress, id.RemotePort)
	p.state = 7 // TCP_CLOSE, what is bound and no more
	if _, stream := ep.(*tcp.Endpoint); stream {
		if st := ep.State(); st <= 12 {
			p.state = int(st)
		}
	} else if id.RemotePort != 0 {
		p.state = 1
	}
	return p, true
}

func (s *Stack) procSockstat(b []byte) []byte {
	s.mu.Lock()
	streams, datagrams, raws := 0, 0, 0
	for _, k := range s.sockets {
		switch k.typ {
		case syscall.SOCK_STREAM:
			streams++
		case syscall.SOCK_DGRAM:
			datagrams++
		default:
			raws++
		}
	}
	s.mu.Unlock()
	return fmt.Appendf(b, "sockets: used %d\nTCP: inuse %d orphan 0 tw 0 alloc %d mem 0\nUDP: inuse %d mem 0\nUDPLITE: inuse 0\nRAW: inuse %d\nFRAG: inuse 0 memory 0\n",
		streams+datagrams+raws, streams, streams, datagrams, raws)
}
