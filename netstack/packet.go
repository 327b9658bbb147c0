package netstack

import (
	"encoding/binary"
	"sync"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// packetFamily is AF_PACKET (packet(7)): frames of interfaces as they are. There are no
// rings in shared memory (PACKET_RX_RING), and no groups of sockets (PACKET_FANOUT).
type packetFamily struct{ s *Stack }

// PacketFamily returns the family of AF_PACKET.
func (s *Stack) PacketFamily() socket.Family { return packetFamily{s} }

// Socket implements socket.Family. The protocol is in network order.
func (f packetFamily) Socket(typ, protocol int) (socket.Socket, error) {
	if typ != syscall.SOCK_RAW && typ != syscall.SOCK_DGRAM {
		return nil, syscall.ESOCKTNOSUPPORT
	}
	k := &packetSocket{s: f.s, cooked: typ == syscall.SOCK_DGRAM, protocol: swap16(uint16(protocol)), limit: datagramDefault, options: map[int]int{}}
	if k.protocol != 0 {
		f.s.addTap(k)
	}
	return k, nil
}

func swap16(v uint16) uint16 { return v<<8 | v>>8 }

// ethernetAll is ETH_P_ALL.
const ethernetAll = 3

// packetSocket is a socket of AF_PACKET.
type packetSocket struct {
	s      *Stack
	cooked bool // of SOCK_DGRAM: without the header of the link
	queue  fs.WaitQueue

	mu          sync.Mutex
	protocol    uint16      // 0: nothing is to come
	nic         tcpip.NICID // 0: of all interfaces
	filter      filter
	memberships map[packetMembership]int
	options     map[int]int // of SOL_PACKET, and of SOL_SOCKET those that are only kept
	timestamp   int         // the option by which times are wanted, 0: they are not
	released    bool

	received []receivedFrame
	size     int // bytes of them
	limit    int // SO_RCVBUF
	stats    packetStats
}

// packetStats is struct tpacket_stats.
type packetStats struct{ packets, drops uint32 }

// receivedFrame is a frame that waits to be read.
type receivedFrame struct {
	data   []byte
	size   int // what it had before the filter
	sender []byte
	time   time.Time
	status uint32 // TP_STATUS_
}

// overhead is what a frame counts for besides its bytes, as a buffer of Linux does.
const overhead = 256

// wants reports whether a frame of a protocol is one for the socket: those that go out
// are for who wants all protocols. The caller holds mu.
func (k *packetSocket) wants(p *passing) bool {
	switch {
	case k.protocol == 0 || k.nic != 0 && k.nic != p.nic:
		return false
	case k.protocol == ethernetAll:
		return p.kind != packetOutgoing || k.options[packetIgnoreOutgoing] == 0
	}
	return k.protocol == p.proto && p.kind != packetOutgoing
}

// take puts a frame into the queue, if it is wanted and there is room.
func (k *packetSocket) take(p *passing, frame []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.wants(p) {
		return
	}
	data := frame
	if k.cooked {
		data = frame[ethernetHeader:]
	}
	keep := len(data)
	if k.filter != nil {
		seen := seenPacket{data, frame, p.proto, p.kind, uint32(p.nic), p.hardware}
		wanted := k.filter.run(&seen)
		if wanted == 0 {
			return
		}
		keep = int(min(uint64(wanted), uint64(keep)))
	}
	if keep == 0 {
		return
	}
	if k.released || k.size+keep+overhead > k.limit {
		k.stats.drops++
		return
	}
	k.stats.packets++
	r := receivedFrame{size: len(data), time: p.time}
	r.data = append(r.data, data[:keep]...)
	r.sender = linkAddress(p.proto, p.nic, p.hardware, p.kind, frame[nic.AddressLen:2*nic.AddressLen])
	if p.unsummed {
		r.status |= tpStatusUnsummed
	}
	if p.summed {
		r.status |= tpStatusSummed
	}
	k.received = append(k.received, r)
	k.size += keep + overhead
	k.queue.Wake(fs.PollIn | fs.PollRdNorm)
}

// sizeSockaddrLL is the length of struct sockaddr_ll, whose address is at the end.
const (
	sizeSockaddrLL = 20
	sockaddrLLAddr = 12
)

// linkAddress is a struct sockaddr_ll.
func linkAddress(proto uint16, id tcpip.NICID, hardware uint16, kind byte, addr []byte) []byte {
	b := binary.NativeEndian.AppendUint16(make([]byte, 0, sizeSockaddrLL), syscall.AF_PACKET)
	b = binary.BigEndian.AppendUint16(b, proto)
	b = binary.NativeEndian.AppendUint32(b, uint32(id))
	b = binary.NativeEndian.AppendUint16(b, hardware)
	b = append(b, kind, byte(len(addr)))
	b = append(b, addr...)
	return append(b, make([]byte, sizeSockaddrLL-len(b))...)
}

// Bind implements socket.Socket, like the methods that follow.
func (k *packetSocket) Bind(addr []byte) error {
	if len(addr) < sizeSockaddrLL || binary.NativeEndian.Uint16(addr) != syscall.AF_PACKET {
		return syscall.EINVAL
	}
	proto := binary.BigEndian.Uint16(addr[2:])
	id := tcpip.NICID(int32(binary.NativeEndian.Uint32(addr[4:])))
	if id != 0 && !k.s.HasNIC(id) {
		return syscall.ENODEV
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if proto != 0 {
		k.protocol = proto
	}
	k.nic = id
	if k.protocol != 0 && !k.released {
		k.s.addTap(k)
	}
	return nil
}

func (*packetSocket) Listen(int) error               { return syscall.EOPNOTSUPP }
func (*packetSocket) Accept() (socket.Socket, error) { return nil, syscall.EOPNOTSUPP }
func (*packetSocket) Connect([]byte) error           { return syscall.EOPNOTSUPP }
func (*packetSocket) Shutdown(int) error             { return syscall.EOPNOTSUPP }
func (*packetSocket) Peer() ([]byte, error)          { return nil, syscall.EOPNOTSUPP }

func (k *packetSocket) Release() {
	k.s.dropTap(k)
	k.mu.Lock()
	k.released, k.received = true, nil
	joined := k.memberships
	k.memberships = nil
	k.mu.Unlock()
	for m, n := range joined {
		for range n {
			k.s.leave(m)
		}
	}
}

func (k *packetSocket) Name() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, i := range k.s.Interfaces() {
		if i.Index == int(k.nic) {
			return linkAddress(k.protocol, k.nic, i.hardware(), 0, []byte(i.Address))[:sockaddrLLAddr+nic.AddressLen], nil
		}
	}
	return linkAddress(k.protocol, k.nic, 0, 0, nil)[:sockaddrLLAddr], nil
}

func (k *packetSocket) Poll(events uint32) (uint32, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := uint32(fs.PollOut | fs.PollWrNorm)
	if len(k.received) > 0 {
		now |= fs.PollIn | fs.PollRdNorm
	}
	return now & events, nil
}

func (k *packetSocket) Watch(w *fs.Waiter) bool {
	k.queue.Add(w, fs.PollReads|fs.PollWrites)
	return true
}

// Readable implements fs.ReadableFile: the length of the next frame.
func (k *packetSocket) Readable() (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.received) == 0 {
		return 0, nil
	}
	return len(k.received[0].data), nil
}

