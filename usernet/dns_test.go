package usernet

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers every question for an address of the zone example. with the
// address 192.0.2.N of its own, and all others with NXDOMAIN. A name that begins
// with "silent" it does not answer; for one with "big" it says over UDP that there
// is more.
func nameServer(t testing.TB, n byte) (at netip.AddrPort, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	answer := func(query []byte, stream bool) []byte {
		asked.Add(1)
		var p dnsmessage.Parser
		h, err := p.Start(query)
		if err != nil {
			return nil
		}
		q, err := p.Question()
		if err != nil || strings.HasPrefix(q.Name.String(), "silent") {
			return nil
		}
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: h.ID, Response: true}, Questions: []dnsmessage.Question{q}}
		switch {
		case !strings.HasSuffix(q.Name.String(), "example."):
			m.RCode = dnsmessage.RCodeNameError
		case strings.HasPrefix(q.Name.String(), "big") && !stream:
			m.Truncated = true
		default:
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, n}}}}
		}
		reply, err := m.Pack()
		if err != nil {
			return nil
		}
		return reply
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	at = c.LocalAddr().(*net.UDPAddr).AddrPort()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if reply := answer(buf[:n], false); reply != nil {
				// Answers of others come before it.
				wrong := slices.Clone(reply)
				wrong[0] ^= 1
				_, _ = c.WriteToUDPAddrPort(wrong, from)
				_, _ = c.WriteToUDPAddrPort([]byte("x"), from)
				_, _ = c.WriteToUDPAddrPort(reply, from)
			}
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for {
					query, err := readDNS(c)
					if err != nil {
						return
					}
					if reply := answer(query, true); reply != nil {
						_ = writeDNS(c, reply)
					}
				}
			}()
		}
	}()
	return at, asked
}

// testResolver has the network resolve by files of the test, whose servers listen
// where they can.
func testResolver(t testing.TB, n *Network, hosts string, servers ...netip.AddrPort) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(name, []byte(hosts), 0o600); err != nil {
		t.Fatal(err)
	}
	n.resolver.hosts.name = name
	n.resolver.conf.parse = func(string) resolvConfig {
		return resolvConfig{servers: servers, timeout: 200 * time.Millisecond, attempts: 2}
	}
}

// A resolver in the guest gets what the host would, over UDP and TCP.
func TestDNS(t *testing.T) {
	g := newGuest(t, testConfig())
	nobody, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close() // it is there, and says nothing
	server, _ := nameServer(t, 7)
	testResolver(t, g.net, "10.1.2.3 printer printer.local # a comment\n127.0.1.1\tThisHost\n2001:db8::5 printer\n::1 ip6\n",
		nobody.LocalAddr().(*net.UDPAddr).AddrPort(), server)
	g.boot()
	r := net.Resolver{PreferGo: true, Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
		at := netip.AddrPortFrom(g.config.Router4, 53)
		if strings.HasPrefix(network, "udp") {
			return g.dialUDP(at), nil
		}
		return g.dial(at)
	}}
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	for name, want := range map[string]string{
		"www.example.":   "192.0.2.7",
		"big.example.":   "192.0.2.7", // by TCP
		"printer.":       "10.1.2.3",
		"PRINTER.local.": "10.1.2.3",
		"thishost.":      g.config.Router4.String(), // the host
		"localhost.":     "127.0.0.1",
		"a.localhost.":   "127.0.0.1",
	} {
		got, err := r.LookupNetIP(ctx, "ip4", name)
		if err != nil || len(got) != 1 || got[0].Unmap().String() != want {
			t.Errorf("%s: %v, %v, want %s", name, got, err, want)
		}
	}
	for name, want := range map[string]string{"printer.": "2001:db8::5", "ip6.": g.config.Router6.String()} {
		got, err := r.LookupNetIP(ctx, "ip6", name)
		if err != nil || len(got) != 1 || got[0].String() != want {
			t.Errorf("%s: %v, %v, want %s", name, got, err, want)
		}
	}
	_, err = r.LookupNetIP(ctx, "ip4", "nobody.elsewhere.")
	if e, ok := err.(*net.DNSError); !ok || !e.IsNotFound {
		t.Errorf("a name that is not there: %v", err)
	}
}

func query(id uint16, name string, kind dnsmessage.Type) []byte {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	p, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return p
}

