package netstack

import (
	"bytes"
	"encoding/binary"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs/socket"
)

// ll is a struct sockaddr_ll.
func ll(proto uint16, index int, addr ...byte) []byte {
	b := linkAddress(proto, 0, 0, 0, nil)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	b[11] = byte(len(addr))
	copy(b[12:], addr)
	return b
}

// program lays out struct sock_fprog.
func (c *calls) program(steps ...filterStep) []byte {
	var code []byte
	for _, s := range steps {
		code = binary.NativeEndian.AppendUint16(code, s.code)
		code = append(code, s.jt, s.jf)
		code = binary.NativeEndian.AppendUint32(code, s.k)
	}
	b := binary.NativeEndian.AppendUint64(nil, uint64(len(steps)))
	return binary.NativeEndian.AppendUint64(b, uint64(c.ptr(code)))
}

// maskFrame takes out of a frame what systems choose: the number of a datagram, and
// checksums, which may be left to the device.
func maskFrame(frame []byte, cooked bool) []byte {
	ip := frame
	if !cooked {
		ip = frame[min(14, len(frame)):]
	}
	if len(ip) >= 8 && ip[0]>>4 == 4 {
		clear(ip[4:8])
	}
	if len(ip) >= 28 && ip[0]>>4 == 4 {
		clear(ip[10:12])
		clear(ip[26:28])
	}
	return frame
}

