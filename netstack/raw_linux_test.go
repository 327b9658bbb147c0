package netstack

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
)

// rawHosts are addresses of lo by family: the first is that of who asks for none.
var rawHosts = map[int][2][]byte{
	unix.AF_INET:  {v4(0, 127, 0, 0, 1), v4(0, 127, 0, 0, 2)},
	unix.AF_INET6: {v6lo(0), v6lo(0)},
}

// raw opens a raw socket.
func (c *calls) raw(family, protocol int) int { return c.socket(family, unix.SOCK_RAW, protocol) }

// hear notes what a raw socket gets next. What is not the same twice is left out of the
// header: the number of the packet, and the sum, which has to be right.
func (c *calls) hear(what string, family, fd int) {
	r := c.recvmsg(fd, 70000, 0)
	if r.e != 0 {
		c.note("%s: %v", what, r.e)
		return
	}
	b := r.data
	if family == unix.AF_INET && len(b) > 0 {
		if n := int(b[0]&15) * 4; n < 20 || len(b) < n || checksum.Checksum(b[:n], 0) != 0xffff {
			c.note("%s: header %x", what, b)
			return
		}
		b[4], b[5], b[10], b[11] = 0, 0, 0, 0
		if b[9] == unix.IPPROTO_ICMP {
			b[1] = 0 // the stack has no class for its own messages
			if n, quote := int(b[0]&15)*4, 8; len(b) >= n+quote+20 && b[n] == 3 {
				inner := b[n+quote:]
				inner[4], inner[5], inner[10], inner[11] = 0, 0, 0, 0
			}
		}
	}
	if len(b) > 200 {
		b = b[:200]
	}
	c.note("%s: %d bytes, flags %x, from %x: %x %s", what, r.n, r.flags, r.addr, b, r.cmsgs())
}

// say sends bytes to an address, nil: the peer.
func (c *calls) say(what string, fd int, data, to []byte) {
	n, e := c.sendmsg(fd, data, to, nil)
	c.note("%s: sent %d %v", what, n, e)
}

// hearNothing notes that a raw socket has got nothing, of what others have got by now.
func (c *calls) hearNothing(what string, fd int) {
	r := c.recvNow(fd, 100, 0)
	c.note("%s: %v %x", what, r.e, r.data)
}

func (c *calls) names(what string, fd int) {
	for _, nr := range []uintptr{unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME} {
		b, e := c.name(fd, nr)
		if e != 0 {
			b = nil
		}
		c.note("%s: %x %v", what, b, e)
	}
}

// TestRawProtocols: each raw socket gets a copy of each datagram of its protocol, whatever
// the number is, and of no other.
func TestRawProtocols(t *testing.T) {
	judge(t, func(c *calls) {
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			for _, protocol := range []int{-1, 0, 256, 262, 263, 1 << 20} {
				if fd := c.raw(family, protocol); fd >= 0 {
					c.note("%d %d: opened", family, protocol)
					c.close(fd)
				}
			}
			for _, protocol := range []int{2, 4, 6, 17, 33, 41, 47, 50, 89, 103, 132, 136, 200, 254, 255} {
				what := fmt.Sprint("family ", family, " protocol ", protocol)
				one, two, other := c.raw(family, protocol), c.raw(family, protocol), c.raw(family, 99)
				from := other
				if protocol == 255 {
					from = one
					c.setInt(one, unix.IPPROTO_IP, unix.IP_HDRINCL, 0)
					c.setInt(one, unix.IPPROTO_IPV6, ipv6Hdrincl, 0)
				} else {
					from = c.raw(family, protocol)
				}
				for _, data := range []string{"", "x", "\x01\x02\x03\x04\x05\x06\x07\x08 of a datagram"} {
					c.say(what, from, []byte(data), rawHosts[family][0])
					c.hear(what+" one", family, one)
					c.hear(what+" two", family, two)
				}
				c.say(what, other, []byte("other"), rawHosts[family][0])
				c.hear(what+" other", family, other)
				c.note("%s: %v %v", what, c.recvNow(one, 100, 0).e, c.recvNow(two, 100, 0).e)
				for _, fd := range []int{one, two, other, from} {
					c.close(fd)
				}
			}
		}
	})
}

