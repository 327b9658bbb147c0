package usernet

import (
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// link is the wire to the guest. For the stack it carries IP packets between two
// ends: what Ethernet adds, the link does itself, with the one neighbour there is.
type link struct {
	n          *Network
	dispatcher atomic.Pointer[stack.NetworkDispatcher]
	guest      atomic.Uint64 // the guest's address, as it last used it

	mu     sync.Mutex
	filled sync.Cond // the queue has packets, or the link is closed
	space  sync.Cond // it has room again, or the guest is not waited for
	queue  []*stack.PacketBuffer
	size   int  // bytes in the queue, and those that are being written
	stuck  bool // the guest takes nothing: packets are dropped until it does
	closed bool
}

// queueSize is how many bytes may wait for QEMU to take them. The stack then
// waits, which slows down its peers without a loss. When the guest has taken
// nothing for patience, packets are dropped: it may itself be waiting for its own
// packets to be taken.
const (
	queueSize = 1 << 20
	patience  = time.Second
)

func newLink(n *Network) *link {
	l := &link{n: n}
	l.filled.L, l.space.L = &l.mu, &l.mu
	l.setGuest(n.config.GuestMAC)
	return l
}

func (l *link) setGuest(a HardwareAddr) {
	var b [8]byte
	copy(b[2:], a[:])
	if mac := binary.BigEndian.Uint64(b[:]); mac != l.guest.Load() {
		l.guest.Store(mac)
	}
}

func (l *link) guestMAC() (a HardwareAddr) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], l.guest.Load())
	copy(a[:], b[2:])
	return a
}

// read takes frames from the guest until there are no more.
func (l *link) read(conn net.Conn) error {
	frames := newFrameReader(conn)
	for {
		frame, err := frames.next()
		if err != nil {
			return err
		}
		l.take(frame)
	}
}

// take looks at a frame of the guest. What it does not know is dropped.
func (l *link) take(frame []byte) {
	if len(frame) < header.EthernetMinimumSize {
		return
	}
	eth := header.Ethernet(frame)
	var from HardwareAddr
	copy(from[:], frame[6:12])
	if from[0]&1 != 0 { // a group is no sender
		return
	}
	l.setGuest(from)
	packet := frame[header.EthernetMinimumSize:]
	switch eth.Type() {
	case header.ARPProtocolNumber:
		l.n.takeARP(packet)
	case header.IPv4ProtocolNumber:
		if !l.n.takeDHCP(packet) && forRouting4(packet) {
			l.deliver(eth.Type(), packet)
		}
	case header.IPv6ProtocolNumber:
		if !l.n.takeNeighbor(packet) && forRouting6(packet) {
			l.deliver(eth.Type(), packet)
		}
	}
}

// deliver gives a packet to the stack.
func (l *link) deliver(protocol tcpip.NetworkProtocolNumber, packet []byte) {
	d := l.dispatcher.Load()
	if d == nil {
		return
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
	defer pkt.DecRef()
	(*d).DeliverNetworkPacket(protocol, pkt)
}

// send puts a packet that starts with an IP header, or with that of ARP, on the
// wire.
func (l *link) send(to HardwareAddr, protocol tcpip.NetworkProtocolNumber, packet []byte) {
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{ReserveHeaderBytes: int(l.MaxHeaderLength()), Payload: buffer.MakeWithData(packet)})
	l.put(pkt, to, protocol)
	pkt.DecRef()
}

// put queues a packet with all that goes before it on the stream. It waits while
// the queue is full.
func (l *link) put(pkt *stack.PacketBuffer, to HardwareAddr, protocol tcpip.NetworkProtocolNumber) {
	size := header.EthernetMinimumSize + pkt.Size()
	h := pkt.LinkHeader().Push(frameLength + header.EthernetMinimumSize)
	binary.BigEndian.PutUint32(h, uint32(size))
	copy(h[4:], to[:])
	copy(h[10:], l.n.config.RouterMAC[:])
	binary.BigEndian.PutUint16(h[16:], uint16(protocol))

	l.mu.Lock()
	defer l.mu.Unlock()
	for l.size >= queueSize && !l.stuck && !l.closed {
		l.space.Wait()
	}
	if l.closed || l.size >= queueSize {
		return
	}
	l.queue = append(l.queue, pkt.IncRef())
	l.size += size
	if len(l.queue) == 1 {
		l.filled.Signal()
	}
}

// write writes what is queued, as much as there is at once.
func (l *link) write(conn net.Conn) {
	impatient := time.AfterFunc(patience, l.giveUp)
	defer impatient.Stop()
	var batch []*stack.PacketBuffer
	var slices net.Buffers
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.closed {
			impatient.Stop()
			l.filled.Wait()
		}
		if l.closed {
			l.mu.Unlock()
			return
		}
		batch, l.queue = l.queue, batch[:0]
		l.mu.Unlock()
		bytes := 0
		slices = slices[:0]
		for _, pkt := range batch {
			bytes += pkt.Size() - frameLength
			slices = append(slices, pkt.AsSlices()...)
		}
		impatient.Reset(patience)
		all := slices // WriteTo consumes it
		_, err := all.WriteTo(conn)
		for i, pkt := range batch {
			pkt.DecRef()
			batch[i] = nil
		}
		clear(slices)
		l.mu.Lock()
		l.size -= bytes
		l.stuck = false
		if err != nil {
			l.closed = true
		}
		l.mu.Unlock()
		l.space.Broadcast()
	}
}

// giveUp is called when the guest has taken nothing for too long.
func (l *link) giveUp() {
	l.mu.Lock()
	l.stuck = true
	l.mu.Unlock()
	l.space.Broadcast()
}

func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, pkt := range l.queue {
		pkt.DecRef()
	}
	l.queue = nil
	l.filled.Broadcast()
	l.space.Broadcast()
}

// The rest makes it a stack.LinkEndpoint.

// WritePackets sends packets of the stack to the guest.
func (l *link) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	to := l.guestMAC()
	for _, pkt := range pkts.AsSlice() {
		l.put(pkt, to, pkt.NetworkProtocolNumber)
	}
	return pkts.Len(), nil
}

// Capabilities: a byte that got here over a socket needs no checksum to be
// believed; one that goes to the guest has one, as the device cannot say
// otherwise.
func (l *link) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload
}

// MaxHeaderLength has room for what goes before a packet on the stream.
func (l *link) MaxHeaderLength() uint16 { return frameLength + header.EthernetMinimumSize }

func (l *link) MTU() uint32                             { return uint32(l.n.config.MTU) }
func (l *link) SetMTU(uint32)                           {}
func (l *link) LinkAddress() tcpip.LinkAddress          { return tcpip.LinkAddress(l.n.config.RouterMAC[:]) }
func (l *link) SetLinkAddress(tcpip.LinkAddress)        {}
func (l *link) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }
func (l *link) AddHeader(*stack.PacketBuffer)           {}
func (l *link) ParseHeader(*stack.PacketBuffer) bool    { return true }
func (l *link) Close()                                  {}
func (l *link) SetOnCloseAction(func())                 {}
func (l *link) Wait()                                   {}
func (l *link) IsAttached() bool                        { return l.dispatcher.Load() != nil }
func (l *link) Attach(dispatcher stack.NetworkDispatcher) {
	if dispatcher == nil {
		l.dispatcher.Store(nil)
		return
	}
	l.dispatcher.Store(&dispatcher)
}
