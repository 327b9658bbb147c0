package netstack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/socket"
)

// segments takes a message of UDP_GRO apart, and returns its other ancillary data.
func segments(t *testing.T, r *received) (parts []string, others string) {
	size := max(r.n, 1)
	for b := r.control; len(b) >= sizeCmsghdr; {
		n := binary.NativeEndian.Uint64(b)
		level, typ := binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
		if level == unix.IPPROTO_UDP && typ == unix.UDP_GRO {
			if n != sizeCmsghdr+4 {
				t.Fatalf("UDP_GRO of %d bytes", n)
			}
			if size = int(binary.NativeEndian.Uint32(b[sizeCmsghdr:])); size <= 0 || size >= r.n {
				t.Fatalf("%d bytes in segments of %d", r.n, size)
			}
		} else {
			others += fmt.Sprintf("%d/%d %x;", level, typ, b[sizeCmsghdr:n])
		}
		b = b[min((n+7)&^7, uint64(len(b))):]
	}
	for data := r.data; ; data = data[size:] {
		if len(data) <= size {
			return append(parts, string(data)), others
		}
		parts = append(parts, string(data[:size]))
	}
}

// TestTogether: with UDP_GRO datagrams may come together, as one message and how long
// each was, which has to give the same datagrams as on Linux, from the same senders.
func TestTogether(t *testing.T) {
	judge(t, func(c *calls) {
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			to := c.socket(family, unix.SOCK_DGRAM, 0)
			c.note("bind: %v, UDP_GRO: %v", c.bind(to, localhost(family, 0)), c.setInt(to, unix.IPPROTO_UDP, unix.UDP_GRO, 1))
			on, e := c.get(to, unix.IPPROTO_UDP, unix.UDP_GRO, 4)
			c.note("it is %x %v", on, e)
			if family == unix.AF_INET {
				c.setInt(to, unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
			} else {
				c.setInt(to, unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
			}
			name, _ := c.name(to, unix.SYS_GETSOCKNAME)
			from := [2]int{c.socket(family, unix.SOCK_DGRAM, 0), c.socket(family, unix.SOCK_DGRAM, 0)}
			text := bytes.Repeat([]byte("0123456789"), 95)
			send := func(who int, data []byte, segment int) {
				var control []byte
				if segment != 0 {
					control = cmsg(unix.IPPROTO_UDP, unix.UDP_SEGMENT, binary.NativeEndian.AppendUint16(nil, uint16(segment))...)
				}
				n, e := c.sendmsg(from[who], data, name, control)
				c.note("sent: %d %v", n, e)
			}
			hear := func(what string, count int) {
				for count > 0 {
					r := c.recvmsg(to, 2000, 0)
					if r.e != 0 {
						c.note("%s: %v", what, r.e)
						return
					}
					first, _ := c.name(from[0], unix.SYS_GETSOCKNAME)
					parts, others := segments(t, &r)
					for _, p := range parts {
						c.note("%s: %q from the first %v, %s", what, p, bytes.Equal(r.addr[2:4], first[2:4]), others)
					}
					count -= len(parts)
				}
				c.note("%s: then %v", what, c.recvNow(to, 2000, 0).e)
			}
			send(0, text, 100)
			hear("ten", 10)
			send(0, text[:100], 0)
			hear("one", 1)
			send(0, nil, 0)
			send(0, text[:5], 0)
			hear("nothing, and five", 2)
			for i := range 6 { // those that follow each other may come together
				send(i/2%2, text[:50+10*i], 0)
			}
			hear("two senders", 6)
			for _, class := range []int{0, 0, 0x20, 0x20, 0} {
				if family == unix.AF_INET {
					c.setInt(from[0], unix.IPPROTO_IP, unix.IP_TOS, class)
				} else {
					c.setInt(from[0], unix.IPPROTO_IPV6, unix.IPV6_TCLASS, class)
				}
				send(0, text[:60], 0)
			}
			hear("classes", 5)
			send(0, text[:90], 0)
			r := c.recvmsg(to, 10, 0)
			c.note("cut: %d %q %x", r.n, r.data, r.flags)
			send(0, text[:90], 0)
			r = c.recvmsg(to, 10, unix.MSG_TRUNC)
			c.note("cut: %d %q %x", r.n, r.data, r.flags)
			c.call(unix.SYS_SHUTDOWN, uintptr(to), unix.SHUT_RD)
			c.close(from[0])
			c.close(from[1])
			c.close(to)
		}
	})
}

// TestTogetherAtOnce: what is there together comes together, up to the room there is,
// and nothing of it is lost.
func TestTogetherAtOnce(t *testing.T) {
	s := newStack(t)
	to, from := s.openSocket(t, unix.AF_INET, unix.SOCK_DGRAM, 0), s.openSocket(t, unix.AF_INET, unix.SOCK_DGRAM, 0)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(to.Bind(v4(0, 127, 0, 0, 1)))
	must(to.SetOption(unix.IPPROTO_UDP, unix.UDP_GRO, []byte{1, 0, 0, 0}))
	name, err := to.Name()
	must(err)
	must(from.Connect(name))
	const datagrams, size, room = 90, 100, 5050
	for i := range datagrams {
		_, err := from.Write(bytes.Repeat([]byte{byte(i)}, size))
		must(err)
	}
	together := 0
	for got := 0; got < datagrams; {
		m := socket.Message{Buffers: [][]byte{make([]byte, room)}, Control: make([]byte, 0, 64)}
		n, err := to.Receive(&m, nil)
		must(err)
		r := received{n: n, data: m.Buffers[0][:n], control: m.Control}
		parts, _ := segments(t, &r)
		for _, p := range parts {
			if want := string(bytes.Repeat([]byte{byte(got)}, size)); p != want {
				t.Fatalf("datagram %d: %.20q of %d bytes", got, p, len(p))
			}
			got++
		}
		if together = max(together, len(parts)); len(parts)*size > room || len(parts) > mostTogether {
			t.Fatalf("%d came together", len(parts))
		}
	}
	if together < 2 {
		t.Errorf("none of %d came together", datagrams)
	}
}