// TestPacketCalls: the calls on sockets of AF_PACKET, judged by Linux.
func TestPacketCalls(t *testing.T) {
	const ethIP, ethAll, ethOwn = 0x0800, 3, 0x88b5
	judge(t, func(c *calls) {
		for _, typ := range []int{unix.SOCK_STREAM, unix.SOCK_SEQPACKET, unix.SOCK_RDM} {
			c.socket(unix.AF_PACKET, typ, 0)
		}
		for _, cooked := range []bool{false, true} {
			typ := unix.SOCK_RAW
			if cooked {
				typ = unix.SOCK_DGRAM
			}
			fd := c.socket(unix.AF_PACKET, typ, 0)
			for _, nr := range []uintptr{unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME} {
				b, e := c.name(fd, nr)
				if e != 0 {
					b = nil
				}
				c.note("name %x %v", b, e)
			}
			for _, a := range [][]byte{ll(0, 0)[:12], ll(0, 99), make([]byte, 20), ll(ethAll, 1), ll(0, 1), ll(ethIP, -1)} {
				c.note("bind %x: %v", a, c.bind(fd, a))
				b, e := c.name(fd, unix.SYS_GETSOCKNAME)
				c.note("name %x %v", b, e)
			}
			c.note("connect: %v", c.connect(fd, ll(0, 1)))
			_, e := c.call(unix.SYS_LISTEN, uintptr(fd), 1)
			c.note("listen: %v", e)
			_, e = c.call(unix.SYS_SHUTDOWN, uintptr(fd), 1)
			c.note("shutdown: %v", e)

			c.note("bind: %v", c.bind(fd, ll(ethAll, 1)))
			udp := c.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
			c.note("bind: %v", c.bind(udp, v4(4000, 127, 0, 0, 1)))
			for _, o := range [][2]int{{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}, {unix.SOL_PACKET, unix.PACKET_AUXDATA}} {
				c.note("set %v: %v", o, c.setInt(fd, o[0], o[1], 1))
			}
			// Each datagram passes twice, out and in.
			_, e = c.sendmsg(udp, []byte("hello"), v4(4000, 127, 0, 0, 1), nil)
			c.note("send: %v", e)
			for range 2 {
				r := c.recvmsg(fd, 200, 0)
				if len(r.control) > 36 {
					clear(r.control[32+16 : 32+20]) // what is said of checksums
				}
				c.note("frame %x of %x, %s, flags %#x, %v", maskFrame(r.data, cooked), r.addr, r.cmsgs(), r.flags, r.e)
			}
			c.note("nothing: %v", c.recvNow(fd, 10, 0).e)
			for _, o := range [][2]int{{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}, {unix.SOL_PACKET, unix.PACKET_AUXDATA}} {
				c.note("set %v: %v", o, c.setInt(fd, o[0], o[1], 0))
			}

			// Cut off, looked at, counted.
			_, _ = c.sendmsg(udp, make([]byte, 50), v4(4000, 127, 0, 0, 1), nil)
			var n [4]byte
			c.poll(fd, unix.POLLIN, 2000)
			c.note("FIONREAD %v %x", c.ioctl(fd, unix.SIOCINQ, n[:]), n)
			for _, flags := range []int{unix.MSG_PEEK, unix.MSG_PEEK | unix.MSG_TRUNC, 0, unix.MSG_TRUNC, unix.MSG_OOB} {
				r := c.recvNow(fd, 10, flags)
				c.note("recv %#x: %d, %x, flags %#x, %v", flags, r.n, maskFrame(r.data, cooked), r.flags, r.e)
			}
			stats, e := c.get(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS, 8)
			c.note("statistics %x %v", stats, e)
			stats, e = c.get(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS, 8)
			c.note("statistics %x %v", stats, e)

			// What goes out is not for who wants one protocol, and what a socket sends not for itself.
			c.note("bind: %v", c.bind(fd, ll(ethOwn, 1)))
			all := c.socket(unix.AF_PACKET, unix.SOCK_RAW, int(swap16(ethAll)))
			frame := append(make([]byte, 12), ethOwn>>8, ethOwn&0xff, 1, 2, 3, 4)
			for _, s := range []struct{ data, addr []byte }{
				{frame, nil}, {frame, ll(ethOwn, 1)}, {frame, ll(0, 1, 1, 2, 3, 4, 5, 6)}, {frame, ll(ethOwn, 0)}, {frame, ll(ethOwn, 99)},
				{frame[:13], nil}, {frame[:14], nil}, {frame, ll(ethOwn, 1)[:19]}, {make([]byte, 65536+15), nil}, {nil, ll(ethOwn, 1, 1, 2, 3, 4, 5, 6)},
			} {
				n, e := c.sendmsg(fd, s.data, s.addr, nil)
				c.note("send %x to %x: %d %v", s.data[:min(len(s.data), 20)], s.addr, n, e)
				if e != 0 {
					continue
				}
				for _, f := range []int{fd, all} {
					for {
						r := c.recvNow(f, 100, 0)
						if r.e != 0 {
							break
						}
						c.note("came to %t: %x of %x", f == all, r.data, r.addr)
					}
				}
			}
			c.close(all)

			// Options.
			for _, o := range [][2]int{{unix.SOL_SOCKET, unix.SO_TYPE}, {unix.SOL_SOCKET, unix.SO_DOMAIN}, {unix.SOL_SOCKET, unix.SO_PROTOCOL},
				{unix.SOL_SOCKET, unix.SO_ERROR}, {unix.SOL_SOCKET, 9999}, {unix.SOL_PACKET, 9999}, {unix.IPPROTO_IP, unix.IP_TTL}, {unix.SOL_PACKET, unix.PACKET_AUXDATA}} {
				b, e := c.get(fd, o[0], o[1], 4)
				if e != 0 {
					b = nil
				}
				c.note("get %v: %x %v", o, b, e)
			}
			mreq := func(index int, kind, alen byte) []byte {
				b := make([]byte, 16)
				binary.NativeEndian.PutUint32(b, uint32(index))
				b[4], b[6] = kind, alen
				return b
			}
			for _, m := range []struct {
				name int
				b    []byte
			}{{1, mreq(1, 1, 0)}, {1, mreq(1, 1, 0)}, {2, mreq(1, 1, 0)}, {2, mreq(1, 1, 0)}, {2, mreq(1, 1, 0)}, {1, mreq(99, 1, 0)}, {1, mreq(1, 2, 0)}, {1, mreq(1, 1, 0)[:15]}} {
				c.note("membership %d %x: %v", m.name, m.b, c.set(fd, unix.SOL_PACKET, m.name, m.b))
			}
			c.close(udp)
			c.close(fd)
		}
	})
}

