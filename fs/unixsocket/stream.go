package unixsocket

import (
	"syscall"

	"github.com/yolkos/yolk/fs/socket"
)

// Send implements socket.Socket, like Recv.
func (s *sock) Send(m *socket.Message) (int, error) {
	switch {
	case m.Flags&syscall.MSG_OOB != 0:
		return 0, syscall.EOPNOTSUPP
	case s.typ == syscall.SOCK_STREAM:
		return s.sendStream(m)
	}
	return s.sendDatagram(m)
}

func (s *sock) Recv(m *socket.Message) (int, error) {
	if m.Flags&msgErrQueue != 0 {
		return 0, syscall.EAGAIN
	}
	if s.typ == syscall.SOCK_STREAM {
		return s.recvStream(m)
	}
	return s.recvDatagram(m)
}

const msgErrQueue = 0x2000 // MSG_ERRQUEUE

// sendStream sends what there is room for.
func (s *sock) sendStream(m *socket.Message) (sent int, err error) {
	to := s.peer.Load()
	switch {
	case m.Addr != nil && s.state.Load() == connected:
		return 0, syscall.EISCONN
	case m.Addr != nil:
		return 0, syscall.EOPNOTSUPP
	case to == nil:
		return 0, syscall.ENOTCONN
	}
	s.mu.Lock()
	if s.shut&shutOut != 0 {
		err = syscall.EPIPE
	} else if m.Size() > 0 {
		err = s.takeError()
	}
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if m.Size() == 0 {
		socket.Drop(m.Rights)
		return 0, nil
	}
	bufs := m.Buffers
	for left := m.Size(); left > 0; {
		room := s.sndbuf.Load()
		if s.charged.Load() >= room {
			break
		}
		n := min(left, int(room/2)-64, oneStream+moreMax)
		p := s.newPacket(bufs, n, oneStream)
		p.attach(m, to)
		if sent > 0 {
			p.rights = nil
		}
		to.mu.Lock()
		if to.shut&shutIn != 0 {
			to.mu.Unlock()
			if sent == 0 {
				return 0, syscall.EPIPE
			}
			return sent, nil
		}
		to.put(p)
		to.mu.Unlock()
		bufs = socket.Skip(bufs, n)
		sent, left = sent+n, left-n
	}
	if sent == 0 {
		return 0, syscall.EAGAIN
	}
	return sent, nil
}

// recvStream takes bytes of one packet after the other, but no further than those
// that came with rights, or where who sent them changes.
func (s *sock) recvStream(m *socket.Message) (got int, err error) {
	peek, size := m.Flags&syscall.MSG_PEEK != 0, m.Size()
	switch {
	case s.state.Load() != connected:
		return 0, syscall.EINVAL
	case m.Flags&syscall.MSG_OOB != 0:
		return 0, syscall.EINVAL
	}
	m.Flags = 0
	var done []*packet
	defer func() {
		for _, p := range done {
			p.discharge()
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	// The first packet counts also if there is no room, and a peek goes on to the
	// first that has rights, as on Linux.
	seen := false
	for i := 0; (got < size || !seen || peek) && i < len(s.packets); {
		p := s.packets[i]
		if s.passCreds.Load() {
			if c := p.sender(); m.Creds == nil {
				m.Creds = &c
			} else if *m.Creds != c {
				return got, nil
			}
		}
		if !seen {
			m.Addr = p.from.addressTo(m.Addr)
		}
		n := scatter(m.Buffers, got, p.data)
		got += n
		m.Rights = p.take(m.Rights, s.f, peek)
		seen = true
		if peek {
			i++
		} else if p.data = p.data[n:]; len(p.data) == 0 {
			done = append(done, s.pop())
		}
		if len(m.Rights) > 0 {
			break
		}
	}
	if seen {
		return got, nil
	}
	if err := s.takeError(); err != nil {
		return 0, err
	}
	if s.shut&shutIn == 0 {
		return 0, syscall.EAGAIN
	}
	if s.passCreds.Load() && m.Creds == nil {
		m.Creds = new(socket.Creds) // as Linux has it
	}
	return 0, nil
}

// take adds the rights of p to list: they fly no more, or, for a peek, the receiver
// has them as well.
func (p *packet) take(list []socket.Right, f *Family, peek bool) []socket.Right {
	list = append(list, p.rights...)
	if peek {
		for _, r := range p.rights {
			r.Ref()
		}
		return list
	}
	f.flying.remove(p.rights)
	p.rights = nil
	return list
}

// overflowID is the user and group of a sender of whom nothing is known.
const overflowID = 65534

// sender is who sent p, as SCM_CREDENTIALS has it.
func (p *packet) sender() socket.Creds {
	if p.creds == nil {
		return socket.Creds{Uid: overflowID, Gid: overflowID}
	}
	return *p.creds
}

// addressTo is the address of a sender as a receiver gets it: nil if it has no name.
// It is put where buf is.
func (s *sock) addressTo(buf []byte) []byte {
	if n := s.name.Load(); n != nil {
		return append(buf[:0], n.addr...)
	}
	return nil
}
