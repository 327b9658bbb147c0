package netstack

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// netlink is the family AF_NETLINK (netlink(7)), of which there is NETLINK_ROUTE
// (rtnetlink(7)): what is asked for is answered at once, and groups are told of changes.
type netlink struct {
	s    *Stack
	last atomic.Uint32 // port that was given last
}

// NetlinkFamily returns the family of AF_NETLINK.
func (s *Stack) NetlinkFamily() socket.Family { return &netlink{s: s} }

// Socket implements socket.Family.
func (f *netlink) Socket(typ, protocol int) (socket.Socket, error) {
	if typ != syscall.SOCK_RAW && typ != syscall.SOCK_DGRAM {
		return nil, syscall.ESOCKTNOSUPPORT
	}
	if protocol != syscall.NETLINK_ROUTE {
		return nil, syscall.EPROTONOSUPPORT
	}
	return &netlinkSocket{f: f, options: map[int]int{}}, nil
}

// netlinkSocket is a socket of NETLINK_ROUTE.
type netlinkSocket struct {
	f     *netlink
	queue fs.WaitQueue

	mu      sync.Mutex
	port    uint32 // nl_pid; 0: none yet
	groups  uint32
	peer    uint32
	replies []netlinkMessage
	lost    bool // there was no room for one of a group: ENOBUFS
	options map[int]int
}

// netlinkMessage is a datagram that waits to be read.
type netlinkMessage struct {
	data   []byte
	groups uint32 // to whom it went; 0: to this socket
}

// Limits: of one datagram, which is what the readers of package syscall have room for,
// and of those that wait to be read.
const (
	netlinkDatagram = 4096
	netlinkWaiting  = 256
)

const sizeSockaddrNetlink = 12

func netlinkAddress(port, groups uint32) []byte {
	b := binary.NativeEndian.AppendUint16(nil, syscall.AF_NETLINK)
	b = append(b, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, port)
	return binary.NativeEndian.AppendUint32(b, groups)
}

func parseNetlinkAddress(b []byte) (port, groups uint32, err error) {
	if len(b) < sizeSockaddrNetlink || binary.NativeEndian.Uint16(b) != syscall.AF_NETLINK {
		return 0, 0, syscall.EINVAL
	}
	return binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:]), nil
}

// bind gives the socket a port, if it has none. The caller holds mu.
func (k *netlinkSocket) bind(port uint32) {
	if k.port == 0 {
		if port == 0 {
			port = k.f.last.Add(1)
		}
		k.port = port
	}
}

// Bind implements socket.Socket, like the methods that follow.
func (k *netlinkSocket) Bind(addr []byte) error {
	port, groups, err := parseNetlinkAddress(addr)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.port != 0 && port != 0 && port != k.port {
		return syscall.EINVAL
	}
	k.bind(port)
	k.join(groups)
	return nil
}

// join sets the groups of the socket. The caller holds mu.
func (k *netlinkSocket) join(groups uint32) {
	k.groups = groups
	if groups != 0 {
		k.mu.Unlock() // who publishes has the locks the other way round
		k.f.s.subscribe(k)
		k.mu.Lock()
	}
}

// hear takes messages for a group.
func (k *netlinkSocket) hear(group uint32, list [][]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.groups&group == 0 {
		return
	}
	for _, m := range list {
		if len(k.replies) >= netlinkWaiting {
			k.lost = true
			break
		}
		k.replies = append(k.replies, netlinkMessage{m, group})
	}
	k.queue.Wake(fs.PollIn | fs.PollRdNorm)
}

func (k *netlinkSocket) Connect(addr []byte) error {
	if family, err := addressFamily(addr); err == nil && family == syscall.AF_UNSPEC {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.peer = 0
		return nil
	}
	port, _, err := parseNetlinkAddress(addr)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bind(0)
	k.peer = port
	return nil
}

func (*netlinkSocket) Listen(int) error               { return syscall.EOPNOTSUPP }
func (*netlinkSocket) Accept() (socket.Socket, error) { return nil, syscall.EOPNOTSUPP }
func (*netlinkSocket) Shutdown(int) error             { return syscall.EOPNOTSUPP }
func (k *netlinkSocket) Release()                     { k.f.s.unsubscribe(k) }

func (k *netlinkSocket) Name() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return netlinkAddress(k.port, k.groups), nil
}

func (k *netlinkSocket) Peer() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return netlinkAddress(k.peer, 0), nil
}

