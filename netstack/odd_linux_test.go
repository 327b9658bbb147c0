package netstack

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs"
)

const pollAll = unix.POLLIN | unix.POLLOUT | unix.POLLPRI | unix.POLLRDHUP | fs.PollRdNorm | fs.PollWrNorm | 0x80 | 0x200

// nb makes a socket that does not block.
func (c *calls) nb(family, typ int) int { return c.socket(family, typ|unix.SOCK_NONBLOCK, 0) }

func (c *calls) port(fd int) uint16 {
	b, _ := c.name(fd, unix.SYS_GETSOCKNAME)
	if len(b) < 4 {
		return 0
	}
	return uint16(b[2])<<8 | uint16(b[3])
}

func (c *calls) listenOn(fd, backlog int) error {
	_, e := c.call(unix.SYS_LISTEN, uintptr(fd), uintptr(backlog))
	return e
}

func (c *calls) accept(fd int) (int, error) {
	c.poll(fd, unix.POLLIN, 2000)
	n, e := c.call(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK)
	return n, e
}

// pair makes a connection, and the socket that listened for it.
func (c *calls) pair(family int) (client, server, listener int) {
	listener = c.nb(family, unix.SOCK_STREAM)
	if e := c.bind(listener, localhost(family, 0)); e != 0 {
		c.note("bind: %v", e)
	}
	c.listenOn(listener, 8)
	client = c.socket(family, unix.SOCK_STREAM, 0)
	if e := c.connect(client, localhost(family, c.port(listener))); e != 0 {
		c.note("connect: %v", e)
	}
	server, _ = c.accept(listener)
	return client, server, listener
}

func (c *calls) closeAll(fds ...int) {
	for _, fd := range fds {
		c.close(fd)
	}
}

func (c *calls) sendNow(fd int, text string, flags int) (int, error) {
	n, e := c.call(unix.SYS_SENDTO, uintptr(fd), c.ptr([]byte(text)), uintptr(len(text)), uintptr(flags|unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL), 0, 0)
	return n, e
}

// state tells all that can be asked of a socket; what it tells of an error it takes.
func (c *calls) state(fd int) string {
	_, peer := c.name(fd, unix.SYS_GETPEERNAME)
	own, e := c.name(fd, unix.SYS_GETSOCKNAME)
	bound := e == 0 && len(own) > 4 && (own[2] != 0 || own[3] != 0)
	text := fmt.Sprintf("poll %x, peer %v, bound %v %v", c.poll(fd, pollAll, 0), peer, bound, e)
	if info, e := c.get(fd, unix.IPPROTO_TCP, unix.TCP_INFO, 1); e == 0 {
		if info[0] == 4 {
			info[0] = 5 // FIN_WAIT1 or 2: when the acknowledgement comes is time's
		}
		text += fmt.Sprintf(", state %d", info[0])
	}
	n := make([]byte, 4)
	text += fmt.Sprintf(", FIONREAD %v", c.ioctl(fd, unix.TIOCINQ, n))
	text += fmt.Sprintf(" %d", binary.NativeEndian.Uint32(n))
	b, e := c.get(fd, unix.SOL_SOCKET, unix.SO_ERROR, 4)
	return text + fmt.Sprintf(", error %x %v", b, e)
}

