package netstack

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/fs/socket"
)

// Bounds of what UDP_GRO puts together, as Linux has them (UDP_GRO_CNT_MAX): so many
// datagrams, of so many bytes in all.
const (
	mostTogether      = 64
	mostTogetherBytes = 1<<16 - 1
)

// recvTogether takes datagrams that follow each other as one (UDP_GRO of udp(7)): those
// of one sender, to one address, with the same ancillary data but for the time, of one
// length, but for the last, which may be shorter. How long they are is told if there are
// two or more. The caller counts on none of it: how many there are is what has come
// meanwhile. It never takes what it has no room for.
func (k *sock) recvTogether(m *socket.Message, flags int) (int, error) {
	k.settings.reading.Lock() // between the look at a datagram and taking it
	defer k.settings.reading.Unlock()
	d := datagram{newBuffers(m.Buffers)}
	room := d.to.size
	first, err := k.ep.Read(&d, tcpip.ReadOptions{NeedRemoteAddr: true})
	if _, ok := err.(*tcpip.ErrClosedForReceive); ok {
		m.Addr = nil
		return 0, nil
	} else if err != nil {
		return 0, errno(err)
	}
	n, segment := first.Total, 0
	for count := 1; count < mostTogether && first.Total > 0 && n < min(room, mostTogetherBytes); count++ {
		next, err := k.ep.Read(&datagram{}, tcpip.ReadOptions{Peek: true, NeedRemoteAddr: true})
		if err != nil || next.Total == 0 || next.Total > first.Total || n+next.Total > min(room, mostTogetherBytes) || !alike(&first, &next) {
			break
		}
		if _, err := k.ep.Read(&d, tcpip.ReadOptions{}); err != nil {
			break
		}
		n, segment = n+next.Total, first.Total
		if next.Total < first.Total {
			break
		}
	}
	m.Addr = appendAddress(m.Addr, k.family, first.RemoteAddr)
	k.appendControl(m, &first.ControlMessages, segment)
	if n > room { // it is the first alone
		m.Flags |= msgTrunc
		if flags&msgTrunc == 0 {
			n = room
		}
	}
	return n, nil
}

// alike reports whether two datagrams differ in their data and times alone.
func alike(a, b *tcpip.ReadResult) bool {
	x, y := a.ControlMessages, b.ControlMessages
	x.Timestamp, y.Timestamp = time.Time{}, time.Time{}
	return a.RemoteAddr == b.RemoteAddr && x == y
}
