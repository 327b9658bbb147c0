package netstack

import (
	"encoding/binary"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/yolkos/yolk/fs/socket"
)

// Flags of messages that are told from others here.
const (
	msgOOB      = syscall.MSG_OOB
	msgPeek     = syscall.MSG_PEEK
	msgTrunc    = syscall.MSG_TRUNC
	msgErrQueue = syscall.MSG_ERRQUEUE
	msgMore     = 0x8000    // MSG_MORE
	msgZeroCopy = 0x4000000 // MSG_ZEROCOPY
)

// Send implements socket.Socket.
func (k *sock) Send(m *socket.Message) (int, error) {
	k.growStack()
	if k.s.ended.Load() {
		return 0, syscall.EAGAIN
	}
	n, err := k.send(m)
	if m.Flags&msgZeroCopy != 0 && err == nil {
		k.copied()
	}
	return n, err
}

func (k *sock) send(m *socket.Message) (int, error) {
	if m.Flags&msgOOB != 0 && !k.stream() {
		return 0, syscall.EOPNOTSUPP
	}
	if k.stream() {
		return k.sendStream(m)
	}
	var o tcpip.WriteOptions
	c := sendControl{tos: -1}
	if m.Addr != nil {
		a, err := k.address(m.Addr, false)
		if err != nil {
			return 0, err
		}
		if a.Port == 0 && k.protocol == syscall.IPPROTO_UDP && k.typ == syscall.SOCK_DGRAM {
			return 0, syscall.EINVAL
		}
		if k.s.early(a) {
			k.postpone(earlySend, a)
			return 0, syscall.EAGAIN
		}
		o.To = &a
	} else if is, _ := k.waits(); is == earlyConnect {
		return 0, syscall.EAGAIN
	}
	if len(m.Control) > 0 {
		if err := k.parseControl(m.Control, k.toIPv4(o.To), &c); err != nil {
			return 0, err
		}
	}
	o.ControlMessages = c.SendableControlMessages
	return k.sendDatagram(m, &c, o)
}

// sendStream gives a connection what it takes at once.
func (k *sock) sendStream(m *socket.Message) (int, error) {
	if is, _ := k.waits(); is == earlyConnect {
		return 0, syscall.EAGAIN
	}
	b := newBuffers(m.Buffers)
	k.grown()
	n, err := k.ep.Write(&b, tcpip.WriteOptions{More: m.Flags&msgMore != 0})
	if err == nil && n == 0 && m.Size() > 0 {
		return 0, syscall.EAGAIN
	}
	return int(n), k.errno(err)
}

// Recv implements socket.Socket.
func (k *sock) Recv(m *socket.Message) (int, error) {
	if k.heard.Load() {
		k.growStack()
	}
	if k.s.ended.Load() {
		return 0, syscall.EAGAIN
	}
	flags := m.Flags
	m.Flags, m.Addr = 0, m.Addr[:0]
	m.Rights, m.Creds = nil, nil
	switch {
	case flags&msgErrQueue != 0:
		return k.recvError(m)
	case k.stream():
		return k.recvStream(m, flags)
	case flags&msgOOB != 0 && k.protocol != syscall.IPPROTO_UDP: // which has no use for it
		return 0, syscall.EOPNOTSUPP
	}
	return k.recvDatagram(m, flags)
}

// recvStream takes what has come of a connection. At its end that is nothing.
func (k *sock) recvStream(m *socket.Message, flags int) (int, error) {
	m.Addr = nil
	switch {
	case flags&msgOOB == 0:
	case k.listening():
		return 0, syscall.ENOTCONN
	default:
		return 0, syscall.EINVAL // there is no urgent data
	}
	if is, _ := k.waits(); is == earlyConnect {
		return 0, syscall.EAGAIN
	}
	b := newBuffers(m.Buffers)
	o := tcpip.ReadOptions{Peek: flags&msgPeek != 0}
	var r tcpip.ReadResult
	var err tcpip.Error
	switch {
	case b.size == 0: // which tells of an end or an error, or that nothing is there
		r, err = k.ep.Read(&discard{1}, tcpip.ReadOptions{Peek: true})
		r.Count, o.Peek = 0, true
	case flags&msgTrunc != 0: // of a stream that is to copy nothing (tcp(7))
		r, err = k.ep.Read(&discard{b.size}, o)
	default:
		r, err = k.ep.Read(&b, o)
	}
	switch err.(type) {
	case nil:
	case *tcpip.ErrWouldBlock:
		if k.shutRead.Load() {
			return 0, nil
		}
		return 0, syscall.EAGAIN
	case *tcpip.ErrClosedForReceive:
		if k.lost.Load() {
			return 0, syscall.ENETDOWN
		}
		return 0, nil
	default:
		return 0, k.errno(err)
	}
	k.grown()
	if !o.Peek {
		k.ep.ModerateRecvBuf(r.Count)
	}
	return r.Count, nil
}

