package netlab

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

var (
	me    = Host{nic.Address{0x52, 0x54, 0, 0x12, 0x34, 0x56}, [4]byte{10, 0, 2, 15}}
	other = Host{nic.Address{0x52, 0x55, 10, 0, 2, 2}, [4]byte{10, 0, 2, 2}}
)

// datagram is what a UDP frame is made of; the zero value of a field is the usual.
type datagram struct {
	to, port       Host
	from, dst      uint16 // ports
	payload        []byte
	options        int    // bytes of options in the IP header
	fragment       uint16 // flags and offset
	protocol       byte
	pad            int  // bytes behind the packet
	badSum, badUDP bool // wrong checksums
	noUDP          bool // without UDP's
	udpLength      int  // instead of the right one
}

// frame makes the Ethernet frame.
func (d datagram) frame() []byte {
	if d.to == (Host{}) {
		d.to = me
	}
	if d.dst == 0 {
		d.dst = Port
	}
	if d.protocol == 0 {
		d.protocol = 17
	}
	if d.udpLength == 0 {
		d.udpLength = 8 + len(d.payload)
	}
	b := append(append(d.to.MAC[:6:6], other.MAC[:]...), 8, 0)
	ip := make([]byte, 20+d.options)
	for i := 20; i < len(ip); i++ {
		ip[i] = 1 // no operation
	}
	ip[0] = 0x40 | byte(len(ip)/4)
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+8+len(d.payload)))
	binary.BigEndian.PutUint16(ip[4:], 0x1234)
	binary.BigEndian.PutUint16(ip[6:], d.fragment)
	ip[8], ip[9] = 64, d.protocol
	copy(ip[12:], other.IP[:])
	copy(ip[16:], d.to.IP[:])
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	if d.badSum {
		ip[10] ^= 0x55
	}
	udp := make([]byte, 8, 8+len(d.payload))
	binary.BigEndian.PutUint16(udp[0:], d.from)
	binary.BigEndian.PutUint16(udp[2:], d.dst)
	binary.BigEndian.PutUint16(udp[4:], uint16(d.udpLength))
	udp = append(udp, d.payload...)
	sum := udpSum(other.IP, d.to.IP, udp)
	if d.badUDP {
		sum ^= 0x55
	}
	if d.noUDP {
		sum = 0
	}
	binary.BigEndian.PutUint16(udp[6:], sum)
	return append(append(append(b, ip...), udp...), make([]byte, d.pad)...)
}

// udpSum is the checksum of a datagram whose field for it is 0 (RFC 768).
func udpSum(src, dst [4]byte, udp []byte) uint16 {
	pseudo := append(append(src[:4:4], dst[:]...), 0, 17)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(udp)))
	if sum := checksum(append(pseudo, udp...)); sum != 0 {
		return sum
	}
	return 0xffff
}

// Check tries sum and answer.
func Check(r *report.Report, sum Sum, answer Answer) {
	for _, c := range []func(*report.Report, Sum, Answer){checkARP, checkSum, checkEcho, checkOthers, checkDamaged} {
		lab.Try(r, "a frame may be shorter than its headers say, and say what it likes: look at len before you look at a byte.", func() { c(r, sum, answer) })
		if r.Failed() {
			return
		}
	}
}

// ask calls answer, and reports one that changes what it was given.
func ask(r *report.Report, answer Answer, frame []byte) (reply []byte, ok bool) {
	before := bytes.Clone(frame)
	reply = answer(me, frame)
	if !bytes.Equal(frame, before) {
		r.Fail("answer has changed the frame that it was given.", "The reply is a slice of its own: bytes.Clone, or append.")
		return nil, false
	}
	return reply, true
}

// field is a part of a frame.
type field struct {
	name     string
	off, len int
}

// differs names the first field in which a reply is not what it should be.
func differs(got, want []byte, fields []field) string {
	if got == nil {
		return "there was no reply."
	}
	if len(got) < len(want) {
		return fmt.Sprintf("the reply has %d bytes, and should have %d.", len(got), len(want))
	}
	for _, f := range fields {
		g, w := got[f.off:f.off+f.len], want[f.off:f.off+f.len]
		if !bytes.Equal(g, w) {
			return fmt.Sprintf("%s in the reply (from byte %d on) is % x, and should be % x.", f.name, f.off, g, w)
		}
	}
	return ""
}