// TestPacketFilter: programs of SO_ATTACH_FILTER, judged by Linux.
func TestPacketFilter(t *testing.T) {
	ret := func(k uint32) filterStep { return filterStep{bpfRET, 0, 0, k} }
	retA := filterStep{bpfRET | bpfA, 0, 0, 0}
	abs := func(size uint16, at uint32) filterStep { return filterStep{bpfLD | size | bpfABS, 0, 0, at} }
	imm := func(k uint32) filterStep { return filterStep{bpfLD | bpfIMM, 0, 0, k} }
	programs := [][]filterStep{
		{ret(0)}, {ret(5)}, {ret(1000)}, {retA}, {},
		{abs(bpfH, 12), {bpfJMP | bpfJEQ, 0, 1, 0x0800}, ret(33), ret(0)},
		{abs(bpfH, 12), {bpfJMP | bpfJEQ, 1, 0, 0x0800}, ret(33), ret(17)},
		{abs(bpfB, 1000), ret(9)},
		{abs(bpfB, skfAncillary+4), {bpfALU | bpfMUL, 0, 0, 3}, {bpfALU | bpfADD, 0, 0, 20}, retA}, // the kind
		{abs(bpfW, skfAncillary), {bpfALU | bpfRSH, 0, 0, 6}, retA},                                // the protocol
		{abs(bpfW, skfAncillary+8), {bpfALU | bpfADD, 0, 0, 20}, retA},
		{abs(bpfW, skfAncillary+28), {bpfALU | bpfMOD, 0, 0, 100}, retA},
		{abs(bpfB, skfNetwork+9), {bpfALU | bpfADD, 0, 0, 3}, retA},
		{abs(bpfB, skfLink+12), {bpfALU | bpfADD, 0, 0, 30}, retA},
		{{bpfLDX | bpfB | bpfMSH, 0, 0, 14}, {bpfMISC | bpfTXA, 0, 0, 0}, retA},
		{{bpfLDX | bpfIMM, 0, 0, 14}, {bpfLD | bpfB | bpfIND, 0, 0, 9}, {bpfALU | bpfADD | bpfX, 0, 0, 0}, retA},
		{{bpfLD | bpfLEN, 0, 0, 0}, {bpfALU | bpfSUB, 0, 0, 10}, retA},
		{imm(77), {bpfST, 0, 0, 3}, {bpfLDX | bpfMEM, 0, 0, 3}, {bpfALU | bpfRSH, 0, 0, 1}, {bpfALU | bpfSUB | bpfX, 0, 0, 0}, {bpfALU | bpfNEG, 0, 0, 0}, retA},
		{imm(7), {bpfALU | bpfDIV | bpfX, 0, 0, 0}, ret(9)},
		{imm(7), {bpfALU | bpfLSH, 0, 0, 2}, {bpfALU | bpfXOR, 0, 0, 1}, {bpfALU | bpfOR, 0, 0, 2}, {bpfALU | bpfAND, 0, 0, 0x1e}, retA},
		{imm(7), {bpfMISC | bpfTAX, 0, 0, 0}, {bpfJMP | bpfJSET, 1, 0, 4}, ret(1), {bpfJMP | bpfJGE | bpfX, 0, 1, 0}, {bpfJMP | bpfJA, 0, 0, 1}, ret(2), {bpfJMP | bpfJGT, 0, 1, 6}, ret(11), ret(12)},
		// Those that are refused.
		{imm(7)}, {{bpfALU | bpfDIV, 0, 0, 0}, ret(1)}, {{bpfST, 0, 0, 16}, ret(1)}, {{bpfJMP | bpfJEQ, 2, 0, 0}, ret(1)}, {{bpfJMP | bpfJA, 0, 0, 1}, ret(1)},
		{{bpfALU | bpfLSH, 0, 0, 32}, ret(1)}, {{0xffff, 0, 0, 0}, ret(1)}, {{bpfMISC | 0x40, 0, 0, 0}, ret(1)}, {{bpfLD | bpfMSH, 0, 0, 0}, ret(1)}, {{bpfRET | bpfX, 0, 0, 0}},
	}
	judge(t, func(c *calls) {
		for _, typ := range []int{unix.SOCK_RAW, unix.SOCK_DGRAM} {
			udp := c.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
			for i, p := range programs {
				fd := c.socket(unix.AF_PACKET, typ, int(swap16(3)))
				_ = c.bind(fd, ll(3, 1))
				e := c.set(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, c.program(p...))
				c.note("%d: %v", i, e)
				if e == 0 {
					_, _ = c.sendmsg(udp, make([]byte, 100), v4(4001, 127, 0, 0, 1), nil)
					for range 2 { // out and in; what the port's owner would say is ICMP
						r := c.recvNow(fd, 200, 0)
						c.note("%d: %d %v", i, r.n, r.e)
					}
					c.note("detach: %v %v", c.setInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0), c.setInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0))
				}
				c.close(fd)
			}
			c.close(udp)
		}
	})
}