// TestRawFilters: bind and connect decide of what comes, SO_BINDTODEVICE as well, and
// connect(2) to AF_UNSPEC ends it.
func TestRawFilters(t *testing.T) {
	judge(t, func(c *calls) {
		const gre = 47
		from := c.raw(unix.AF_INET, gre)
		bound, connected, both := c.raw(unix.AF_INET, gre), c.raw(unix.AF_INET, gre), c.raw(unix.AF_INET, gre)
		c.note("bind: %v", c.bind(bound, v4(9, 127, 0, 0, 2)))
		c.note("bind to none: %v", c.bind(both, v4(0, 192, 0, 2, 1)))
		c.note("bind again: %v %v", c.bind(both, v4(0, 127, 0, 0, 3)), c.bind(both, v4(0, 127, 0, 0, 2)))
		c.note("bind by another family: %v", c.bind(c.raw(unix.AF_INET, 50), v6lo(0)))
		c.note("connect: %v %v", c.connect(connected, v4(0, 127, 0, 0, 3)), c.connect(both, v4(7, 127, 0, 0, 3)))
		c.note("bind when connected: %v", c.bind(both, v4(0, 127, 0, 0, 2)))
		for _, fd := range []int{from, bound, connected, both} {
			c.names("names", fd)
		}
		for _, way := range [][2]byte{{1, 1}, {1, 2}, {3, 1}, {3, 2}} {
			c.note("from %d: %v", way[0], c.bind(from, v4(0, 127, 0, 0, way[0])))
			c.say("way", from, way[:], v4(0, 127, 0, 0, way[1]))
			for _, s := range []struct {
				what  string
				fd    int
				hears bool
			}{
				{"from", from, way[0] == way[1]},
				{"bound", bound, way[1] == 2},
				{"connected", connected, way == [2]byte{3, 1}},
				{"both", both, way == [2]byte{3, 2}},
			} {
				if s.hears {
					c.hear(s.what, unix.AF_INET, s.fd)
				} else {
					c.hearNothing(s.what, s.fd)
				}
			}
		}
		c.note("bound to all: %v", c.bind(from, v4(0, 0, 0, 0, 0)))
		c.say("to the peer", connected, []byte("peer"), nil)
		c.say("to nobody", from, []byte("peer"), nil)
		c.say("elsewhere", connected, []byte("else"), v4(0, 127, 0, 0, 2))
		c.hear("bound", unix.AF_INET, bound)
		c.note("device: %v %v", c.set(bound, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, []byte("lo\x00")), c.set(bound, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, []byte("no\x00")))
		c.say("to the device", connected, []byte("else"), v4(0, 127, 0, 0, 2))
		c.hear("bound", unix.AF_INET, bound)
		c.note("disconnect: %v", c.connect(connected, make([]byte, 16)))
		c.names("disconnected", connected)
		c.say("disconnected", connected, []byte("x"), v4(0, 127, 0, 0, 2))
		c.hear("bound", unix.AF_INET, bound)
		c.note("broadcast: %v", c.connect(from, v4(0, 127, 255, 255, 255)))
		c.note("broadcast: %v %v", c.setInt(from, unix.SOL_SOCKET, unix.SO_BROADCAST, 1), c.connect(from, v4(0, 127, 255, 255, 255)))
		c.note("unreachable: %v", c.connect(from, v4(0, 192, 0, 2, 1)))
		for _, how := range []uintptr{3, 0, 1, 2} {
			_, e := c.call(unix.SYS_SHUTDOWN, uintptr(bound), how)
			_, e2 := c.call(unix.SYS_SHUTDOWN, uintptr(both), how)
			c.note("shutdown %d: %v %v", how, e, e2)
		}
		c.say("shut", both, []byte("x"), nil)
		c.hearNothing("shut", both)

		six, to := c.raw(unix.AF_INET6, gre), c.raw(unix.AF_INET6, gre)
		c.names("six", six)
		mapped := v6lo(0)
		copy(mapped[8:], []byte{18: 0})
		mapped[18], mapped[19], mapped[20] = 0xff, 0xff, 127
		none := v6lo(0)
		none[8] = 0x20
		local := v6lo(0)
		local[8], local[9] = 0xfe, 0x80
		c.note("bind: %v %v %v %v", c.bind(six, mapped), c.bind(six, none), c.bind(six, local), c.bind(six, v6lo(7)))
		c.names("six", six)
		c.note("connect: %v %v %v", c.connect(to, none), c.connect(to, local), c.connect(to, v6lo(0)))
		c.names("to", to)
		c.note("connect: %v", c.connect(to, v6lo(9)))
		c.names("to", to)
		c.say("mapped", six, []byte("x"), mapped)
		c.say("by port", six, []byte("x"), v6lo(48))
		c.say("by port", six, []byte("y"), v6lo(gre))
		c.hear("six", unix.AF_INET6, six)
		c.hear("to", unix.AF_INET6, to)
		c.say("to the peer", to, []byte("y"), nil)
		c.hear("six", unix.AF_INET6, six)
		c.note("listen: %v", c.listen(to))
		unspecified := v4(0, 127, 0, 0, 1)
		unspecified[0] = 0
		for i, b := range [][]byte{unspecified, unspecified[:8], v4(0, 127, 0, 0, 1)[:15], append(v4(0, 127, 0, 0, 1), 0, 0), {}, {2}, v6lo(0)} {
			c.say(fmt.Sprint("odd ", i), c.raw(unix.AF_INET, 50), []byte("x"), b)
			c.note("odd %d: %v %v", i, c.bind(c.raw(unix.AF_INET, 50), b), c.connect(c.raw(unix.AF_INET, 50), b))
		}
		unspecified = v6lo(0)
		unspecified[0] = 0
		for i, b := range [][]byte{unspecified, unspecified[:24], v6lo(0)[:24], v6lo(0)[:23], {10, 0}, {}, v4(0, 127, 0, 0, 1)} {
			c.say(fmt.Sprint("odd six ", i), c.raw(unix.AF_INET6, 50), []byte("x"), b)
			c.note("odd six %d: %v %v", i, c.bind(c.raw(unix.AF_INET6, 50), b), c.connect(c.raw(unix.AF_INET6, 50), b))
		}
		for _, id := range []byte{0, 1, 2} {
			group := v6lo(0)
			group[8], group[9], group[24], local[24] = 0xff, 2, id, id
			one, two, three := c.raw(unix.AF_INET6, 51), c.raw(unix.AF_INET6, 51), c.raw(unix.AF_INET6, 51)
			c.note("scope %d: %v %v", id, c.bind(one, local), c.bind(two, group))
			c.names("scope", two)
			c.note("device: %v", c.set(three, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, []byte("lo\x00")))
			c.note("scope %d: %v", id, c.bind(three, group))
			c.names("scope", three)
		}
		local[24] = 0
		c.note("no scope: %v", c.connect(c.raw(unix.AF_INET6, 51), local))
		one := c.raw(unix.AF_INET6, 51)
		local[24] = 2
		c.note("another scope: %v %v", c.set(one, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, []byte("lo\x00")), c.connect(one, local))
	})
}

