//go:build tamago

package syscall

// Sockets are no descriptors: package net has them from net.SocketFunc. The
// names in this file are what code refers to that can do without.

const (
	AF_UNSPEC = 0
	AF_UNIX   = 1
	AF_LOCAL  = AF_UNIX
	AF_INET   = 2
	AF_INET6  = 10

	SOCK_STREAM    = 1
	SOCK_DGRAM     = 2
	SOCK_RAW       = 3
	SOCK_SEQPACKET = 5
	SOCK_NONBLOCK  = O_NONBLOCK
	SOCK_CLOEXEC   = O_CLOEXEC

	IPPROTO_IP   = 0
	IPPROTO_ICMP = 1
	IPPROTO_IPV4 = 4
	IPPROTO_TCP  = 6
	IPPROTO_UDP  = 17
	IPPROTO_IPV6 = 41

	SOL_SOCKET   = 1
	SO_REUSEADDR = 2
	SO_TYPE      = 3
	SO_ERROR     = 4
	SO_BROADCAST = 6
	SO_SNDBUF    = 7
	SO_RCVBUF    = 8
	SO_KEEPALIVE = 9
	SO_LINGER    = 13

	TCP_NODELAY = 1
	IPV6_V6ONLY = 26

	SOMAXCONN = 128

	SHUT_RD   = 0
	SHUT_WR   = 1
	SHUT_RDWR = 2
)

type Sockaddr any

type SockaddrInet4 struct {
	Port int
	Addr [4]byte
}

type SockaddrInet6 struct {
	Port   int
	ZoneId uint32
	Addr   [16]byte
}

type SockaddrUnix struct {
	Name string
}

type Linger struct {
	Onoff  int32
	Linger int32
}

type IPMreq struct {
	Multiaddr [4]byte
	Interface [4]byte
}

type IPv6Mreq struct {
	Multiaddr [16]byte
	Interface uint32
}

func Socket(domain, typ, proto int) (fd int, err error)       { return -1, ENOSYS }
func Socketpair(domain, typ, proto int) ([2]int, error)       { return [2]int{-1, -1}, ENOSYS }
func Bind(fd int, sa Sockaddr) error                          { return ENOSYS }
func Listen(fd int, backlog int) error                        { return ENOSYS }
func Accept(fd int) (nfd int, sa Sockaddr, err error)         { return -1, nil, ENOSYS }
func Connect(fd int, sa Sockaddr) error                       { return ENOSYS }
func Shutdown(fd int, how int) error                          { return ENOSYS }
func Getsockname(fd int) (Sockaddr, error)                    { return nil, ENOSYS }
func Getpeername(fd int) (Sockaddr, error)                    { return nil, ENOSYS }
func Sendto(fd int, p []byte, flags int, to Sockaddr) error   { return ENOSYS }
func GetsockoptInt(fd, level, opt int) (value int, err error) { return -1, ENOSYS }
func SetsockoptInt(fd, level, opt int, value int) error       { return ENOSYS }
func SetsockoptLinger(fd, level, opt int, l *Linger) error    { return ENOSYS }

func Recvfrom(fd int, p []byte, flags int) (n int, from Sockaddr, err error) {
	return -1, nil, ENOSYS
}

func Recvmsg(fd int, p, oob []byte, flags int) (n, oobn int, recvflags int, from Sockaddr, err error) {
	return -1, 0, 0, nil, ENOSYS
}

func SendmsgN(fd int, p, oob []byte, to Sockaddr, flags int) (n int, err error) {
	return -1, ENOSYS
}

// Sendfile copies from infd to outfd.
func Sendfile(outfd int, infd int, offset *int64, count int) (written int, err error) {
	return -1, ENOSYS
}
