package netstack

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/socket"
)

// dump asks for a table of a family, and says of its messages what about tells.
func (c *calls) dump(fd int, typ uint16, family byte, about func(body []byte) string) (list []string) {
	body := make([]byte, 16)
	body[0] = family
	request := u32(uint32(sizeNlmsghdr + len(body)))
	request = binary.NativeEndian.AppendUint16(request, typ)
	request = binary.NativeEndian.AppendUint16(request, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request = append(append(request, 7, 0, 0, 0, 0, 0, 0, 0), body...)
	if _, e := c.sendmsg(fd, request, netlinkAddress(0, 0), nil); e != 0 {
		return []string{e.Error()}
	}
	for {
		r := c.recvmsg(fd, 32768, 0)
		if r.e != 0 {
			return append(list, r.e.Error())
		}
		for b := r.data; len(b) >= sizeNlmsghdr; {
			n := int(binary.NativeEndian.Uint32(b))
			switch binary.NativeEndian.Uint16(b[4:]) {
			case unix.NLMSG_DONE:
				slices.Sort(list)
				return list
			case unix.NLMSG_ERROR:
				return append(list, unix.Errno(-int32(binary.NativeEndian.Uint32(b[16:]))).Error())
			}
			if text := about(b[sizeNlmsghdr:n]); text != "" {
				list = append(list, text)
			}
			b = b[min(align4(n), len(b)):]
		}
	}
}

// TestDumpFamilies: what a dump has that names a family, or a byte that names none, judged
// by Linux.
func TestDumpFamilies(t *testing.T) {
	six := []byte{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}
	judge(t, func(c *calls) {
		fd := c.socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
		defer c.close(fd)
		lo := u32(1)
		for _, m := range [][]byte{
			netlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE, []byte{unix.AF_INET, 32, 0, 0}, lo, rta(unix.IFA_LOCAL, 10, 9, 9, 9), rta(unix.IFA_ADDRESS, 10, 9, 9, 9)),
			netlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE, []byte{unix.AF_INET6, 64, 0, 0}, lo, rta(unix.IFA_LOCAL, six...), rta(unix.IFA_ADDRESS, six...)),
			netlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE, []byte{unix.AF_INET, 16, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0},
				rta(unix.RTA_DST, 10, 8, 0, 0), rta(unix.RTA_OIF, lo...)),
			netlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE, []byte{unix.AF_INET6, 64, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0},
				rta(unix.RTA_DST, 0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), rta(unix.RTA_OIF, lo...)),
		} {
			if e := c.change(fd, m); e != unix.Errno(0).Error() {
				c.note("%v", e)
			}
		}
		name := func(b []byte) string { return string(attributes(b, 16)[unix.IFLA_IFNAME]) }
		address := func(b []byte) string {
			ip := attributes(b, 8)[unix.IFA_ADDRESS]
			if !slices.Equal(ip, six) && !slices.Equal(ip, []byte{10, 9, 9, 9}) {
				return "" // of lo itself, where IPv6 takes a while
			}
			return string('0'+b[0]) + " " + string(ip)
		}
		route := func(b []byte) string {
			a := attributes(b, 12)
			if b[4] != unix.RT_TABLE_MAIN || b[0] == unix.AF_INET6 && (len(a[unix.RTA_DST]) == 0 || a[unix.RTA_DST][0] != 0xfd) {
				return "" // of the others Linux has more
			}
			return fmt.Sprintf("%x/%d protocol %d metric %d", a[unix.RTA_DST], b[1], b[5], a[unix.RTA_PRIORITY])
		}
		for _, family := range []byte{unix.AF_UNSPEC, unix.AF_INET, unix.AF_INET6, unix.AF_UNIX, unix.AF_BRIDGE, 200, 255} {
			if family != unix.AF_INET6 { // which has more to say of links
				c.note("links of family %d: %q", family, c.dump(fd, unix.RTM_GETLINK, family, name))
			}
			c.note("addresses of family %d: %q", family, c.dump(fd, unix.RTM_GETADDR, family, address))
			c.note("routes of family %d: %q", family, c.dump(fd, unix.RTM_GETROUTE, family, route))
			c.note("neighbours of family %d: %d", family, len(c.dump(fd, unix.RTM_GETNEIGH, family, func([]byte) string { return "" })))
		}
	})
}

