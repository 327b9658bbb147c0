//go:build tamago

package network

import (
	"syscall"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtionet"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/kernel"
	_ "github.com/yolkos/yolk/kernel/sockets"
	"github.com/yolkos/yolk/netstack"
	"github.com/yolkos/yolk/syscalls"
)

func init() {
	start()
	kernel.HoldAfter("network")
}

// start brings the stack up, with all devices.
func start() {
	k := syscalls.Bound()
	_, free, _ := k.Machine.Memory()
	s, err := netstack.New(netstack.Options{Memory: free + netstack.RuntimeUsage().Mapped})
	if err != nil {
		kernel.Log("network: " + err.Error())
		return
	}
	k.Families[syscall.AF_INET] = s.Family(syscall.AF_INET)
	k.Families[syscall.AF_INET6] = s.Family(syscall.AF_INET6)
	k.Families[syscall.AF_NETLINK] = s.NetlinkFamily()
	k.Families[syscall.AF_PACKET] = s.PacketFamily()
	devices := 0
	kernel.OpenNetworks(func(t virtio.Transport, mem virtio.Memory, failed func(error)) (kernel.Network, error) {
		d, err := virtionet.Open(t, mem, failed)
		if err != nil {
			return nil, err
		}
		c := netstack.Config{Logf: kernel.Logf}
		if devices == 0 {
			for _, err := range configure(&c, kernel.Setting) {
				kernel.Log(err.Error())
			}
		}
		devices++
		return d, s.AddDevice(d, c)
	})
	provide(s, k, devices > 0)
	if devices > 0 {
		kernel.OnNetworkEnded(s.Lose)
		kernel.AtExit(func() { s.Flush(flushTime) })
	}
}

// flushTime is how long the end of a program is held up by peers that do not take
// what it has sent.
const flushTime = 2 * time.Second

// provide gives programs the files that tell of the network. Without a device the
// root's own files of names stay.
func provide(s *netstack.Stack, k *syscalls.Kernel, device bool) {
	for name, text := range s.ProcFiles() {
		kernel.Provide("net/"+name, text)
	}
	for _, i := range s.Interfaces() {
		index := i.Index
		find := func() (netstack.Interface, bool) {
			for _, i := range s.Interfaces() {
				if i.Index == index {
					return i, true
				}
			}
			return i, false
		}
		for name, text := range sysFiles(find) {
			kernel.Provide("sys/class/net/"+i.Name+"/"+name, text)
		}
	}
	if !device {
		return
	}
	name := func() string {
		var u syscall.Utsname
		k.Uname(&u)
		var b []byte
		for _, c := range u.Nodename {
			if c == 0 {
				break
			}
			b = append(b, byte(c))
		}
		return string(b)
	}
	// Who resolves a name right after the boot gets the lease's servers.
	leased := s.Ready()
	if servers, _ := s.Names(); len(servers) > 0 {
		leased = nil
	}
	files := tmpfs.New(tmpfs.Limits{Bytes: mostGiven})
	cover := func(path string, ready <-chan struct{}, text func(b []byte) []byte) {
		n, err := files.NewGiven(0o644, ready, text)
		if err != nil {
			kernel.Log(path + ": " + err.Error())
			return
		}
		kernel.Cover(path, n)
	}
	cover("etc/resolv.conf", leased, func(b []byte) []byte {
		servers, search := s.Names()
		return resolvConf(b, servers, search)
	})
	cover("etc/hosts", nil, func(b []byte) []byte { return hosts(b, name(), s.Interfaces()) })
	cover("etc/hostname", nil, func(b []byte) []byte { return append(b, name()+"\n"...) })
}

// mostGiven is what programs may write into the files that tell of the network, in
// bytes; lists of names to be blocked go into /etc/hosts.
const mostGiven = 16 << 20
