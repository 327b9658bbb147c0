package network

import (
	"net/netip"
	"testing"

	"github.com/yolkos/yolk/netstack"
)

func TestConfigure(t *testing.T) {
	settings := map[string]string{
		"net.ip": "10.0.2.15/24 fd00::15/64 nonsense", "net.gateway": "10.0.2.2 1.2.3", "net.dns": "10.0.2.3", "net.search": "a.example b", "net.hostname": "guest",
	}
	var c netstack.Config
	problems := configure(&c, func(key string) string { return settings[key] })
	if len(problems) != 2 {
		t.Errorf("problems %v", problems)
	}
	if len(c.Addresses) != 2 || len(c.Gateways) != 1 || len(c.Servers) != 1 || len(c.Search) != 2 || c.Hostname != "guest" {
		t.Errorf("%+v", c)
	}
}

func TestFiles(t *testing.T) {
	got := string(resolvConf(nil, []netip.Addr{netip.MustParseAddr("10.0.2.3"), netip.MustParseAddr("fe80::1%eth0")}, []string{"a", "b"}))
	if want := "search a b\nnameserver 10.0.2.3\nnameserver fe80::1%eth0\n"; got != want {
		t.Errorf("resolv.conf %q, want %q", got, want)
	}
	list := []netstack.Interface{
		{Index: 1, Name: "lo", Loopback: true, Running: true, Addresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}},
		{Index: 2, Name: "eth0", MTU: 1400, Address: "\x52\x54\x00\x12\x34\x56", Addresses: []netip.Prefix{netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("10.0.2.15/24")}},
	}
	const local = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	for name, want := range map[string]string{"": local, "localhost": local, "guest": local + "10.0.2.15\tguest\n"} {
		if got := string(hosts(nil, name, list)); got != want {
			t.Errorf("hosts of %q: %q, want %q", name, got, want)
		}
	}
	if got := string(hosts(nil, "guest", list[:1])); got != local+"127.0.0.1\tguest\n" {
		t.Errorf("hosts without an address: %q", got)
	}
	files := sysFiles(func() (netstack.Interface, bool) { return list[1], true })
	for name, want := range map[string]string{"address": "52:54:00:12:34:56\n", "mtu": "1400\n", "operstate": "down\n", "carrier": "0\n", "type": "1\n", "flags": "0x1003\n", "statistics/rx_bytes": "0\n"} {
		if got := string(files[name](nil)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
