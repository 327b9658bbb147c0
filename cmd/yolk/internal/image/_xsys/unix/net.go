//go:build tamago

package unix

import "syscall"

// Sockets are no descriptors: every call is ENOSYS.

type (
	Sockaddr      = syscall.Sockaddr
	SockaddrInet4 = syscall.SockaddrInet4
	SockaddrInet6 = syscall.SockaddrInet6
	SockaddrUnix  = syscall.SockaddrUnix
	Linger        = syscall.Linger
	IPMreq        = syscall.IPMreq
	IPv6Mreq      = syscall.IPv6Mreq
)

func Socket(domain, typ, proto int) (fd int, err error) { return syscall.Socket(domain, typ, proto) }

func Socketpair(domain, typ, proto int) (fd [2]int, err error) {
	return syscall.Socketpair(domain, typ, proto)
}

func Bind(fd int, sa Sockaddr) error                  { return syscall.Bind(fd, sa) }
func Listen(s int, n int) error                       { return syscall.Listen(s, n) }
func Accept(fd int) (nfd int, sa Sockaddr, err error) { return syscall.Accept(fd) }
func Connect(fd int, sa Sockaddr) error               { return syscall.Connect(fd, sa) }
func Shutdown(s int, how int) error                   { return syscall.Shutdown(s, how) }
func Getsockname(fd int) (sa Sockaddr, err error)     { return syscall.Getsockname(fd) }
func Getpeername(fd int) (sa Sockaddr, err error)     { return syscall.Getpeername(fd) }

func Sendto(fd int, p []byte, flags int, to Sockaddr) error { return syscall.Sendto(fd, p, flags, to) }

func Recvfrom(fd int, p []byte, flags int) (n int, from Sockaddr, err error) {
	return syscall.Recvfrom(fd, p, flags)
}

func Recvmsg(fd int, p, oob []byte, flags int) (n, oobn int, recvflags int, from Sockaddr, err error) {
	return syscall.Recvmsg(fd, p, oob, flags)
}

func SendmsgN(fd int, p, oob []byte, to Sockaddr, flags int) (n int, err error) {
	return syscall.SendmsgN(fd, p, oob, to, flags)
}

func GetsockoptInt(fd, level, opt int) (value int, err error) {
	return syscall.GetsockoptInt(fd, level, opt)
}

func SetsockoptInt(fd, level, opt int, value int) error {
	return syscall.SetsockoptInt(fd, level, opt, value)
}

func SetsockoptLinger(fd, level, opt int, l *Linger) error {
	return syscall.SetsockoptLinger(fd, level, opt, l)
}
