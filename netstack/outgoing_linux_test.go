package netstack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs/socket"
)

// outgoingCase is a datagram to a socket on the loopback interface with ancillary
// data: what the receiver sees of it, or how sending fails.
type outgoingCase struct {
	family    int
	level     int // of an option that is set, name not 0
	name      int
	connected bool
	shut      bool
	data      [][]byte // items of ancillary data
	want      string
}

var outgoingCases = []outgoingCase{
	{family: syscall.AF_INET, want: "from 127.0.0.1, class 0"},
	{family: syscall.AF_INET, data: [][]byte{pktinfo4(0, 127, 0, 0, 2)}, want: "from 127.0.0.2, class 0"},
	{family: syscall.AF_INET, connected: true, data: [][]byte{pktinfo4(1, 127, 9, 0, 2)}, want: "from 127.9.0.2, class 0"},
	{family: syscall.AF_INET, data: [][]byte{pktinfo4(1, 0, 0, 0, 0)}, want: "from 127.0.0.1, class 0"},
	{family: syscall.AF_INET, data: [][]byte{pktinfo4(0, 192, 0, 2, 77)}, want: "network is unreachable"},
	{family: syscall.AF_INET, level: syscall.IPPROTO_IP, name: syscall.IP_FREEBIND, data: [][]byte{pktinfo4(0, 192, 0, 2, 77)}, want: "network is unreachable"},
	{family: syscall.AF_INET, data: [][]byte{cmsgInt(syscall.IPPROTO_IP, syscall.IP_TOS, 0x28)}, want: "from 127.0.0.1, class 40"},
	{family: syscall.AF_INET, connected: true, data: [][]byte{cmsgInt(syscall.IPPROTO_IP, syscall.IP_TOS, 1), pktinfo4(0, 127, 0, 0, 3)}, want: "from 127.0.0.3, class 1"},
	{family: syscall.AF_INET, connected: true, shut: true, data: [][]byte{pktinfo4(0, 127, 0, 0, 3)}, want: "broken pipe"},
	{family: syscall.AF_INET6, want: "from ::1, class 0"},
	{family: syscall.AF_INET6, data: [][]byte{pktinfo6(0, []byte{15: 1})}, want: "from ::1, class 0"},
	{family: syscall.AF_INET6, data: [][]byte{pktinfo6(0, []byte{0: 0x20, 15: 7})}, want: "invalid argument"},
	{family: syscall.AF_INET6, connected: true, data: [][]byte{cmsgInt(syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, 2)}, want: "from ::1, class 2"},
	{family: syscall.AF_INET6, data: [][]byte{cmsgInt(syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, 0x28), pktinfo6(0, []byte{15: 1})}, want: "from ::1, class 40"},
}

// TestOutgoing: ancillary data decides of its datagram where it comes from and of
// what class it is, here as on Linux, which is asked as well.
func TestOutgoing(t *testing.T) {
	for i, c := range outgoingCases {
		if got := c.ours(t); got != c.want {
			t.Errorf("case %d: %s, want %s", i, got, c.want)
		}
		if got := c.linux(t); got != c.want && got != "" {
			t.Errorf("case %d on Linux: %s, want %s", i, got, c.want)
		}
	}
}

// TestOutgoingBulk: such datagrams cross a wire as others do, whatever their length.
func TestOutgoingBulk(t *testing.T) {
	for _, o := range []nic.Options{{}, {MTU: nic.MaxMTU, Offloads: allOffloads}} {
		for family, addr := range map[int][]byte{syscall.AF_INET: v4(53, 10, 0, 0, 2), syscall.AF_INET6: v6(53, 2)} {
			a, b := twoStacks(t, o)
			d := b.openSocket(t, family, syscall.SOCK_DGRAM, 0)
			if err := d.Bind(addr); err != nil {
				t.Fatal(err)
			}
			level, name := receiving(family)
			if err := d.SetOption(level, name, binary.NativeEndian.AppendUint32(nil, 1)); err != nil {
				t.Fatal(err)
			}
			c := outgoingCase{data: [][]byte{cmsgInt(syscall.IPPROTO_IP, syscall.IP_TOS, 3)}}
			if family == syscall.AF_INET6 {
				c.data = [][]byte{cmsgInt(syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, 3)}
			}
			k := a.openSocket(t, family, syscall.SOCK_DGRAM, 0)
			for _, size := range []int{0, 1, 1472, 1473, 3000, 65000} {
				sent := bytes.Repeat([]byte{byte(size)}, size)
				if n, err := k.Transmit(&socket.Message{Buffers: [][]byte{sent}, Addr: addr, Control: c.control()}, nil); err != nil || n != size {
					t.Fatalf("%d bytes: sent %d, %v", size, n, err)
				}
				got := make([]byte, 65536)
				m := socket.Message{Buffers: [][]byte{got}, Control: make([]byte, 0, 256)}
				n, err := d.Receive(&m, nil)
				if err != nil || !bytes.Equal(got[:n], sent) {
					t.Fatalf("%d bytes: got %d, %v", size, n, err)
				}
				if class := classOf(t, m.Control); class != 3 {
					t.Errorf("%d bytes: class %d, want 3", size, class)
				}
			}
		}
	}
}

