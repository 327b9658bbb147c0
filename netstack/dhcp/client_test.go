package dhcp

import (
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// wire is a Conn whose other end a test plays.
type wire struct {
	sent chan sent
	in   chan []byte
}

type sent struct {
	b        []byte
	from, to netip.Addr
}

func (w *wire) Send(b []byte, from, to netip.Addr) { w.sent <- sent{b, from, to} }
func (w *wire) Received() <-chan []byte            { return w.in }

// reply makes a server's message for the request b.
func answer(b []byte, kind Kind, yours [4]byte, options ...byte) []byte {
	r := make([]byte, atOptions)
	copy(r, b[:atOptions])
	r[0] = bootReply
	copy(r[atYours:], yours[:])
	r = append(r, optType, 1, byte(kind), optServer, 4, 10, 0, 2, 2)
	return append(append(r, options...), optEnd)
}

func option(b []byte, code byte) []byte {
	list := map[byte][]byte{}
	collect(list, b[atOptions:])
	return list[code]
}

func seconds(code byte, n uint32) []byte {
	return append([]byte{code, 4}, binary.BigEndian.AppendUint32(nil, n)...)
}

// TestLifeOfALease: discover, offer, request, acknowledgement; renewal by its server,
// a new binding by any, the end, and another one.
func TestLifeOfALease(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &wire{make(chan sent), make(chan []byte, 1)}
	got, lost := make(chan *Lease, 1), make(chan bool, 1)
	c := &Client{Conn: w, MAC: [6]byte{2, 0, 0, 0, 0, 1}, Hostname: "guest", Got: func(l *Lease) { got <- l }, Lost: func() { lost <- true }, Unit: time.Millisecond * 20}
	ended := make(chan bool)
	go func() { c.Run(ctx); close(ended) }()
	expect := func(kind Kind) sent {
		t.Helper()
		for {
			s := <-w.sent
			if k := Kind(option(s.b, optType)[0]); k == kind {
				return s
			} else if kind != Discover { // requests may be repeated
				t.Logf("a message of type %d, wanting %d", k, kind)
			}
		}
	}
	lease := append(seconds(optLease, 20), append(seconds(optRenewal, 5), seconds(optRebinding, 10)...)...)
	lease = append(lease, optMask, 4, 255, 255, 255, 0, optRouter, 4, 10, 0, 2, 2, optDNS, 4, 10, 0, 2, 3, optDomain, 7)
	lease = append(lease, "example"...)
	bind := func() {
		t.Helper()
		d := expect(Discover)
		if d.from.IsValid() || d.to.IsValid() || string(option(d.b, optHostname)) != "guest" {
			t.Errorf("DISCOVER from %v to %v", d.from, d.to)
		}
		w.in <- answer(d.b, Offer, [4]byte{10, 0, 2, 15}, lease...)
		r := expect(Request)
		if string(option(r.b, optRequestAddress)) != "\x0a\x00\x02\x0f" || string(option(r.b, optServer)) != "\x0a\x00\x02\x02" {
			t.Errorf("REQUEST %x", r.b[atOptions:])
		}
		w.in <- answer(r.b, Ack, [4]byte{10, 0, 2, 15}, lease...)
		l := <-got
		if l.Address.String() != "10.0.2.15/24" || l.Domain != "example" || len(l.Routers) != 1 || l.DNS[0] != netip.MustParseAddr("10.0.2.3") || l.Expires != 20*time.Second {
			t.Errorf("lease %+v", l)
		}
	}
	bind()
	r := expect(Request) // T1
	if r.to != netip.MustParseAddr("10.0.2.2") || r.from != netip.MustParseAddr("10.0.2.15") || string(r.b[atClient:atClient+4]) != "\x0a\x00\x02\x0f" || option(r.b, optServer) != nil {
		t.Errorf("renewal from %v to %v: %x", r.from, r.to, r.b)
	}
	w.in <- answer(r.b, Ack, [4]byte{10, 0, 2, 15}, lease...)
	<-got
	for { // nobody answers until all are asked, and then somebody refuses
		if r = expect(Request); !r.to.IsValid() {
			break
		}
	}
	w.in <- answer(r.b, Nak, [4]byte{})
	<-lost
	bind()
	for end := false; !end; { // nobody answers at all
		select {
		case <-w.sent:
		case <-lost:
			end = true
		}
	}
	cancel()
	for {
		select {
		case <-w.sent:
			continue
		case <-ended:
		}
		return
	}
}

// TestDecode reads what is malformed or in other places.
func TestDecode(t *testing.T) {
	m := &Message{Kind: Discover, XID: 7, MAC: [6]byte{1, 2, 3, 4, 5, 6}}
	ask := m.Encode()
	if len(ask) < sizeMin {
		t.Errorf("%d bytes", len(ask))
	}
	if _, err := Decode(ask); err == nil {
		t.Error("a client's message was taken for a server's")
	}
	b := answer(ask, Offer, [4]byte{10, 0, 0, 9},
		optMask, 4, 255, 0, 255, 0, // no mask
		optRoutes, 9+5, 24, 192, 168, 7, 10, 0, 0, 1, 0, 10, 0, 0, 2, 33, // the last one is cut off
		optSearch, 17, 3, 'e', 'n', 'g', 5, 'a', 'p', 'p', 'l', 'e', 0, 2, 'm', 'y', 0xc0, 4, 0xc0,
		optDomain, 3, 'a', '\n', 'b', optDNS, 8, 0, 0, 0, 0, 8, 8, 8, 8, optMTU, 2, 4, 0)
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Mask != 0 || got.Domain != "" || len(got.DNS) != 1 || got.MTU != 1024 || got.XID != 7 {
		t.Errorf("%+v", got)
	}
	if len(got.Routes) != 2 || got.Routes[0].To.String() != "192.168.7.0/24" || got.Routes[1].Gateway.String() != "10.0.0.2" {
		t.Errorf("routes %v", got.Routes)
	}
	if len(got.Search) != 2 || got.Search[0] != "eng.apple" || got.Search[1] != "my.apple" {
		t.Errorf("search %q", got.Search)
	}
}

// FuzzDecode: nothing that a server sends is a panic, or a name that is none.
func FuzzDecode(f *testing.F) {
	ask := (&Message{Kind: Discover}).Encode()
	f.Add(answer(ask, Offer, [4]byte{10, 0, 0, 9}, optSearch, 4, 0xc0, 0, 0xc0, 0, optOverload, 1, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		for _, s := range append(m.Search, m.Domain, m.Hostname) {
			for _, c := range []byte(s) {
				if c <= ' ' || c >= 0x7f {
					t.Errorf("name %q", s)
				}
			}
		}
	})
}
