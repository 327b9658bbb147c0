package netstack

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/drivers/nic"
)

// TestIoctl: what programs ask of an interface by name.
func TestIoctl(t *testing.T) {
	s, _ := twoStacks(t, nic.Options{MTU: 1400})
	f := s.openSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	ask := func(name string, cmd uint32) ([]byte, error) {
		in, out := make([]byte, sizeIfreq), make([]byte, sizeIfreq)
		copy(in, name)
		_, _, err := f.Ioctl(cmd, 0, in, out)
		return out[ifNameSize:], err
	}
	number := func(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
	for _, tt := range []struct {
		cmd  uint32
		want uint32
	}{{siocGifMTU, 1400}, {siocGifIndex, 2}, {siocGifFlags, syscall.IFF_UP | syscall.IFF_RUNNING | syscall.IFF_BROADCAST | syscall.IFF_MULTICAST}} {
		if got, err := ask("eth0", tt.cmd); err != nil || number(got) != tt.want {
			t.Errorf("%#x: %d, %v, want %d", tt.cmd, number(got), err, tt.want)
		}
	}
	for cmd, want := range map[uint32]string{siocGifAddr: "10.0.0.1", siocGifNetmask: "255.255.255.0", siocGifBrdaddr: "10.0.0.255"} {
		got, err := ask("eth0", cmd)
		if ip, _ := netip.AddrFromSlice(got[4:8]); err != nil || ip.String() != want {
			t.Errorf("%#x: %s, %v, want %s", cmd, ip, err, want)
		}
	}
	if got, err := ask("eth0", siocGifHwaddr); err != nil || nic.Address(got[2:8]) != macA {
		t.Errorf("hardware address %x, %v", got, err)
	}
	if _, err := ask("eth7", siocGifMTU); err != syscall.ENODEV {
		t.Errorf("no such interface: %v", err)
	}
	if _, err := ask("eth0", siocSifAddr); err != syscall.EPERM {
		t.Errorf("a change: %v", err)
	}
	if _, err := ask("eth0", siocEthtool); err != syscall.EOPNOTSUPP {
		t.Errorf("a command of ethtool: %v", err)
	}
	if _, err := ask("eth7", siocEthtool); err != syscall.ENODEV {
		t.Errorf("a command of ethtool to no interface: %v", err)
	}
	room := make([]byte, 3*sizeIfreq)
	if _, n, err := f.Ioctl(siocGifConf, 0, nil, room); n != 2*sizeIfreq || err != nil || cString(room[sizeIfreq:sizeIfreq+ifNameSize]) != "eth0" {
		t.Errorf("list of %d bytes, %v", n, err)
	}
}
