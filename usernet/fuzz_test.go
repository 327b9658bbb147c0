package usernet

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// TestFrameReader: frames come apart as they were put together, however the stream
// is cut, and what is no stream of frames ends it.
func TestFrameReader(t *testing.T) {
	var stream []byte
	sizes := []int{0, 1, 60, maxFrame, 1514, maxFrame, maxFrame, 3, maxFrame, maxFrame - 1, 7}
	for i, size := range sizes {
		stream = binary.BigEndian.AppendUint32(stream, uint32(size))
		stream = append(stream, random(size, uint64(i))...)
	}
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(stream), "halves": iotest.HalfReader(bytes.NewReader(stream)),
		"bytes": iotest.OneByteReader(bytes.NewReader(stream)), "end with data": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		f := newFrameReader(r)
		for i, size := range sizes {
			frame, err := f.next()
			if err != nil || !bytes.Equal(frame, random(size, uint64(i))) {
				t.Fatalf("%s: frame %d: %d bytes of %d, %v", name, i, len(frame), size, err)
			}
		}
		if _, err := f.next(); err != io.EOF {
			t.Errorf("%s: end: %v", name, err)
		}
	}
	for name, stream := range map[string][]byte{
		"a length cut off": {0, 0}, "a frame cut off": {0, 0, 0, 2, 1}, "a length alone": {0, 0, 0, 1},
		"too long": binary.BigEndian.AppendUint32(nil, maxFrame+1), "longer still": {255, 255, 255, 255},
	} {
		if _, err := newFrameReader(bytes.NewReader(stream)).next(); err == nil || err == io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// quiet is a network whose link carries nothing away.
func quiet(t testing.TB) *Network {
	t.Helper()
	n, err := New(testConfig(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	n.link.closed = true
	n.resolver.conf.parse = func(string) resolvConfig { return resolvConfig{} }
	t.Cleanup(n.Close)
	return n
}

// FuzzFrames: no frame of the guest does any harm. The host's side is not asked:
// all addresses are the router's network's.
func FuzzFrames(f *testing.F) {
	config := testConfig()
	guest := &guest{config: config}
	f.Add(guest.dhcp(dhcpDiscover, true))
	f.Add(guest.ndp(config.Guest6.Addr(), allNodes, []byte{133, 0, 0, 0, 0, 0, 0, 0}))
	udp := udpPacket(config.Guest4.Addr(), config.Router4, 9, 53, []byte("query"))
	f.Add(guest.ethernet(0x0800, udp))
	ping := make([]byte, 28)
	copy(ping, udp)
	ping[9], ping[20] = 1, 8
	f.Add(guest.ethernet(0x0800, ping))
	tcp := make([]byte, 40)
	header.IPv4(tcp).Encode(&header.IPv4Fields{TotalLength: 40, TTL: 9, Protocol: 6, SrcAddr: toStack(config.Guest4.Addr()), DstAddr: toStack(config.Router4)})
	tcp[32], tcp[33] = 0x50, 2
	f.Add(guest.ethernet(0x0800, tcp))
	f.Add(guest.ethernet(0x0806, make([]byte, header.ARPSize)))
	n := quiet(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) < 14 || len(frame) > maxFrame {
			n.link.take(frame)
			return
		}
		keepInside(n, frame)
		n.link.take(frame)
	})
}

// keepInside has a packet go to the router or to its network, whose other
// addresses nobody has.
func keepInside(n *Network, frame []byte) {
	p := frame[14:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		if len(p) >= header.IPv4MinimumSize {
			if p[16] < 224 { // others are for many, or for nobody
				copy(p[16:19], n.config.Router4.AsSlice())
			}
			ip := header.IPv4(p)
			ip.SetChecksum(0)
			if size := int(ip.HeaderLength()); size >= header.IPv4MinimumSize && size <= len(p) {
				ip.SetChecksum(^ip.CalculateChecksum())
			}
		}
	case 0x86dd:
		if len(p) >= header.IPv6MinimumSize && p[24] != 255 {
			copy(p[24:32], n.config.Router6.AsSlice())
		}
	}
}

func FuzzDHCP(f *testing.F) {
	guest := &guest{config: testConfig()}
	n := quiet(f)
	for _, kind := range []byte{dhcpDiscover, dhcpWant, dhcpInform} {
		if p, ok := dhcpPayload(guest.dhcp(kind, false, optionAddress, 4, 1, 2, 3, 4)[14:]); ok {
			f.Add(p)
		} else {
			f.Fatal("no message")
		}
	}
	long := guest.dhcp(dhcpWant, false, append([]byte{optionHostname, 255}, make([]byte, 255)...)...)
	if m, ok := dhcpPayload(long[14:]); !ok {
		f.Fatal("no message")
	} else {
		f.Add(m) // no option is longer
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if m, ok := parseDHCP(p); ok {
			n.answerDHCP(m)
		}
	})
}

// FuzzHostFiles: the host's own files may have anything in them.
func FuzzHostFiles(f *testing.F) {
	f.Add("nameserver 1.2.3.4\noptions timeout:9\nsearch a b\n")
	f.Add("1.2.3.4 a b # c\n::1 d\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c := parseResolvConf(text); len(c.servers) == 0 || len(c.servers) > mostServers || c.attempts < 1 || c.timeout <= 0 {
			t.Errorf("%+v", c)
		}
		parseHosts(text)
	})
}
