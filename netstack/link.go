package netstack

import (
	"fmt"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/yolkos/yolk/drivers/nic"
)

// link is a network card as the stack sees it (stack.LinkEndpoint), and the stack as
// the card sees it (nic.Stack).
//
// The stack makes the checksums of what is not segmented itself. To leave them to the
// device (CapabilityTXChecksumOffload) would leave those of fragments out, which the
// device cannot make, and those of segments without data, which the stack does not
// prepare.
type link struct {
	s      *Stack
	id     tcpip.NICID
	name   string
	dev    nic.Device
	offers nic.Offloads
	queues []sendQueue

	// The stack asks for each packet that comes whether the interface has verified
	// its checksum, and cards verify some frames: while one that was not is
	// delivered, doubted is set and no other is.
	delivery sync.RWMutex
	doubted  atomic.Bool

	to  atomic.Pointer[stack.NetworkDispatcher]
	tap atomic.Pointer[func(frame []byte)] // gets frames of DHCP, see dhcp.go
	mtu atomic.Uint32
	up  atomic.Bool

	changed func(up bool) // is told of the link; may be nil

	promiscuous int // how many want all frames; the Stack's lock
}

// newLink makes the link of a device.
func newLink(s *Stack, id tcpip.NICID, name string, dev nic.Device) *link {
	l := &link{s: s, id: id, name: name, dev: dev, offers: dev.Offloads(), queues: make([]sendQueue, max(dev.Queues(), 1))}
	for i := range l.queues {
		l.queues[i].link, l.queues[i].number = l, i
	}
	l.mtu.Store(uint32(dev.MTU()))
	l.up.Store(dev.Link())
	return l
}

// start has the device deliver.
func (l *link) start() error {
	if err := l.dev.Start(l); err != nil {
		return fmt.Errorf("%s: %w", l.dev.Name(), err)
	}
	if err := l.dev.SetFilter(nic.Filter{AllMulticast: true}); err != nil {
		return fmt.Errorf("%s: what it is to deliver: %w", l.dev.Name(), err)
	}
	return nil
}

// MTU implements stack.LinkEndpoint, like the methods that follow.
func (l *link) MTU() uint32 { return l.mtu.Load() }

func (l *link) SetMTU(mtu uint32) {
	l.mtu.Store(min(max(mtu, header.IPv4MinimumMTU), uint32(l.dev.MTU())))
}

func (*link) MaxHeaderLength() uint16 { return header.EthernetMinimumSize }

func (l *link) LinkAddress() tcpip.LinkAddress {
	a := l.dev.Address()
	return tcpip.LinkAddress(a[:])
}

func (*link) SetLinkAddress(tcpip.LinkAddress) {}

func (l *link) Capabilities() stack.LinkEndpointCapabilities {
	c := stack.CapabilityResolutionRequired
	if l.offers.ReceiveChecksum && !l.doubted.Load() {
		c |= stack.CapabilityRXChecksumOffload
	}
	return c
}

func (l *link) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		l.to.Store(nil)
		return
	}
	l.to.Store(&d)
}

func (l *link) IsAttached() bool { return l.to.Load() != nil }

func (*link) Wait() {}

func (*link) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareEther }

func (*link) Close() {}

func (*link) SetOnCloseAction(func()) {}

func (l *link) AddHeader(p *stack.PacketBuffer) {
	header.Ethernet(p.LinkHeader().Push(header.EthernetMinimumSize)).Encode(&header.EthernetFields{
		SrcAddr: p.EgressRoute.LocalLinkAddress,
		DstAddr: p.EgressRoute.RemoteLinkAddress,
		Type:    p.NetworkProtocolNumber,
	})
}

func (*link) ParseHeader(p *stack.PacketBuffer) bool {
	_, ok := p.LinkHeader().Consume(header.EthernetMinimumSize)
	return ok
}

// GSOMaxSize and SupportedGSO implement stack.GSOEndpoint.
func (*link) GSOMaxSize() uint32 { return maxSegmented }

