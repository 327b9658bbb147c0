package network

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/yolkos/yolk/netstack"
)

// resolvConf appends /etc/resolv.conf (resolv.conf(5)).
func resolvConf(b []byte, servers []netip.Addr, search []string) []byte {
	if len(search) > 0 {
		b = fmt.Appendf(b, "search %s\n", strings.Join(search, " "))
	}
	for _, a := range servers {
		b = fmt.Appendf(b, "nameserver %s\n", a)
	}
	return b
}

// hosts appends /etc/hosts (hosts(5)): the machine's name is for its first address
// that others can reach.
func hosts(b []byte, name string, list []netstack.Interface) []byte {
	b = append(b, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"...)
	if name == "" || name == "localhost" {
		return b
	}
	own := "127.0.0.1"
	for _, i := range list {
		for _, p := range i.Addresses {
			if !i.Loopback && p.Addr().Is4() {
				return fmt.Appendf(b, "%s\t%s\n", p.Addr(), name)
			}
		}
	}
	return fmt.Appendf(b, "%s\t%s\n", own, name)
}

// sysFiles are the files of /sys/class/net/NAME by name. Find finds the interface as
// it is when the file is opened.
func sysFiles(find func() (netstack.Interface, bool)) map[string]func(b []byte) []byte {
	line := func(text func(i *netstack.Interface) any) func(b []byte) []byte {
		return func(b []byte) []byte {
			i, ok := find()
			if !ok {
				return b
			}
			return fmt.Appendln(b, text(&i))
		}
	}
	hardware := func(i *netstack.Interface) any {
		if i.Loopback {
			return 772
		}
		return 1
	}
	files := map[string]func(b []byte) []byte{
		"address": line(func(i *netstack.Interface) any { return i.Address }),
		"broadcast": line(func(i *netstack.Interface) any {
			if i.Loopback {
				return "00:00:00:00:00:00"
			}
			return "ff:ff:ff:ff:ff:ff"
		}),
		"addr_len": line(func(*netstack.Interface) any { return 6 }),
		"flags":    line(func(i *netstack.Interface) any { return fmt.Sprintf("0x%x", i.Flags()&0xffff) }),
		"ifindex":  line(func(i *netstack.Interface) any { return i.Index }),
		"iflink":   line(func(i *netstack.Interface) any { return i.Index }),
		"mtu":      line(func(i *netstack.Interface) any { return i.MTU }),
		"type":     line(hardware),
		"carrier": line(func(i *netstack.Interface) any {
			if i.Running {
				return 1
			}
			return 0
		}),
		"operstate": line(func(i *netstack.Interface) any {
			switch {
			case i.Loopback:
				return "unknown"
			case i.Running:
				return "up"
			}
			return "down"
		}),
		"tx_queue_len": line(func(*netstack.Interface) any { return 1000 }),
	}
	for name, value := range map[string]func(i *netstack.Interface) uint64{
		"rx_bytes": func(i *netstack.Interface) uint64 { return i.Stats.RxBytes }, "rx_packets": func(i *netstack.Interface) uint64 { return i.Stats.RxFrames },
		"rx_errors": func(i *netstack.Interface) uint64 { return i.Stats.RxErrors }, "rx_dropped": func(i *netstack.Interface) uint64 { return i.Stats.RxDropped },
		"tx_bytes": func(i *netstack.Interface) uint64 { return i.Stats.TxBytes }, "tx_packets": func(i *netstack.Interface) uint64 { return i.Stats.TxFrames },
		"tx_errors": func(i *netstack.Interface) uint64 { return i.Stats.TxErrors }, "tx_dropped": func(i *netstack.Interface) uint64 { return i.Stats.TxDropped },
	} {
		files["statistics/"+name] = line(func(i *netstack.Interface) any { return value(i) })
	}
	return files
}
