package netstack

import (
	"bytes"
	"encoding/binary"
	"slices"
	"syscall"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs/socket"
)

// v6lo is the sockaddr of ::1.
func v6lo(port uint16) []byte {
	b := make([]byte, sizeSockaddrIn6)
	b[0], b[2], b[3], b[23] = syscall.AF_INET6, byte(port>>8), byte(port), 1
	return b
}

// ipv4Header is one of no options, without its sums, for n bytes.
func ipv4Header(n int, protocol byte, from, to [4]byte) []byte {
	b := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 33, protocol, 0, 0}
	binary.BigEndian.PutUint16(b[2:], uint16(n+20))
	return append(append(b, from[:]...), to[:]...)
}

// ipv6Header is one of n bytes.
func ipv6Header(n int, protocol byte) []byte {
	b := make([]byte, 40)
	b[0], b[6], b[7], b[23], b[39] = 0x60, protocol, 33, 1, 1
	binary.BigEndian.PutUint16(b[4:], uint16(n))
	return b
}

// TestPing: echoes by a datagram socket of ICMP and by a raw one, which does not get
// the types that it filters.
func TestPing(t *testing.T) {
	s := newStack(t)
	to := v4(0, 127, 0, 0, 1)
	request := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 1, 'h', 'i'}
	sum := ^checksum.Checksum(request, 0)
	request[2], request[3] = byte(sum>>8), byte(sum)
	for _, typ := range []int{syscall.SOCK_DGRAM, syscall.SOCK_RAW} {
		f := s.openSocket(t, syscall.AF_INET, typ, syscall.IPPROTO_ICMP)
		header := 0
		if typ == syscall.SOCK_RAW {
			header = 20
			if err := f.SetOption(solRaw, icmpFilter, []byte{0, 1, 0, 0}); err != nil { // no requests
				t.Fatal(err)
			}
		}
		if _, err := f.Transmit(&socket.Message{Buffers: [][]byte{request}, Addr: to}, nil); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		m := socket.Message{Buffers: [][]byte{b}}
		n, err := f.Receive(&m, nil)
		if err != nil || n != header+len(request) || b[header] != 0 || string(b[header+8:n]) != "hi" {
			t.Errorf("type %d: %x, %v", typ, b[:max(n, 0)], err)
		}
	}
}

// hears reads what has come to a raw socket, which is not to wait.
func hears(t *testing.T, f *socket.File, header int) (list []string) {
	t.Helper()
	for {
		b := make([]byte, 70000)
		n, err := f.Recv(&socket.Message{Buffers: [][]byte{b}})
		if err == syscall.EAGAIN {
			return list
		}
		if err != nil || n < header {
			t.Fatalf("%d bytes, %v", n, err)
		}
		list = append(list, string(b[header:n]))
	}
}

// TestRawCopies: each raw socket of a protocol that the stack does not have gets its copy,
// and ICMP tells who sends that nobody has it only if none does.
func TestRawCopies(t *testing.T) {
	for family, c := range map[int]struct {
		to           []byte
		header, icmp int
		unreachable  string // type and code
	}{
		syscall.AF_INET:  {to: v4(0, 127, 0, 0, 1), header: 20, icmp: syscall.IPPROTO_ICMP, unreachable: "\x03\x02"},
		syscall.AF_INET6: {to: v6lo(0), icmp: syscall.IPPROTO_ICMPV6, unreachable: "\x04\x01"},
	} {
		s := newStack(t)
		const gre = 47
		icmp, from := s.openSocket(t, family, syscall.SOCK_RAW, c.icmp), s.openSocket(t, family, syscall.SOCK_RAW, gre)
		send := func(what string) {
			t.Helper()
			if _, err := from.Transmit(&socket.Message{Buffers: [][]byte{[]byte(what)}, Addr: c.to}, nil); err != nil {
				t.Fatal(err)
			}
		}
		one, two := s.openSocket(t, family, syscall.SOCK_RAW, gre), s.openSocket(t, family, syscall.SOCK_RAW, gre)
		send("a datagram")
		for _, f := range []*socket.File{from, one, two} {
			if got := hears(t, f, c.header); len(got) != 1 || got[0] != "a datagram" {
				t.Errorf("family %d: heard %q", family, got)
			}
		}
		if got := hears(t, icmp, c.header); got != nil {
			t.Errorf("family %d: told %q of what was taken", family, got)
		}
		one.Release()
		two.Release()
		if err := from.Connect(c.to); err != nil {
			t.Fatal(err)
		}
		if err := from.Connect(make([]byte, 16)); err != nil { // it hears nothing more
			t.Fatal(err)
		}
		send("to nobody")
		if got := hears(t, icmp, c.header); len(got) != 1 || got[0][:2] != c.unreachable {
			t.Errorf("family %d: told %q of what nobody took", family, got)
		}
		if got := hears(t, from, c.header); got != nil {
			t.Errorf("family %d: heard %q", family, got)
		}
		from.Release()
		icmp.Release()
		if n := s.raw.open.Load(); n != 0 || len(s.raw.list) != 0 {
			t.Errorf("family %d: %d sockets, %d lists are left", family, n, len(s.raw.list))
		}
	}
}

