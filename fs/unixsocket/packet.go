package unixsocket

import (
	"math/bits"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// packet is what one Send, or of a stream a part of one, has put into a queue.
type packet struct {
	data   []byte // what has not been read
	from   *sock  // who is charged for it
	charge int64
	creds  *socket.Creds // nil: nobody had asked for them
	rights []socket.Right
}

// Memory that Linux has for packets, in bytes: of page size for what is in one
// piece, which has a structure behind it, and pages for the rest.
const (
	pageSize  = 4096
	overhead  = 320 // struct skb_shared_info
	structure = 256 // struct sk_buff
	oneStream = pageSize - overhead
	oneDgram  = 4*pageSize - overhead
	moreMax   = 32768 // of a stream's packet, beyond its piece
)

// cost is what a packet of n bytes is charged, of which no more than one are in one
// piece: as much as Linux has it, so that about as many packets fit into a buffer.
func cost(n, one int) int64 {
	pages := 0
	if n > one {
		pages = min((n-one+pageSize-1)&^(pageSize-1), n)
	}
	piece := n - pages + overhead
	if piece <= pageSize*2 {
		piece = 1 << bits.Len(uint(piece-1))
	} else {
		piece = (piece + pageSize - 1) &^ (pageSize - 1)
	}
	return int64((pages+pageSize-1)&^(pageSize-1) + piece + structure)
}

// newPacket makes a packet of s with n bytes from the beginning of bufs.
func (s *sock) newPacket(bufs [][]byte, n, one int) *packet {
	p := &packet{data: make([]byte, 0, n), from: s, charge: cost(n, one)}
	for _, b := range bufs {
		p.data = append(p.data, b[:min(len(b), n-len(p.data))]...)
	}
	return p
}

// attach gives the packet what goes along with a message to a socket.
func (p *packet) attach(m *socket.Message, to *sock) {
	switch {
	case m.Creds != nil:
		c := *m.Creds
		p.creds = &c
	case p.from.passCreds.Load() || to.passCreds.Load():
		c := p.from.f.host.Credentials()
		p.creds = &c
	}
	p.rights = m.Rights
}

// put adds a packet to the queue of s, whose mu is held, and charges its sender.
func (s *sock) put(p *packet) {
	p.from.charged.Add(p.charge)
	s.packets = append(s.packets, p)
	s.f.flying.add(s, p.rights)
	s.queue.Wake(fs.PollIn | fs.PollRdNorm)
}

// pop takes the first packet out of the queue of s; s.mu is held.
func (s *sock) pop() *packet {
	p := s.packets[0]
	s.packets[0] = nil
	if s.packets = s.packets[1:]; len(s.packets) == 0 {
		s.packets = nil
	}
	s.roomier()
	return p
}

// discharge gives a sender the room of its packet back.
func (p *packet) discharge() {
	p.from.charged.Add(-p.charge)
	if p.from.writable() {
		p.from.queue.Wake(fs.PollOut | fs.PollWrNorm)
	}
}

// drop ends packets that nobody will read. No locks are held.
func (f *Family) drop(packets []*packet) {
	for _, p := range packets {
		p.discharge()
		f.flying.remove(p.rights)
		socket.Drop(p.rights)
	}
}

// writable tells if s is worth writing to: not only when there is no room at all is it
// better to wait.
func (s *sock) writable() bool {
	return s.state.Load() != listening && s.charged.Load()*4 < s.sndbuf.Load()
}

// scatter copies data to bufs from skip on, and returns how much found room.
func scatter(bufs [][]byte, skip int, data []byte) (n int) {
	for _, b := range bufs {
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		k := copy(b[skip:], data[n:])
		n += k
		skip = 0
	}
	return n
}

// Poll implements fs.PollFile.
func (s *sock) Poll(events uint32) (uint32, error) {
	s.mu.Lock()
	var now uint32
	if s.err != 0 {
		now |= fs.PollErr
	}
	if s.shut == shutBoth {
		now |= fs.PollHup
	}
	if s.shut&shutIn != 0 {
		now |= fs.PollRdHup | fs.PollIn | fs.PollRdNorm
	}
	if len(s.packets)+len(s.pending) > 0 {
		now |= fs.PollIn | fs.PollRdNorm
	}
	s.mu.Unlock()
	if s.connects() && s.state.Load() == closed {
		now |= fs.PollHup
	}
	if events&pollWrite != 0 && s.writable() && !s.peerCrowded() {
		now |= pollWrite
	}
	return now & events, nil
}

const (
	pollWrBand = 0x200
	pollWrite  = fs.PollOut | fs.PollWrNorm | pollWrBand
)

// peerCrowded tells if the peer of a datagram socket takes nothing now.
func (s *sock) peerCrowded() bool {
	p := s.peer.Load()
	if s.typ == syscall.SOCK_STREAM || p == nil || p == s || p.peer.Load() == s {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.crowded() {
		return false
	}
	p.waitFor(s)
	return true
}

// Watch implements fs.NotifyFile.
func (s *sock) Watch(w *fs.Waiter) bool {
	s.queue.Add(w, everything)
	return true
}
