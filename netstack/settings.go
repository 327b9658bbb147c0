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
	filter    atomic.Uint32 // ICMP_FILTER: a bit for each type that is not wanted

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

// inherit gives an accepted connection what the listening socket l was told, as
// Linux does; the rest the stack has handed down.
func (k *sock) inherit(l *sock) {
	from, to := l.ep.SocketOptions(), k.ep.SocketOptions()
	if from.GetKeepAlive() {
		to.SetKeepAlive(true)
	}
	if !from.GetDelayOption() {
		to.SetDelayOption(false)
	}
	if from.GetLinger().Enabled {
		to.SetLinger(from.GetLinger())
	}
	if from.GetCorkOption() {
		to.SetCorkOption(true)
	}
	// Of the SYN, whatever its use.
	k.settings.note(syscall.IPPROTO_IP, syscall.IP_MULTICAST_TTL, defaultTTL)
	for _, o := range []tcpip.SockOptInt{tcpip.KeepaliveCountOption, tcpip.IPv4TOSOption, tcpip.IPv4TTLOption} {
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
