package unixsocket

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// connects tells if s is of a type that makes connections.
func (s *sock) connects() bool { return s.typ != syscall.SOCK_DGRAM }

const somaxconn = 4096 // net.core.somaxconn

// Listen implements socket.Socket.
func (s *sock) Listen(backlog int) error {
	if !s.connects() {
		return syscall.EOPNOTSUPP
	}
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.name.Load() == nil || s.state.Load() == connected {
		return syscall.EINVAL
	}
	if backlog < 0 || backlog > somaxconn {
		backlog = somaxconn
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	more := backlog > s.backlog
	s.backlog = backlog
	creds := f.host.Credentials()
	s.creds.Store(&creds)
	s.state.Store(listening)
	if more {
		s.roomier()
	}
	return nil
}

// Accept implements socket.Socket.
func (s *sock) Accept() (socket.Socket, error) {
	switch {
	case !s.connects():
		return nil, syscall.EOPNOTSUPP
	case s.state.Load() != listening:
		return nil, syscall.EINVAL
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 0 {
		if s.shut&shutIn != 0 {
			return nil, syscall.EINVAL
		}
		return nil, syscall.EAGAIN
	}
	c := s.pending[0]
	s.pending[0] = nil
	if s.pending = s.pending[1:]; len(s.pending) == 0 {
		s.pending = nil
	}
	s.roomier()
	return c, nil
}

// Connect implements socket.Socket.
func (s *sock) Connect(addr []byte) error {
	if !s.connects() {
		return s.associate(addr)
	}
	if _, _, err := text(addr); err != nil {
		return err
	}
	if s.passCreds.Load() {
		if err := s.autobind(); err != nil {
			return err
		}
	}
	to, err := s.f.find(addr, s.typ)
	if err != nil {
		return err
	}
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	to.mu.Lock()
	defer to.mu.Unlock()
	switch {
	case to.dead || to.state.Load() != listening || to.shut&shutIn != 0:
		return syscall.ECONNREFUSED
	case s.state.Load() == connected:
		return syscall.EISCONN
	case to.crowded() && s.state.Load() == closed:
		to.waitFor(s)
		return syscall.EAGAIN
	case s.state.Load() != closed:
		return syscall.EINVAL
	}
	c := f.newSock(s.typ)
	if n := to.name.Load(); n != nil {
		c.name.Store(&name{addr: n.addr})
	}
	creds := f.host.Credentials()
	c.creds.Store(&creds)
	s.creds.Store(to.creds.Load())
	c.passCreds.Store(to.passCreds.Load())
	c.state.Store(connected)
	c.peer.Store(s)
	f.open[c] = struct{}{}
	s.peer.Store(c)
	s.state.Store(connected)
	to.pending = append(to.pending, c)
	to.queue.Wake(fs.PollIn | fs.PollRdNorm)
	s.queue.Wake(everything)
	return nil
}

// associate is Connect of a datagram socket: from now on it sends to, and receives
// from, addr alone; or, with AF_UNSPEC, any.
func (s *sock) associate(addr []byte) error {
	var to *sock
	if len(addr) < 2 {
		return syscall.EINVAL
	}
	if family(addr) != syscall.AF_UNSPEC {
		if _, _, err := text(addr); err != nil {
			return err
		}
		if s.passCreds.Load() {
			if err := s.autobind(); err != nil {
				return err
			}
		}
		var err error
		if to, err = s.f.find(addr, s.typ); err != nil {
			return err
		}
	}
	f := s.f
	var gone []*packet
	defer func() { f.drop(gone) }()
	f.mu.Lock()
	defer f.mu.Unlock()
	if to != nil {
		if p := to.peer.Load(); p != nil && p != s {
			return syscall.EPERM
		}
	}
	old := s.peer.Swap(to)
	s.state.Store(closed)
	if to != nil {
		s.state.Store(connected)
	}
	if old != nil && old != to {
		gone = s.disconnected(old)
	}
	if old != nil {
		s.full.Store(nil)
		s.queue.Wake(fs.PollOut | fs.PollWrNorm)
	}
	return nil
}

// disconnected takes out what came from old, which is not the peer any more, and
// tells it if it has s for its own; f.mu is held.
func (s *sock) disconnected(old *sock) (gone []*packet) {
	s.mu.Lock()
	gone, s.packets = s.packets, nil
	s.roomier()
	s.mu.Unlock()
	if len(gone) > 0 && old.peer.Load() == s {
		old.mu.Lock()
		old.err = syscall.ECONNRESET
		old.mu.Unlock()
		old.queue.Wake(everything)
	}
	return gone
}

// Shutdown implements socket.Socket.
func (s *sock) Shutdown(how int) error {
	if how < 0 || how > 2 {
		return syscall.EINVAL
	}
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.close(how+1, 0)
	if p := s.peer.Load(); p != nil && s.connects() {
		theirs := (how + 1) >> 1 & shutIn
		if (how+1)&shutIn != 0 {
			theirs |= shutOut
		}
		p.close(theirs, 0)
	}
	return nil
}

// close shuts parts of s down, with an error to tell or 0; f.mu is held.
func (s *sock) close(parts int, e syscall.Errno) {
	s.mu.Lock()
	s.shut |= parts
	if e != 0 {
		s.err = e
	}
	s.roomier()
	s.mu.Unlock()
	s.queue.Wake(everything)
}

// Release implements socket.Socket.
func (s *sock) Release() {
	place := s.release(false)
	if place != nil {
		place.Put()
	}
}

// release ends s. Its peer is told that what it sent was lost, if it was, or if s was
// never accepted.
func (s *sock) release(orphan bool) *fs.Dentry {
	f := s.f
	f.mu.Lock()
	place := s.unname()
	delete(f.open, s)
	s.mu.Lock()
	s.dead, s.shut = true, shutBoth
	gone, orphans := s.packets, s.pending
	s.packets, s.pending = nil, nil
	s.roomier()
	s.mu.Unlock()
	if p := s.peer.Swap(nil); p != nil && s.connects() {
		e := syscall.Errno(0)
		if orphan || len(gone) > 1 || len(gone) == 1 && len(gone[0].data) > 0 {
			e = syscall.ECONNRESET
		}
		p.close(shutBoth, e)
	}
	if p := s.full.Swap(nil); p != nil {
		p.mu.Lock()
		delete(p.waiters, s)
		p.mu.Unlock()
	}
	f.mu.Unlock()
	s.queue.Wake(everything)
	f.drop(gone)
	for _, c := range orphans {
		c.release(true)
	}
	return place
}
