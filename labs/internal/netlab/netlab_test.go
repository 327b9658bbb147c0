package netlab

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/labs/internal/report"
)

// student answers frames, with a mistake: a check that it leaves out, or something that
// it does to its replies.
type student string

func (s student) checks(name string, holds bool) bool { return holds || string(s) == name }

func (s student) sum(b []byte) uint16 {
	switch s {
	case "no flip":
		return ^checksum(b)
	case "odd byte low":
		if len(b)%2 == 1 {
			b = append(append(b[:len(b)-1:len(b)-1], 0), b[len(b)-1])
		}
	case "no carry":
		v := uint16(0)
		for i := 0; i+1 < len(b); i += 2 {
			v += binary.BigEndian.Uint16(b[i:])
		}
		if len(b)%2 == 1 {
			v += uint16(b[len(b)-1]) << 8
		}
		return ^v
	}
	return checksum(b)
}

func (s student) answer(me Host, f []byte) []byte {
	if len(f) < nic.HeaderLen {
		return nil
	}
	switch kind := binary.BigEndian.Uint16(f[12:]); {
	case kind == 0x0806:
		return s.arp(me, f)
	case s.checks("type", kind == 0x0800):
		return s.echo(me, f)
	}
	return nil
}

func (s student) arp(me Host, f []byte) []byte {
	if !s.checks("short arp", len(f) >= 42) || !s.checks("arp op", f[21] == 1) || !s.checks("arp target", bytes.Equal(f[38:42], me.IP[:])) {
		return nil
	}
	sender := Host{nic.Address(f[22:28]), [4]byte(f[28:32])}
	r := arp(2, me.MAC, sender.MAC, me, sender)
	switch s {
	case "arp silent":
		return nil
	case "arp asks":
		r[21] = 1
	case "arp not exchanged":
		copy(r[22:], f[22:42])
	case "arp no frame":
		copy(r, f[:12])
	case "arp in place":
		return append(f[:0], r...)
	}
	return r
}

func (s student) echo(me Host, f []byte) []byte {
	b := f[14:]
	if !s.checks("mac", bytes.Equal(f[:6], me.MAC[:])) || !s.checks("short ip", len(b) >= 20) || b[0]>>4 != 4 {
		return nil
	}
	n, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if s == "options" {
		n = 20
	}
	if s == "padding" {
		total = len(b)
	}
	switch {
	case n < 20, !s.checks("total", total >= n && total <= len(b)),
		!s.checks("ip sum", checksum(b[:min(n, len(b))]) == 0 || s == "options"),
		!s.checks("more fragments", b[6]&0x20 == 0), !s.checks("fragment offset", binary.BigEndian.Uint16(b[6:])&0x1fff == 0),
		!s.checks("protocol", b[9] == 17), !s.checks("ip", bytes.Equal(b[16:20], me.IP[:])):
		return nil
	}
	u := b[n:total]
	if !s.checks("short udp", len(u) >= 8) || !s.checks("port", binary.BigEndian.Uint16(u[2:]) == Port) {
		return nil
	}
	k := int(binary.BigEndian.Uint16(u[4:]))
	if s == "udp length" {
		k = len(u)
	}
	if s == "padding" {
		k = len(u)
	}
	if k < 8 || k > len(u) {
		return nil
	}
	u = u[:k]
	sent := Host{nic.Address(f[6:12]), [4]byte(b[12:16])}
	clean := bytes.Clone(u)
	clean[6], clean[7] = 0, 0
	if got := binary.BigEndian.Uint16(u[6:]); !s.checks("udp sum", got == 0 || got == udpSum(sent.IP, me.IP, clean) || s == "padding") {
		return nil
	}
	r := append(append(sent.MAC[:6:6], me.MAC[:]...), 8, 0)
	ip := make([]byte, 20)
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(20+k))
	copy(ip[12:], me.IP[:])
	copy(ip[16:], sent.IP[:])
	switch s {
	case "ips not exchanged":
		copy(ip[12:], b[12:20])
	case "old total":
		copy(ip[2:], []byte{9, 9})
	case "ttl":
		ip[8] = 0
	}
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	if s == "old sum" {
		copy(ip[10:], b[10:12])
	}
	copy(clean[0:], u[2:4])
	copy(clean[2:], u[0:2])
	if s == "ports not exchanged" {
		copy(clean, u[:4])
	}
	v := udpSum(me.IP, sent.IP, clean)
	switch {
	case s == "zero sum" && v == 0xffff:
		v = 0
	case s == "wrong udp sum":
		v++
	}
	binary.BigEndian.PutUint16(clean[6:], v)
	if s == "upper case" {
		copy(clean[8:], bytes.ToUpper(clean[8:]))
	}
	return append(append(r, ip...), clean...)
}

// TestDiagnosis: the check names what is wrong with answers.
func TestDiagnosis(t *testing.T) {
	for mistake, says := range map[student]string{
		"":                    "PASS",
		"arp silent":          "there was no reply|TODO 1",
		"arp asks":            "the operation|TODO 1",
		"arp not exchanged":   "the sender's MAC|TODO 1",
		"arp no frame":        "the destination of the frame|TODO 1",
		"arp op":              "a reply was answered|TODO 1",
		"arp target":          "another address was answered|TODO 1",
		"arp in place":        "changed the frame",
		"short arp":           "out of range|look at len",
		"no flip":             "all bits are flipped|TODO 2",
		"odd byte low":        "high half|TODO 2",
		"no carry":            "until nothing is above|TODO 2",
		"type":                "a frame of IPv6 was answered",
		"mac":                 "a frame to another card|TODO 3",
		"options":             "options|TODO 3",
		"padding":             "60 bytes|padding|TODO 3",
		"total":               "out of range|look at len",
		"ip sum":              "wrong IP checksum|TODO 3",
		"more fragments":      "first part|TODO 3",
		"fragment offset":     "later part|TODO 3",
		"protocol":            "TCP|TODO 3",
		"ip":                  "packet to another address|TODO 3",
		"ips not exchanged":   "the packet goes from|TODO 4",
		"old total":           "total length in the IP header is 2313",
		"ttl":                 "time to live",
		"old sum":             "checksum of the IP header|Its own place counts as 0",
		"short ip":            "out of range|look at len",
		"short udp":           "out of range|look at len",
		"port":                "another port|TODO 4",
		"udp length":          "longer than its packet|TODO 4",
		"udp sum":             "wrong UDP checksum|TODO 4",
		"ports not exchanged": "from port 40000 to port 7|TODO 4",
		"zero sum":            "0 was sent|TODO 4",
		"wrong udp sum":       "the UDP checksum is|TODO 4",
		"upper case":          "the contents are|TODO 4",
	} {
		var b strings.Builder
		r := report.New(&b)
		Check(r, mistake.sum, mistake.answer)
		r.End()
		for word := range strings.SplitSeq(says, "|") {
			if !strings.Contains(b.String(), word) {
				t.Errorf("%q: want %q in:\n%s", mistake, word, &b)
			}
		}
		if r.Failed() == (says == "PASS") {
			t.Errorf("%q: want %q:\n%s", mistake, says, &b)
		}
	}
}