func (k *netlinkSocket) Poll(events uint32) (uint32, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := uint32(fs.PollOut | fs.PollWrNorm)
	if len(k.replies) > 0 || k.lost {
		now |= fs.PollIn | fs.PollRdNorm
	}
	return now & events, nil
}

func (k *netlinkSocket) Watch(w *fs.Waiter) bool {
	k.queue.Add(w, fs.PollReads|fs.PollWrites)
	return true
}

func (k *netlinkSocket) Send(m *socket.Message) (int, error) {
	if m.Flags&msgOOB != 0 {
		return 0, syscall.EOPNOTSUPP
	}
	if m.Addr != nil {
		port, _, err := parseNetlinkAddress(m.Addr)
		if err != nil {
			return 0, err
		}
		if port != 0 {
			return 0, syscall.ECONNREFUSED // another program's
		}
	}
	var request []byte
	for _, b := range m.Buffers {
		request = append(request, b...)
	}
	k.mu.Lock()
	if len(k.replies) >= netlinkWaiting {
		k.mu.Unlock()
		return 0, syscall.ENOBUFS
	}
	k.bind(0)
	port := k.port
	k.mu.Unlock()
	for left := request; len(left) >= sizeNlmsghdr; {
		n := int(binary.NativeEndian.Uint32(left))
		if n < sizeNlmsghdr || n > len(left) {
			break
		}
		answers := k.f.s.answer(left[:n], port)
		k.mu.Lock()
		for _, m := range answers {
			k.replies = append(k.replies, netlinkMessage{data: m})
		}
		k.mu.Unlock()
		left = left[min(align4(n), len(left)):]
	}
	k.queue.Wake(fs.PollIn | fs.PollRdNorm)
	return len(request), nil
}

func (k *netlinkSocket) Recv(m *socket.Message) (int, error) {
	flags := m.Flags
	m.Flags, m.Rights, m.Creds = 0, nil, nil
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case flags&msgErrQueue != 0:
		return 0, syscall.EAGAIN
	case k.lost:
		k.lost = false
		return 0, syscall.ENOBUFS
	case len(k.replies) == 0:
		return 0, syscall.EAGAIN
	}
	reply := k.replies[0].data
	m.Addr = append(m.Addr[:0], netlinkAddress(0, k.replies[0].groups)...)
	if flags&msgPeek == 0 {
		k.replies = k.replies[1:]
	}
	b := newBuffers(m.Buffers)
	n, err := b.Write(reply)
	if err != nil {
		m.Flags |= msgTrunc
		if flags&msgTrunc != 0 {
			n = len(reply)
		}
	}
	return n, nil
}

// Options of SOL_NETLINK.
const (
	solNetlink            = 270
	netlinkAddMembership  = 1
	netlinkDropMembership = 2
	netlinkGroups         = 32 // how many there may be here
)

func (k *netlinkSocket) Option(level, name int, dst []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.options[level<<16|name]
	if !ok {
		switch {
		case level == solNetlink:
		case level == syscall.SOL_SOCKET && (name == syscall.SO_RCVBUF || name == syscall.SO_SNDBUF):
			v = datagramDefault
		case level == syscall.SOL_SOCKET && (name == syscall.SO_ERROR || name == syscall.SO_PASSCRED || name == syscall.SO_REUSEADDR || name == syscall.SO_ACCEPTCONN):
		default:
			return 0, syscall.ENOPROTOOPT
		}
	}
	return copy(dst, binary.NativeEndian.AppendUint32(nil, uint32(v))), nil
}

func (k *netlinkSocket) SetOption(level, name int, value []byte) error {
	v, err := intValue(value)
	if err != nil {
		return err
	}
	switch {
	case level == solNetlink:
	case level == syscall.SOL_SOCKET:
		switch name {
		case syscall.SO_RCVBUF, syscall.SO_SNDBUF, syscall.SO_RCVBUFFORCE, syscall.SO_SNDBUFFORCE, syscall.SO_PASSCRED, syscall.SO_REUSEADDR, syscall.SO_PRIORITY, syscall.SO_MARK:
		default:
			return syscall.ENOPROTOOPT
		}
	default:
		return syscall.ENOPROTOOPT
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if level == solNetlink && (name == netlinkAddMembership || name == netlinkDropMembership) {
		if v < 1 || v > netlinkGroups {
			return syscall.EINVAL
		}
		bit := uint32(1) << (v - 1)
		if name == netlinkAddMembership {
			k.join(k.groups | bit)
		} else {
			k.groups &^= bit
		}
		return nil
	}
	k.options[level<<16|name] = v
	return nil
}