// streamStates are the states of a socket of TCP, each made by the calls that lead to it.
var streamStates = []struct {
	name string
	make func(c *calls, family int) (fd int, others []int)
}{
	{"fresh", func(c *calls, family int) (int, []int) { return c.nb(family, unix.SOCK_STREAM), nil }},
	{"bound", func(c *calls, family int) (int, []int) {
		fd := c.nb(family, unix.SOCK_STREAM)
		c.bind(fd, localhost(family, 0))
		return fd, nil
	}},
	{"listening", func(c *calls, family int) (int, []int) {
		fd := c.nb(family, unix.SOCK_STREAM)
		c.bind(fd, localhost(family, 0))
		c.listenOn(fd, 3)
		return fd, nil
	}},
	{"listening with one that waits", func(c *calls, family int) (int, []int) {
		fd := c.nb(family, unix.SOCK_STREAM)
		c.bind(fd, localhost(family, 0))
		c.listenOn(fd, 3)
		client := c.socket(family, unix.SOCK_STREAM, 0)
		c.connect(client, localhost(family, c.port(fd)))
		return fd, []int{client}
	}},
	{"connected", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		return client, []int{server, l}
	}},
	{"accepted, with data", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.sendNow(client, "hello, world", 0)
		return server, []int{client, l}
	}},
	{"shut by the peer", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.call(unix.SYS_SHUTDOWN, uintptr(client), unix.SHUT_WR)
		return server, []int{client, l}
	}},
	{"shut by the peer, with data", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.sendNow(client, "hello, world", 0)
		c.call(unix.SYS_SHUTDOWN, uintptr(client), unix.SHUT_WR)
		return server, []int{client, l}
	}},
	{"closed by the peer", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.close(client)
		return server, []int{l}
	}},
	{"closed by the peer, who left data", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.sendNow(server, "unread", 0)
		c.rest()
		c.close(client)
		return server, []int{l}
	}},
	{"reset by the peer's linger", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.set(client, unix.SOL_SOCKET, unix.SO_LINGER, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		c.close(client)
		return server, []int{l}
	}},
	{"reset by the peer's linger, with data", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.sendNow(client, "hello, world", 0)
		c.rest()
		c.set(client, unix.SOL_SOCKET, unix.SO_LINGER, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		c.close(client)
		return server, []int{l}
	}},
	{"refused", func(c *calls, family int) (int, []int) {
		fd := c.nb(family, unix.SOCK_STREAM)
		c.connect(fd, localhost(family, 1))
		return fd, nil
	}},
	{"shut, both", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.call(unix.SYS_SHUTDOWN, uintptr(client), unix.SHUT_RDWR)
		return client, []int{server, l}
	}},
	{"shut for writing", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.call(unix.SYS_SHUTDOWN, uintptr(client), unix.SHUT_WR)
		return client, []int{server, l}
	}},
	{"shut for reading", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.call(unix.SYS_SHUTDOWN, uintptr(client), unix.SHUT_RD)
		return client, []int{server, l}
	}},
	{"shut by both", func(c *calls, family int) (int, []int) {
		client, server, l := c.pair(family)
		c.call(unix.SYS_SHUTDOWN, uintptr(client), unix.SHUT_WR)
		c.call(unix.SYS_SHUTDOWN, uintptr(server), unix.SHUT_WR)
		return server, []int{client, l}
	}},
	{"listening no longer", func(c *calls, family int) (int, []int) {
		fd := c.nb(family, unix.SOCK_STREAM)
		c.bind(fd, localhost(family, 0))
		c.listenOn(fd, 3)
		c.call(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_RD)
		return fd, nil
	}},
}

