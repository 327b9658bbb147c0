package netstack

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSources: what a socket sends within the loopback network comes from where it
// does on Linux, whatever the protocol, and however the socket is bound and connected.
func TestSources(t *testing.T) {
	judge(t, func(c *calls) {
		about := "" // what the notes are of
		note := func(format string, args ...any) { c.note("%s: %s", about, fmt.Sprintf(format, args...)) }
		port := func(fd int) uint16 {
			b, e := c.name(fd, unix.SYS_GETSOCKNAME)
			if e != 0 || len(b) < 4 {
				t.Fatalf("getsockname: %x, %v", b, e)
			}
			return uint16(b[2])<<8 | uint16(b[3])
		}
		address := func(b []byte, own ...uint16) string { // with a port that is one of these
			if len(b) < 8 {
				return fmt.Sprintf("%x", b)
			}
			p, at := uint16(b[2])<<8|uint16(b[3]), "0"
			if p != 0 {
				at = "another port"
			}
			for _, o := range own {
				if p == o {
					at = "its port"
				}
			}
			host := b[4:8]
			if len(b) > 24 {
				host = b[8:24]
			}
			return fmt.Sprintf("%x %s", host, at)
		}
		udp := func(family int, addr func(port uint16, a, b, c, d byte) []byte) {
			server := c.socket(family, unix.SOCK_DGRAM, 0)
			note("bind: %v", c.bind(server, addr(0, 0, 0, 0, 0)))
			to := port(server)
			if family == unix.AF_INET {
				c.setInt(server, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
			}
			for _, own := range []struct {
				name string
				addr []byte
			}{{"not bound", nil}, {"bound to a port", addr(0, 0, 0, 0, 0)}, {"bound to 127.0.0.5", addr(0, 127, 0, 0, 5)}} {
				for _, connected := range []bool{false, true} {
					for _, last := range []byte{1, 9} {
						about = fmt.Sprintf("family %d, %s, connected %v, to %d", family, own.name, connected, last)
						fd := c.socket(family, unix.SOCK_DGRAM, 0)
						if own.addr != nil {
							note("bind: %v", c.bind(fd, own.addr))
						}
						dst := addr(to, 127, 0, 0, last)
						if connected {
							note("connect: %v", c.connect(fd, dst))
							b, _ := c.name(fd, unix.SYS_GETSOCKNAME)
							note("name: %s", address(b, port(fd)))
							dst = nil
						}
						n, e := c.sendmsg(fd, []byte("question"), dst, nil)
						note("send: %d %v", n, e)
						r := c.recvmsg(server, 100, 0)
						note("heard from %s: %q %s", address(r.addr, port(fd)), r.data, r.cmsgs())
						n, e = c.sendmsg(server, []byte("answer"), r.addr, nil)
						note("answer: %d %v", n, e)
						if !connected || last == 1 {
							a := c.recvmsg(fd, 100, 0)
							note("answer: %q from %s %v", a.data, address(a.addr, to), a.e)
						}
						b, _ := c.name(fd, unix.SYS_GETSOCKNAME)
						note("afterwards: %s", address(b, port(fd)))
						if connected {
							note("elsewhere: %v", c.connect(fd, addr(to, 127, 0, 0, 1)))
							n, e = c.sendmsg(fd, []byte("again"), nil, nil)
							note("send: %d %v", n, e)
							r = c.recvmsg(server, 100, 0)
							note("elsewhere, heard from %s: %q", address(r.addr, port(fd)), r.data)
							note("and back: %v", c.connect(fd, addr(to, 127, 0, 0, 9)))
							n, e = c.sendmsg(fd, []byte("again"), nil, nil)
							note("send: %d %v", n, e)
							r = c.recvmsg(server, 100, 0)
							note("heard from %s: %q", address(r.addr, port(fd)), r.data)
						}
						c.close(fd)
					}
				}
			}
			about = fmt.Sprintf("family %d, refused", family)
			// An error comes to who has asked.
			fd := c.socket(family, unix.SOCK_DGRAM, 0)
			c.close(server)
			note("connect to nobody: %v", c.connect(fd, addr(to, 127, 0, 0, 9)))
			c.sendmsg(fd, []byte("question"), nil, nil)
			note("refused: %x", c.poll(fd, unix.POLLIN, 2000)&unix.POLLERR)
			b, e := c.get(fd, unix.SOL_SOCKET, unix.SO_ERROR, 4)
			note("error: %x %v", b, e)
			c.close(fd)
		}
		mapped := func(port uint16, a, b, c, d byte) []byte {
			ip := []byte{10: 0xff, 11: 0xff, 12: a, 13: b, 14: c, 15: d}
			if a == 0 {
				ip = make([]byte, 16)
			}
			return v6Address(port, ip)
		}
		udp(unix.AF_INET, v4)
		udp(unix.AF_INET6, mapped)

		heard := c.raw(unix.AF_INET, unix.IPPROTO_ICMP)
		for _, own := range [][]byte{nil, v4(0, 0, 0, 0, 0), v4(0, 127, 0, 0, 5)} {
			for _, connected := range []bool{false, true} {
				for _, last := range []byte{1, 9} {
					about = fmt.Sprintf("ping, bound %x, connected %v, to %d", own, connected, last)
					fd := c.socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
					if own != nil {
						note("bind: %v", c.bind(fd, own))
					}
					dst := v4(0, 127, 0, 0, last)
					if connected {
						note("connect: %v", c.connect(fd, dst))
						b, _ := c.name(fd, unix.SYS_GETSOCKNAME)
						note("name: %x", b[4:8])
						dst = nil
					}
					n, e := c.sendmsg(fd, append([]byte{8, 0, 0, 0, 0, 0, 0, 1}, "echo"...), dst, nil)
					note("ping: %d %v", n, e)
					for range 2 { // the question, and the answer
						r := c.recvmsg(heard, 100, 0)
						if r.e != 0 || len(r.data) < 32 {
							note("heard %v %d", r.e, len(r.data))
							continue
						}
						ident := uint16(r.data[24])<<8 | uint16(r.data[25])
						note("%x from %x to %x, identity %v, %q", r.data[20], r.data[12:16], r.data[16:20], ident == port(fd), r.data[28:])
					}
					r := c.recvmsg(fd, 100, 0)
					note("answer: %v from %s, %d bytes", r.e, address(r.addr), r.n)
					c.close(fd)
				}
			}
		}
		tcp := func(family int, addr func(port uint16, a, b, c, d byte) []byte) {
			about = fmt.Sprintf("TCP, family %d", family)
			server := c.socket(family, unix.SOCK_STREAM, 0)
			note("bind: %v, listen: %v", c.bind(server, addr(0, 0, 0, 0, 0)), func() error { _, e := c.call(unix.SYS_LISTEN, uintptr(server), 8); return e }())
			for _, own := range []struct {
				name string
				addr []byte
			}{{"not bound", nil}, {"bound to a port", addr(0, 0, 0, 0, 0)}, {"bound to 127.0.0.5", addr(0, 127, 0, 0, 5)}} {
				for _, last := range []byte{1, 9} {
					about = fmt.Sprintf("TCP, family %d, %s, to %d", family, own.name, last)
					fd, bound := c.socket(family, unix.SOCK_STREAM, 0), uint16(0)
					if own.addr != nil {
						note("bind: %v", c.bind(fd, own.addr))
						bound = port(fd)
					}
					note("connect: %v", c.connect(fd, addr(port(server), 127, 0, 0, last)))
					b, _ := c.name(fd, unix.SYS_GETSOCKNAME)
					p, _ := c.name(fd, unix.SYS_GETPEERNAME)
					note("from %s to %s, its port is kept: %v", address(b, port(fd)), address(p, port(server)), bound == 0 || bound == port(fd))
					c.poll(server, unix.POLLIN, 2000)
					from, size := make([]byte, 28), []byte{28, 0, 0, 0}
					a, e := c.call(unix.SYS_ACCEPT4, uintptr(server), c.ptr(from), c.ptr(size), 0)
					note("accept: %v, from %s", e, address(from[:size[0]], port(fd)))
					c.close(a)
					c.close(fd)
					if bound != 0 {
						// What is refused leaves no address behind.
						fd = c.socket(family, unix.SOCK_STREAM, 0)
						note("bind: %v", c.bind(fd, own.addr))
						note("refused: %v", c.connect(fd, addr(1, 127, 0, 0, last)))
						c.close(fd)
					}
				}
			}
			c.close(server)
		}
		tcp(unix.AF_INET, v4)
		tcp(unix.AF_INET6, mapped)
	})
}
