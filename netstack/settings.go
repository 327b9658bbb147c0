package netstack

import (
	"sync"
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// settings are the options of a socket that the stack does not know of.
type settings struct {
	timestamp atomic.Int32  // the option by which times are wanted, 0: they are not
	segment   atomic.Int32  // UDP_SEGMENT, in bytes
	together  atomic.Bool   // UDP_GRO, see recvTogether
	reading   sync.Mutex    // of who receives, while it is set
	shut      atomic.Bool   // nothing more is to be sent
	copies    atomic.Uint32 // messages of MSG_ZEROCOPY

	program atomic.Pointer[filter] // SO_ATTACH_FILTER
	locked  atomic.Bool            // SO_LOCK_FILTER
	// IP_PKTINFO and IPV6_RECVPKTINFO: what comes by IPv4 counts for both.
	pktinfo4, pktinfo6 atomic.Bool

	mu     sync.Mutex
	noted  map[optionKey]int // those that are only remembered
	groups []tcpip.MembershipOption
}

type optionKey struct{ level, name int }

func (s *settings) note(level, name, v int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted == nil {
		s.noted = map[optionKey]int{}
	}
	s.noted[optionKey{level, name}] = v
}

func (s *settings) get(level, name, def int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.noted[optionKey{level, name}]; ok {
		return v
	}
	return def
}

// wantPacketInfo has the stack say where datagrams have come, if anybody wants to know.
func (k *sock) wantPacketInfo() {
	four, six := k.settings.pktinfo4.Load(), k.settings.pktinfo6.Load()
	k.ep.SocketOptions().SetReceivePacketInfo(four || six)
	k.ep.SocketOptions().SetIPv6ReceivePacketInfo(six)
}

// inherit gives an accepted connection what the listening socket l was told, as
// Linux does; the rest the stack has handed down.
func (k *sock) inherit(l *sock) {
	from, to := l.ep.SocketOptions(), k.ep.SocketOptions()
	for _, o := range []struct {
		get func(*tcpip.SocketOptions) bool
		set func(*tcpip.SocketOptions, bool)
	}{
		{(*tcpip.SocketOptions).GetKeepAlive, (*tcpip.SocketOptions).SetKeepAlive},
		{(*tcpip.SocketOptions).GetDelayOption, (*tcpip.SocketOptions).SetDelayOption},
		{(*tcpip.SocketOptions).GetReuseAddress, (*tcpip.SocketOptions).SetReuseAddress},
		{(*tcpip.SocketOptions).GetReusePort, (*tcpip.SocketOptions).SetReusePort},
		{(*tcpip.SocketOptions).GetBroadcast, (*tcpip.SocketOptions).SetBroadcast},
		{(*tcpip.SocketOptions).GetMulticastLoop, (*tcpip.SocketOptions).SetMulticastLoop},
		{(*tcpip.SocketOptions).GetReceiveTTL, (*tcpip.SocketOptions).SetReceiveTTL},
		{(*tcpip.SocketOptions).GetReceiveTOS, (*tcpip.SocketOptions).SetReceiveTOS},
		{(*tcpip.SocketOptions).GetIPv4RecvError, (*tcpip.SocketOptions).SetIPv4RecvError},
		{(*tcpip.SocketOptions).GetReceiveOriginalDstAddress, (*tcpip.SocketOptions).SetReceiveOriginalDstAddress},
		{(*tcpip.SocketOptions).GetReceiveHopLimit, (*tcpip.SocketOptions).SetReceiveHopLimit},
		{(*tcpip.SocketOptions).GetReceiveTClass, (*tcpip.SocketOptions).SetReceiveTClass},
		{(*tcpip.SocketOptions).GetIPv6RecvError, (*tcpip.SocketOptions).SetIPv6RecvError},
	} {
		if on := o.get(from); on != o.get(to) {
			o.set(to, on)
		}
	}
	k.settings.timestamp.Store(l.settings.timestamp.Load())
	k.settings.pktinfo4.Store(l.settings.pktinfo4.Load())
	k.settings.pktinfo6.Store(l.settings.pktinfo6.Load())
	if from.GetLinger().Enabled {
		to.SetLinger(from.GetLinger())
	}
	if from.GetCorkOption() {
		to.SetCorkOption(true)
	}
	// Of the SYN, whatever its use.
	k.settings.note(syscall.IPPROTO_IP, syscall.IP_MULTICAST_TTL, defaultTTL)
	for _, o := range []tcpip.SockOptInt{tcpip.KeepaliveCountOption, tcpip.IPv4TOSOption, tcpip.IPv4TTLOption, tcpip.IPv6TrafficClassOption, tcpip.IPv6HopLimitOption} {
		if v, err := l.ep.GetSockOptInt(o); err == nil {
			_ = k.ep.SetSockOptInt(o, v) // one that l has, it takes
		}
	}
	var idle tcpip.KeepaliveIdleOption
	if l.ep.GetSockOpt(&idle) == nil {
		_ = k.ep.SetSockOpt(&idle)
	}
	var interval tcpip.KeepaliveIntervalOption
	if l.ep.GetSockOpt(&interval) == nil {
		_ = k.ep.SetSockOpt(&interval)
	}
	var timeout tcpip.TCPUserTimeoutOption
	if l.ep.GetSockOpt(&timeout) == nil {
		_ = k.ep.SetSockOpt(&timeout)
	}
	l.settings.mu.Lock()
	defer l.settings.mu.Unlock()
	for key, v := range l.settings.noted {
		if key.level != syscall.IPPROTO_TCP || key.name != tcpFastOpen {
			k.settings.note(key.level, key.name, v)
		}
	}
}