// streamCalls are the calls that are made on each.
var streamCalls = []struct {
	name string
	do   func(c *calls, family, fd int) string
}{
	{"nothing", func(c *calls, family, fd int) string { return "" }},
	{"shutdown 0", shut(0)}, {"shutdown 1", shut(1)}, {"shutdown 2", shut(2)}, {"shutdown 3", shut(3)}, {"shutdown -1", shut(-1)},
	{"read", func(c *calls, family, fd int) string { return c.takes(fd, 100, 0) }},
	{"read nothing", func(c *calls, family, fd int) string { return c.takes(fd, 0, 0) }},
	{"peek", func(c *calls, family, fd int) string { return c.takes(fd, 5, unix.MSG_PEEK) }},
	{"read a part", func(c *calls, family, fd int) string { return c.takes(fd, 5, 0) }},
	{"peek and truncate", func(c *calls, family, fd int) string { return c.takes(fd, 5, unix.MSG_PEEK|unix.MSG_TRUNC) }},
	{"truncate", func(c *calls, family, fd int) string { return c.takes(fd, 5, unix.MSG_TRUNC) }},
	{"wait for all", func(c *calls, family, fd int) string { return c.takes(fd, 50, unix.MSG_WAITALL) }},
	{"peek, wait for all", func(c *calls, family, fd int) string { return c.takes(fd, 50, unix.MSG_WAITALL|unix.MSG_PEEK) }},
	{"out of band", func(c *calls, family, fd int) string { return c.takes(fd, 5, unix.MSG_OOB) }},
	{"errors", func(c *calls, family, fd int) string { return c.takes(fd, 5, unix.MSG_ERRQUEUE) }},
	{"send", func(c *calls, family, fd int) string { n, e := c.sendNow(fd, "abc", 0); return fmt.Sprint(n, e) }},
	{"send nothing", func(c *calls, family, fd int) string { n, e := c.sendNow(fd, "", 0); return fmt.Sprint(n, e) }},
	{"send to an address", func(c *calls, family, fd int) string {
		n, e := c.sendmsg(fd, []byte("abc"), localhost(family, 1), nil)
		return fmt.Sprint(n, e)
	}},
	{"write", func(c *calls, family, fd int) string {
		n, e := c.call(unix.SYS_WRITE, uintptr(fd), c.ptr([]byte("abc")), 3)
		if e != 0 {
			n = -1
		}
		return fmt.Sprint(n, e)
	}},
	{"accept", func(c *calls, family, fd int) string {
		// Linux tells who does not wait that nobody is there.
		n, e := c.call(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK)
		if e == 0 {
			c.close(n)
			n = 0
		}
		return fmt.Sprint(e)
	}},
	{"listen", func(c *calls, family, fd int) string { return fmt.Sprint(c.listenOn(fd, 5)) }},
	{"bind", func(c *calls, family, fd int) string { return fmt.Sprint(c.bind(fd, localhost(family, 0))) }},
	{"connect", func(c *calls, family, fd int) string { return fmt.Sprint(c.connect(fd, localhost(family, 1))) }},
	{"connect to itself", func(c *calls, family, fd int) string {
		if c.port(fd) == 0 {
			return ""
		}
		return fmt.Sprint(c.connect(fd, localhost(family, c.port(fd))))
	}},
	{"connect to no address", func(c *calls, family, fd int) string { return fmt.Sprint(c.connect(fd, make([]byte, 16))) }},
	{"ask for too little", func(c *calls, family, fd int) string {
		out := ""
		for _, size := range []int{0, 1, 3, 8, -1} {
			b, n := make([]byte, 128), binary.NativeEndian.AppendUint32(nil, uint32(size))
			_, e := c.call(unix.SYS_GETSOCKNAME, uintptr(fd), c.ptr(b), c.ptr(n))
			out += fmt.Sprintf("%d %v %x; ", binary.NativeEndian.Uint32(n), e, b[:2])
		}
		return out
	}},
}

// except are calls that end otherwise here, of which nobody has been found to make use:
// a connection cannot be dissolved by AF_UNSPEC; nor can a socket whose connection was
// reset or refused be bound or connected once more, after which Linux has it like a new one
// where the call that was refused has waited; and the end that shutdown(2) puts to
// one that is not connected, while it says ENOTCONN, is not kept.
func except(state, call string) bool {
	dead := strings.HasPrefix(state, "reset") || strings.HasPrefix(state, "refused") || strings.Contains(state, "who left data") || state == "listening no longer" || state == "shut by both"
	idle := state == "fresh" || state == "bound" || state == "listening no longer" || strings.HasPrefix(state, "refused")
	switch {
	case call == "connect to no address":
		return state != "fresh" && state != "bound"
	case strings.HasPrefix(call, "connect") || call == "bind" || call == "listen":
		return dead
	case strings.HasPrefix(call, "shutdown"):
		return idle
	}
	return false
}

func shut(how int) func(c *calls, family, fd int) string {
	return func(c *calls, family, fd int) string {
		_, e := c.call(unix.SYS_SHUTDOWN, uintptr(fd), uintptr(how))
		return fmt.Sprint(e)
	}
}