// TestRawBound: what nobody reads takes no more than SO_RCVBUF has, and a datagram, however
// short or long the datagrams are.
func TestRawBound(t *testing.T) {
	for _, size := range []int{0, 1, 1400, 60000} {
		s := newStack(t)
		f := s.openSocket(t, syscall.AF_INET6, syscall.SOCK_RAW, 47)
		if err := f.SetOption(syscall.SOL_SOCKET, syscall.SO_RCVBUF, []byte{0, 16, 0, 0}); err != nil {
			t.Fatal(err)
		}
		const sent, buffer = 200, 2 * 4096
		for range sent {
			if _, err := f.Transmit(&socket.Message{Buffers: [][]byte{make([]byte, size)}, Addr: v6lo(0)}, nil); err != nil {
				t.Fatal(err)
			}
		}
		got := hears(t, f, 0)
		if most := buffer/(size+rawOverhead) + 1; len(got) < 1 || len(got) > most {
			t.Errorf("%d of %d bytes came, want from 1 to %d", len(got), size, most)
		}
		e := f.Socket.(*sock).raw()
		if e.charge != 0 || len(e.queue) != 0 || e.sending.Load() != 0 {
			t.Errorf("%d bytes: %d charged, %d queued, %d under way", size, e.charge, len(e.queue), e.sending.Load())
		}
	}
}

// TestRawFragments: what is longer than the MTU comes whole to raw sockets on the other side
// of a wire, answers to long pings as well.
func TestRawFragments(t *testing.T) {
	a, b := twoStacks(t, nic.Options{})
	for family, to := range map[int][]byte{syscall.AF_INET: v4(0, 10, 0, 0, 2), syscall.AF_INET6: v6(0, 2)} {
		header, icmp, request, reply := 20, syscall.IPPROTO_ICMP, byte(8), byte(0)
		if family == syscall.AF_INET6 {
			header, icmp, request, reply = 0, syscall.IPPROTO_ICMPV6, 128, 129
		}
		from, at := a.openSocket(t, family, syscall.SOCK_RAW, 47), b.openSocket(t, family, syscall.SOCK_RAW, 47)
		long := bytes.Repeat([]byte("0123456"), 1000)
		if _, err := from.Transmit(&socket.Message{Buffers: [][]byte{long}, Addr: to}, nil); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 10000)
		if n, err := at.Read(got); err != nil || !bytes.Equal(got[header:n], long) {
			t.Errorf("family %d: %d bytes, %v", family, n, err)
		}
		ping := a.openSocket(t, family, syscall.SOCK_RAW, icmp)
		echo := append([]byte{request, 0, 0, 0, 0, 1, 0, 1}, long...)
		if family == syscall.AF_INET {
			checksum.Put(echo[2:], ^checksum.Checksum(echo, 0))
		}
		if _, err := ping.Transmit(&socket.Message{Buffers: [][]byte{echo}, Addr: to}, nil); err != nil {
			t.Fatal(err)
		}
		for n := 0; ; {
			var err error
			if n, err = ping.Read(got); err != nil {
				t.Fatal(err)
			}
			if got[header] != reply {
				continue // of neighbours, and the like
			}
			if !bytes.Equal(got[header+8:n], long) {
				t.Errorf("family %d: an answer of %d bytes", family, n)
			}
			break
		}
		if more := hears(t, ping, header); more != nil {
			t.Errorf("family %d: and %d more", family, len(more))
		}
	}
}