func (c *calls) listen(fd int) syscall.Errno {
	_, e := c.call(unix.SYS_LISTEN, uintptr(fd), 1)
	_, e2 := c.call(unix.SYS_ACCEPT, uintptr(fd), 0, 0)
	return max(e, e2)
}

// TestRawHeaders: with IP_HDRINCL, and as IPPROTO_RAW, a packet is sent with the header that
// it has, but for what Linux fills in.
func TestRawHeaders(t *testing.T) {
	judge(t, func(c *calls) {
		const ospf = 89
		to := c.raw(unix.AF_INET, ospf)
		for _, protocol := range []int{unix.IPPROTO_RAW, 47} {
			what := fmt.Sprint("by ", protocol)
			from := c.raw(unix.AF_INET, protocol)
			b, e := c.get(from, unix.IPPROTO_IP, unix.IP_HDRINCL, 4)
			c.note("%s: %x %v", what, b, e)
			c.note("%s: %v", what, c.setInt(from, unix.IPPROTO_IP, unix.IP_HDRINCL, 1))
			lo, any, two := [4]byte{127, 0, 0, 1}, [4]byte{}, [4]byte{127, 0, 0, 2}
			for i, h := range [][]byte{
				append(ipv4Header(5, ospf, lo, lo), "hello"...),
				append(ipv4Header(5, ospf, any, lo), "hello"...),
				append(ipv4Header(99, ospf, two, lo), "hello"...),
				append(ipv4Header(5, ospf, [4]byte{127, 9, 9, 9}, two), "hello"...),
				ipv4Header(0, ospf, lo, lo),
			} {
				c.say(fmt.Sprint(what, i), from, h, v4(0, 127, 0, 0, 1))
				c.hear(fmt.Sprint(what, i), unix.AF_INET, to)
			}
			options := append([]byte{0x46, 7}, ipv4Header(9, ospf, lo, lo)[2:]...)
			c.say(what, from, append(options, "\x01\x01\x01\x00hello"...), v4(0, 127, 0, 0, 1))
			c.hear(what, unix.AF_INET, to)
			for _, bad := range [][]byte{nil, make([]byte, 19), append([]byte{0x4f}, ipv4Header(0, ospf, lo, lo)[1:]...)} {
				c.say(what+" bad", from, bad, v4(0, 127, 0, 0, 1))
			}
			c.close(from)
		}
		six := c.raw(unix.AF_INET6, ospf)
		for _, protocol := range []int{unix.IPPROTO_RAW, 47} {
			what := fmt.Sprint("six by ", protocol)
			from := c.raw(unix.AF_INET6, protocol)
			b, e := c.get(from, unix.IPPROTO_IPV6, ipv6Hdrincl, 4)
			c.note("%s: %x %v", what, b, e)
			c.note("%s: %v", what, c.setInt(from, unix.IPPROTO_IPV6, ipv6Hdrincl, 1))
			c.say(what, from, append(ipv6Header(5, ospf), "hello"...), v6lo(0))
			c.hear(what, unix.AF_INET6, six)
			c.say(what, from, make([]byte, 39), v6lo(0))
			c.close(from)
		}
		// Without the header, a socket of IPPROTO_RAW says the protocol by the port.
		from := c.raw(unix.AF_INET6, unix.IPPROTO_RAW)
		c.note("%v", c.setInt(from, unix.SOL_RAW, ipv6Hdrincl, 0))
		c.say("by the port", from, []byte("hello"), v6lo(ospf))
		c.hear("by the port", unix.AF_INET6, six)
		c.say("by the port", from, []byte("hello"), v6lo(256))
		c.note("of a datagram socket: %v", c.setInt(c.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0), unix.IPPROTO_IPV6, ipv6Hdrincl, 1))
	})
}