// TestRulesAndRoutes: the rules that there are, by which route addresses of the machine are
// reached, and the counters of a link, judged by Linux.
func TestRulesAndRoutes(t *testing.T) {
	judge(t, func(c *calls) {
		fd := c.socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
		defer c.close(fd)
		for _, family := range []byte{unix.AF_UNSPEC, unix.AF_INET, unix.AF_INET6, unix.AF_UNIX} {
			rules := c.dump(fd, unix.RTM_GETRULE, family, func(b []byte) string {
				if b[0] != unix.AF_INET && b[0] != unix.AF_INET6 {
					return "" // of multicast routing
				}
				a := attributes(b, 12)
				return fmt.Sprintf("%x priority %x table %x suppress %x protocol %x", b[:12], a[unix.FRA_PRIORITY], a[unix.FRA_TABLE], a[unix.FRA_SUPPRESS_PREFIXLEN], a[unix.FRA_PROTOCOL])
			})
			for _, r := range rules {
				c.note("rules of family %d: %s", family, r)
			}
		}
		change := netlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE, []byte{unix.AF_INET, 32, 0, 0}, u32(1), rta(unix.IFA_LOCAL, 10, 9, 9, 9), rta(unix.IFA_ADDRESS, 10, 9, 9, 9))
		c.note("%s", c.change(fd, change))
		for _, dst := range [][]byte{{127, 0, 0, 1}, {127, 0, 0, 9}, {10, 9, 9, 9}} {
			m := netlinkRequest(unix.RTM_GETROUTE, 0, []byte{unix.AF_INET, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, rta(unix.RTA_DST, dst...))
			binary.NativeEndian.PutUint16(m[6:], unix.NLM_F_REQUEST)
			if _, e := c.sendmsg(fd, m, netlinkAddress(0, 0), nil); e != 0 {
				t.Fatal(e)
			}
			b := c.recvmsg(fd, 4096, 0).data[sizeNlmsghdr:]
			a := attributes(b, 12)
			c.note("route to %d: %x to %d by %x from %d over %x, table %x", dst, b[:10], a[unix.RTA_DST], a[unix.RTA_GATEWAY], a[unix.RTA_PREFSRC], a[unix.RTA_OIF], a[unix.RTA_TABLE])
		}
		for _, dst := range [][4]byte{{127, 0, 0, 1}, {127, 0, 0, 9}, {10, 9, 9, 9}} {
			to := v4(0, dst[0], dst[1], dst[2], dst[3])
			l, k, six := c.socket(unix.AF_INET, unix.SOCK_STREAM, 0), c.socket(unix.AF_INET, unix.SOCK_STREAM, 0), c.socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
			c.note("bind %v", c.bind(l, to))
			c.call(unix.SYS_LISTEN, uintptr(l), 5)
			to, e := c.name(l, unix.SYS_GETSOCKNAME)
			c.note("connect to %d: %v %v", dst, e, c.connect(k, to))
			from, e := c.name(k, unix.SYS_GETSOCKNAME)
			c.note("from %d %v", from[4:8], e)
			mapped := v6Address(binary.BigEndian.Uint16(to[2:]), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, dst[0], dst[1], dst[2], dst[3]})
			c.note("connect to the mapped %d: %v", dst, c.connect(six, mapped))
			from, e = c.name(six, unix.SYS_GETSOCKNAME)
			c.note("from %d %v", from[8:24], e)
			for _, fd := range []int{l, k, six} {
				c.close(fd)
			}
		}
		c.note("counters: %q", c.dump(fd, unix.RTM_GETLINK, unix.AF_UNSPEC, func(b []byte) string {
			a := attributes(b, 16)
			short, long := a[unix.IFLA_STATS], a[unix.IFLA_STATS64]
			if len(short) < 8*4 || len(long) < 8*8 {
				return fmt.Sprintf("%d and %d bytes", len(short), len(long))
			}
			for i := range 8 {
				if uint32(binary.NativeEndian.Uint64(long[8*i:])) != binary.NativeEndian.Uint32(short[4*i:]) {
					return fmt.Sprintf("counter %d differs", i)
				}
			}
			return "ok"
		}))
	})
}

// TestCounters6: snmp6 has Linux's names, each once, in its order, and counts.
func TestCounters6(t *testing.T) {
	theirs, err := os.ReadFile("/proc/net/snmp6")
	if err != nil {
		t.Skip(err)
	}
	names := func(text []byte) (list []string) {
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) != 2 {
				t.Fatalf("%q is no name and a number", line)
			}
			list = append(list, f[0])
		}
		return list
	}
	s := newStack(t)
	k := s.openSocket(t, syscall.AF_INET6, syscall.SOCK_DGRAM, 0)
	if _, err := k.Send(&socket.Message{Buffers: [][]byte{{1}}, Addr: v6lo(9)}); err != nil {
		t.Fatal(err)
	}
	text := s.ProcFiles()["snmp6"](nil)
	linux := names(theirs)
	for _, name := range names(text) {
		at := slices.Index(linux, name)
		if at < 0 {
			t.Errorf("Linux has no %s, or has it before what stands in front of it", name)
			continue
		}
		linux = linux[at+1:]
	}
	if strings.Contains(string(text), "Ip6OutRequests                  \t0\n") {
		t.Errorf("a datagram was sent, and is not counted:\n%s", text)
	}
}

// TestPingSockets: the tables of sockets have those of ping, by their identifiers, and those
// of UDP do not.
func TestPingSockets(t *testing.T) {
	s := newStack(t)
	if err := s.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, unix.IPPROTO_ICMP).Bind(v4(0x1234, 127, 0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]bool{"icmp": true, "icmp6": false, "udp": false, "udplite": false} {
		text := string(s.ProcFiles()[table](nil))
		if got := strings.Contains(text, "   0: 0100007F:1234 00000000:0000 07 "); got != want {
			t.Errorf("%s has the socket: %v\n%s", table, got, text)
		}
	}
}