// Ioctl implements fs.IoctlFile.
func (k *packetSocket) Ioctl(cmd uint32, _ uint64, in, out []byte) (int32, int, error) {
	if cmd == syscall.TIOCOUTQ {
		binary.NativeEndian.PutUint32(out, 0) // what is sent is the device's at once
		return 0, 4, nil
	}
	return k.s.ioctl(cmd, in, out)
}

// Recv implements socket.Socket.
func (k *packetSocket) Recv(m *socket.Message) (int, error) {
	const known = msgPeek | msgTrunc | msgErrQueue | syscall.MSG_DONTWAIT | syscall.MSG_WAITALL
	flags := m.Flags
	m.Flags, m.Rights, m.Creds = 0, nil, nil
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case flags&^known != 0:
		return 0, syscall.EINVAL
	case flags&msgErrQueue != 0 || len(k.received) == 0:
		return 0, syscall.EAGAIN
	}
	r := &k.received[0]
	m.Addr = append(m.Addr[:0], r.sender...)
	b := newBuffers(m.Buffers)
	n, err := b.Write(r.data)
	if err != nil {
		m.Flags |= msgTrunc
		if flags&msgTrunc != 0 {
			n = len(r.data)
		}
	}
	k.appendControl(m, r)
	if flags&msgPeek == 0 {
		k.size -= len(r.data) + overhead
		k.received = k.received[1:]
	}
	return n, nil
}

