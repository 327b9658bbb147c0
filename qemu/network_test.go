package qemu

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/usernet"
)

func TestNetworkArgs(t *testing.T) {
	mac := usernet.HardwareAddr{0x52, 0x54, 0, 1, 2, 3}
	user := usernet.Default()
	user.Forwards = []usernet.Forward{{Host: 8080, Guest: 80}, {Bind: netip.MustParseAddr("127.0.0.1"), Host: 53, Guest: 5353, UDP: true}}
	for _, tt := range []struct {
		name    string
		machine Machine
		net     *NetDevice
		want    string
	}{
		{"none", MicroVM, nil, ""},
		{"stream", MicroVM, &NetDevice{MAC: mac, MTU: 65000, Stream: 7},
			"-netdev stream,id=net0,server=off,addr.type=fd,addr.str=7 -device virtio-net-device,netdev=net0,mac=52:54:00:01:02:03,host_mtu=65000"},
		{"stream, captured", Q35, &NetDevice{MAC: mac, MTU: 1500, Stream: 7, Pcap: 8},
			"-netdev stream,id=net0,server=off,addr.type=fd,addr.str=7 -device virtio-net-pci,disable-legacy=on,netdev=net0,mac=52:54:00:01:02:03,host_mtu=1500 " +
				"-object filter-dump,id=pcap,netdev=net0,maxlen=65536,file=/dev/fd/8"},
		{"tap", MicroVM, &NetDevice{MAC: mac, Tap: []int{7}}, "-netdev tap,id=net0,fd=7 -device virtio-net-device,netdev=net0,mac=52:54:00:01:02:03"},
		{"tap with queues", Q35, &NetDevice{MAC: mac, Tap: []int{7, 8, 9}},
			"-netdev tap,id=net0,fds=7:8:9 -device virtio-net-pci,disable-legacy=on,netdev=net0,mac=52:54:00:01:02:03,mq=on,vectors=8"},
		{"tap with queues", MicroVM, &NetDevice{MAC: mac, Tap: []int{7, 8}},
			"-netdev tap,id=net0,fds=7:8 -device virtio-net-device,netdev=net0,mac=52:54:00:01:02:03,mq=on"},
		{"slirp", MicroVM, &NetDevice{MAC: mac, Slirp: &user},
			"-netdev user,id=net0,ipv6=off,net=10.0.2.0/24,host=10.0.2.2,dns=10.0.2.3,dhcpstart=10.0.2.15,hostfwd=tcp::8080-10.0.2.15:80," +
				"hostfwd=udp:127.0.0.1:53-10.0.2.15:5353 -device virtio-net-device,netdev=net0,mac=52:54:00:01:02:03"},
	} {
		c := Config{Machine: tt.machine, Net: tt.net}
		if got := strings.Join(c.netDevice(), " "); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
		if all := strings.Join(c.Args(), " "); !strings.Contains(all, tt.want) {
			t.Errorf("%s: not among the arguments: %s", tt.name, all)
		}
	}
}

// The resolver of QEMU's own network is neither the guest, nor the router, nor
// outside.
func TestSlirpDNS(t *testing.T) {
	for _, tt := range [][3]string{
		{"10.0.2.15/24", "10.0.2.2", "10.0.2.3"}, {"10.0.2.3/24", "10.0.2.2", "10.0.2.4"}, {"10.0.2.3/24", "10.0.2.254", "10.0.2.1"}, {"10.0.2.5/29", "10.0.2.6", "10.0.2.1"},
	} {
		c := usernet.Default()
		c.Guest4, c.Router4 = netip.MustParsePrefix(tt[0]), netip.MustParseAddr(tt[1])
		if got := slirpDNS(&c); got.String() != tt[2] {
			t.Errorf("%v: %v", tt, got)
		}
	}
}

// networkSocket is the fake QEMU's end of the stream of frames.
func networkSocket() *os.File {
	for _, a := range os.Args {
		var fd int
		if _, err := fmt.Sscanf(a, "stream,id=net0,server=off,addr.type=fd,addr.str=%d", &fd); err == nil {
			return os.NewFile(uintptr(fd), "frames")
		}
	}
	return nil
}

// discover sends a DHCPDISCOVER, and returns the address that is offered.
func discover() string {
	const udp, dhcp = 14 + 20, 14 + 20 + 8
	f := make([]byte, dhcp+244)
	copy(f, "\xff\xff\xff\xff\xff\xff\x52\x54\x00\x12\x34\x56\x08\x00")
	f[14], f[17], f[22], f[23] = 0x45, byte(len(f)-14), 64, 17
	f[16] = byte((len(f) - 14) >> 8)
	copy(f[30:], "\xff\xff\xff\xff")
	copy(f[udp:], "\x00\x44\x00\x43")
	binary.BigEndian.PutUint16(f[udp+4:], uint16(len(f)-udp))
	f[dhcp], f[dhcp+1], f[dhcp+2] = 1, 1, 6
	copy(f[dhcp+236:], "\x63\x82\x53\x63\x35\x01\x01\xff")
	s := networkSocket()
	if _, err := s.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...)); err != nil {
		return err.Error()
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(s, head); err != nil {
		return err.Error()
	}
	reply := make([]byte, binary.BigEndian.Uint32(head))
	if _, err := io.ReadFull(s, reply); err != nil || len(reply) < dhcp+20 {
		return fmt.Sprint(len(reply), err)
	}
	return netip.AddrFrom4([4]byte(reply[dhcp+16:])).String()
}

