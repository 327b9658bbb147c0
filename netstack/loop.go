package netstack

import (
	"encoding/binary"
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/yolkos/yolk/drivers/nic"
)

// loopLink is the link of lo: the stack's own, but for the way of its packets, which can
// be looked at.
type loopLink struct {
	stack.LinkEndpoint
	s  *Stack
	to atomic.Pointer[stack.NetworkDispatcher]
}

func newLoopLink(s *Stack) *loopLink { return &loopLink{LinkEndpoint: loopback.New(), s: s} }

// Attach implements stack.LinkEndpoint, like WritePackets.
func (l *loopLink) Attach(d stack.NetworkDispatcher) {
	l.LinkEndpoint.Attach(d)
	if d == nil {
		l.to.Store(nil)
		return
	}
	l.to.Store(&d)
}

func (l *loopLink) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	for _, p := range list.AsSlice() {
		if l.s.tapped() {
			head := binary.BigEndian.AppendUint16(make([]byte, ethernetHeader-2, ethernetHeader), uint16(p.NetworkProtocolNumber))
			b := p.ToBuffer()
			l.pass([][]byte{head, b.Flatten()}, packetHost, nil)
			b.Release()
		}
		l.deliver(p.NetworkProtocolNumber, looped(p))
	}
	return list.Len(), nil
}

// deliver has a packet come in.
func (l *loopLink) deliver(proto tcpip.NetworkProtocolNumber, b buffer.Buffer) {
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: b})
	if to := l.to.Load(); to != nil {
		(*to).DeliverNetworkPacket(proto, p)
	}
	p.DecRef()
}

// copiedWhole is the size of packets, in bytes, up to which to copy all costs less than
// to share the data.
const copiedWhole = 2048

// looped is a packet as it comes in. Its headers are not those of the one that was
// sent: the stack copies what it parses, with all that lies in the same piece of memory,
// where others have it too.
func looped(p *stack.PacketBuffer) buffer.Buffer {
	views, skip := p.AsViewList()
	size := p.Size()
	if size > copiedWhole {
		size = p.HeaderSize()
	}
	head := buffer.NewView(size)
	for v := views.Front(); v != nil && size > 0; v = v.Next() {
		b := v.AsSlice()
		n := min(skip, len(b))
		skip -= n
		b = b[n:]
		b = b[:min(len(b), size)]
		_, _ = head.Write(b) // there is room
		size -= len(b)
	}
	var b buffer.Buffer
	n := head.Size()
	_ = b.Append(head) // fails for nil only
	if n < p.Size() {
		rest := p.ToBuffer()
		rest.TrimFront(int64(n))
		b.Merge(&rest)
	}
	return b
}

// pass shows a frame as it goes out, and as it comes in.
func (l *loopLink) pass(frame [][]byte, kind byte, sender *packetSocket) {
	l.s.pass(&passing{nic: loopbackID, kind: packetOutgoing, hardware: syscall.ARPHRD_LOOPBACK, parts: frame}, sender)
	l.s.pass(&passing{nic: loopbackID, kind: kind, hardware: syscall.ARPHRD_LOOPBACK, parts: frame}, nil)
}

// loopMTU is its MTU, in bytes.
const loopMTU = 65536

// loopAddress is the address of lo.
var loopAddress [nic.AddressLen]byte

// inject has a frame come in.
func (l *loopLink) inject(frame []byte, sender *packetSocket) {
	kind := kindFor(frame, loopAddress[:])
	l.pass([][]byte{frame}, kind, sender)
	if kind != packetHost {
		return // the stack does not tell it from one for this host
	}
	l.deliver(tcpip.NetworkProtocolNumber(protocolOf(frame, kind)), buffer.MakeWithData(frame[ethernetHeader:]))
}
