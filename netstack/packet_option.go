package netstack

import (
	"encoding/binary"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/drivers/nic"
)

// Options of SOL_PACKET (linux/if_packet.h).
const (
	solPacket            = 263
	packetAddMembership  = 1
	packetDropMembership = 2
	packetStatistics     = 6
	packetAuxdata        = 8
	packetOrigdev        = 9
	packetQdiscBypass    = 20
	packetIgnoreOutgoing = 23

	packetMrMulticast = 0
	packetMrPromisc   = 1
	packetMrAllmulti  = 2

	tpStatusUser     = 1 << 0
	tpStatusUnsummed = 1 << 3 // TP_STATUS_CSUMNOTREADY
	tpStatusSummed   = 1 << 7 // TP_STATUS_CSUM_VALID
)

// packetMembership is what frames an interface is to deliver besides its own: struct
// packet_mreq.
type packetMembership struct {
	nic  tcpip.NICID
	kind uint16
	addr nic.Address
}

func parsePacketMreq(b []byte) (m packetMembership, err error) {
	const size = 16
	if len(b) < size {
		return m, syscall.EINVAL
	}
	m.nic = tcpip.NICID(int32(binary.NativeEndian.Uint32(b)))
	if m.kind = binary.NativeEndian.Uint16(b[4:]); m.kind == packetMrMulticast || m.kind > packetMrAllmulti {
		if n := binary.NativeEndian.Uint16(b[6:]); int(n) != nic.AddressLen {
			return m, syscall.EINVAL
		}
		copy(m.addr[:], b[8:])
	}
	return m, nil
}

// SetOption implements socket.Socket, like Option.
func (k *packetSocket) SetOption(level, name int, value []byte) error {
	switch {
	case level == solPacket && (name == packetAddMembership || name == packetDropMembership):
		m, err := parsePacketMreq(value)
		if err != nil {
			return err
		}
		return k.membership(name == packetAddMembership, m)
	case level == syscall.SOL_SOCKET && name == syscall.SO_ATTACH_FILTER:
		f, err := parseFilter(value)
		if err != nil {
			return err
		}
		k.mu.Lock()
		k.filter = f
		k.mu.Unlock()
		return nil
	}
	v, err := intValue(value)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case level == solPacket:
		switch name {
		case packetAuxdata, packetOrigdev, packetIgnoreOutgoing, packetQdiscBypass:
			k.options[name] = int(boolInt(v != 0))
			return nil
		}
		return syscall.ENOPROTOOPT
	case level != syscall.SOL_SOCKET:
		return syscall.ENOPROTOOPT
	}
	switch name {
	case syscall.SO_DETACH_FILTER:
		if k.filter == nil {
			return syscall.ENOENT
		}
		k.filter = nil
	case syscall.SO_RCVBUF, syscall.SO_RCVBUFFORCE:
		k.limit = int(bufferSize(v, bufferMin, bufferMaxMax))
	case syscall.SO_TIMESTAMP, soTimestampNS, soTimestampNew, soTimestampNSNew:
		if k.timestamp = name; v == 0 {
			k.timestamp = 0
		}
	case syscall.SO_SNDBUF, syscall.SO_SNDBUFFORCE, syscall.SO_BROADCAST, syscall.SO_REUSEADDR, syscall.SO_PRIORITY, syscall.SO_MARK, soBusyPoll:
		k.options[syscall.SOL_SOCKET<<16|name] = v
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

func (k *packetSocket) Option(level, name int, dst []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := 0
	switch {
	case level == solPacket && name == packetStatistics:
		b := binary.NativeEndian.AppendUint32(nil, k.stats.packets+k.stats.drops)
		b = binary.NativeEndian.AppendUint32(b, k.stats.drops)
		k.stats = packetStats{} // they count since they were asked for
		return copy(dst, b), nil
	case level == solPacket && (name == packetAuxdata || name == packetOrigdev || name == packetIgnoreOutgoing || name == packetQdiscBypass):
		v = k.options[name]
	case level != syscall.SOL_SOCKET:
		return 0, syscall.ENOPROTOOPT
	default:
		switch name {
		case soProtocol, syscall.SO_ERROR, syscall.SO_ACCEPTCONN:
		case syscall.SO_RCVBUF:
			v = k.limit
		case syscall.SO_TIMESTAMP, soTimestampNS, soTimestampNew, soTimestampNSNew:
			v = int(boolInt(k.timestamp == name))
		case syscall.SO_SNDBUF, syscall.SO_BROADCAST, syscall.SO_REUSEADDR, syscall.SO_PRIORITY, syscall.SO_MARK, soBusyPoll:
			var ok bool
			if v, ok = k.options[syscall.SOL_SOCKET<<16|name]; !ok && name == syscall.SO_SNDBUF {
				v = datagramDefault
			}
		default:
			return 0, syscall.ENOPROTOOPT
		}
	}
	return copy(dst, binary.NativeEndian.AppendUint32(nil, uint32(v))), nil
}

// membership begins or ends one.
func (k *packetSocket) membership(add bool, m packetMembership) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case !add && k.memberships[m] == 0: // nobody is told, as on Linux
	case !add:
		if k.memberships[m]--; k.memberships[m] == 0 {
			delete(k.memberships, m)
		}
		k.s.leave(m)
	case !k.s.HasNIC(m.nic):
		return syscall.ENODEV
	case m.kind > packetMrAllmulti:
		return syscall.EINVAL
	default:
		if k.memberships == nil {
			k.memberships = map[packetMembership]int{}
		}
		k.memberships[m]++
		k.s.join(m)
	}
	return nil
}

// join and leave count who wants all frames of an interface. Those to groups are
// delivered in any case.
func (s *Stack) join(m packetMembership) { s.promiscuous(m, 1) }

func (s *Stack) leave(m packetMembership) { s.promiscuous(m, -1) }

func (s *Stack) promiscuous(m packetMembership, n int) {
	if m.kind != packetMrPromisc {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		if l.id != m.nic {
			continue
		}
		was := l.promiscuous > 0
		l.promiscuous += n
		if is := l.promiscuous > 0; is != was {
			_ = l.dev.SetFilter(nic.Filter{AllMulticast: true, Promiscuous: is}) // what it lacks does not come
		}
	}
}
