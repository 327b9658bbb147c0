package usernet

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestParseForward(t *testing.T) {
	for s, want := range map[string]Forward{
		"8080:80":           {Host: 8080, Guest: 80},
		"0:80":              {Guest: 80},
		"8080:80/tcp":       {Host: 8080, Guest: 80},
		"5353:53/udp":       {Host: 5353, Guest: 53, UDP: true},
		"127.0.0.1:2222:22": {Bind: netip.MustParseAddr("127.0.0.1"), Host: 2222, Guest: 22},
		"[::1]:2222:22":     {Bind: netip.MustParseAddr("::1"), Host: 2222, Guest: 22},
		"0.0.0.0:1:1/udp":   {Bind: netip.MustParseAddr("0.0.0.0"), Host: 1, Guest: 1, UDP: true},
		"65535:65535":       {Host: 65535, Guest: 65535},
	} {
		got, err := ParseForward(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
		if again, err := ParseForward(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s: %+v, %v", s, got, again, err)
		}
	}
	for _, s := range []string{
		"", "80", ":", "80:", ":80", "80:0", "65536:80", "80:65536", "-1:80", "80:80/sctp", "80:80/", "+80:80", "x:80", "80:x", "8 0:80",
		"localhost:80:80", "127.0.0.1:80", "::1:80:80", "[127.0.0.1]:80:80", "[::1:80:80", "::1]:80:80", "1.2.3.4.5:80:80", ":80:80", "[]:80:80", "a:b:c:d",
	} {
		if got, err := ParseForward(s); err == nil {
			t.Errorf("%q was taken for %+v", s, got)
		} else if !strings.Contains(err.Error(), "\""+s+"\"") {
			t.Errorf("%q: the error %v does not name it", s, err)
		}
	}
}

func FuzzParseForward(f *testing.F) {
	f.Add("127.0.0.1:2222:22/udp")
	f.Add("[::1]:0:22")
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := ParseForward(s); err == nil {
			if again, err := ParseForward(got.String()); err != nil || again != got {
				t.Errorf("%q: %+v is written as %s, which is %+v, %v", s, got, got, again, err)
			}
		}
	})
}

// What a port cannot be had for is said, with the port.
func TestListenErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := uint16(l.Addr().(*net.TCPAddr).Port)
	for _, tt := range []struct {
		f    Forward
		want string
	}{
		{Forward{Bind: netip.MustParseAddr("127.0.0.1"), Host: taken, Guest: 1}, "in use"},
		{Forward{Host: taken, Guest: 1}, "in use"},
		{Forward{Bind: netip.MustParseAddr("192.0.2.77"), Guest: 1}, "192.0.2.77 is no address of the host"},
	} {
		s, err := tt.f.Listen()
		if err == nil {
			s.Close()
			t.Errorf("%v: listening", tt.f)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %s", tt.f, err, tt.want)
		}
	}
	if err := listenError(Forward{Host: 80}, os.NewSyscallError("bind", syscall.EACCES)); !strings.Contains(err.Error(), "port 80/tcp") || !strings.Contains(err.Error(), "for root alone") {
		t.Errorf("a privileged port: %v", err)
	}
}

func TestCheck(t *testing.T) {
	d := Default()
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(c *Config){
		"router elsewhere":      func(c *Config) { c.Router4 = netip.MustParseAddr("10.0.3.2") },
		"the same address":      func(c *Config) { c.Router6 = c.Guest6.Addr() },
		"other families":        func(c *Config) { c.Guest4, c.Guest6 = c.Guest6, c.Guest4 },
		"no guest":              func(c *Config) { c.Guest4 = netip.Prefix{} },
		"no router":             func(c *Config) { c.Router6 = netip.Addr{} },
		"no room":               func(c *Config) { c.Guest4 = netip.MustParsePrefix("10.0.2.15/31") },
		"the network's address": func(c *Config) { c.Guest4 = netip.MustParsePrefix("10.0.2.0/24") },
		"everybody's address":   func(c *Config) { c.Router4 = netip.MustParseAddr("10.0.2.255") },
		"loopback": func(c *Config) {
			c.Guest4, c.Router4 = netip.MustParsePrefix("127.0.0.5/8"), netip.MustParseAddr("127.0.0.1")
		},
		"multicast": func(c *Config) {
			c.Guest4, c.Router4 = netip.MustParsePrefix("224.0.0.5/8"), netip.MustParseAddr("224.0.0.1")
		},
		"mapped": func(c *Config) {
			c.Guest6, c.Router6 = netip.MustParsePrefix("::ffff:1.2.3.4/120"), netip.MustParseAddr("::ffff:1.2.3.5")
		},
		"a small MTU": func(c *Config) { c.MTU = 1279 },
		"a large MTU": func(c *Config) { c.MTU = MaxMTU + 1 },
	} {
		c := Default()
		change(&c)
		if err := c.Check(); err == nil {
			t.Errorf("%s: %+v was taken", name, c)
		}
	}
}

// A configuration gets to its process as it was.
func TestConfigJSON(t *testing.T) {
	c := Default()
	c.HostLoopback, c.Hostname = true, "x"
	c.Forwards = []Forward{{Bind: netip.MustParseAddr("::1"), Host: 1, Guest: 2, UDP: true}, {Host: 3, Guest: 4}}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	if err := json.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%s: %+v, %v", data, got, err)
	}
}

// Where a connection of the guest goes: the host's loopback only where it is
// allowed, and by the router's address alone.
func TestDestination(t *testing.T) {
	for _, loopback := range []bool{false, true} {
		c := Default()
		c.HostLoopback = loopback
		routers := map[string]string{"10.0.2.2": "127.0.0.1", "fd79:6f6c:6b00::2": "::1"}
		for router, to := range routers {
			got, err := c.destination(netip.AddrPortFrom(netip.MustParseAddr(router), 7))
			if loopback && (err != nil || got != netip.AddrPortFrom(netip.MustParseAddr(to), 7)) || !loopback && err != syscall.ECONNREFUSED {
				t.Errorf("%s, loopback %t: %v, %v", router, loopback, got, err)
			}
		}
		for _, a := range []string{"127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "0.1.2.3", "::", "::ffff:127.0.0.1", "::127.0.0.1", "169.254.169.254",
			"fe80::1", "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255", "10.0.2.15", "10.0.2.255", "10.0.2.3", "fd79:6f6c:6b00::3"} {
			if got, err := c.destination(netip.AddrPortFrom(netip.MustParseAddr(a), 7)); err != syscall.EHOSTUNREACH {
				t.Errorf("%s, loopback %t: %v, %v", a, loopback, got, err)
			}
		}
		for _, a := range []string{"1.1.1.1", "10.0.3.1", "192.168.1.1", "2001:db8::1", "fd00::1", "64:ff9b::1"} {
			to := netip.AddrPortFrom(netip.MustParseAddr(a), 7)
			if got, err := c.destination(to); err != nil || got != to {
				t.Errorf("%s: %v, %v", a, got, err)
			}
		}
	}
}