func userNetwork() Network {
	n := Network{Backend: UserNetwork, User: usernet.Default(), MAC: usernet.Default().GuestMAC, Search: []string{"a.org", "b.org"}}
	n.Addresses = []netip.Prefix{n.User.Guest4, n.User.Guest6}
	n.Routers = []netip.Addr{n.User.Router4, n.User.Router6}
	n.DNS = []netip.Addr{n.User.Router4}
	return n
}

// forwardOne gives a network a port of the host.
func forwardOne(n *Network) {
	f := usernet.Forward{Bind: netip.MustParseAddr("127.0.0.1"), Guest: 80}
	s, err := f.Listen()
	if err != nil {
		panic(err)
	}
	n.User.Forwards, n.Sockets = []usernet.Forward{f}, []*os.File{s}
}

func TestRunNetwork(t *testing.T) {
	pcap := filepath.Join(t.TempDir(), "x.pcap")
	for _, tt := range []struct {
		name, do, network string
		change            func(n *Network)
		stdout, err       string
		notes             string
	}{
		{name: "frames", do: "ctl:yolk_main discover ctl:yolk_exit_0 end:1", stdout: "10.0.2.15\n"},
		{
			name: "settings", do: "file:flags ctl:yolk_exit_0 end:1",
			stdout: "net.hostname=a-name\nnet.ip=10.0.2.15/24 fd79:6f6c:6b00::15/64\nnet.gateway=10.0.2.2 fd79:6f6c:6b00::2\nnet.dns=10.0.2.2\nnet.search=a.org b.org\n",
		},
		{
			name: "none", do: "netdev file:flags ctl:yolk_exit_0 end:1", change: func(n *Network) { *n = Network{Backend: NoNetwork} },
			stdout: "file.stderr=10600 0 0\nnet.hostname=a-name\n",
		},
		{
			name: "an old QEMU", do: "nostream ctl:yolk_main netdev file:flags ctl:yolk_exit_0 end:1",
			stdout: "user,id=net0,ipv6=off,net=10.0.2.0/24,host=10.0.2.2,dns=10.0.2.3,dhcpstart=10.0.2.15\n",
			notes:  "it has no -netdev stream, which came with 7.2; with QEMU's own the guest reaches what listens on the host's loopback, at 10.0.2.2,",
		},
		{name: "another attempt", do: "nosandbox ctl:yolk_main discover ctl:yolk_exit_0 end:1", change: forwardOne, stdout: "10.0.2.15\n", notes: "QEMU has no sandbox here"},
		{
			name: "an old QEMU's settings", do: "nostream ctl:yolk_main file:flags ctl:yolk_exit_0 end:1",
			stdout: "net.ip=10.0.2.15/24\nnet.gateway=10.0.2.2\nnet.dns=10.0.2.3\n", notes: "7.2",
		},
		{name: "it does not start", do: "netgone hang", network: "no-luck", err: "the guest's network: the process that serves it ended with exit status 1: no-luck"},
		{name: "a file for a capture that cannot be made", do: "end:1", change: func(n *Network) { n.Pcap = "/none/x" }, err: "capture of the network: open /none/x"},
		{name: "a capture", do: "ctl:yolk_exit_0 end:1", change: func(n *Network) { n.Pcap = pcap }},
		{
			name: "no tap", do: "end:1", change: func(n *Network) { n.Backend, n.Tap = TapNetwork, "no-such-device" },
			err: "--net tap=no-such-device: there is no such device; root makes one with: ip tuntap add",
		},
		{
			name: "a bad name of a tap", do: "end:1", change: func(n *Network) { n.Backend, n.Tap = TapNetwork, "a-name-that-is-too-long" },
			err: "is no name of a network device",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakes(t, tt.do, "")
			t.Setenv("FAKE_NETWORK", tt.network)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			got := runGuest(t, context.Background(), func(o *Options) {
				o.Network, o.Hostname, o.SelfNet = userNetwork(), "a-name", []string{self, "serve-net"}
				if tt.change != nil {
					tt.change(&o.Network)
				}
			})
			if (tt.err == "") != (got.err == nil) || tt.err != "" && !strings.Contains(got.err.Error(), tt.err) {
				t.Errorf("error %v, want %q", got.err, tt.err)
			}
			if !strings.Contains(got.stdout, tt.stdout) || !strings.Contains(got.notes, tt.notes) || tt.notes == "" && got.notes != "" {
				t.Errorf("printed %q, notes %q", got.stdout, got.notes)
			}
		})
	}
	if _, err := os.Stat(pcap); err != nil {
		t.Error(err)
	}
}

// A network that ends while the program runs is told, and the program goes on.
func TestNetworkEnds(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	fakes(t, "ctl:yolk_main badframe netgone await:"+told+" ctl:yolk_exit_5 end:1", "")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var notes noticed
	notes.word, notes.file = "the guest has no network any more", told
	got := runGuest(t, context.Background(), func(o *Options) {
		o.Network, o.SelfNet, o.Notes = userNetwork(), []string{self, "serve-net"}, &notes
	})
	if got.err != nil || got.status != 5 || !strings.Contains(notes.String(), "frame of 4294967295 bytes on the stream from QEMU") {
		t.Errorf("status %d, %v, notes %q", got.status, got.err, notes.String())
	}
}

// noticed makes a file when something is written that has a word in it.
type noticed struct {
	bytes.Buffer
	word, file string
}

func (n *noticed) Write(p []byte) (int, error) {
	if strings.Contains(string(p), n.word) {
		if err := os.WriteFile(n.file, nil, 0o600); err != nil {
			return 0, err
		}
	}
	return n.Buffer.Write(p)
}
