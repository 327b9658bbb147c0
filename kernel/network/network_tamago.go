//go:build tamago

package network

import (
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtionet"
	"github.com/yolkos/yolk/fs"
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
		kernel.Provide("net/"+name, text, nil)
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
			kernel.Provide("sys/class/net/"+i.Name+"/"+name, text, nil)
		}
	}
	if !device {
		return
	}
	var changed atomic.Int64 // nanoseconds since 1970
	changed.Store(time.Now().UnixNano())
	s.OnChange(func() { changed.Store(time.Now().UnixNano()) })
	since := func() fs.Time {
		ns := changed.Load()
		return fs.Time{Sec: ns / 1e9, Nsec: uint32(ns % 1e9)}
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
	kernel.Provide("etc/resolv.conf", func(b []byte) []byte {
		servers, search := s.Names()
		if len(servers) == 0 {
			<-s.Ready() // who resolves a name right after the boot gets the lease's servers
			servers, search = s.Names()
		}
		return resolvConf(b, servers, search)
	}, since)
	kernel.Provide("etc/hosts", func(b []byte) []byte { return hosts(b, name(), s.Interfaces()) }, since)
	kernel.Provide("etc/hostname", func(b []byte) []byte { return append(b, name()+"\n"...) }, since)
}
