package netstack

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/drivers/nic"
)

// rta is an attribute.
func rta(typ uint16, value ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(sizeRtattr+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, typ), value...)
	return append(b, make([]byte, -len(b)&3)...)
}

func u32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

// netlinkRequest lays out a message whose acknowledgement is wanted.
func netlinkRequest(typ, flags uint16, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	b := u32(uint32(sizeNlmsghdr + len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	return append(append(b, 7, 0, 0, 0, 0, 0, 0, 0), body...)
}

// change sends a request and returns what it is acknowledged with.
func (c *calls) change(fd int, request []byte) string {
	if _, e := c.sendmsg(fd, request, netlinkAddress(0, 0), nil); e != 0 {
		return e.Error()
	}
	r := c.recvmsg(fd, 4096, 0)
	if len(r.data) < 20 || binary.NativeEndian.Uint16(r.data[4:]) != unix.NLMSG_ERROR {
		return fmt.Sprintf("%x %v", r.data, r.e)
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(r.data[16:]))).Error()
}

// news tells what groups have been told of lo, in order, of addresses and of the link.
func (c *calls) news(fd int) {
	for {
		r := c.recvNow(fd, 8192, 0)
		if r.e != 0 {
			return
		}
		for b := r.data; len(b) >= 16; {
			n := int(binary.NativeEndian.Uint32(b))
			typ, body := binary.NativeEndian.Uint16(b[4:]), b[16:n]
			switch typ {
			case unix.RTM_NEWLINK:
				c.note("news: link %d, flags %#x, groups %x", body[4], binary.NativeEndian.Uint32(body[8:])&unix.IFF_UP, r.addr[8:])
			case unix.RTM_NEWADDR, unix.RTM_DELADDR:
				if body[0] == unix.AF_INET6 {
					break // Linux tells of it later, when it is known to be the only one
				}
				c.note("news: %d family %d /%d %x, groups %x", typ, body[0], body[1], attributes(body, 8)[unix.IFA_ADDRESS], r.addr[8:])
			}
			b = b[min(align4(n), len(b)):]
		}
	}
}

// TestChanges: requests that change interfaces, addresses and routes, and what groups
// are told, judged by Linux on lo.
func TestChanges(t *testing.T) {
	addr := func(family, bits byte, index uint32, ip ...byte) []byte {
		return append(append([]byte{family, bits, 0, 0}, u32(index)...), append(rta(unix.IFA_LOCAL, ip...), rta(unix.IFA_ADDRESS, ip...)...)...)
	}
	link := func(index, flags, change uint32, attrs ...byte) []byte {
		b := append([]byte{0, 0, 0, 0}, u32(index)...)
		return append(append(append(b, u32(flags)...), u32(change)...), attrs...)
	}
	route := func(family, bits byte, parts ...[]byte) []byte {
		b := []byte{family, bits, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0}
		if len(parts) > 1 {
			b[6] = unix.RT_SCOPE_UNIVERSE
		}
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	const create, excl, replace = unix.NLM_F_CREATE, unix.NLM_F_EXCL, unix.NLM_F_REPLACE
	six := []byte{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}
	judge(t, func(c *calls) {
		fd, hears := c.socket(unix.AF_NETLINK, unix.SOCK_RAW, 0), c.socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
		c.note("bind: %v", c.bind(hears, netlinkAddress(0, groupLink)))
		for _, g := range []int{unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, 0, 33, -1} {
			if g > 0 && g < 32 { // the errors depend on how many there are
				c.note("join %d: %v", g, c.setInt(hears, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g))
			}
		}
		oif := rta(unix.RTA_OIF, 1, 0, 0, 0)
		for i, m := range [][]byte{
			netlinkRequest(unix.RTM_NEWADDR, create|excl, addr(unix.AF_INET, 32, 1, 10, 9, 9, 9)),
			netlinkRequest(unix.RTM_NEWADDR, create|excl, addr(unix.AF_INET, 32, 1, 10, 9, 9, 9)),
			netlinkRequest(unix.RTM_NEWADDR, create|replace, addr(unix.AF_INET, 32, 1, 10, 9, 9, 9)),
			netlinkRequest(unix.RTM_NEWADDR, create|excl, addr(unix.AF_INET, 32, 99, 10, 9, 9, 8)),
			netlinkRequest(unix.RTM_NEWADDR, create|excl, addr(unix.AF_INET, 33, 1, 10, 9, 9, 8)),
			netlinkRequest(unix.RTM_NEWADDR, create|excl, addr(unix.AF_INET6, 64, 1, six...)),
			netlinkRequest(unix.RTM_NEWADDR, create|excl, addr(unix.AF_INET6, 64, 1, six...)),
			netlinkRequest(unix.RTM_DELADDR, 0, addr(unix.AF_INET6, 64, 1, six...)),
			netlinkRequest(unix.RTM_DELADDR, 0, addr(unix.AF_INET6, 64, 1, six...)),
			netlinkRequest(unix.RTM_DELADDR, 0, addr(unix.AF_INET, 32, 1, 10, 9, 9, 8)),
			netlinkRequest(unix.RTM_DELADDR, 0, addr(unix.AF_INET, 32, 1, 10, 9, 9, 9)),
			netlinkRequest(unix.RTM_DELADDR, 0, addr(unix.AF_INET, 32, 1, 10, 9, 9, 9)),

			netlinkRequest(unix.RTM_NEWROUTE, create|excl, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 8, 0, 0), oif)),
			netlinkRequest(unix.RTM_NEWROUTE, create|excl, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 8, 0, 0), oif)),
			netlinkRequest(unix.RTM_NEWROUTE, create|replace, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 8, 0, 0), oif)),
			netlinkRequest(unix.RTM_NEWROUTE, 0, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 7, 0, 0), oif)),
			netlinkRequest(unix.RTM_NEWROUTE, create, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 7, 0, 1), oif)),
			netlinkRequest(unix.RTM_NEWROUTE, create, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 6, 0, 0), rta(unix.RTA_GATEWAY, 1, 2, 3, 4))),
			netlinkRequest(unix.RTM_NEWROUTE, create, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 6, 0, 0), rta(unix.RTA_OIF, 99, 0, 0, 0))),
			netlinkRequest(unix.RTM_NEWROUTE, create, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 6, 0, 0))),
			netlinkRequest(unix.RTM_NEWROUTE, create, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 6, 0, 0), oif, rta(unix.RTA_PREFSRC, 1, 2, 3, 4))),
			netlinkRequest(unix.RTM_DELROUTE, 0, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 8, 0, 0), oif)),
			netlinkRequest(unix.RTM_DELROUTE, 0, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 8, 0, 0), oif)),

			netlinkRequest(unix.RTM_NEWLINK, 0, link(99, 0, 1)),
			netlinkRequest(unix.RTM_NEWLINK, 0, link(1, 0, 0, rta(unix.IFLA_MTU, u32(1000)...)...)),
			netlinkRequest(unix.RTM_NEWLINK, 0, link(0, 0, unix.IFF_UP, rta(unix.IFLA_IFNAME, 'l', 'o', 0)...)),
			netlinkRequest(unix.RTM_NEWROUTE, create, route(unix.AF_INET, 16, rta(unix.RTA_DST, 10, 8, 0, 0), oif)),
			netlinkRequest(unix.RTM_NEWLINK, 0, link(1, unix.IFF_UP, unix.IFF_UP)),
			netlinkRequest(unix.RTM_NEWLINK, 0, link(1, unix.IFF_UP, unix.IFF_UP)),
			netlinkRequest(9999, 0, link(1, 0, 0)),
		} {
			c.note("%d: %s", i, c.change(fd, m))
			if typ := binary.NativeEndian.Uint16(m[4:]); typ == unix.RTM_NEWADDR || typ == unix.RTM_DELADDR {
				c.news(hears)
			}
		}
		udp := c.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		_, e := c.sendmsg(udp, []byte{1}, v4(4000, 127, 0, 0, 1), nil)
		c.note("loopback is there again: %v", e)
	})
}

