package options

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/usernet"
)

func parseNet(t *testing.T, args ...string) (*Network, qemu.Network, error) {
	t.Helper()
	f := &Network{}
	set := pflag.NewFlagSet("net", pflag.ContinueOnError)
	f.Add(set, "p")
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	n, err := f.QEMU()
	return f, n, err
}

func TestNetFlags(t *testing.T) {
	addrs := func(words ...string) (list []netip.Addr) {
		for _, w := range words {
			list = append(list, netip.MustParseAddr(w))
		}
		return list
	}
	prefixes := func(words ...string) (list []netip.Prefix) {
		for _, w := range words {
			list = append(list, netip.MustParsePrefix(w))
		}
		return list
	}
	const ip6, router6 = "fd79:6f6c:6b00::15/64", "fd79:6f6c:6b00::2"
	for _, tt := range []struct {
		args     string
		backend  qemu.Backend
		loopback bool
		ips      []netip.Prefix
		routers  []netip.Addr
		dns      []netip.Addr
		forwards int
	}{
		{"", "", false, prefixes("10.0.2.15/24", ip6), addrs("10.0.2.2", router6), addrs("10.0.2.2"), 0},
		{"--net user", "user", false, prefixes("10.0.2.15/24", ip6), addrs("10.0.2.2", router6), addrs("10.0.2.2"), 0},
		{"--net user,host-loopback", "user", true, prefixes("10.0.2.15/24", ip6), addrs("10.0.2.2", router6), addrs("10.0.2.2"), 0},
		{"-p 8080:80 -p 127.0.0.1:53:53/udp", "user", false, prefixes("10.0.2.15/24", ip6), addrs("10.0.2.2", router6), addrs("10.0.2.2"), 2},
		{"--ip 192.168.1.2/24 --dns 1.1.1.1 --dns ::1", "user", false, prefixes("192.168.1.2/24", ip6), addrs("192.168.1.1", router6), addrs("1.1.1.1", "::1"), 0},
		{"--ip 192.168.1.3/24 --ip fd00::5/64", "user", false, prefixes("192.168.1.3/24", "fd00::5/64"), addrs("192.168.1.2", "fd00::2"), addrs("192.168.1.2"), 0},
		{"--ip 192.168.1.3/24 --gateway 192.168.1.9", "user", false, prefixes("192.168.1.3/24", ip6), addrs("192.168.1.9", router6), addrs("192.168.1.9"), 0},
		{"--ip 10.0.2.2/24", "user", false, prefixes("10.0.2.2/24", ip6), addrs("10.0.2.1", router6), addrs("10.0.2.1"), 0},
		{"--net none --hostname a", "none", false, prefixes("10.0.2.15/24", ip6), addrs("10.0.2.2", router6), addrs("10.0.2.2"), 0},
		{"--net tap=t0", "tap", false, nil, nil, nil, 0},
		{"--net tap=t0 --ip 192.168.1.3/24 --gateway 192.168.1.1 --dns 9.9.9.9", "tap", false, prefixes("192.168.1.3/24"), addrs("192.168.1.1"), addrs("9.9.9.9"), 0},
	} {
		_, n, err := parseNet(t, strings.Fields(tt.args)...)
		if err != nil {
			t.Errorf("%s: %v", tt.args, err)
			continue
		}
		if n.Backend != tt.backend || n.User.HostLoopback != tt.loopback || !slices.Equal(n.Addresses, tt.ips) || !slices.Equal(n.Routers, tt.routers) ||
			!slices.Equal(n.DNS, tt.dns) || len(n.User.Forwards) != tt.forwards {
			t.Errorf("%s: %+v", tt.args, n)
		}
		if tt.backend == qemu.TapNetwork && n.Tap != "t0" {
			t.Errorf("%s: tap %q", tt.args, n.Tap)
		}
	}
}

func TestNetFlagErrors(t *testing.T) {
	for args, want := range map[string]string{
		"--net users": `--net "users"`, "--net user,x": `--net "user,x"`, "--net tap": `--net "tap"`, "--net tap=": `--net "tap="`, "--net none=1": `--net "none=1"`,
		"--net tap=a,host-loopback": "want user", "--net user=x": "want user",
		"-p 80": `--publish "80"`, "-p 1:x": "port", "--net tap=a -p 1:1": "--publish 1:1: only --net user", "--net none -p 1:1": "only --net user",
		"--net none --ip 10.0.0.1/8": "--net none", "--ip 10.0.0.1": `--ip "10.0.0.1"`, "--ip x": `--ip "x"`, "--ip 10.0.0.1/8 --ip 10.0.0.2/8": "another one",
		"--ip 10.0.0.5/31": "prefix of 1 to 30", "--ip 127.0.0.1/8": "no address for a machine", "--gateway 10.1.1.1": "is not in the guest's network",
		"--gateway x": `--gateway "x"`, "--gateway 10.0.2.1 --gateway 10.0.2.3": "another one", "--dns x": `--dns "x"`, "--dns fe80::1%a": "--dns",
		"--mac x": `--mac "x"`, "--mac 01:00:00:00:00:01": "one device", "--mac 00:00:00:00:00:00:00:01": "--mac", "--mac 00:00:00:00:00:00": "--mac",
	} {
		if _, n, err := parseNet(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s (%+v)", args, err, want, n)
		}
	}
	for name, ok := range map[string]bool{
		"": true, "a": true, "a-b.example.org": true, "A1": true, strings.Repeat("x", 63): true,
		"-a": false, "a-": false, "a..b": false, ".": false, "a b": false, "a\nnet.ip=1": false, "ä": false, strings.Repeat("x", 64): false, "a_b": false,
		strings.Repeat("x.", 32) + "y": false,
	} {
		if err := CheckHostname(name); (err == nil) != ok {
			t.Errorf("host name %q: %v", name, err)
		}
	}
}

// Hardware addresses are the guest's own on a device of the host, where there are
// others.
func TestHardwareAddr(t *testing.T) {
	_, a, _ := parseNet(t, "--net", "tap=t0")
	_, b, _ := parseNet(t, "--net", "tap=t0")
	if a.MAC == b.MAC || a.MAC[0]&3 != 2 {
		t.Errorf("two guests have %v and %v", a.MAC, b.MAC)
	}
	_, c, err := parseNet(t, "--net", "user", "--mac", "52:54:00:aa:bb:cc")
	if want := (usernet.HardwareAddr{0x52, 0x54, 0, 0xaa, 0xbb, 0xcc}); err != nil || c.MAC != want || c.User.GuestMAC != want {
		t.Errorf("%+v, %v", c, err)
	}
}

// What is given gets to another yolk as it was written, and what is not does not.
func TestGiven(t *testing.T) {
	args := []string{"--publish=1:2", "--publish=3:4/udp", "--ip=1.2.3.4/24", "--pcap=x y"}
	f, _, err := parseNet(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	f.Given(func(option, value string) { got = append(got, "--"+option+"="+value) })
	if !slices.Equal(got, args) {
		t.Errorf("got %q", got)
	}
}
