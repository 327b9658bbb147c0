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