// takes is recvmsg, without waiting.
func (c *calls) takes(fd, size, flags int) string {
	r := c.recvNow(fd, size, flags)
	return fmt.Sprintf("%d %q addr %x control %s flags %x %v", r.n, r.data[:min(len(r.data), max(0, r.n))], r.addr, r.cmsgs(), r.flags, r.e)
}

// TestStreamStates: each call on a socket of TCP, in each state, ends as on Linux, and
// leaves it and its peer in the same state.
func TestStreamStates(t *testing.T) {
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		for _, is := range streamStates {
			if family == unix.AF_INET6 && is.name != "connected" && is.name != "fresh" {
				continue
			}
			t.Run(fmt.Sprintf("%d %s", family, is.name), func(t *testing.T) {
				calmly(t, func(c *calls) {
					for _, call := range streamCalls {
						if except(is.name, call.name) {
							continue
						}
						name := is.name + ", " + call.name
						fd, others := is.make(c, family)
						c.rest()
						c.note("%s: %s", name, call.do(c, family, fd))
						c.rest()
						c.note("%s: then %s", name, c.state(fd))
						for i, o := range others {
							c.note("%s: other %d %s", name, i, c.state(o))
						}
						c.note("%s: and read %s", name, c.takes(fd, 100, 0))
						n, e := c.sendNow(fd, "more", 0)
						c.note("%s: and send %d %v", name, n, e)
						c.rest()
						c.note("%s: at the end %s", name, c.state(fd))
						c.closeAll(append(others, fd)...)
					}
				})
			})
		}
	}
}

// TestReceiveFlags: what flags do to a receiver of datagrams.
func TestReceiveFlags(t *testing.T) {
	calmly(t, func(c *calls) {
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			for _, size := range []int{0, 1, 5, 100} {
				for _, flags := range []int{0, unix.MSG_PEEK, unix.MSG_TRUNC, unix.MSG_PEEK | unix.MSG_TRUNC, unix.MSG_WAITALL, unix.MSG_OOB, unix.MSG_ERRQUEUE, unix.MSG_CMSG_CLOEXEC, unix.MSG_EOR, 0x10000000} {
					a, b := c.nb(family, unix.SOCK_DGRAM), c.nb(family, unix.SOCK_DGRAM)
					c.bind(a, localhost(family, 0))
					c.connect(b, localhost(family, c.port(a)))
					for _, text := range []string{"hello, world", "", "x"} {
						n, e := c.sendNow(b, text, 0)
						c.note("send %d %v", n, e)
					}
					c.rest()
					for i := range 5 {
						r := c.recvNow(a, size, flags)
						c.note("%d, %d, %x, %d: %d %q %d flags %x %v, FIONREAD", family, size, flags, i, r.n, r.data, len(r.addr), r.flags, r.e)
					}
					c.closeAll(a, b)
				}
			}
		}
	})
}