// TestDatagramFilter: programs on sockets of UDP, which see its header, judged by Linux.
func TestDatagramFilter(t *testing.T) {
	judge(t, func(c *calls) {
		for i, p := range [][]filterStep{
			{{bpfRET, 0, 0, 0}}, {{bpfRET, 0, 0, 7}}, {{bpfRET, 0, 0, 8}}, {{bpfRET, 0, 0, 11}}, {{bpfRET, 0, 0, 1000}},
			{{bpfLD | bpfB | bpfABS, 0, 0, 8}, {bpfALU | bpfAND, 0, 0, 1}, {bpfJMP | bpfJEQ, 0, 1, 0}, {bpfRET, 0, 0, 4096}, {bpfRET, 0, 0, 0}},
			{{bpfLD | bpfH | bpfABS, 0, 0, 2}, {bpfJMP | bpfJEQ, 0, 1, 4002}, {bpfRET, 0, 0, 10}, {bpfRET, 0, 0, 0}},
			{{bpfLD | bpfLEN, 0, 0, 0}, {bpfRET | bpfA, 0, 0, 0}}, {{bpfLD | bpfH | bpfABS, 0, 0, 4}, {bpfRET | bpfA, 0, 0, 0}},
		} {
			r, s := c.socket(unix.AF_INET, unix.SOCK_DGRAM, 0), c.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
			c.note("bind %v", c.bind(r, v4(4002, 127, 0, 0, 1)))
			c.note("%d: %v", i, c.set(r, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, c.program(p...)))
			for _, text := range []string{"1 odd", "2 even", ""} {
				_, _ = c.sendmsg(s, []byte(text), v4(4002, 127, 0, 0, 1), nil)
			}
			for range 4 {
				m := c.recvNow(r, 4, unix.MSG_TRUNC)
				c.note("%d: %d %q %#x %v", i, m.n, m.data, m.flags, m.e)
			}
			c.note("detach: %v %v", c.setInt(r, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0), c.setInt(r, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0))
			c.close(r)
			c.close(s)
		}
	})
}

// TestPacketLink: frames of a card, of a protocol that nothing else knows, of another
// machine's, and those that the stack itself sends.
func TestPacketLink(t *testing.T) {
	a, b := twoStacks(t, nic.Options{})
	open := func(s *Stack, proto uint16, name int) *socket.File {
		k, err := s.PacketFamily().Socket(syscall.SOCK_RAW, int(swap16(proto)))
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Bind(ll(proto, name)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(k.Release)
		return socket.NewFile(k, &socket.Node{}, syscall.AF_PACKET, syscall.SOCK_RAW, 0)
	}
	const own = 0x88b5 // ETH_P_802_EX1
	from, to, other := open(a, own, 2), open(b, own, 2), open(b, 0x88b6, 2)
	promiscuous := append([]byte{2, 0, 0, 0, packetMrPromisc}, make([]byte, 11)...)
	if err := to.SetOption(solPacket, packetAddMembership, promiscuous); err != nil {
		t.Fatal(err)
	}
	for dst, kind := range map[nic.Address]byte{macB: packetHost, nic.Broadcast: packetBroadcast, {1, 0, 0, 0, 0, 9}: packetMulticast, {2, 0, 0, 0, 0, 9}: packetOtherHost} {
		frame := bytes.Join([][]byte{dst[:], macA[:], {own >> 8, own & 0xff}, []byte("hello")}, nil)
		if n, err := from.Write(frame); n != len(frame) || err != nil {
			t.Fatal(n, err)
		}
		buf := make([]byte, 100)
		m := socket.Message{Buffers: [][]byte{buf}}
		n, err := to.Receive(&m, nil)
		if err != nil || !bytes.Equal(buf[:n], frame) {
			t.Errorf("%v: %x, %v", dst, buf[:n], err)
		}
		if want := linkAddress(own, 2, 1, kind, macA[:]); !bytes.Equal(m.Addr, want) {
			t.Errorf("%v: of %x, want %x", dst, m.Addr, want)
		}
	}
	if now, _ := other.Poll(1); now != 0 {
		t.Error("a frame came to who wants another protocol")
	}
	all := open(a, ethernetAll, 0)
	if _, err := a.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0).Transmit(&socket.Message{Buffers: [][]byte{{1}}, Addr: v4(9, 10, 0, 0, 2)}, nil); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	m := socket.Message{Buffers: [][]byte{buf}}
	if n, err := all.Receive(&m, nil); err != nil || n < 14 || m.Addr[10] != packetOutgoing || buf[12] != 8 || buf[13] != 6 {
		t.Errorf("a question for an address: %x of %x, %v", buf[:max(n, 0)], m.Addr, err)
	}
}