// TestRawUnreachable: who has no socket of a protocol says so, unless a raw socket takes the
// datagram, and a raw socket that is connected is told.
func TestRawUnreachable(t *testing.T) {
	judge(t, func(c *calls) {
		const protocol = 200
		icmp := c.raw(unix.AF_INET, unix.IPPROTO_ICMP)
		from := c.raw(unix.AF_INET, 99)
		c.note("%v", c.setInt(from, unix.IPPROTO_IP, unix.IP_HDRINCL, 1))
		send := func(protocol byte) {
			b := append(ipv4Header(9, protocol, [4]byte{127, 0, 0, 1}, [4]byte{127, 0, 0, 1}), "datagram!"...)
			b[6] = 0x40
			c.say("datagram", from, b, v4(0, 127, 0, 0, 1))
		}
		send(protocol)
		c.hear("unreachable", unix.AF_INET, icmp)
		taker := c.raw(unix.AF_INET, protocol)
		send(protocol)
		c.hear("taken", unix.AF_INET, taker)
		send(201) // the next message is of this one
		c.hear("unreachable", unix.AF_INET, icmp)
		c.note("%v", c.connect(taker, v4(0, 127, 0, 0, 7)))
		send(protocol)
		c.hear("not for the socket", unix.AF_INET, icmp)

		six, icmp6 := c.raw(unix.AF_INET6, protocol), c.raw(unix.AF_INET6, unix.IPPROTO_ICMPV6)
		c.close(six)
		whole := c.raw(unix.AF_INET6, unix.IPPROTO_RAW)
		c.say("six", whole, append(ipv6Header(9, protocol), "datagram!"...), v6lo(0))
		c.hear("unknown header", unix.AF_INET6, icmp6)
		six = c.raw(unix.AF_INET6, protocol)
		c.say("six", whole, append(ipv6Header(9, protocol), "datagram!"...), v6lo(0))
		c.hear("taken", unix.AF_INET6, six)
		c.say("six", whole, append(ipv6Header(9, 201), "datagram!"...), v6lo(0))
		c.hear("unknown header", unix.AF_INET6, icmp6)

		connected := c.raw(unix.AF_INET, 202)
		c.note("connect: %v", c.connect(connected, v4(0, 127, 0, 0, 9)))
		c.note("not bound to hear itself: %v", c.connect(connected, v4(0, 127, 0, 0, 9)))
		c.say("refused", connected, []byte("datagram"), nil)
		c.note("poll: %x", c.poll(connected, unix.POLLIN, 2000)&unix.POLLERR)
		b, e := c.get(connected, unix.SOL_SOCKET, unix.SO_ERROR, 4)
		c.note("error: %x %v", b, e)
		c.say("refused", connected, []byte("datagram"), nil)
		c.note("receive: %v", c.recvmsg(connected, 10, 0).e)
		for _, on := range []int{0, 1} { // that has its header is told
			c.say("refused", connected, []byte("datagram"), nil)
			c.poll(connected, unix.POLLIN, 2000)
			c.note("header: %v", c.setInt(connected, unix.IPPROTO_IP, unix.IP_HDRINCL, on))
			b := append(ipv4Header(1, 203, [4]byte{127, 0, 0, 1}, [4]byte{127, 0, 0, 9}), 'x')
			c.say("told", connected, b, nil)
			c.say("told once", connected, b, nil)
			c.setInt(connected, unix.IPPROTO_IP, unix.IP_HDRINCL, 0)
			c.get(connected, unix.SOL_SOCKET, unix.SO_ERROR, 4)
		}
		loose := c.raw(unix.AF_INET, 204)
		for _, on := range []int{0, 1} {
			c.note("not connected: %v", c.setInt(loose, unix.IPPROTO_IP, unix.IP_RECVERR, on))
			c.note("bind: %v", c.bind(loose, v4(0, 127, 0, 0, 1)))
			c.say("refused", loose, []byte("datagram"), v4(0, 127, 0, 0, 9))
			c.hear("refused", unix.AF_INET, icmp)
			b, e := c.get(loose, unix.SOL_SOCKET, unix.SO_ERROR, 4)
			c.note("not connected: %x %v", b, e)
		}
	})
}