// datagram takes the bytes of one, as far as there is room.
type datagram struct{ to buffers }

func (d *datagram) Write(p []byte) (int, error) {
	_, _ = d.to.Write(p) // what does not fit is cut off
	return len(p), nil
}

// recvFiltered takes the next datagram that the filter wants, and as much of it.
func (k *sock) recvFiltered(m *socket.Message, flags int, f filter) (int, error) {
	b := make([]byte, header.DatagramMaximumSize)
	bufs := m.Buffers
	defer func() { m.Buffers = bufs }()
	for {
		m.Buffers, m.Flags, m.Control = [][]byte{b}, 0, m.Control[:0]
		n, err := k.recvPlain(m, flags)
		if err != nil || m.Addr == nil {
			return n, err
		}
		n = min(n, len(b))
		packet, own := b[:n], 0
		if k.protocol == syscall.IPPROTO_UDP && k.typ == syscall.SOCK_DGRAM {
			own = header.UDPMinimumSize // a filter sees the header, which is none of ours
			packet = append(k.udpHeader(m.Addr, n), packet...)
		}
		seen := seenPacket{data: packet, frame: packet}
		wanted := f.run(&seen)
		keep := max(int(min(uint64(wanted), uint64(len(packet))))-own, 0)
		if wanted == 0 {
			if flags&msgPeek != 0 {
				_, _ = k.ep.Read(&discard{n}, tcpip.ReadOptions{}) // it is not wanted by anybody
			}
			continue
		}
		to := newBuffers(bufs)
		room := to.size
		_, _ = to.Write(b[:keep]) // what does not fit is cut off
		if keep > room {
			m.Flags |= msgTrunc
			if flags&msgTrunc == 0 {
				return room, nil
			}
		}
		return keep, nil
	}
}

// udpHeader is the header of a datagram of n bytes that has come from an address.
func (k *sock) udpHeader(from []byte, n int) []byte {
	h := make([]byte, header.UDPMinimumSize, header.UDPMinimumSize+n)
	local, _ := k.ep.GetLocalAddress() // it is bound, for something has come
	header.UDP(h).Encode(&header.UDPFields{
		SrcPort: binary.BigEndian.Uint16(from[2:]), DstPort: local.Port, Length: uint16(header.UDPMinimumSize + n),
	})
	return h
}

// recvDatagram takes one datagram.
func (k *sock) recvDatagram(m *socket.Message, flags int) (int, error) {
	if f := k.settings.program.Load(); f != nil {
		return k.recvFiltered(m, flags, *f)
	}
	if k.settings.together.Load() && flags&msgPeek == 0 {
		return k.recvTogether(m, flags)
	}
	return k.recvPlain(m, flags)
}

// recvPlain takes one that no filter has a say in.
func (k *sock) recvPlain(m *socket.Message, flags int) (int, error) {
	d := datagram{newBuffers(m.Buffers)}
	room := d.to.size
	if e := k.raw(); e != nil {
		if err := e.takeError(); err != nil {
			return 0, err
		}
	}
	r, err := k.ep.Read(&d, tcpip.ReadOptions{Peek: flags&msgPeek != 0, NeedRemoteAddr: true})
	switch err.(type) {
	case nil:
	case *tcpip.ErrClosedForReceive:
		if k.typ == syscall.SOCK_RAW && flags&syscall.MSG_DONTWAIT != 0 {
			return 0, syscall.EAGAIN // only who would wait is told of the end
		}
		m.Addr = nil
		return 0, nil
	default:
		return 0, errno(err)
	}
	m.Addr = appendAddress(m.Addr, k.family, r.RemoteAddr)
	k.appendControl(m, &r.ControlMessages, 0)
	n := min(r.Total, room)
	if r.Total > room {
		m.Flags |= msgTrunc
		if flags&msgTrunc != 0 {
			n = r.Total
		}
	}
	return n, nil
}
