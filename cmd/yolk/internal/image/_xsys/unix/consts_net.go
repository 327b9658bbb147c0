//go:build tamago

package unix

import "syscall"

// Sockets.
const (
	AF_INET        = syscall.AF_INET
	AF_INET6       = syscall.AF_INET6
	AF_LOCAL       = syscall.AF_LOCAL
	AF_UNIX        = syscall.AF_UNIX
	AF_UNSPEC      = syscall.AF_UNSPEC
	IPPROTO_ICMP   = syscall.IPPROTO_ICMP
	IPPROTO_IP     = syscall.IPPROTO_IP
	IPPROTO_IPV6   = syscall.IPPROTO_IPV6
	IPPROTO_TCP    = syscall.IPPROTO_TCP
	IPPROTO_UDP    = syscall.IPPROTO_UDP
	IPV6_V6ONLY    = syscall.IPV6_V6ONLY
	SHUT_RD        = syscall.SHUT_RD
	SHUT_RDWR      = syscall.SHUT_RDWR
	SHUT_WR        = syscall.SHUT_WR
	SOCK_CLOEXEC   = syscall.SOCK_CLOEXEC
	SOCK_DGRAM     = syscall.SOCK_DGRAM
	SOCK_NONBLOCK  = syscall.SOCK_NONBLOCK
	SOCK_RAW       = syscall.SOCK_RAW
	SOCK_SEQPACKET = syscall.SOCK_SEQPACKET
	SOCK_STREAM    = syscall.SOCK_STREAM
	SOL_SOCKET     = syscall.SOL_SOCKET
	SO_BROADCAST   = syscall.SO_BROADCAST
	SO_ERROR       = syscall.SO_ERROR
	SO_KEEPALIVE   = syscall.SO_KEEPALIVE
	SO_LINGER      = syscall.SO_LINGER
	SO_RCVBUF      = syscall.SO_RCVBUF
	SO_REUSEADDR   = syscall.SO_REUSEADDR
	SO_SNDBUF      = syscall.SO_SNDBUF
	SO_TYPE        = syscall.SO_TYPE
	TCP_NODELAY    = syscall.TCP_NODELAY

	SOMAXCONN        = 0x1000
	SO_REUSEPORT     = 0xf
	SO_RCVTIMEO      = 0x14
	SO_SNDTIMEO      = 0x15
	TCP_KEEPIDLE     = 0x4
	TCP_KEEPINTVL    = 0x5
	TCP_KEEPCNT      = 0x6
	TCP_USER_TIMEOUT = 0x12
)