// What is wrong with a query is said, and what is no query is not answered. When no
// server answers that is said, too.
func TestDNSErrors(t *testing.T) {
	config := testConfig()
	r := newResolver(&config, "/none", "/none")
	server, asked := nameServer(t, 1)
	r.conf.parse = func(string) resolvConfig {
		return resolvConfig{servers: []netip.AddrPort{server}, timeout: 50 * time.Millisecond, attempts: 2}
	}
	good := query(0x1234, "a.example.", dnsmessage.TypeA)
	for _, tt := range []struct {
		name   string
		query  []byte
		answer bool
		code   dnsmessage.RCode
		asked  int32
	}{
		{"good", good, true, dnsmessage.RCodeSuccess, 1},
		{"silent", query(0x1234, "silent.example.", dnsmessage.TypeA), true, dnsmessage.RCodeServerFailure, 2},
		{"nothing", nil, false, 0, 0},
		{"short", good[:11], false, 0, 0},
		{"an answer", slices.Concat(good[:2], []byte{0x80}, good[3:]), false, 0, 0},
		{"cut off", good[:len(good)-1], true, dnsmessage.RCodeFormatError, 0},
		{"no question", slices.Concat(good[:4], []byte{0, 0}, good[6:]), true, dnsmessage.RCodeFormatError, 0},
		{"two questions", slices.Concat(good[:4], []byte{0, 2}, good[6:], good[12:]), true, dnsmessage.RCodeFormatError, 0},
		{"update", slices.Concat(good[:2], []byte{5 << 3}, good[3:]), true, dnsmessage.RCodeNotImplemented, 0},
	} {
		asked.Store(0)
		reply := r.answer(context.Background(), tt.query, false)
		if (reply != nil) != tt.answer || tt.name == "good" && asked.Load() != tt.asked {
			t.Errorf("%s: answer %x, %d questions to the server", tt.name, reply, asked.Load())
		}
		if reply == nil {
			continue
		}
		var p dnsmessage.Parser
		h, err := p.Start(reply)
		if err != nil || h.ID != 0x1234 || !h.Response || h.RCode != tt.code {
			t.Errorf("%s: %+v, %v", tt.name, h, err)
		}
	}
}

func TestResolvConf(t *testing.T) {
	c := parseResolvConf("# comment\nnameserver 1.2.3.4\nnameserver nonsense\nnameserver fe80::1%eth0\ndomain a.org\nsearch b.org. c.org\n" +
		"nameserver ::1\nnameserver 9.9.9.9\noptions timeout:3 attempts:99 rotate timeout:x ndots:1\n;\nnameserver\n")
	want := []string{"1.2.3.4:53", "[fe80::1%eth0]:53", "[::1]:53"}
	var got []string
	for _, s := range c.servers {
		got = append(got, s.String())
	}
	if !slices.Equal(got, want) || !slices.Equal(c.search, []string{"b.org", "c.org"}) || c.timeout != 3*time.Second || c.attempts != mostAttempts {
		t.Errorf("%+v", c)
	}
	if c := parseResolvConf(""); len(c.servers) != 1 || c.servers[0].String() != "127.0.0.1:53" || c.timeout != 5*time.Second || c.attempts != 2 {
		t.Errorf("an empty file: %+v", c)
	}
}

// What a file says changes with it.
func TestWatched(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hosts")
	w := &watched[hostNames]{name: name, parse: parseHosts}
	if len(w.get()) != 0 {
		t.Error("a file that is not there says something")
	}
	if err := os.WriteFile(name, []byte("1.2.3.4 a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(w.get()) != 0 {
		t.Error("the file was read again at once")
	}
	w.checked = time.Time{}
	if got := w.get()["a"]; len(got) != 1 || got[0].String() != "1.2.3.4" {
		t.Errorf("%v", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	w.checked = time.Time{}
	if len(w.get()) != 0 {
		t.Error("a file that is gone says something")
	}
}

func FuzzDNS(f *testing.F) {
	f.Add(query(1, "localhost.", dnsmessage.TypeA))
	f.Add(query(1, "printer.", dnsmessage.TypeAAAA))
	f.Add(binary.BigEndian.AppendUint16(nil, 1))
	config := testConfig()
	r := newResolver(&config, "/none", "/none")
	r.hosts.parse = func(string) hostNames { return parseHosts("1.2.3.4 printer\n::1 printer\n") }
	r.conf.parse = func(string) resolvConfig { return resolvConfig{} } // nobody is asked
	f.Fuzz(func(t *testing.T, query []byte) {
		reply := r.answer(context.Background(), query, false)
		if reply == nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil || !m.Response || m.ID != binary.BigEndian.Uint16(query) {
			t.Errorf("answer %x: %v", reply, err)
		}
		answers(query, 1, dnsmessage.Question{})
	})
}
