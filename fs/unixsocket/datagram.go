package unixsocket

import (
	"syscall"

	"github.com/yolkos/yolk/fs/socket"
)

// sendDatagram sends a message as a whole, for datagrams and sequenced packets.
func (s *sock) sendDatagram(m *socket.Message) (int, error) {
	n := m.Size()
	err := s.hasTarget(m)
	if err == nil && s.passCreds.Load() {
		err = s.autobind()
	}
	if err == nil {
		err = s.maySend(n)
	}
	if err != nil {
		return 0, err
	}
	to, err := s.target(m)
	if err != nil {
		return 0, err
	}
	theirs := to.peer.Load()
	if theirs != nil && theirs != s {
		return 0, syscall.EPERM
	}
	p := s.newPacket(m.Buffers, n, oneDgram)
	p.attach(m, to)
	to.mu.Lock()
	if to.dead && !s.connects() {
		to.mu.Unlock()
		s.lose(to)
		return 0, syscall.ECONNREFUSED
	}
	defer to.mu.Unlock()
	switch {
	case to.shut&shutIn != 0:
		return 0, syscall.EPIPE
	case to != s && theirs != s && to.crowded():
		to.waitFor(s)
		return 0, syscall.EAGAIN
	}
	to.put(p)
	return n, nil
}

// lose ends the association with a peer that is closed, and forgets what came from it.
func (s *sock) lose(p *sock) {
	s.f.mu.Lock()
	var gone []*packet
	if s.peer.CompareAndSwap(p, nil) {
		s.state.Store(closed)
		gone = s.disconnected(p)
	}
	s.f.mu.Unlock()
	s.f.drop(gone)
}

// hasTarget looks whether m can go to anybody.
func (s *sock) hasTarget(m *socket.Message) error {
	if s.typ == syscall.SOCK_SEQPACKET {
		m.Addr = nil // there is the peer alone
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.takeError(); err != nil {
			return err
		}
		if s.state.Load() != connected {
			return syscall.ENOTCONN
		}
	}
	if m.Addr != nil {
		_, _, err := text(m.Addr)
		return err
	}
	return nil
}

// maySend tells if s can send a message of n bytes, whoever gets it.
func (s *sock) maySend(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(n) > s.sndbuf.Load()-32 {
		return syscall.EMSGSIZE
	}
	if err := s.takeError(); err != nil {
		return err
	}
	switch {
	case s.shut&shutOut != 0:
		return syscall.EPIPE
	case s.charged.Load() >= s.sndbuf.Load():
		return syscall.EAGAIN
	}
	return nil
}

// target is whom m goes to: who has its address, or the peer.
func (s *sock) target(m *socket.Message) (*sock, error) {
	if m.Addr != nil {
		return s.f.find(m.Addr, s.typ)
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
	case s.connects() && s.state.Load() != connected:
		return 0, syscall.ENOTCONN
	case flags&syscall.MSG_OOB != 0:
		return 0, syscall.EOPNOTSUPP
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