// appendControl appends what was asked for of a frame: its time, and struct
// tpacket_auxdata.
func (k *packetSocket) appendControl(m *socket.Message, r *receivedFrame) {
	if k.timestamp != 0 {
		appendTimestamp(m, k.timestamp, r.time)
	}
	if k.options[packetAuxdata] == 0 {
		return
	}
	b := binary.NativeEndian.AppendUint32(nil, tpStatusUser|r.status)
	b = binary.NativeEndian.AppendUint32(b, uint32(r.size))
	b = binary.NativeEndian.AppendUint32(b, uint32(len(r.data)))
	network := uint16(ethernetHeader)
	if k.cooked {
		network = 0
	}
	b = binary.NativeEndian.AppendUint16(b, 0) // where the header of the link is
	b = binary.NativeEndian.AppendUint16(b, network)
	appendCmsg(m, solPacket, packetAuxdata, append(b, 0, 0, 0, 0))
}

// Send implements socket.Socket.
func (k *packetSocket) Send(m *socket.Message) (int, error) {
	if m.Flags&msgOOB != 0 {
		return 0, syscall.EOPNOTSUPP
	}
	k.mu.Lock()
	id, proto := k.nic, k.protocol
	k.mu.Unlock()
	var to []byte
	if m.Addr != nil {
		if len(m.Addr) < sizeSockaddrLL || int(m.Addr[11]) > len(m.Addr)-sockaddrLLAddr {
			return 0, syscall.EINVAL
		}
		proto = binary.BigEndian.Uint16(m.Addr[2:])
		id = tcpip.NICID(int32(binary.NativeEndian.Uint32(m.Addr[4:])))
		to = m.Addr[sockaddrLLAddr:][:m.Addr[11]]
	}
	out := k.s.linkOf(id)
	switch {
	case out == nil:
		return 0, syscall.ENXIO
	case !k.s.CheckNIC(id):
		return 0, syscall.ENETDOWN
	}
	size := m.Size()
	room := out.mtu() + ethernetHeader
	frame := make([]byte, 0, min(size, room)+ethernetHeader)
	if k.cooked {
		room = out.mtu()
		if len(to) < nic.AddressLen && !out.loops() {
			return 0, syscall.EINVAL
		}
		frame = append(frame, append(to[:len(to):len(to)], make([]byte, nic.AddressLen)...)[:nic.AddressLen]...)
		frame = append(frame, out.address()...)
		frame = binary.BigEndian.AppendUint16(frame, proto)
	} else if size < ethernetHeader {
		return 0, syscall.EINVAL
	}
	if size > room {
		return 0, syscall.EMSGSIZE
	}
	for _, b := range m.Buffers {
		frame = append(frame, b...)
	}
	if !out.send(frame, k) {
		return 0, syscall.ENOBUFS
	}
	return size, nil
}

// outlet is an interface that frames can be given to.
type outlet interface {
	mtu() int
	mostMTU() int
	address() []byte
	loops() bool
	send(frame []byte, sender *packetSocket) bool
}

// linkOf is that of an interface; nil: there is none such.
func (s *Stack) linkOf(id tcpip.NICID) outlet {
	if id == loopbackID {
		return loopOutlet{s.loop}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		if l.id == id {
			return linkOutlet{l}
		}
	}
	return nil
}

type linkOutlet struct{ l *link }

func (o linkOutlet) mtu() int     { return int(o.l.MTU()) }
func (o linkOutlet) mostMTU() int { return o.l.dev.MTU() }
func (o linkOutlet) address() []byte {
	a := o.l.dev.Address()
	return a[:]
}
func (o linkOutlet) loops() bool { return false }
func (o linkOutlet) send(frame []byte, sender *packetSocket) bool {
	return o.l.sendRaw(frame, sender)
}

type loopOutlet struct{ l *loopLink }

func (o loopOutlet) mtu() int        { return int(o.l.MTU()) }
func (o loopOutlet) mostMTU() int    { return loopMTU }
func (o loopOutlet) address() []byte { return loopAddress[:] }
func (o loopOutlet) loops() bool     { return true }
func (o loopOutlet) send(frame []byte, sender *packetSocket) bool {
	o.l.inject(frame, sender)
	return true
}