func (l *link) SupportedGSO() stack.SupportedGSO {
	if l.offers.Checksum && l.offers.TSO4 && l.offers.TSO6 {
		return stack.HostGSOSupported
	}
	return stack.GVisorGSOSupported
}

// maxSegmented is the longest IP packet that is left to be segmented.
const maxSegmented = 65535

// WritePackets implements stack.LinkWriter.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	n := 0
	for _, p := range list.AsSlice() {
		q := &l.queues[int(p.Hash)%len(l.queues)]
		f := l.frame(p)
		if l.s.tapped() {
			l.passOut(&f, nil)
		}
		if !q.put(f) {
			return n, &tcpip.ErrNoBufferSpace{}
		}
		n++
	}
	return n, nil
}

// held is a reference to a packet whose bytes the device reads.
type held struct{ packet *stack.PacketBuffer }

func (h held) Release() { h.packet.DecRef() }

// frame is a packet as the device takes it.
func (l *link) frame(p *stack.PacketBuffer) nic.Frame {
	f := nic.Frame{Data: p.AsSlices(), Owner: held{p.IncRef()}}
	g := &p.GSOOptions
	if g.Type != stack.GSOTCPv4 && g.Type != stack.GSOTCPv6 || !g.NeedsCsum {
		return f
	}
	f.NeedsChecksum = true
	f.ChecksumStart = header.EthernetMinimumSize + uint16(len(p.NetworkHeader().Slice()))
	f.ChecksumOffset = g.CsumOffset
	headers := f.ChecksumStart + uint16(len(p.TransportHeader().Slice()))
	if p.Data().Size() > int(g.MSS) && g.MSS > 0 {
		f.GSO, f.GSOSize, f.GSOHeader = nic.GSOTCPv4, g.MSS, headers
		if g.Type == stack.GSOTCPv6 {
			f.GSO = nic.GSOTCPv6
		}
	}
	return f
}

// sendQueue collects frames while others are being given to the device, which then
// gets them at once, with one notification.
type sendQueue struct {
	link   *link
	number int

	mu      sync.Mutex
	waiting []nic.Frame
	spare   []nic.Frame
	busy    bool // somebody gives frames to the device, or waits for room there
}

// sendQueueLength is how many frames may wait; more are refused (txqueuelen).
const sendQueueLength = 4096

// put sends a frame. False: too many wait, and it is dropped.
func (q *sendQueue) put(f nic.Frame) bool {
	q.mu.Lock()
	if len(q.waiting) >= sendQueueLength {
		q.mu.Unlock()
		f.Owner.Release()
		return false
	}
	q.waiting = append(q.waiting, f)
	if q.busy {
		q.mu.Unlock()
		return true
	}
	q.busy = true
	q.send()
	return true
}

// send gives the device what waits. The caller holds mu, and has set busy.
func (q *sendQueue) send() {
	for len(q.waiting) > 0 {
		batch := q.waiting
		q.waiting = q.spare[:0]
		q.mu.Unlock()
		n, err := q.link.dev.Send(q.number, batch)
		q.mu.Lock()
		if err != nil {
			n = len(batch) // it has dropped them
		}
		left := append(batch[:0:0], batch[n:]...)
		clear(batch)
		q.spare = batch[:0]
		if len(left) > 0 {
			q.waiting = append(left, q.waiting...)
			q.mu.Unlock()
			go q.resume()
			return
		}
	}
	q.busy = false
	q.mu.Unlock()
}

// resume goes on when the device has room again.
func (q *sendQueue) resume() {
	<-q.link.dev.Room(q.number)
	q.mu.Lock()
	q.send()
}

// room is a buffer for frames that are received: memory of the stack's own pools.
type room struct {
	view *buffer.View
	mem  []byte
}

func (r *room) Bytes() []byte { return r.mem }

func (r *room) Release() {
	r.view.Release()
	r.view = nil
}

// Alloc implements nic.Stack, like the methods that follow.
func (*link) Alloc(size int) nic.Buffer {
	v := buffer.NewViewSize(size)
	return &room{v, v.AsSlice()}
}

// copyBelow: what takes less than one part in so many of its buffer is copied, so that
// what a program does not read takes not many times its memory.
const copyBelow = 4