// TestBindRules: who may have an address beside whom.
func TestBindRules(t *testing.T) {
	type how struct {
		name                 string
		family               int
		addr                 []byte // without its port
		only                 bool
		reuseAddr, reusePort bool
	}
	var hows []how
	six := func(ip ...byte) []byte { return append(make([]byte, 16-len(ip)), ip...) }
	for _, a := range []struct {
		name   string
		family int
		addr   []byte
		only   bool
	}{
		{"0.0.0.0", unix.AF_INET, v4(0, 0, 0, 0, 0), false},
		{"127.0.0.1", unix.AF_INET, v4(0, 127, 0, 0, 1), false},
		{"127.0.0.2", unix.AF_INET, v4(0, 127, 0, 0, 2), false},
		{"::", unix.AF_INET6, v6Address(0, six()), false},
		{":: only", unix.AF_INET6, v6Address(0, six()), true},
		{"::1", unix.AF_INET6, v6Address(0, six(1)), false},
		{"::ffff:127.0.0.1", unix.AF_INET6, v6Address(0, six(0xff, 0xff, 127, 0, 0, 1)), false},
		{"::ffff:0.0.0.0", unix.AF_INET6, v6Address(0, six(0xff, 0xff, 0, 0, 0, 0)), false},
	} {
		for reuse := range 4 {
			hows = append(hows, how{a.name + []string{"", " addr", " port", " addr port"}[reuse], a.family, a.addr, a.only, reuse&1 != 0, reuse&2 != 0})
		}
	}
	for _, typ := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
		for _, listens := range []bool{false, true} {
			if listens && typ == unix.SOCK_DGRAM {
				continue
			}
			t.Run(fmt.Sprintf("type %d, listens %v", typ, listens), func(t *testing.T) {
				judge(t, func(c *calls) {
					make := func(h how) int {
						fd := c.nb(h.family, typ)
						if h.only {
							c.setInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
						}
						if h.reuseAddr {
							c.setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
						}
						if h.reusePort {
							c.setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
						}
						return fd
					}
					for _, a := range hows {
						for _, b := range hows {
							x, y := make(a), make(b)
							e := c.bind(x, a.addr)
							text := fmt.Sprintf("%s then %s: %v", a.name, b.name, e)
							if listens {
								text += fmt.Sprintf(" %v", c.listenOn(x, 1))
							}
							port := c.port(x)
							to := slices.Clone(b.addr)
							to[2], to[3] = byte(port>>8), byte(port)
							text += fmt.Sprintf(", %v", c.bind(y, to))
							if listens {
								text += fmt.Sprintf(" %v", c.listenOn(y, 1))
							}
							c.note("%s", text)
							c.closeAll(x, y)
						}
					}
				})
			})
		}
	}
}