// TestRawExtensions: a raw socket gets what is behind the extension headers of IPv6, and that
// of such a header's number all from there, if it is the first.
func TestRawExtensions(t *testing.T) {
	s := newStack(t)
	whole := s.openSocket(t, syscall.AF_INET6, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
	const gre, options, experiment = 47, 60, 253
	padding := func(next byte) []byte { return []byte{next, 0, 1, 4, 0, 0, 0, 0} }
	for i, c := range []struct {
		first    byte
		payload  []byte
		protocol int
		want     string
	}{
		{gre, []byte("data"), gre, "data"},
		{options, append(padding(gre), "data"...), gre, "data"},
		{options, append(padding(gre), "data"...), options, string(padding(gre)) + "data"},
		{0, append(padding(options), append(padding(gre), "data"...)...), gre, "data"},
		{0, append(padding(options), append(padding(gre), "data"...)...), 0xff, ""},
		{experiment, []byte("any bytes"), experiment, "any bytes"},
		{experiment, nil, experiment, ""},
		{syscall.IPPROTO_UDP, []byte("short"), syscall.IPPROTO_UDP, "short"},
		{syscall.IPPROTO_TCP, []byte{12: 0xf0, 20: 7}, syscall.IPPROTO_TCP, string([]byte{12: 0xf0, 20: 7})},
	} {
		f := s.openSocket(t, syscall.AF_INET6, syscall.SOCK_RAW, c.protocol)
		if _, err := whole.Transmit(&socket.Message{Buffers: [][]byte{append(ipv6Header(len(c.payload), c.first), c.payload...)}, Addr: v6lo(0)}, nil); err != nil {
			t.Fatal(i, err)
		}
		want := []string{c.want}
		if c.protocol == 0xff {
			want = nil
		}
		if got := hears(t, f, 0); !slices.Equal(got, want) {
			t.Errorf("case %d: heard %q, want %q", i, got, want)
		}
		f.Release()
	}
}

// TestRawForeign: what is not for this host, or a group that it has not joined, no raw socket
// hears.
func TestRawForeign(t *testing.T) {
	a, b := twoStacks(t, nic.Options{})
	whole := a.openSocket(t, syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
	for _, protocol := range []int{syscall.IPPROTO_ICMP, syscall.IPPROTO_IGMP, 47, syscall.IPPROTO_UDP} {
		f := b.openSocket(t, syscall.AF_INET, syscall.SOCK_RAW, protocol)
		for _, to := range [][4]byte{{10, 0, 0, 3}, {224, 9, 9, 9}, {10, 0, 0, 2}} {
			packet := append(ipv4Header(9, byte(protocol), [4]byte{10, 0, 0, 1}, to), byte(to[3]), 0, 0, 0, 0, 0, 0, 0, 0)
			if _, err := whole.Transmit(&socket.Message{Buffers: [][]byte{packet}, Addr: v4(0, 10, 0, 0, 2)}, nil); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, 100)
		if n, err := f.Read(got); err != nil || n != 29 || got[20] != 2 {
			t.Errorf("protocol %d: heard %x, %v", protocol, got[:max(n, 0)], err)
		}
		f.Release()
	}
	// With IPv6, what goes to a group is heard by who is bound to another address as well.
	f := b.openSocket(t, syscall.AF_INET6, syscall.SOCK_RAW, 47)
	if err := f.Bind(v6(0, 2)); err != nil {
		t.Fatal(err)
	}
	group := v6(0, 1)
	group[8], group[9], group[24] = 0xff, 2, 2
	if _, err := a.openSocket(t, syscall.AF_INET6, syscall.SOCK_RAW, 47).Transmit(&socket.Message{Buffers: [][]byte{[]byte("all nodes")}, Addr: group}, nil); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100)
	if n, err := f.Read(got); err != nil || string(got[:n]) != "all nodes" {
		t.Errorf("heard %q, %v", got[:max(n, 0)], err)
	}
}