// TestRawErrors: what ICMP says of a datagram is an error as on Linux, if it is final, or
// the socket asks for all.
func TestRawErrors(t *testing.T) {
	judge(t, func(c *calls) {
		const gre = 47
		for family, v := range []struct {
			family, icmp, level, receiveErrors, discover int
			types, codes                                 byte
		}{
			{unix.AF_INET, unix.IPPROTO_ICMP, unix.IPPROTO_IP, unix.IP_RECVERR, unix.IP_MTU_DISCOVER, 20, 18},
			{unix.AF_INET6, unix.IPPROTO_ICMPV6, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, unix.IPV6_MTU_DISCOVER, 6, 9},
		} {
			for _, all := range []int{0, 1} {
				icmp, connected, loose := c.raw(v.family, v.icmp), c.raw(v.family, gre), c.raw(v.family, gre)
				c.note("connect: %v", c.connect(connected, rawHosts[v.family][0]))
				c.note("all: %v %v", c.setInt(connected, v.level, v.receiveErrors, all), c.setInt(loose, v.level, v.receiveErrors, all))
				for typ := range v.types {
					if family == 0 && (typ == 0 || typ == 5 || typ == 8) {
						continue // no error but another message, which is answered
					}
					for code := range v.codes {
						quoted := append(ipv4Header(8, gre, [4]byte{127, 0, 0, 1}, [4]byte{127, 0, 0, 1}), "datagram"...)
						if family == 1 {
							quoted = append(ipv6Header(8, gre), "datagram"...)
						}
						b := append([]byte{typ, code, 0, 0, 0, 0, 0xf, 0}, quoted...)
						if family == 0 {
							checksum.Put(b[2:], ^checksum.Checksum(b, 0))
						}
						for _, discover := range []int{unix.IP_PMTUDISC_WANT, unix.IP_PMTUDISC_DO, unix.IP_PMTUDISC_DONT} {
							if discover != unix.IP_PMTUDISC_WANT && typ > 3 {
								continue
							}
							c.setInt(connected, v.level, v.discover, discover)
							n, e := c.sendmsg(icmp, b, rawHosts[v.family][0], nil)
							fence := []byte{200, 0, 55, 255, 0, 0, 0, 0} // of no type; what is before it has been taken
							c.sendmsg(icmp, fence, rawHosts[v.family][0], nil)
							for { // what is sent here, and what is not
								r := c.recvmsg(icmp, 100, 0)
								if at := map[int]int{unix.AF_INET: 20}[v.family]; r.e != 0 || r.data[at] == 200 {
									break
								}
							}
							one, _ := c.get(connected, unix.SOL_SOCKET, unix.SO_ERROR, 4)
							two, _ := c.get(loose, unix.SOL_SOCKET, unix.SO_ERROR, 4)
							c.note("family %d all %d type %d code %d discover %d: %d %v, errors %d %d", v.family, all, typ, code, discover, n, e, one, two)
						}
					}
				}
				for _, fd := range []int{icmp, connected, loose} {
					c.close(fd)
				}
			}
		}
	})
}

