package netstack

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// serverOption is an option of getsockopt(2).
type serverOption struct {
	name          string
	level, option int
}

// serverOptions are options that servers use, by level, with the numbers of Linux's uapi
// where package unix has no name.
var serverOptions = []serverOption{
	{"SO_DEBUG", unix.SOL_SOCKET, unix.SO_DEBUG},
	{"SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR},
	{"SO_TYPE", unix.SOL_SOCKET, unix.SO_TYPE},
	{"SO_ERROR", unix.SOL_SOCKET, unix.SO_ERROR},
	{"SO_DONTROUTE", unix.SOL_SOCKET, unix.SO_DONTROUTE},
	{"SO_BROADCAST", unix.SOL_SOCKET, unix.SO_BROADCAST},
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	{"SO_OOBINLINE", unix.SOL_SOCKET, unix.SO_OOBINLINE},
	{"SO_NO_CHECK", unix.SOL_SOCKET, unix.SO_NO_CHECK},
	{"SO_PRIORITY", unix.SOL_SOCKET, unix.SO_PRIORITY},
	{"SO_LINGER", unix.SOL_SOCKET, unix.SO_LINGER},
	{"SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT},
	{"SO_PEERCRED", unix.SOL_SOCKET, unix.SO_PEERCRED},
	{"SO_RCVLOWAT", unix.SOL_SOCKET, unix.SO_RCVLOWAT},
	{"SO_SNDLOWAT", unix.SOL_SOCKET, unix.SO_SNDLOWAT},
	{"SO_BINDTODEVICE", unix.SOL_SOCKET, unix.SO_BINDTODEVICE},
	{"SO_DETACH_FILTER", unix.SOL_SOCKET, unix.SO_DETACH_FILTER},
	{"SO_PEERNAME", unix.SOL_SOCKET, unix.SO_PEERNAME},
	{"SO_TIMESTAMP", unix.SOL_SOCKET, unix.SO_TIMESTAMP},
	{"SO_ACCEPTCONN", unix.SOL_SOCKET, unix.SO_ACCEPTCONN},
	{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS},
	{"SO_MARK", unix.SOL_SOCKET, unix.SO_MARK},
	{"SO_PROTOCOL", unix.SOL_SOCKET, unix.SO_PROTOCOL},
	{"SO_DOMAIN", unix.SOL_SOCKET, unix.SO_DOMAIN},
	{"SO_RXQ_OVFL", unix.SOL_SOCKET, unix.SO_RXQ_OVFL},
	{"SO_LOCK_FILTER", unix.SOL_SOCKET, unix.SO_LOCK_FILTER},
	{"SO_SELECT_ERR_QUEUE", unix.SOL_SOCKET, unix.SO_SELECT_ERR_QUEUE},
	{"SO_BUSY_POLL", unix.SOL_SOCKET, unix.SO_BUSY_POLL},
	{"SO_INCOMING_CPU", unix.SOL_SOCKET, unix.SO_INCOMING_CPU},
	{"SO_INCOMING_NAPI_ID", unix.SOL_SOCKET, unix.SO_INCOMING_NAPI_ID},
	{"SO_ZEROCOPY", unix.SOL_SOCKET, unix.SO_ZEROCOPY},
	{"SO_BINDTOIFINDEX", unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX},
	{"SO_PREFER_BUSY_POLL", unix.SOL_SOCKET, unix.SO_PREFER_BUSY_POLL},

	{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY},
	{"TCP_MAXSEG", unix.IPPROTO_TCP, unix.TCP_MAXSEG},
	{"TCP_CORK", unix.IPPROTO_TCP, unix.TCP_CORK},
	{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
	{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
	{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
	{"TCP_SYNCNT", unix.IPPROTO_TCP, unix.TCP_SYNCNT},
	{"TCP_LINGER2", unix.IPPROTO_TCP, unix.TCP_LINGER2},
	{"TCP_DEFER_ACCEPT", unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT},
	{"TCP_WINDOW_CLAMP", unix.IPPROTO_TCP, unix.TCP_WINDOW_CLAMP},
	{"TCP_QUICKACK", unix.IPPROTO_TCP, unix.TCP_QUICKACK},
	{"TCP_CONGESTION", unix.IPPROTO_TCP, unix.TCP_CONGESTION},
	{"TCP_THIN_LINEAR_TIMEOUTS", unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS},
	{"TCP_THIN_DUPACK", unix.IPPROTO_TCP, unix.TCP_THIN_DUPACK},
	{"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
	{"TCP_FASTOPEN", unix.IPPROTO_TCP, unix.TCP_FASTOPEN},
	{"TCP_NOTSENT_LOWAT", unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT},
	{"TCP_SAVE_SYN", unix.IPPROTO_TCP, unix.TCP_SAVE_SYN},
	{"TCP_SAVED_SYN", unix.IPPROTO_TCP, unix.TCP_SAVED_SYN},
	{"TCP_FASTOPEN_CONNECT", unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT},
	{"TCP_ULP", unix.IPPROTO_TCP, unix.TCP_ULP},
	{"TCP_FASTOPEN_NO_COOKIE", unix.IPPROTO_TCP, unix.TCP_FASTOPEN_NO_COOKIE},
	{"TCP_INQ", unix.IPPROTO_TCP, unix.TCP_INQ},

	{"IP_TOS", unix.IPPROTO_IP, unix.IP_TOS},
	{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL},
	{"IP_HDRINCL", unix.IPPROTO_IP, unix.IP_HDRINCL},
	{"IP_ROUTER_ALERT", unix.IPPROTO_IP, unix.IP_ROUTER_ALERT},
	{"IP_RECVOPTS", unix.IPPROTO_IP, unix.IP_RECVOPTS},
	{"IP_RETOPTS", unix.IPPROTO_IP, unix.IP_RETOPTS},
	{"IP_PKTINFO", unix.IPPROTO_IP, unix.IP_PKTINFO},
	{"IP_PKTOPTIONS", unix.IPPROTO_IP, unix.IP_PKTOPTIONS},
	{"IP_MTU_DISCOVER", unix.IPPROTO_IP, unix.IP_MTU_DISCOVER},
	{"IP_RECVERR", unix.IPPROTO_IP, unix.IP_RECVERR},
	{"IP_RECVTTL", unix.IPPROTO_IP, unix.IP_RECVTTL},
	{"IP_RECVTOS", unix.IPPROTO_IP, unix.IP_RECVTOS},
	{"IP_MTU", unix.IPPROTO_IP, unix.IP_MTU},
	{"IP_FREEBIND", unix.IPPROTO_IP, unix.IP_FREEBIND},
	{"IP_TRANSPARENT", unix.IPPROTO_IP, unix.IP_TRANSPARENT},
	{"IP_RECVORIGDSTADDR", unix.IPPROTO_IP, unix.IP_RECVORIGDSTADDR},
	{"IP_NODEFRAG", unix.IPPROTO_IP, unix.IP_NODEFRAG},
	{"IP_CHECKSUM", unix.IPPROTO_IP, unix.IP_CHECKSUM},
	{"IP_BIND_ADDRESS_NO_PORT", unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT},
	{"IP_MULTICAST_IF", unix.IPPROTO_IP, unix.IP_MULTICAST_IF},
	{"IP_MULTICAST_TTL", unix.IPPROTO_IP, unix.IP_MULTICAST_TTL},
	{"IP_MULTICAST_LOOP", unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP},
	{"IP_MULTICAST_ALL", unix.IPPROTO_IP, unix.IP_MULTICAST_ALL},
	{"IP_UNICAST_IF", unix.IPPROTO_IP, unix.IP_UNICAST_IF},

	{"IPV6_V6ONLY", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY},
	{"IPV6_UNICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS},
	{"IPV6_MULTICAST_IF", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF},
	{"IPV6_MULTICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS},
	{"IPV6_MULTICAST_LOOP", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP},
	{"IPV6_ROUTER_ALERT", unix.IPPROTO_IPV6, unix.IPV6_ROUTER_ALERT},
	{"IPV6_MTU_DISCOVER", unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER},
	{"IPV6_RECVERR", unix.IPPROTO_IPV6, unix.IPV6_RECVERR},
	{"IPV6_RECVPKTINFO", unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO},
	{"IPV6_RECVHOPLIMIT", unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT},
	{"IPV6_RECVTCLASS", unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS},
	{"IPV6_TCLASS", unix.IPPROTO_IPV6, unix.IPV6_TCLASS},
	{"IPV6_RECVPATHMTU", unix.IPPROTO_IPV6, unix.IPV6_RECVPATHMTU},
	{"IPV6_DONTFRAG", unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG},
	{"IPV6_CHECKSUM", unix.IPPROTO_IPV6, unix.IPV6_CHECKSUM},
	{"IPV6_AUTOFLOWLABEL", unix.IPPROTO_IPV6, unix.IPV6_AUTOFLOWLABEL},
	{"IPV6_MINHOPCOUNT", unix.IPPROTO_IPV6, unix.IPV6_MINHOPCOUNT},
	{"IPV6_RECVORIGDSTADDR", unix.IPPROTO_IPV6, unix.IPV6_RECVORIGDSTADDR},
	{"IPV6_TRANSPARENT", unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT},
	{"IPV6_UNICAST_IF", unix.IPPROTO_IPV6, unix.IPV6_UNICAST_IF},
	{"IPV6_FREEBIND", unix.IPPROTO_IPV6, unix.IPV6_FREEBIND},
	{"IPV6_FLOWINFO_SEND", unix.IPPROTO_IPV6, ipv6FlowInfoSend},
	{"IPV6_MULTICAST_ALL", unix.IPPROTO_IPV6, ipv6MulticastAll},

	{"UDP_NO_CHECK6_TX", unix.IPPROTO_UDP, unix.UDP_NO_CHECK6_TX},
	{"UDP_NO_CHECK6_RX", unix.IPPROTO_UDP, unix.UDP_NO_CHECK6_RX},
	{"UDP_SEGMENT", unix.IPPROTO_UDP, unix.UDP_SEGMENT},
	{"UDP_GRO", unix.IPPROTO_UDP, unix.UDP_GRO},

	{"none", unix.SOL_SOCKET, 9999},
	{"none", unix.IPPROTO_TCP, 9999},
	{"none", unix.IPPROTO_UDP, 9999},
	{"none", unix.IPPROTO_IP, 9999},
	{"none", unix.IPPROTO_IPV6, 9999},
	{"none", unix.SOL_RAW, 1},
	{"none", 9999, 1},
}

// refusedOptions are options of which Linux has more than a value that is kept, and this
// stack nothing: a program is told so, as by a kernel that does not know them.
var refusedOptions = []serverOption{
	{"SO_TIMESTAMPING", unix.SOL_SOCKET, unix.SO_TIMESTAMPING},
	{"SO_PEEK_OFF", unix.SOL_SOCKET, unix.SO_PEEK_OFF},
	{"SO_MAX_PACING_RATE", unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE},
	{"SO_TXTIME", unix.SOL_SOCKET, unix.SO_TXTIME},
	{"IP_MINTTL", unix.IPPROTO_IP, unix.IP_MINTTL},
	{"IP_RECVFRAGSIZE", unix.IPPROTO_IP, unix.IP_RECVFRAGSIZE},
	{"IP_RECVERR_RFC4884", unix.IPPROTO_IP, unix.IP_RECVERR_RFC4884},
	{"IPV6_MTU", unix.IPPROTO_IPV6, unix.IPV6_MTU},
	{"IPV6_RECVRTHDR", unix.IPPROTO_IPV6, unix.IPV6_RECVRTHDR},
	{"IPV6_RECVHOPOPTS", unix.IPPROTO_IPV6, unix.IPV6_RECVHOPOPTS},
	{"IPV6_RECVDSTOPTS", unix.IPPROTO_IPV6, unix.IPV6_RECVDSTOPTS},
	{"IPV6_RECVFRAGSIZE", unix.IPPROTO_IPV6, unix.IPV6_RECVFRAGSIZE},
	{"IPV6_FLOWINFO", unix.IPPROTO_IPV6, ipv6FlowInfo},
	{"UDP_CORK", unix.IPPROTO_UDP, unix.UDP_CORK},
	{"UDP_ENCAP", unix.IPPROTO_UDP, unix.UDP_ENCAP},
	{"IP_ADD_SOURCE_MEMBERSHIP", unix.IPPROTO_IP, unix.IP_ADD_SOURCE_MEMBERSHIP},
	{"MCAST_JOIN_SOURCE_GROUP", unix.IPPROTO_IP, unix.MCAST_JOIN_SOURCE_GROUP},
	{"MCAST_JOIN_SOURCE_GROUP", unix.IPPROTO_IPV6, unix.MCAST_JOIN_SOURCE_GROUP},
}

// stateOfSocket makes a socket of which options are asked, and what else has to stay open.
type stateOfSocket struct {
	name        string
	domain, typ int
	prepare     func(c *calls, domain, typ int, port uint16) (fd int, others []int)
}

func fresh(c *calls, domain, typ int, _ uint16) (int, []int) { return c.socket(domain, typ, 0), nil }

func localhost(domain int, port uint16) []byte {
	if domain == unix.AF_INET6 {
		return v6Address(port, loop6)
	}
	return v4(port, 127, 0, 0, 1)
}

func listens(c *calls, domain, typ int, port uint16) (int, []int) {
	fd := c.socket(domain, typ, 0)
	if e := c.bind(fd, localhost(domain, port)); e != 0 {
		c.note("bind: %v", e)
	}
	c.call(unix.SYS_LISTEN, uintptr(fd), 8)
	return fd, nil
}

func connects(c *calls, domain, typ int, port uint16) (int, []int) {
	l, _ := listens(c, domain, typ, port)
	fd := c.socket(domain, typ, 0)
	if e := c.connect(fd, localhost(domain, port)); e != 0 {
		c.note("connect: %v", e)
	}
	return fd, []int{l}
}

func accepts(c *calls, domain, typ int, port uint16) (int, []int) {
	fd, others := connects(c, domain, typ, port)
	c.poll(others[0], unix.POLLIN, 2000)
	a, e := c.call(unix.SYS_ACCEPT4, uintptr(others[0]), 0, 0, 0)
	if e != 0 {
		c.note("accept: %v", e)
	}
	return a, append(others, fd)
}

// TestServerOptions: the options that servers use have the values and errors of Linux, which
// is asked as well, for each kind of socket and each state.
func TestServerOptions(t *testing.T) {
	for _, state := range []stateOfSocket{
		{"TCP4", unix.AF_INET, unix.SOCK_STREAM, fresh},
		{"TCP4 listening", unix.AF_INET, unix.SOCK_STREAM, listens},
		{"TCP4 connected", unix.AF_INET, unix.SOCK_STREAM, connects},
		{"TCP4 accepted", unix.AF_INET, unix.SOCK_STREAM, accepts},
		{"TCP6", unix.AF_INET6, unix.SOCK_STREAM, fresh},
		{"TCP6 connected", unix.AF_INET6, unix.SOCK_STREAM, connects},
		{"UDP4", unix.AF_INET, unix.SOCK_DGRAM, fresh},
		{"UDP4 connected", unix.AF_INET, unix.SOCK_DGRAM, connects},
		{"UDP6", unix.AF_INET6, unix.SOCK_DGRAM, fresh},
	} {
		t.Run(state.name, func(t *testing.T) {
			judge(t, func(c *calls) {
				for i, o := range serverOptions {
					fd, others := state.prepare(c, state.domain, state.typ, uint16(7000+i))
					name := fmt.Sprintf("%s %s (%d/%d)", state.name, o.name, o.level, o.option)
					read := func(size int) string {
						b, e := c.get(fd, o.level, o.option, size)
						return fmt.Sprintf("%x %v", b, e)
					}
					size := 4
					if o.level == unix.SOL_SOCKET && o.option == unix.SO_PEERNAME {
						size = 2 // the port behind it is any
					}
					// What these are for a connection depends on more than what was set.
					varies := state.typ == unix.SOCK_STREAM && (o.option == unix.SO_INCOMING_CPU && o.level == unix.SOL_SOCKET ||
						o.level == unix.IPPROTO_TCP && (o.option == unix.TCP_MAXSEG || o.option == unix.TCP_WINDOW_CLAMP || o.option == unix.TCP_CONGESTION))
					if !varies {
						c.note("%s is %s, of 1 byte %s, of 32 %s", name, read(size), read(1), read(32))
					}
					for _, v := range []int{1, 0, -1, 2, 7, 300, 70000, -2} {
						switch {
						case o.level == unix.SOL_SOCKET && o.option == unix.SO_BINDTOIFINDEX && v > 1:
							continue // here an interface has to be there
						case o.level == unix.SOL_SOCKET && o.option == unix.SO_RCVLOWAT && v < 0:
							continue // on Linux a share of the buffer
						}
						e := c.setInt(fd, o.level, o.option, v)
						if varies {
							c.note("%s set to %d: %v", name, v, e)
							continue
						}
						c.note("%s set to %d: %v, is %s", name, v, e, read(size))
					}
					short := [][]byte{nil, {1}, {1, 0}}
					if o.level == unix.IPPROTO_IPV6 {
						short = nil // of which Linux has changed its mind
					}
					for _, value := range short {
						c.note("%s set to %x: %v", name, value, c.set(fd, o.level, o.option, value))
					}
					c.close(fd)
					for _, fd := range others {
						c.close(fd)
					}
				}
			})
		})
	}
}

// TestRefusedOptions: what is not done is not kept as if it were.
func TestRefusedOptions(t *testing.T) {
	s := newStack(t)
	for _, o := range refusedOptions {
		for _, typ := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
			k := s.openSocket(t, unix.AF_INET6, typ, 0)
			if e := k.SetOption(o.level, o.option, []byte{1, 0, 0, 0, 0, 0, 0, 0}); e != unix.ENOPROTOOPT {
				t.Errorf("%s of type %d: %v", o.name, typ, e)
			}
		}
	}
	k, err := s.PacketFamily().Socket(unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	for _, name := range []int{unix.PACKET_RX_RING, unix.PACKET_TX_RING, unix.PACKET_VERSION} {
		if e := k.SetOption(unix.SOL_PACKET, name, make([]byte, 28)); e != unix.ENOPROTOOPT {
			t.Errorf("SOL_PACKET %d: %v", name, e)
		}
	}
}