// essential is how long a frame without data is at most, which makes connections go on,
// and end: Ethernet, IPv6 and TCP with all options.
const essential = header.EthernetMinimumSize + header.IPv6MinimumSize + header.TCPHeaderMaximumSize

func (l *link) Receive(_ int, frames []nic.Received) {
	to := l.to.Load()
	for i := range frames {
		f := &frames[i]
		head := f.Parts[0].Bytes()
		if to == nil || len(head) < header.EthernetMinimumSize {
			f.Release()
			continue
		}
		if n := f.Len(); l.s.memory.took(n) == memoryOut && n > essential {
			f.Release()
			continue
		}
		if l.s.tapped() {
			l.passIn(f)
		}
		if tap := l.tap.Load(); tap != nil && isDHCP(head) {
			(*tap)(flatten(f))
			f.Release()
			continue
		}
		l.deliver(*to, f)
	}
}

// deliver gives a frame to the stack.
func (l *link) deliver(to stack.NetworkDispatcher, f *nic.Received) {
	var b buffer.Buffer
	for _, p := range f.Parts {
		r := p.Buffer.(*room)
		if p.Len*copyBelow < len(r.mem) {
			_ = b.Append(buffer.NewViewWithData(p.Bytes())) // fails for nil only
			r.Release()
			continue
		}
		r.view.TrimFront(p.Offset)
		r.view.CapLength(p.Len)
		_ = b.Append(r.view)
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: b})
	defer p.DecRef()
	if !l.ParseHeader(p) {
		return
	}
	eth := header.Ethernet(p.LinkHeader().Slice())
	switch l.kindOf(eth) {
	case packetBroadcast:
		p.PktType = tcpip.PacketBroadcast
	case packetMulticast:
		p.PktType = tcpip.PacketMulticast
	case packetHost:
		p.PktType = tcpip.PacketHost
	default:
		return // it is for those alone who look at all frames
	}
	switch {
	case !l.offers.ReceiveChecksum:
		to.DeliverNetworkPacket(eth.Type(), p)
	case (f.NeedsChecksum || f.ChecksumValid) && intactIPv4(eth.Type(), p):
		l.delivery.RLock()
		defer l.delivery.RUnlock()
		to.DeliverNetworkPacket(eth.Type(), p)
	default:
		l.delivery.Lock()
		defer l.delivery.Unlock()
		l.doubted.Store(true)
		defer l.doubted.Store(false)
		to.DeliverNetworkPacket(eth.Type(), p)
	}
}

// intactIPv4 reports whether a header of IPv4 is what was sent: the checksum that a
// card verifies is that of the transport.
func intactIPv4(proto tcpip.NetworkProtocolNumber, p *stack.PacketBuffer) bool {
	if proto != header.IPv4ProtocolNumber {
		return true
	}
	b, ok := p.Data().PullUp(header.IPv4MinimumSize)
	if !ok {
		return false
	}
	n := int(header.IPv4(b).HeaderLength())
	if b, ok = p.Data().PullUp(max(n, header.IPv4MinimumSize)); !ok {
		return false
	}
	return header.IPv4(b).IsChecksumValid()
}

// flatten copies a frame.
func flatten(f *nic.Received) []byte {
	b := make([]byte, 0, f.Len())
	for _, p := range f.Parts {
		b = append(b, p.Bytes()...)
	}
	return b
}

func (l *link) LinkChanged(up bool) {
	if l.up.Swap(up) != up && l.changed != nil {
		l.changed(up)
	}
}

// sendRaw sends a frame that was made here, or by a socket. False: there is no room.
func (l *link) sendRaw(frame []byte, sender *packetSocket) bool {
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(frame)})
	defer p.DecRef()
	f := l.frame(p)
	if l.s.tapped() {
		l.passOut(&f, sender)
	}
	return l.queues[0].put(f)
}

var (
	_ stack.LinkEndpoint = (*link)(nil)
	_ stack.GSOEndpoint  = (*link)(nil)
	_ nic.Stack          = (*link)(nil)
)