var ethernet = []field{{"the destination of the frame", 0, 6}, {"the source of the frame", 6, 6}, {"the type of the frame", 12, 2}}

func checkARP(r *report.Report, _ Sum, answer Answer) {
	const hint = "TODO 1: the figure on the page has the offsets. Sender and target change places: you are the sender now, and your MAC is the answer."
	fields := append(ethernet[:3:3], field{"hardware, protocol and lengths", 14, 6}, field{"the operation", 20, 2},
		field{"the sender's MAC", 22, 6}, field{"the sender's IP address", 28, 4}, field{"the target's MAC", 32, 6}, field{"the target's IP address", 38, 4})
	request := arp(1, other.MAC, nic.Broadcast, other, Host{IP: me.IP})
	reply, ok := ask(r, answer, request)
	if !ok {
		return
	}
	if what := differs(reply, arp(2, me.MAC, other.MAC, me, other), fields); what != "" {
		r.Fail("ARP, who has 10.0.2.15: "+what, hint)
		return
	}
	r.OK("ARP: who has 10.0.2.15")
	for _, f := range []struct {
		about string
		frame []byte
	}{
		{"a request for another address", arp(1, other.MAC, nic.Broadcast, other, Host{IP: [4]byte{10, 0, 2, 99}})},
		{"a reply", arp(2, other.MAC, me.MAC, other, me)},
	} {
		if reply, ok := ask(r, answer, f.frame); ok && reply != nil {
			r.Fail("ARP: "+f.about+" was answered.", "TODO 1: only requests (operation 1) whose target is me.IP.")
		}
		if r.Failed() {
			return
		}
	}
	r.OK("ARP: silence where others are meant")
}

func checkSum(r *report.Report, sum Sum, _ Answer) {
	for _, b := range [][]byte{
		{0, 1}, {0x12, 0x34, 0x56, 0x78}, {0x12, 0x34, 0x56}, {0xff, 0xff, 0, 1}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {}, {7},
		{0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7}, bytes.Repeat([]byte{0xff, 0xfe}, 700),
	} {
		got, want := sum(bytes.Clone(b)), checksum(b)
		if got == want {
			continue
		}
		what := fmt.Sprintf("sum of % x is %#04x, and should be %#04x.", b[:min(len(b), 20)], got, want)
		hint := "TODO 2: add the words of 16 bits, the first byte the high one; add what is above 16 bits to what is below, until nothing is above; then flip all bits."
		switch {
		case got == ^want:
			hint = "TODO 2: all bits are flipped: ^uint16(s)."
		case len(b)%2 == 1:
			hint = "TODO 2: a last byte alone is the high half of a word."
		}
		r.Fail(what, hint)
		return
	}
	r.OK("the checksum of the internet")
}

func checkEcho(r *report.Report, _ Sum, answer Answer) {
	odd := bytes.Repeat([]byte("odd"), 5)
	// A datagram whose checksum comes out as 0.
	zero := []byte{0, 0}
	d := datagram{from: 5353, payload: zero}
	pseudo := d.frame()
	binary.BigEndian.PutUint16(zero, binary.BigEndian.Uint16(pseudo[40:]))
	for _, c := range []struct {
		about, hint string
		datagram
	}{
		{"a datagram to port 7", "TODO 4: what came, with the senders and receivers exchanged: of the frame, of IP, and the ports of UDP.", datagram{from: 40000, payload: []byte("hello, machine!!")}},
		{"a short datagram in a frame of 60 bytes", "TODO 3: a frame has 60 bytes at least; what is behind the packet is padding. The total length of IP says where the packet ends.", datagram{from: 40001, payload: []byte("hi"), pad: 16}},
		{"a datagram behind an IP header with options", "TODO 3: the header has 4 bytes for each count in the lower half of its first byte, and UDP begins behind it. A reply need not have options, but then its lengths and checksum are others.", datagram{from: 40002, payload: []byte("options"), options: 8}},
		{"a datagram of odd length", "TODO 4: the checksum.", datagram{from: 40003, payload: odd}},
		{"an empty datagram", "TODO 4: a datagram without contents is one.", datagram{from: 40004}},
		{"a datagram whose checksum comes out as 0", "TODO 4: in UDP a checksum of 0 means that there is none. If it comes out as 0, 0xffff is sent.", datagram{from: 5353, payload: zero}},
	} {
		reply, ok := ask(r, answer, c.frame())
		if !ok {
			return
		}
		if what := echo(reply, c.datagram); what != "" {
			r.Fail(c.about+": "+what, c.hint)
			return
		}
		r.OK("%s", c.about)
	}
}