// TestRawChecksum: IPV6_CHECKSUM has sums made, and verified.
func TestRawChecksum(t *testing.T) {
	judge(t, func(c *calls) {
		const protocol = 103
		get := func(what string, fd int) {
			for _, level := range []int{unix.IPPROTO_IPV6, unix.SOL_RAW} {
				b, e := c.get(fd, level, unix.IPV6_CHECKSUM, 4)
				c.note("%s: %x %v", what, b, e)
			}
		}
		plain, sums, verifies := c.raw(unix.AF_INET6, protocol), c.raw(unix.AF_INET6, protocol), c.raw(unix.AF_INET6, protocol)
		get("unset", plain)
		for _, v := range []int{1, 3, -7, 0, 2, 4} {
			for _, level := range []int{unix.IPPROTO_IPV6, unix.SOL_RAW} {
				c.note("set %d %d: %v", level, v, c.setInt(sums, level, unix.IPV6_CHECKSUM, v))
				get("set", sums)
			}
		}
		c.note("short: %v", c.set(sums, unix.SOL_RAW, unix.IPV6_CHECKSUM, []byte{1}))
		c.note("verify: %v", c.setInt(verifies, unix.SOL_RAW, unix.IPV6_CHECKSUM, 0))
		c.say("wrong", plain, []byte("no sum here"), v6lo(0))
		c.hear("wrong", unix.AF_INET6, plain)
		c.say("right", sums, []byte("a sum here"), v6lo(0))
		c.hear("right", unix.AF_INET6, plain)
		c.hear("right", unix.AF_INET6, verifies)
		c.say("odd", sums, []byte("a sum here!"), v6lo(0))
		c.hear("odd", unix.AF_INET6, verifies)
		c.say("short", sums, []byte("12345"), v6lo(0))
		icmp, tcp := c.raw(unix.AF_INET6, unix.IPPROTO_ICMPV6), c.raw(unix.AF_INET, 6)
		get("icmp", icmp)
		udp := c.raw(unix.AF_INET6, unix.IPPROTO_UDP)
		c.note("udp: %v", c.setInt(udp, unix.SOL_RAW, unix.IPV6_CHECKSUM, 6))
		zero := []byte{0, 9, 0, 9, 0, 10, 0, 0, 0, 0} // whose sum is 0, with the header of IPv6
		sum := ^checksum.Checksum(zero, uint16(len(zero))+unix.IPPROTO_UDP+2)
		zero[8], zero[9] = byte(sum>>8), byte(sum)
		c.say("no sum of 0", udp, zero, v6lo(0))
		c.hear("no sum of 0", unix.AF_INET6, udp)
		filtering, sends := c.raw(unix.AF_INET, unix.IPPROTO_ICMP), c.raw(unix.AF_INET, unix.IPPROTO_ICMP)
		c.note("filter: %v", c.setInt(filtering, unix.SOL_RAW, icmpFilter, -1))
		for _, typ := range []byte{0, 31, 32, 40, 255} {
			c.say("filtered", sends, []byte{typ, 0, ^typ, 0xff, 0, 0, 0, 0}, v4(0, 127, 0, 0, 1))
		}
		c.say("too short for a filter", sends, []byte{40, 0, 0, 0, 0, 0, 0}, v4(0, 127, 0, 0, 1))
		for range 3 {
			c.hear("unfiltered", unix.AF_INET, filtering)
		}
		c.hearNothing("unfiltered", filtering)
		for _, level := range []int{unix.IPPROTO_IPV6, unix.SOL_RAW, unix.IPPROTO_ICMPV6} {
			c.note("icmp: %v", c.setInt(icmp, level, unix.IPV6_CHECKSUM, 2))
			c.note("other: %v", c.setInt(plain, level, unix.IPV6_CHECKSUM, -1))
			c.note("four: %v", c.setInt(tcp, level, unix.IPV6_CHECKSUM, 2))
		}
		for _, fd := range []int{icmp, plain, tcp} {
			for _, level := range []int{unix.SOL_RAW, unix.IPPROTO_ICMPV6, unix.IPPROTO_ICMP} {
				for _, size := range []int{0, 4, 32} {
					c.note("filter %d %d: %v", level, size, c.set(fd, level, icmpv6Filter, make([]byte, size)))
					b, e := c.get(fd, level, icmpv6Filter, size)
					c.note("filter %d %d: %x %v", level, size, b, e)
				}
			}
		}
	})
}

