package netstack

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/drivers/nic"
)

// TestProcGroups: /proc/net/igmp and igmp6 have the groups of each interface as long
// as somebody is in them.
func TestProcGroups(t *testing.T) {
	s, _ := twoStacks(t, nic.Options{MTU: 1400})
	four := func() string { return string(s.ProcFiles()["igmp"](nil)) }
	six := func() string { return string(s.ProcFiles()["igmp6"](nil)) }
	const head = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
	const allSystems = "\t\t\t\t010000E0     1 0:00000000\t\t0\n"
	const before = head + "1\tlo        :     1      V3\n" + allSystems + "2\teth0      :     1      V3\n" + allSystems
	if got := four(); got != before {
		t.Errorf("igmp:\n%swant\n%s", got, before)
	}
	const nodes = "2    eth0            ff020000000000000000000000000001     1 0000000C 0\n"
	if got := six(); !strings.Contains(got, nodes) || !strings.Contains(got, "1    lo ") {
		t.Errorf("igmp6 lacks all nodes of a link:\n%s", got)
	}

	group := []byte{224, 0, 0, 254}
	index := []byte{2, 0, 0, 0}
	mreqn := append(append(append([]byte{}, group...), 0, 0, 0, 0), index...)
	a := s.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	b := s.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	for _, f := range []interface {
		SetOption(level, name int, value []byte) error
	}{a, b} {
		if err := f.SetOption(syscall.IPPROTO_IP, syscall.IP_ADD_MEMBERSHIP, mreqn); err != nil {
			t.Fatal(err)
		}
		if err := f.SetOption(syscall.IPPROTO_IP, syscall.IP_ADD_MEMBERSHIP, mreqn); err == nil {
			t.Error("joined twice")
		}
	}
	has := func(users string) {
		t.Helper()
		want := strings.Replace(before, "2\teth0      :     1      V3\n", "2\teth0      :     2      V3\n\t\t\t\tFE0000E0     "+users+" 0:00000000\t\t0\n", 1)
		if got := four(); got != want {
			t.Errorf("igmp:\n%swant\n%s", got, want)
		}
	}
	has("2")
	byAddress := append(append([]byte{}, group...), 10, 0, 0, 1)
	if err := a.SetOption(syscall.IPPROTO_IP, syscall.IP_DROP_MEMBERSHIP, byAddress); err != nil {
		t.Fatal(err)
	}
	has("1")
	b.Release()
	if got := four(); got != before {
		t.Errorf("when all have left:\n%s", got)
	}

	c := s.openSocket(t, syscall.AF_INET6, syscall.SOCK_DGRAM, 0)
	mreq6 := append([]byte{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb}, index...)
	if err := c.SetOption(syscall.IPPROTO_IPV6, syscall.IPV6_JOIN_GROUP, mreq6); err != nil {
		t.Fatal(err)
	}
	const joined = "2    eth0            ff0200000000000000000000000000fb     1 00000004 0\n"
	if got := six(); !strings.HasPrefix(got[strings.Index(got, "2    "):], joined) {
		t.Errorf("igmp6 does not begin with the group that was joined:\n%s", got)
	}
	a.Release()
	c.Release()
	if got := six(); strings.Contains(got, joined) {
		t.Errorf("igmp6 when all have left:\n%s", got)
	}
}

// The IPv6 routes have a line each as Linux writes them, the machine's own addresses too.
func TestProcRoutes6(t *testing.T) {
	s := newStack(t)
	da, db := nic.Pair(macA, macB, nic.Options{MTU: 1400})
	t.Cleanup(func() { da.Close(); db.Close() })
	if err := s.AddDevice(da, Config{
		Addresses: []netip.Prefix{netip.MustParsePrefix("fd00::1/64")}, Gateways: []netip.Addr{netip.MustParseAddr("fd00::ff")},
	}); err != nil {
		t.Fatal(err)
	}
	got := string(s.ProcFiles()["ipv6_route"](nil))
	none := strings.Repeat("0", 32)
	for _, line := range []string{
		"fd000000000000000000000000000000 40 " + none + " 00 " + none + " 00000100 00000001 00000000 00000001     eth0\n",
		none + " 00 " + none + " 00 fd0000000000000000000000000000ff 00000400 00000001 00000000 00000003     eth0\n",
		"fd000000000000000000000000000001 80 " + none + " 00 " + none + " 00000000 00000001 00000000 80000001       lo\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
	if text := string(s.ProcFiles()["softnet_stat"](nil)); len(strings.Fields(text)) != 15 {
		t.Errorf("softnet_stat: %q", text)
	}
}

// Each protocol has as many counters as names, and what is counted stands below its own.
func TestProcSNMP(t *testing.T) {
	s := newStack(t)
	s.Stats().ICMP.V4.PacketsReceived.EchoRequest.IncrementBy(7)
	s.Stats().ICMP.V4.PacketsSent.EchoReply.IncrementBy(6)
	lines := strings.Split(strings.TrimSuffix(string(s.ProcFiles()["snmp"](nil)), "\n"), "\n")
	counters := map[string]string{}
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		if len(names) != len(values) || names[0] != values[0] {
			t.Fatalf("%d names and %d values:\n%s\n%s", len(names), len(values), lines[i], lines[i+1])
		}
		for n := range names {
			counters[names[0]+names[n]] = values[n]
		}
	}
	for name, want := range map[string]string{
		"Ip:DefaultTTL": "64", "Icmp:InMsgs": "7", "Icmp:InEchos": "7", "Icmp:InEchoReps": "0", "Icmp:OutMsgs": "6", "Icmp:OutEchoReps": "6",
		"Tcp:MaxConn": "-1", "Udp:InDatagrams": "0", "UdpLite:InDatagrams": "0",
	} {
		if counters[name] != want {
			t.Errorf("%s is %q, want %s", name, counters[name], want)
		}
	}
}
