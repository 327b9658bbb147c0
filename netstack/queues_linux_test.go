package netstack

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// TestQueues: how much waits to be read, to be sent and to be acknowledged is told as
// on Linux, by each kind of socket in each state.
func TestQueues(t *testing.T) {
	judge(t, func(c *calls) {
		ask := func(what string, fd int) {
			for _, r := range []struct {
				name string
				req  uint32
			}{{"SIOCINQ", unix.SIOCINQ}, {"SIOCOUTQ", unix.SIOCOUTQ}, {"SIOCOUTQNSD", unix.SIOCOUTQNSD}, {"SIOCATMARK", unix.SIOCATMARK}} {
				b := []byte{0xee, 0xee, 0xee, 0xee}
				e := c.ioctl(fd, r.req, b)
				c.note("%s, %s: %v %x", what, r.name, e, b)
			}
		}
		for _, s := range []struct {
			name                  string
			family, typ, protocol int
		}{
			{"TCP", unix.AF_INET, unix.SOCK_STREAM, 0}, {"TCP, IPv6", unix.AF_INET6, unix.SOCK_STREAM, 0},
			{"UDP", unix.AF_INET, unix.SOCK_DGRAM, 0}, {"UDP, IPv6", unix.AF_INET6, unix.SOCK_DGRAM, 0},
			{"ping", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP}, {"ping, IPv6", unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_ICMPV6},
			{"raw", unix.AF_INET, unix.SOCK_RAW, 200}, {"raw, IPv6", unix.AF_INET6, unix.SOCK_RAW, 200},
			{"netlink", unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE},
			{"packets", unix.AF_PACKET, unix.SOCK_RAW, 0}, {"packets, without headers", unix.AF_PACKET, unix.SOCK_DGRAM, 0},
			{"unix", unix.AF_UNIX, unix.SOCK_STREAM, 0}, {"unix, datagrams", unix.AF_UNIX, unix.SOCK_DGRAM, 0},
		} {
			fd := c.socket(s.family, s.typ, s.protocol)
			ask(s.name, fd)
			if e := c.ioctl(fd, unix.SIOCINQ, nil); e == 0 {
				c.note("%s: into nothing", s.name)
			}
			c.close(fd)
		}
		loop := v4(0, 127, 0, 0, 1)
		port := func(fd int) []byte {
			b, _ := c.name(fd, unix.SYS_GETSOCKNAME)
			return b
		}
		for _, s := range []struct {
			name          string
			typ, protocol int
			one, two      []byte
		}{
			{"UDP", unix.SOCK_DGRAM, 0, []byte("seven.."), []byte("ten.......")},
			{"raw", unix.SOCK_RAW, 200, []byte("seven.."), []byte("ten.......")},
		} {
			to, from := c.socket(unix.AF_INET, s.typ, s.protocol), c.socket(unix.AF_INET, s.typ, s.protocol)
			c.bind(to, loop)
			for _, text := range [][]byte{s.one, s.two, nil} {
				n, e := c.sendmsg(from, text, port(to), nil)
				c.note("%s, sent: %d %v", s.name, n, e)
			}
			c.poll(to, unix.POLLIN, 2000)
			ask(s.name+", which sends", from)
			for range 4 {
				ask(s.name+", which has heard", to)
				c.note("%d", c.recvNow(to, 100, 0).n)
			}
			c.close(to)
			c.close(from)
		}

		listener := c.socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		c.setInt(listener, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
		c.bind(listener, loop)
		ask("TCP, bound", listener)
		c.call(unix.SYS_LISTEN, uintptr(listener), 4)
		ask("TCP, listens", listener)
		from := c.socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		c.note("connect: %v", c.connect(from, port(listener)))
		fd, e := c.call(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, 0)
		c.note("accept: %v", e)
		n, e := c.sendmsg(from, []byte("twelve bytes"), nil, nil)
		c.note("sent: %d %v", n, e)
		c.poll(fd, unix.POLLIN, 2000)
		// What is taken is acknowledged, sooner or later.
		wait := func(what string, name uint32, done func(n uint32) bool) {
			for range 400 {
				b := make([]byte, 4)
				if e := c.ioctl(from, name, b); e != 0 || done(binary.NativeEndian.Uint32(b)) {
					c.note("%s: %v", what, e)
					return
				}
				c.poll(from, 0, 10)
			}
			c.note("%s: never", what)
		}
		none := func(n uint32) bool { return n == 0 }
		wait("acknowledged", unix.SIOCOUTQ, none)
		wait("sent", unix.SIOCOUTQNSD, none)
		ask("TCP, has sent", from)
		ask("TCP, has heard", fd)
		c.note("%q", c.recvNow(fd, 5, 0).data)
		ask("TCP, has read", fd)
		// More than the other side has room for waits here.
		total, part := 0, make([]byte, 1<<16)
		for total < 1<<26 {
			n, e := c.sendmsg(from, part, nil, nil)
			if e == unix.EAGAIN && c.poll(from, unix.POLLOUT, 100) == 0 {
				break
			}
			total += max(n, 0)
		}
		in, out, unsent := make([]byte, 4), make([]byte, 4), make([]byte, 4)
		c.note("full: %v %v %v", c.ioctl(fd, unix.SIOCINQ, in), c.ioctl(from, unix.SIOCOUTQ, out), c.ioctl(from, unix.SIOCOUTQNSD, unsent))
		heard, waits, later := int(binary.NativeEndian.Uint32(in)), int(binary.NativeEndian.Uint32(out)), int(binary.NativeEndian.Uint32(unsent))
		if heard+waits != total+7 || later > waits || later == 0 || heard == 0 {
			t.Errorf("%d bytes and 7 have been written, %d are to be read, %d to be acknowledged, %d to be sent", total, heard, waits, later)
		}
		for got := 0; got < total+7; {
			r := c.recvmsg(fd, 1<<20, 0)
			if r.e != 0 || r.n == 0 {
				t.Errorf("after %d: %v", got, r.e)
				break
			}
			got += r.n
		}
		wait("all acknowledged", unix.SIOCOUTQ, none)
		ask("TCP, sent all", from)
		c.call(unix.SYS_SHUTDOWN, uintptr(from), unix.SHUT_WR)
		c.poll(fd, unix.POLLIN, 2000)
		wait("the end acknowledged", unix.SIOCOUTQ, none)
		ask("TCP, shut", from)
		ask("TCP, at its end", fd)
		c.note("%d", c.recvNow(fd, 5, 0).n)
		ask("TCP, behind its end", fd)
		c.close(fd)
		c.poll(from, unix.POLLHUP, 2000)
		ask("TCP, closed", from)
		c.close(from)
		c.close(listener)
	})
}