// receiving is the option with which a socket of the family tells of classes.
func receiving(family int) (level, name int) {
	if family == syscall.AF_INET6 {
		return syscall.IPPROTO_IPV6, syscall.IPV6_RECVTCLASS
	}
	return syscall.IPPROTO_IP, syscall.IP_RECVTOS
}

func (c *outgoingCase) control() []byte { return bytes.Join(c.data, nil) }

func (c *outgoingCase) ours(t *testing.T) string {
	t.Helper()
	s := newStack(t)
	on := binary.NativeEndian.AppendUint32(nil, 1)
	a, b := s.openSocket(t, c.family, syscall.SOCK_DGRAM, 0), s.openSocket(t, c.family, syscall.SOCK_DGRAM, 0)
	to := v4(9, 127, 0, 0, 1)
	if c.family == syscall.AF_INET6 {
		to = v6(9, 1)
		copy(to[8:], make([]byte, 15))
	}
	level, name := receiving(c.family)
	if err := b.Bind(to); err != nil {
		t.Fatal(err)
	}
	if err := b.SetOption(level, name, on); err != nil {
		t.Fatal(err)
	}
	if c.name != 0 {
		if err := a.SetOption(c.level, c.name, on); err != nil {
			t.Fatal(err)
		}
	}
	m := socket.Message{Buffers: [][]byte{[]byte("hello")}, Addr: to, Control: c.control()}
	if c.connected {
		if err := a.Connect(to); err != nil {
			t.Fatal(err)
		}
		m.Addr = nil
	}
	if c.shut {
		if err := a.Shutdown(syscall.SHUT_WR); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Transmit(&m, nil); err != nil {
		return err.Error()
	}
	text := make([]byte, 9)
	got := socket.Message{Buffers: [][]byte{text}, Control: make([]byte, 0, 256)}
	end := make(chan struct{})
	defer time.AfterFunc(time.Minute, func() { close(end) }).Stop()
	n, err := b.Receive(&got, end)
	if err != nil || string(text[:n]) != "hello" {
		t.Fatalf("got %q, %v", text[:n], err)
	}
	from, _, err := decodeAddress(got.Addr)
	if err != nil || from.Port == 0 {
		t.Fatalf("from %v, %v", from, err)
	}
	return fmt.Sprintf("from %v, class %d", from.Addr, classOf(t, got.Control))
}

// classOf reads the class that came as ancillary data.
func classOf(t *testing.T, control []byte) int {
	t.Helper()
	all, err := syscall.ParseSocketControlMessage(control)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v of %x: %v", all, control, err)
	}
	return int(all[0].Data[0])
}

// linux is the same by Linux; "" where that has no such network.
func (c *outgoingCase) linux(t *testing.T) string {
	t.Helper()
	var fds [2]int
	for i := range fds {
		fd, err := syscall.Socket(c.family, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return ""
		}
		fds[i] = fd
		defer syscall.Close(fd)
	}
	a, b := fds[0], fds[1]
	var to syscall.Sockaddr = &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if c.family == syscall.AF_INET6 {
		to = &syscall.SockaddrInet6{Addr: [16]byte{15: 1}}
	}
	if syscall.Bind(b, to) != nil {
		return ""
	}
	to, err := syscall.Getsockname(b)
	if err != nil {
		t.Fatal(err)
	}
	level, name := receiving(c.family)
	if err := syscall.SetsockoptInt(b, level, name, 1); err != nil {
		t.Fatal(os.NewSyscallError("setsockopt", err))
	}
	if c.name != 0 {
		if err := syscall.SetsockoptInt(a, c.level, c.name, 1); err != nil {
			return ""
		}
	}
	if c.connected {
		if err := syscall.Connect(a, to); err != nil {
			t.Fatal(err)
		}
		to = nil
	}
	if c.shut {
		if err := syscall.Shutdown(a, syscall.SHUT_WR); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Sendmsg(a, []byte("hello"), c.control(), to, syscall.MSG_NOSIGNAL); err != nil {
		return err.Error()
	}
	if err := syscall.SetsockoptTimeval(b, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 60}); err != nil {
		t.Fatal(err)
	}
	text, control := make([]byte, 9), make([]byte, 256)
	n, n2, _, from, err := syscall.Recvmsg(b, text, control, 0)
	if err != nil || !bytes.Equal(text[:n], []byte("hello")) {
		t.Fatalf("got %q, %v", text[:n], err)
	}
	ip := ""
	switch from := from.(type) {
	case *syscall.SockaddrInet4:
		ip = fmt.Sprint(tcpip.AddrFromSlice(from.Addr[:]))
	case *syscall.SockaddrInet6:
		ip = fmt.Sprint(tcpip.AddrFromSlice(from.Addr[:]))
	}
	return fmt.Sprintf("from %s, class %d", ip, classOf(t, control[:n2]))
}