// TestRawSizes: what is long goes in fragments, and comes whole; ancillary data says of each
// what it was asked for.
func TestRawSizes(t *testing.T) {
	judge(t, func(c *calls) {
		b := make([]byte, sizeIfreq)
		copy(b, "lo")
		binary.NativeEndian.PutUint32(b[ifNameSize:], 1500)
		fd := c.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		c.note("MTU: %v", c.ioctl(fd, unix.SIOCSIFMTU, b))
		const gre = 47
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			from, to := c.raw(family, 48), c.raw(family, gre)
			c.close(from)
			from = c.raw(family, gre)
			level, options := unix.IPPROTO_IP, []int{unix.IP_PKTINFO, unix.IP_RECVTTL, unix.IP_RECVTOS, ipRecvOrigDst}
			if family == unix.AF_INET6 {
				level, options = unix.IPPROTO_IPV6, []int{unix.IPV6_RECVPKTINFO, unix.IPV6_RECVHOPLIMIT, unix.IPV6_RECVTCLASS, ipv6RecvOrigDst}
			}
			for _, o := range options {
				c.note("option: %v", c.setInt(to, level, o, 1))
			}
			sizes := []int{0, 1, 1432, 1460, 1461, 1480, 1481, 5000, 60000, 65495, 65496, 65515, 65516, 65535, 65536, 70000}
			for _, discover := range []int{unix.IP_PMTUDISC_WANT, unix.IP_PMTUDISC_DONT, unix.IP_PMTUDISC_DO, unix.IP_PMTUDISC_PROBE} {
				name := unix.IP_MTU_DISCOVER
				if family == unix.AF_INET6 {
					name = unix.IPV6_MTU_DISCOVER
				}
				c.note("discover %d: %v", discover, c.setInt(from, level, name, discover))
				for _, n := range sizes {
					if discover != unix.IP_PMTUDISC_WANT && n > 5000 {
						continue
					}
					data := make([]byte, n)
					for i := range data {
						data[i] = byte(i * 7)
					}
					what := fmt.Sprint("family ", family, " ", discover, " ", n)
					sent, e := c.sendmsg(from, data, rawHosts[family][0], nil)
					c.note("%s: %d %v", what, sent, e)
					if e == 0 {
						c.hear(what, family, to)
						c.recvmsg(from, 70000, 0)
					}
				}
			}
			c.note("class: %v %v", c.setInt(from, level, map[int]int{unix.AF_INET: unix.IP_TOS, unix.AF_INET6: unix.IPV6_TCLASS}[family], 0x28),
				c.setInt(from, level, map[int]int{unix.AF_INET: unix.IP_TTL, unix.AF_INET6: unix.IPV6_UNICAST_HOPS}[family], 9))
			c.say("class", from, []byte("class"), rawHosts[family][0])
			c.hear("class", family, to)
			items := cmsgInt(unix.IPPROTO_IP, unix.IP_TTL, 7)
			if family == unix.AF_INET6 {
				items = append(cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, 7), cmsgInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 3)...)
			}
			n, e := c.sendmsg(from, []byte("items"), rawHosts[family][0], items)
			c.note("items: %d %v", n, e)
			c.hear("items", family, to)
			r := c.recvNow(to, 10, 0)
			c.note("none: %v", r.e)
			c.say("peek", from, []byte("peek at this"), rawHosts[family][0])
			r = c.recvmsg(to, 4, unix.MSG_PEEK|unix.MSG_TRUNC)
			c.note("peek: %d %x", r.n, r.flags)
			r = c.recvmsg(to, 4, 0)
			c.note("cut: %d %x", r.n, r.flags)
		}
	})
}
