package usernet

import (
	"bytes"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/yolkos/yolk/internal/tools"
)

// inNamespace runs the test again in a network namespace of its own, where it may
// change settings: prepare does, there. It returns whether this is there.
func inNamespace(t *testing.T, prepare func()) bool {
	t.Helper()
	if tools.Namespace() != "" {
		prepare()
		return true
	}
	tools.InNamespace(t, "here")
	return false
}

// far is an address of this host that a test in a namespace has.
var far = netip.MustParseAddr("203.0.113.5")

// loUp starts the loopback device, and gives it an address that is not of the
// loopback.
func loUp(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	up := func(name string, addr []byte) {
		r, err := unix.NewIfreq(name)
		if err != nil {
			t.Fatal(err)
		}
		if addr != nil {
			if err := r.SetInet4Addr(addr); err != nil {
				t.Fatal(err)
			}
			if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, r); err != nil {
				t.Fatal(err)
			}
		}
		r.SetUint16(unix.IFF_UP)
		if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r); err != nil {
			t.Fatal(err)
		}
	}
	up("lo", nil)
	up("lo:1", far.AsSlice())
}

// pingGroups says which groups may ping.
func pingGroups(t *testing.T, groups string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte(groups), 0); err != nil {
		t.Fatal(err)
	}
}

// nobodyPings checks that this process may not ping, which is so in a new namespace.
func nobodyPings(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err == nil {
		_ = unix.Close(fd)
	}
	if err != unix.EACCES {
		t.Fatalf("a socket for pings: %v, want %v", err, unix.EACCES)
	}
}

// echoRequest makes an IPv4 packet with an echo request of the guest, or those that
// it is cut into for an MTU.
func echoRequest(g *guest, to netip.Addr, id uint16, payload []byte, mtu int) (packets [][]byte) {
	msg := append([]byte{8, 0, 0, 0, byte(id >> 8), byte(id), 0, 9}, payload...)
	header.ICMPv4(msg).SetChecksum(^checksum.Checksum(msg, 0))
	most := (mtu - header.IPv4MinimumSize) &^ 7
	for at := 0; at < len(msg); at += most {
		part := msg[at:min(len(msg), at+most)]
		p := make([]byte, header.IPv4MinimumSize+len(part))
		flags := uint8(header.IPv4FlagMoreFragments)
		if at+len(part) == len(msg) {
			flags = 0
		}
		ip := header.IPv4(p)
		ip.Encode(&header.IPv4Fields{
			TotalLength: uint16(len(p)), ID: id, Flags: flags, FragmentOffset: uint16(at), TTL: 64, Protocol: uint8(header.ICMPv4ProtocolNumber),
			SrcAddr: toStack(g.config.Guest4.Addr()), DstAddr: toStack(to),
		})
		ip.SetChecksum(^ip.CalculateChecksum())
		copy(p[header.IPv4MinimumSize:], part)
		packets = append(packets, p)
	}
	return packets
}

// ping sends an echo request and returns the ICMP message that comes back, and who
// sent it.
func (g *guest) ping(t *testing.T, frames <-chan []byte, to netip.Addr, id uint16, payload []byte) (from netip.Addr, msg []byte) {
	t.Helper()
	for _, p := range echoRequest(g, to, id, payload, g.config.MTU) {
		if err := g.send(g.ethernet(0x0800, p)); err != nil {
			t.Fatal(err)
		}
	}
	whole := map[int][]byte{}
	size := -1
	for {
		ip := header.IPv4(next(t, frames)[header.EthernetMinimumSize:])
		if !ip.IsValid(len(ip)) || ip.TransportProtocol() != header.ICMPv4ProtocolNumber {
			continue
		}
		whole[int(ip.FragmentOffset())] = ip.Payload()
		if !ip.More() {
			size = int(ip.FragmentOffset()) + len(ip.Payload())
		}
		msg = nil
		for part := whole[0]; part != nil; part = whole[len(msg)] {
			msg = append(msg, part...)
		}
		if len(msg) == size {
			return fromStack(ip.SourceAddress()), msg
		}
	}
}

// A ping goes out as one of this host's, and its answer comes back with the guest's
// identifier, also where either does not fit into one packet.
func TestPing(t *testing.T) {
	if !inNamespace(t, func() { loUp(t); pingGroups(t, "0 0") }) {
		return
	}
	config := testConfig()
	config.MTU = 1500
	g := newGuest(t, config)
	frames := g.raw()
	for i, size := range []int{0, 56, 1472, 1473, 5000} {
		payload := random(size, uint64(i))
		id := uint16(0x1234 + i)
		from, msg := g.ping(t, frames, far, id, payload)
		if from != far || len(msg) != 8+size || msg[0] != 0 || msg[4] != byte(id>>8) || msg[5] != byte(id) || msg[7] != 9 || !bytes.Equal(msg[8:], payload) ||
			checksum.Checksum(msg, 0) != 0xffff {
			t.Errorf("%d bytes: %d from %v: %x", size, len(msg), from, msg[:min(len(msg), 16)])
		}
	}
	// The router answers by itself, the host's loopback never, and for nobody else.
	if from, msg := g.ping(t, frames, config.Router4, 1, []byte("x")); from != config.Router4 || msg[0] != 0 {
		t.Errorf("router: %x from %v", msg, from)
	}
	if from, msg := g.ping(t, frames, netip.MustParseAddr("10.0.2.99"), 1, []byte("x")); from != config.Router4 || msg[0] != 3 || msg[1] != hostUnreachable.v4 {
		t.Errorf("nobody: %x from %v", msg, from)
	}
	if from, msg := g.ping(t, frames, netip.MustParseAddr("192.0.2.1"), 1, []byte("x")); from != config.Router4 || msg[0] != 3 || msg[1] != netUnreachable.v4 {
		t.Errorf("no way there: %x from %v", msg, from)
	}
	if f := len(g.net.flows.list); f != 5 {
		t.Errorf("%d flows", f)
	}
	g.net.flows.expire(time.Now().Add(time.Hour))
}

// A host that lets nobody ping is not answered for: the guest is told.
func TestPingProhibited(t *testing.T) {
	if !inNamespace(t, func() { loUp(t); nobodyPings(t) }) {
		return
	}
	g := newGuest(t, testConfig())
	from, msg := g.ping(t, g.raw(), far, 1, []byte("payload"))
	if from != g.config.Router4 || msg[0] != 3 || msg[1] != prohibited.v4 || len(msg) != 8+20+8 || netip.AddrFrom4([4]byte(msg[8+16:])) != far {
		t.Errorf("%x from %v", msg, from)
	}
}