// TestEdges: what epoll tells of streams, once for each change.
func TestEdges(t *testing.T) {
	calmly(t, func(c *calls) {
		ep, _ := c.call(unix.SYS_EPOLL_CREATE1, 0)
		event := func(events uint32, data int) uintptr {
			b := binary.NativeEndian.AppendUint32(nil, events)
			return c.ptr(binary.NativeEndian.AppendUint64(b, uint64(data)))
		}
		ctl := func(op, fd int, events uint32, data int) {
			_, e := c.call(unix.SYS_EPOLL_CTL, uintptr(ep), uintptr(op), uintptr(fd), event(events, data))
			if e != 0 {
				c.note("ctl: %v", e)
			}
		}
		how := ""
		wait := func(what string) {
			c.rest()
			b := make([]byte, 12*8)
			n, e := c.call(unix.SYS_EPOLL_WAIT, uintptr(ep), c.ptr(b), 8, 0)
			var list []string
			for i := range n {
				list = append(list, fmt.Sprintf("%d:%x", b[12*i+4], binary.NativeEndian.Uint32(b[12*i:])))
			}
			slices.Sort(list)
			c.note("%s, %s: %v %v", how, what, list, e)
		}
		all := uint32(unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLPRI)
		for _, mode := range []uint32{unix.EPOLLET, 0, unix.EPOLLET | unix.EPOLLONESHOT} {
			how = fmt.Sprintf("%x", mode)
			rearm := func(fd, data int) {
				if mode&unix.EPOLLONESHOT != 0 {
					ctl(unix.EPOLL_CTL_MOD, fd, all|mode, data)
				}
			}
			fd := c.nb(unix.AF_INET, unix.SOCK_STREAM)
			ctl(unix.EPOLL_CTL_ADD, fd, all|mode, 1)
			wait("fresh")
			wait("fresh again")
			rearm(fd, 1)
			l := c.nb(unix.AF_INET, unix.SOCK_STREAM)
			ctl(unix.EPOLL_CTL_ADD, l, all|mode, 2)
			c.bind(l, v4(0, 127, 0, 0, 1))
			wait("bound")
			rearm(l, 2)
			c.listenOn(l, 4)
			wait("listens")
			c.note("connect: %v", c.connect(fd, v4(c.port(l), 127, 0, 0, 1)))
			wait("connected")
			rearm(l, 2)
			wait("connected again")
			s, _ := c.accept(l)
			wait("accepted")
			rearm(fd, 1)
			rearm(l, 2)
			ctl(unix.EPOLL_CTL_ADD, s, all|mode, 3)
			wait("added")
			rearm(s, 3)
			c.sendNow(fd, "one", 0)
			wait("sent")
			rearm(s, 3)
			c.sendNow(fd, "two", 0)
			wait("sent more")
			c.recvNow(s, 1, 0)
			wait("read a byte")
			rearm(s, 3)
			wait("read a byte, armed")
			c.recvNow(s, 100, 0)
			wait("read all")
			c.recvNow(s, 100, 0)
			rearm(s, 3)
			wait("read nothing")
			ctl(unix.EPOLL_CTL_MOD, s, all|mode, 3)
			wait("armed anew")
			c.call(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR)
			wait("shut by the peer")
			rearm(s, 3)
			wait("shut by the peer, armed")
			c.recvNow(s, 100, 0)
			wait("read the end")
			c.call(unix.SYS_SHUTDOWN, uintptr(s), unix.SHUT_WR)
			wait("shut too")
			rearm(fd, 1)
			rearm(s, 3)
			wait("shut too, armed")
			c.closeAll(fd, s, l)
			wait("closed")

			// A reset.
			a, b, l2 := c.pair(unix.AF_INET)
			ctl(unix.EPOLL_CTL_ADD, b, all|mode, 4)
			wait("another")
			rearm(b, 4)
			c.set(a, unix.SOL_SOCKET, unix.SO_LINGER, []byte{1, 0, 0, 0, 0, 0, 0, 0})
			c.close(a)
			wait("reset")
			rearm(b, 4)
			wait("reset, armed")
			c.takes(b, 10, 0)
			rearm(b, 4)
			wait("reset, read")
			c.closeAll(b, l2)

			// A buffer that is full, and drained.
			a, b, l2 = c.pair(unix.AF_INET)
			ctl(unix.EPOLL_CTL_ADD, a, all|mode, 5)
			wait("writer")
			text := string(make([]byte, 1<<16))
			for range 2 {
				for {
					if _, e := c.sendNow(a, text, 0); e != unix.Errno(0) {
						break
					}
				}
				c.rest()
			}
			wait("full")
			rearm(a, 5)
			wait("full, armed")
			for n := 0; n < 1000; n++ {
				if r := c.recvNow(b, 1<<17, 0); r.e != 0 {
					c.rest()
					if r := c.recvNow(b, 1<<17, 0); r.e != 0 {
						break
					}
				}
			}
			wait("drained")
			c.closeAll(a, b, l2)

			// Datagrams.
			d, e := c.nb(unix.AF_INET, unix.SOCK_DGRAM), c.nb(unix.AF_INET, unix.SOCK_DGRAM)
			ctl(unix.EPOLL_CTL_ADD, d, all|mode, 6)
			wait("datagrams")
			rearm(d, 6)
			c.bind(d, v4(0, 127, 0, 0, 1))
			c.connect(e, v4(c.port(d), 127, 0, 0, 1))
			wait("bound")
			c.sendNow(e, "one", 0)
			wait("one")
			rearm(d, 6)
			if mode != unix.EPOLLET { // another edge on Linux, where the first has not been read
				c.sendNow(e, "two", 0)
				wait("two")
			}
			c.recvNow(d, 100, 0)
			wait("read one")
			rearm(d, 6)
			wait("read one, armed")
			ctl(unix.EPOLL_CTL_ADD, e, all|mode, 7)
			wait("the sender")
			rearm(e, 7)
			c.close(d)
			c.sendNow(e, "three", 0)
			wait("refused")
			rearm(e, 7)
			wait("refused, armed")
			c.note("%s", c.takes(e, 100, 0))
			wait("told")
			c.close(e)
		}
		c.close(ep)
	})
}