// TestLinkDown: over an interface that is down nothing leads, and all leads again when
// it is up; those who asked are told.
func TestLinkDown(t *testing.T) {
	a, b := twoStacks(t, nic.Options{})
	l := b.listen(t, unix.AF_INET, v4(80, 10, 0, 0, 2))
	defer l.Release()
	k, err := a.NetlinkFamily().Socket(unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Bind(netlinkAddress(0, groupLink|groupRoute4)); err != nil {
		t.Fatal(err)
	}
	routes := len(a.GetRouteTable())
	for _, up := range []bool{false, true} {
		if err := a.setUp(loopbackID+1, up); err != nil {
			t.Fatal(err)
		}
		var want error
		if !up {
			want = unix.ENETUNREACH
		}
		if err := connect(t, a.openSocket(t, unix.AF_INET, unix.SOCK_STREAM, 0), v4(80, 10, 0, 0, 2)); err != want {
			t.Errorf("up %t: %v", up, err)
		}
		if now, _ := k.Poll(1); now == 0 {
			t.Errorf("up %t: nobody is told", up)
		}
	}
	if n := len(a.GetRouteTable()); n != routes {
		t.Errorf("%d routes, there were %d", n, routes)
	}
	second := netip.MustParsePrefix("10.0.0.9/24")
	if err := a.setAddress(loopbackID+1, second); err != nil {
		t.Fatal(err)
	}
	source := func() string {
		f := a.openSocket(t, unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err := f.Connect(v4(9, 10, 0, 0, 2)); err != nil {
			t.Fatal(err)
		}
		name, _ := f.Name()
		return netip.AddrFrom4([4]byte(name[4:8])).String()
	}
	if got := source(); got != "10.0.0.1" {
		t.Errorf("with a second address of the network the source is %s", got)
	}
	a.dropAddress(loopbackID+1, second)
	if got := source(); got != "10.0.0.1" {
		t.Errorf("without it again the source is %s", got)
	}
	if err := connect(t, a.openSocket(t, unix.AF_INET, unix.SOCK_STREAM, 0), v4(80, 10, 0, 0, 2)); err != nil {
		t.Errorf("after another address of the network is gone: %v", err)
	}
}
