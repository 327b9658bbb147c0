package unixsocket

import (
	"syscall"

	"github.com/yolkos/yolk/fs/socket"
)

// sendDatagram sends a message as a whole, for datagrams and sequenced packets.
func (s *sock) sendDatagram(m *socket.Message) (int, error) {
	to, err := s.target(m)
	if err != nil {
		return 0, err
	}
	n := m.Size()
	if int64(n) > s.sndbuf.Load()-32 {
		return 0, syscall.EMSGSIZE
	}
	s.mu.Lock()
	err = s.takeError()
	if err == nil && s.shut&shutOut != 0 {
		err = syscall.EPIPE
	}
	s.mu.Unlock()
	switch {
	case err != nil:
		return 0, err
	case s.charged.Load() >= s.sndbuf.Load():
		return 0, syscall.EAGAIN
	}
	if to == nil {
		if to, err = s.f.find(m.Addr, s.typ); err != nil {
			return 0, err
		}
	}
	theirs := to.peer.Load()
	if theirs != nil && theirs != s {
		return 0, syscall.EPERM
	}
	p := s.newPacket(m.Buffers, n, oneDgram)
	p.attach(m, to)
	to.mu.Lock()
	defer to.mu.Unlock()
	switch {
	case to.dead && s.connects():
		return 0, syscall.EPIPE
	case to.dead:
		s.peer.CompareAndSwap(to, nil)
		s.state.Store(closed)
		return 0, syscall.ECONNREFUSED
	case to.shut&shutIn != 0:
		return 0, syscall.EPIPE
	case to != s && theirs != s && to.crowded():
		to.waitFor(s)
		return 0, syscall.EAGAIN
	}
	to.put(p)
	return n, nil
}

// target is whom m goes to: the peer, or nil for an address that is to be looked up.
func (s *sock) target(m *socket.Message) (*sock, error) {
	if s.typ == syscall.SOCK_SEQPACKET {
		s.mu.Lock()
		err := s.takeError()
		s.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case s.state.Load() != connected:
			return nil, syscall.ENOTCONN
		}
		return s.peer.Load(), nil
	}
	if s.passCreds.Load() {
		if err := s.autobind(); err != nil {
			return nil, err
		}
	}
	if m.Addr != nil {
		_, _, err := text(m.Addr)
		return nil, err
	}
	if p := s.peer.Load(); p != nil {
		return p, nil
	}
	return nil, syscall.ENOTCONN
}

// recvDatagram takes the first message; what finds no room of it is lost.
func (s *sock) recvDatagram(m *socket.Message) (int, error) {
	flags := m.Flags
	switch {
	case flags&syscall.MSG_OOB != 0:
		return 0, syscall.EOPNOTSUPP
	case s.connects() && s.state.Load() != connected:
		return 0, syscall.ENOTCONN
	}
	m.Flags = 0
	s.mu.Lock()
	err := s.takeError()
	if err != nil || len(s.packets) == 0 {
		defer s.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case s.shut&shutIn != 0 && (s.connects() || flags&syscall.MSG_DONTWAIT == 0):
			return 0, nil
		}
		return 0, syscall.EAGAIN
	}
	peek := flags&syscall.MSG_PEEK != 0
	p := s.packets[0]
	if !peek {
		s.pop()
		defer p.discharge()
	}
	m.Rights = p.take(m.Rights, s.f, peek)
	s.mu.Unlock()
	if s.passCreds.Load() {
		c := p.sender()
		m.Creds = &c
	}
	m.Addr = p.from.addressTo(m.Addr)
	n := scatter(m.Buffers, 0, p.data)
	if n < len(p.data) {
		m.Flags |= syscall.MSG_TRUNC
		if flags&syscall.MSG_TRUNC != 0 {
			n = len(p.data)
		}
	}
	return n, nil
}