// TestOptionSizes: options with more and less room than they take.
func TestOptionSizes(t *testing.T) {
	for _, is := range []struct {
		name        string
		domain, typ int
	}{{"TCP4", unix.AF_INET, unix.SOCK_STREAM}, {"TCP6", unix.AF_INET6, unix.SOCK_STREAM}, {"UDP4", unix.AF_INET, unix.SOCK_DGRAM},
		{"UDP6", unix.AF_INET6, unix.SOCK_DGRAM}, {"raw4", unix.AF_INET, unix.SOCK_RAW}, {"raw6", unix.AF_INET6, unix.SOCK_RAW}} {
		t.Run(is.name, func(t *testing.T) {
			judge(t, func(c *calls) {
				more := []serverOption{{"SO_RCVTIMEO", unix.SOL_SOCKET, unix.SO_RCVTIMEO}, {"SO_SNDTIMEO", unix.SOL_SOCKET, unix.SO_SNDTIMEO},
					{"SO_COOKIE", unix.SOL_SOCKET, soCookie}, {"SO_PEERGROUPS", unix.SOL_SOCKET, soPeerGroups}}
				for _, o := range append(slices.Clone(serverOptions), more...) {
					name := fmt.Sprintf("%s %s (%d/%d)", is.name, o.name, o.level, o.option)
					if o.level == unix.IPPROTO_TCP && o.option == unix.TCP_CONGESTION || is.typ == unix.SOCK_RAW && o.level == unix.IPPROTO_IP && o.option == unix.IP_ROUTER_ALERT {
						continue // another algorithm; and a list of sockets, of which each has its place once
					}
					varies := o.level == unix.SOL_SOCKET && o.option == soCookie
					fd := -1
					if is.typ == unix.SOCK_RAW {
						fd = c.socket(is.domain, is.typ|unix.SOCK_NONBLOCK, 253)
					} else {
						fd = c.nb(is.domain, is.typ)
					}
					for _, size := range []int{0, 1, 2, 3, 4, 5, 8, 16, -1, -1 << 31} {
						if size < 0 && o.level != unix.SOL_SOCKET {
							continue // EINVAL, or a name that is not there, or IPv6's idea of a length
						}
						b := make([]byte, 64)
						for i := range b {
							b[i] = 0xaa
						}
						n := binary.NativeEndian.AppendUint32(nil, uint32(size))
						_, e := c.call(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(o.level), uintptr(o.option), c.ptr(b), c.ptr(n))
						if varies {
							clear(b)
						}
						c.note("%s get %d: %x %d %v", name, size, b[:18], int32(binary.NativeEndian.Uint32(n)), e)
					}
					for _, size := range []int{0, 1, 2, 3, 4, 5, 8, 16, -1} {
						if size < 4 && o.level == unix.IPPROTO_IPV6 {
							continue // of which Linux has changed its mind
						}
						b := make([]byte, 64)
						b[0] = 1
						_, e := c.call(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(o.level), uintptr(o.option), c.ptr(b), uintptr(size))
						c.note("%s set %d: %v", name, size, e)
					}
					b, e := c.get(fd, o.level, o.option, 8)
					if varies {
						clear(b)
					}
					c.note("%s after: %x %v", name, b, e)
					for _, p := range []uintptr{0, 8} {
						if o.level != unix.SOL_SOCKET {
							break // that there is no such name or state may come first
						}
						_, e = c.call(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(o.level), uintptr(o.option), p, 4)
						c.note("%s set from %d: %v", name, p, e)
						_, e = c.call(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(o.level), uintptr(o.option), p, c.ptr([]byte{4, 0, 0, 0}))
						c.note("%s get to %d: %v", name, p, e)
					}
					if o.level == unix.SOL_SOCKET {
						_, e = c.call(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(o.level), uintptr(o.option), c.ptr(b), 0)
						c.note("%s get, size to 0: %v", name, e)
					}
					c.close(fd)
				}
			})
		})
	}
}