// ownPlace is what is overlooked when a header that has come is copied.
const ownPlace = "Its own place counts as 0 while it is made."

// echo says what is wrong with the reply to a datagram.
func echo(b []byte, d datagram) string {
	if b == nil {
		return "there was no reply."
	}
	want := append(append(other.MAC[:6:6], me.MAC[:]...), 8, 0)
	if what := differs(b, want, ethernet); what != "" {
		return what
	}
	ip := b[14:]
	if len(ip) < 20 || ip[0]>>4 != 4 || int(ip[0]&15)*4 < 20 || int(ip[0]&15)*4 > len(ip) {
		return "behind the Ethernet header there is no IPv4 header."
	}
	n := int(ip[0]&15) * 4
	total := int(binary.BigEndian.Uint16(ip[2:]))
	switch {
	case [4]byte(ip[12:]) != me.IP || [4]byte(ip[16:]) != other.IP:
		return fmt.Sprintf("the packet goes from %v to %v, and should go from %v to %v.", ip[12:16], ip[16:20], me.IP, other.IP)
	case total != n+8+len(d.payload) || total > len(ip):
		return fmt.Sprintf("the total length in the IP header is %d, and should be %d.", total, n+8+len(d.payload))
	case ip[9] != 17:
		return fmt.Sprintf("the protocol is %d, and should be 17.", ip[9])
	case ip[8] == 0:
		return "the time to live is 0."
	case binary.BigEndian.Uint16(ip[6:])&0x3fff != 0:
		return "the packet says that it is a fragment."
	case checksum(ip[:n]) != 0:
		clean := bytes.Clone(ip[:n])
		clean[10], clean[11] = 0, 0
		return fmt.Sprintf("the checksum of the IP header is %#04x, and should be %#04x. %s", binary.BigEndian.Uint16(ip[10:]), checksum(clean), ownPlace)
	}
	udp := ip[n:total]
	switch from, to := binary.BigEndian.Uint16(udp), binary.BigEndian.Uint16(udp[2:]); {
	case from != Port || to != d.from:
		return fmt.Sprintf("the datagram goes from port %d to port %d, and should go from %d to %d.", from, to, Port, d.from)
	case int(binary.BigEndian.Uint16(udp[4:])) != len(udp):
		return fmt.Sprintf("the length in the UDP header is %d, and should be %d.", binary.BigEndian.Uint16(udp[4:]), len(udp))
	case !bytes.Equal(udp[8:], d.payload):
		return fmt.Sprintf("the contents are %q, and should be %q.", udp[8:], d.payload)
	}
	got := binary.BigEndian.Uint16(udp[6:])
	clean := bytes.Clone(udp)
	clean[6], clean[7] = 0, 0
	if want := udpSum(me.IP, other.IP, clean); got == 0 && want == 0xffff {
		return "the UDP checksum comes out as 0, and 0 was sent."
	} else if got != 0 && got != want {
		return fmt.Sprintf("the UDP checksum is %#04x, and should be %#04x (or 0, which means none). %s", got, want, ownPlace)
	}
	return ""
}

