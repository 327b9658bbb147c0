//go:build tamago

package net

import "syscall"

// Options of sockets that this package makes itself have no default to set.

func setDefaultSockopts(s, family, sotype int, ipv6only bool) error { return nil }

func setDefaultListenerSockopts(s int) error { return nil }

func setDefaultMulticastSockopts(s int) error { return nil }

// sizer is a connection of net.SocketFunc that has buffers of a settable size.
type sizer interface {
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
}

func setReadBuffer(fd *netFD, bytes int) error {
	if fd.fakeNetFD != nil {
		return fd.fakeNetFD.setReadBuffer(bytes)
	}
	return setBuffer(fd, func(s sizer) error { return s.SetReadBuffer(bytes) })
}

func setWriteBuffer(fd *netFD, bytes int) error {
	if fd.fakeNetFD != nil {
		return fd.fakeNetFD.setWriteBuffer(bytes)
	}
	return setBuffer(fd, func(s sizer) error { return s.SetWriteBuffer(bytes) })
}

// setBuffer sets a size where the socket has one. Those of Unix sockets hold
// what they hold: a size is a hint, also on Linux.
func setBuffer(fd *netFD, set func(sizer) error) error {
	if fd.hooked == nil {
		return syscall.ENOPROTOOPT
	}
	for _, c := range []any{fd.hooked.conn, fd.hooked.packets} {
		switch c := c.(type) {
		case *unixEndpoint:
			return nil
		case sizer:
			return set(c)
		}
	}
	return syscall.ENOPROTOOPT
}

func setKeepAlive(fd *netFD, keepalive bool) error { return syscall.ENOPROTOOPT }

func setLinger(fd *netFD, sec int) error {
	if fd.fakeNetFD != nil {
		return fd.fakeNetFD.setLinger(sec)
	}
	return syscall.ENOPROTOOPT
}
