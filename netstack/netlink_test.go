package netstack

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs/socket"
)

// ask sends a request for a dump as package syscall does it, and reads its answer.
func ask(t *testing.T, s *Stack, typ int) []syscall.NetlinkMessage {
	t.Helper()
	k, err := s.NetlinkFamily().Socket(syscall.SOCK_RAW, syscall.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	request := binary.NativeEndian.AppendUint32(nil, 17)
	request = binary.NativeEndian.AppendUint16(request, uint16(typ))
	request = binary.NativeEndian.AppendUint16(request, syscall.NLM_F_DUMP|syscall.NLM_F_REQUEST)
	request = binary.NativeEndian.AppendUint32(request, 7)
	request = append(request, 0, 0, 0, 0, syscall.AF_UNSPEC)
	if _, err := k.Send(&socket.Message{Buffers: [][]byte{request}, Addr: netlinkAddress(0, 0)}); err != nil {
		t.Fatal(err)
	}
	name, err := k.Name()
	if err != nil {
		t.Fatal(err)
	}
	var all []syscall.NetlinkMessage
	for {
		b := make([]byte, netlinkDatagram)
		n, err := k.Recv(&socket.Message{Buffers: [][]byte{b}})
		if err != nil {
			t.Fatal(err)
		}
		list, err := syscall.ParseNetlinkMessage(b[:n])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			if m.Header.Seq != 7 || m.Header.Pid != binary.NativeEndian.Uint32(name[4:]) {
				t.Errorf("answer to %d of port %d", m.Header.Seq, m.Header.Pid)
			}
			if m.Header.Type == syscall.NLMSG_DONE {
				return all
			}
			all = append(all, m)
		}
	}
}

// TestNetlink: what the standard library asks for is read by it as it is.
func TestNetlink(t *testing.T) {
	s, _ := twoStacks(t, nic.Options{MTU: 1400})
	var names []string
	for _, m := range ask(t, s, syscall.RTM_GETLINK) {
		attrs, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			t.Fatal(err)
		}
		mtu := uint32(0)
		for _, a := range attrs {
			switch a.Attr.Type {
			case syscall.IFLA_IFNAME:
				names = append(names, cString(a.Value))
			case syscall.IFLA_MTU:
				mtu = binary.NativeEndian.Uint32(a.Value)
			}
		}
		if want := []uint32{65536, 1400}[len(names)-1]; mtu != want {
			t.Errorf("%s: MTU %d, want %d", names[len(names)-1], mtu, want)
		}
	}
	if !slices.Equal(names, []string{"lo", "eth0"}) {
		t.Errorf("interfaces %q", names)
	}
	var addrs []netip.Prefix
	for _, m := range ask(t, s, syscall.RTM_GETADDR) {
		attrs, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attrs {
			if ip, ok := netip.AddrFromSlice(a.Value); ok && a.Attr.Type == syscall.IFA_ADDRESS {
				addrs = append(addrs, netip.PrefixFrom(ip, int(m.Data[1])))
			}
		}
	}
	for _, want := range []string{"127.0.0.1/8", "::1/128", "10.0.0.1/24", "fd00::1/64"} {
		if !slices.Contains(addrs, netip.MustParsePrefix(want)) {
			t.Errorf("addresses %v, without %s", addrs, want)
		}
	}
	if list := ask(t, s, syscall.RTM_GETROUTE); len(list) < 4 {
		t.Errorf("%d routes", len(list))
	}
	ask(t, s, syscall.RTM_GETNEIGH)
}