func checkOthers(r *report.Report, _ Sum, answer Answer) {
	const hint = "TODO 3: what is not for you, or not for this program, gets no answer."
	text := []byte("not for you")
	ipv6 := datagram{from: 1, payload: text}.frame()
	ipv6[12], ipv6[13] = 0x86, 0xdd
	for _, c := range []struct {
		about string
		frame []byte
		hint  string
	}{
		{"a datagram to another port", datagram{from: 1, dst: 9, payload: text}.frame(), "TODO 4: only port netlab.Port."},
		{"a packet to another address", datagram{from: 1, to: Host{me.MAC, [4]byte{10, 0, 2, 99}}, payload: text, noUDP: true}.frame(), hint},
		{"a frame to another card", datagram{from: 1, to: Host{nic.Address{2, 0, 0, 0, 0, 9}, me.IP}, payload: text}.frame(), "TODO 3: a card may deliver more than what is for it: the frame's destination is me.MAC."},
		{"a packet of TCP", datagram{from: 1, payload: text, protocol: 6}.frame(), hint},
		{"a frame of IPv6", ipv6, "TODO 1 and 3: the type of the frame is 0x0800 for IPv4, 0x0806 for ARP."},
		{"the first part of a fragmented packet", datagram{from: 1, payload: text, fragment: 0x2000}.frame(), "TODO 3: bit 13 says that more fragments come, and the lower 13 bits are the offset of this one. All have to be 0."},
		{"a later part of a fragmented packet", datagram{from: 1, payload: text, fragment: 0x00b9}.frame(), "TODO 3: the offset of a fragment is in the lower 13 bits of the word at 6."},
	} {
		if reply, ok := ask(r, answer, c.frame); ok && reply != nil {
			r.Fail(c.about+" was answered.", c.hint)
		}
		if r.Failed() {
			return
		}
	}
	r.OK("silence where others are meant")
}

func checkDamaged(r *report.Report, _ Sum, answer Answer) {
	text := []byte("damaged")
	for _, c := range []struct {
		about string
		frame []byte
		hint  string
	}{
		{"a packet with a wrong IP checksum", datagram{from: 1, payload: text, badSum: true}.frame(), "TODO 3: the sum over a header with its checksum in it is 0."},
		{"a datagram that says it is longer than its packet", datagram{from: 1, payload: text, udpLength: 900}.frame(), "TODO 4: compare the length in the UDP header with what there is."},
		{"a datagram that says it has 3 bytes", datagram{from: 1, payload: text, udpLength: 3}.frame(), "TODO 4: the header alone has 8 bytes."},
		{"a datagram with a wrong UDP checksum", datagram{from: 1, payload: text, badUDP: true}.frame(), "TODO 4: unless it is 0, the checksum has to be right: the sum over the pseudo-header and the datagram with its checksum is 0."},
	} {
		if reply, ok := ask(r, answer, c.frame); ok && reply != nil {
			r.Fail(c.about+" was answered.", c.hint)
		}
		if r.Failed() {
			return
		}
	}
	r.OK("damaged packets")
	// All lengths, and all values of the bytes that say how long something is.
	for _, whole := range [][]byte{datagram{from: 1, payload: text, options: 8}.frame(), arp(1, other.MAC, nic.Broadcast, other, Host{IP: me.IP})} {
		for n := range whole {
			short := bytes.Clone(whole[:n])
			if reply, ok := ask(r, answer, short); ok && reply != nil {
				r.Fail(fmt.Sprintf("the first %d bytes of a frame of %d were answered.", n, len(whole)), "TODO 1, 3 and 4: compare the lengths in the headers with len(frame).")
			}
			if r.Failed() {
				return
			}
		}
		for _, at := range []int{14, 16, 17, 46, 47} {
			for v := range 256 {
				odd := bytes.Clone(whole)
				if at >= len(odd) {
					continue
				}
				odd[at] = byte(v)
				if at < 34 { // the checksum is right, whatever the length
					odd[24], odd[25] = 0, 0
					if n := int(odd[14]&15) * 4; n >= 20 && 14+n <= len(odd) {
						binary.BigEndian.PutUint16(odd[24:], checksum(odd[14:14+n]))
					}
				}
				if _, ok := ask(r, answer, odd); !ok {
					return
				}
			}
		}
	}
	r.OK("frames that are too short, or say what is not true")
}
