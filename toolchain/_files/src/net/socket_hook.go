//go:build unix || tamago

package net

import (
	"context"
	"internal/poll"
	"os"
	"syscall"
)

// SocketFunc, if set, makes the sockets of the internet: with raddr a [Conn]
// that is connected to it, without a [Listener] (for [syscall.SOCK_STREAM]) or a
// [PacketConn] that is bound to laddr. A nil laddr stands for any address.
//
// network is that of [Dial] or [Listen] ("tcp", "udp4"...). family is
// [syscall.AF_INET6] only if an address or the network asks for it.
//
// Without it, and for Unix sockets, sockets are descriptors of the system. It must be
// set before the first socket is made.
var SocketFunc func(ctx context.Context, network string, family, sotype int, laddr, raddr Addr) (any, error)

// hookSocket makes a socket with SocketFunc. hooked is false if the system
// shall make it.
func hookSocket(ctx context.Context, net string, family, sotype int, laddr, raddr sockaddr, ctrlCtxFn func(context.Context, string, string, syscall.RawConn) error) (fd *netFD, hooked bool, err error) {
	if SocketFunc == nil || family == syscall.AF_UNIX {
		return nil, false, nil
	}
	if ctrlCtxFn != nil {
		return nil, true, os.NewSyscallError("socket", syscall.EOPNOTSUPP) // no descriptor to give it
	}
	local, remote := plainAddr(laddr), plainAddr(raddr)
	if family == syscall.AF_INET6 && net[len(net)-1] != '6' && !isIPv6(local) && !isIPv6(remote) {
		family = syscall.AF_INET
	}
	s, err := SocketFunc(ctx, net, family, sotype, local, remote)
	if err != nil {
		return nil, true, bareError(err)
	}
	fd = &netFD{pfd: poll.FD{Sysfd: noFD}, family: family, sotype: sotype, net: net}
	fd.hooked, err = newHookedSocket(s)
	if err != nil {
		return nil, true, err
	}
	if fd.laddr = fd.hooked.localAddr(); fd.laddr == nil {
		fd.laddr = local
	}
	if remote != nil {
		fd.isConnected = true
		fd.raddr = remote
	}
	return fd, true, nil
}

// plainAddr returns a as an Addr, nil for a nil pointer.
func plainAddr(a sockaddr) Addr {
	switch a := a.(type) {
	case nil:
		return nil
	case *TCPAddr:
		if a == nil {
			return nil
		}
	case *UDPAddr:
		if a == nil {
			return nil
		}
	case *IPAddr:
		if a == nil {
			return nil
		}
	}
	return a
}

func isIPv6(a Addr) bool {
	var ip IP
	switch a := a.(type) {
	case *TCPAddr:
		ip = a.IP
	case *UDPAddr:
		ip = a.IP
	case *IPAddr:
		ip = a.IP
	}
	return len(ip) == IPv6len && ip.To4() == nil && !ip.IsUnspecified()
}

// bareError takes the error out of an [OpError]: the caller makes a new one.
func bareError(err error) error {
	if e, ok := err.(*OpError); ok && e.Err != nil {
		return e.Err
	}
	return err
}
