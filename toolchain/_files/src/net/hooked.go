//go:build unix || tamago

package net

import (
	"internal/poll"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// hookedSocket is what SocketFunc has returned: one of the three, or both of the
// first two.
type hookedSocket struct {
	conn     Conn
	packets  PacketConn
	listener Listener
	closed   atomic.Bool
}

// fail returns what a call that has failed with err reports. The caller puts it
// into an [OpError].
func (h *hookedSocket) fail(err error) error {
	if err != nil && h.closed.Load() {
		return ErrClosed
	}
	return bareError(err)
}

type badSocketError struct{}

func (badSocketError) Error() string {
	return "SocketFunc returned neither a Conn nor a PacketConn nor a Listener"
}

func newHookedSocket(s any) (*hookedSocket, error) {
	h := new(hookedSocket)
	h.conn, _ = s.(Conn)
	h.packets, _ = s.(PacketConn)
	h.listener, _ = s.(Listener)
	if h.conn == nil && h.packets == nil && h.listener == nil {
		return nil, badSocketError{}
	}
	return h, nil
}

func (h *hookedSocket) localAddr() Addr {
	switch {
	case h.conn != nil:
		return h.conn.LocalAddr()
	case h.packets != nil:
		return h.packets.LocalAddr()
	}
	return h.listener.Addr()
}

func (h *hookedSocket) accept(fd *netFD) (*netFD, error) {
	if h.listener == nil {
		return nil, os.NewSyscallError("accept", syscall.EINVAL)
	}
	c, err := h.listener.Accept()
	if err != nil {
		return nil, h.fail(err)
	}
	packets, _ := c.(PacketConn)
	return &netFD{
		pfd:         poll.FD{Sysfd: noFD},
		family:      fd.family,
		sotype:      fd.sotype,
		net:         fd.net,
		laddr:       c.LocalAddr(),
		raddr:       c.RemoteAddr(),
		isConnected: true,
		hooked:      &hookedSocket{conn: c, packets: packets},
	}, nil
}

func (h *hookedSocket) close() error {
	if h.closed.Swap(true) {
		return ErrClosed
	}
	switch {
	case h.conn != nil:
		return bareError(h.conn.Close())
	case h.packets != nil:
		return bareError(h.packets.Close())
	}
	return bareError(h.listener.Close())
}

func (h *hookedSocket) read(p []byte) (int, error) {
	if h.conn == nil {
		n, _, err := h.readFrom(p)
		return n, err
	}
	n, err := h.conn.Read(p)
	return n, h.fail(err)
}

func (h *hookedSocket) write(p []byte) (int, error) {
	if h.conn == nil {
		return 0, os.NewSyscallError("write", syscall.ENOTCONN)
	}
	n, err := h.conn.Write(p)
	return n, h.fail(err)
}

func (h *hookedSocket) readFrom(p []byte) (int, Addr, error) {
	if h.packets == nil {
		if h.conn == nil {
			return 0, nil, os.NewSyscallError("recvfrom", syscall.ENOTCONN)
		}
		n, err := h.conn.Read(p)
		return n, h.conn.RemoteAddr(), h.fail(err)
	}
	n, from, err := h.packets.ReadFrom(p)
	return n, from, h.fail(err)
}

func (h *hookedSocket) writeTo(p []byte, to Addr) (int, error) {
	if to == nil {
		return h.write(p)
	}
	if h.packets == nil {
		return 0, os.NewSyscallError("sendto", syscall.EISCONN)
	}
	n, err := h.packets.WriteTo(p, to)
	return n, h.fail(err)
}

// setDeadline sets the deadlines of mode 'r', 'w' or 'r'+'w'.
func (h *hookedSocket) setDeadline(t time.Time, mode int) error {
	type deadliner interface {
		SetDeadline(time.Time) error
	}
	var s any = h.listener
	switch {
	case h.conn != nil:
		s = h.conn
	case h.packets != nil:
		s = h.packets
	}
	switch s := s.(type) {
	case interface {
		SetReadDeadline(time.Time) error
		SetWriteDeadline(time.Time) error
	}:
		var err error
		if mode != 'w' {
			err = s.SetReadDeadline(t)
		}
		if mode != 'r' && err == nil {
			err = s.SetWriteDeadline(t)
		}
		return h.fail(err)
	case deadliner:
		return h.fail(s.SetDeadline(t))
	}
	return os.ErrNoDeadline
}

func (h *hookedSocket) closeRead() error {
	if c, ok := h.conn.(interface{ CloseRead() error }); ok {
		return h.fail(c.CloseRead())
	}
	return os.NewSyscallError("shutdown", syscall.EOPNOTSUPP)
}

func (h *hookedSocket) closeWrite() error {
	if c, ok := h.conn.(interface{ CloseWrite() error }); ok {
		return h.fail(c.CloseWrite())
	}
	return os.NewSyscallError("shutdown", syscall.EOPNOTSUPP)
}
