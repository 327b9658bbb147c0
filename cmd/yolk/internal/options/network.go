package options

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/usernet"
)

// Network are the options that make the guest's network.
type Network struct {
	publish  []string
	net      string
	ip       []string
	gateway  []string
	dns      []string
	MAC      string
	Hostname string
	pcap     string
	own      *pflag.FlagSet // these options
}

// hostLoopback is the word behind --net user that opens the host's loopback.
const hostLoopback = "host-loopback"

// Add defines the options in set; short is that of --publish, if there is one.
func (f *Network) Add(set *pflag.FlagSet, short string) {
	own := pflag.NewFlagSet("network", pflag.ContinueOnError)
	own.SortFlags = false
	own.StringArrayVarP(&f.publish, "publish", short, nil, "port of the host that leads to one of the guest, [BIND:]HOST:GUEST[/udp]; HOST 0: one that is free (repeatable)")
	own.StringVar(&f.net, "net", "", "network: user, with ,"+hostLoopback+" behind it if the guest may reach what listens on the host's loopback; tap=NAME; or none. Without it user if the program uses package net")
	own.StringArrayVar(&f.ip, "ip", nil, "the guest's address with the length of its prefix, such as 10.0.2.15/24; one of each family (repeatable)")
	own.StringArrayVar(&f.gateway, "gateway", nil, "the guest's default router (repeatable, one of each family)")
	own.StringArrayVar(&f.dns, "dns", nil, "a name server of the guest (repeatable)")
	own.StringVar(&f.MAC, "mac", "", "hardware address of the guest's network device")
	own.StringVar(&f.Hostname, "hostname", "", "the guest's name")
	own.StringVar(&f.pcap, "pcap", "", "write what crosses the network device to this file, for Wireshark")
	set.AddFlagSet(own)
	f.own = own
}

// Given calls each with the options that were given, as they were written.
func (f *Network) Given(each func(option, value string)) { given(f.own, each) }

// QEMU is the guest's network as the options describe it. Its backend is empty
// if the program has to be looked at.
func (f *Network) QEMU() (n qemu.Network, err error) {
	n.User = usernet.Default()
	kind, option, _ := strings.Cut(f.net, ",")
	kind, tap, isTap := strings.Cut(kind, "=")
	n.Backend, n.Tap = qemu.Backend(kind), tap
	switch {
	case n.Backend == qemu.UserNetwork && !isTap && (option == "" || option == hostLoopback):
		n.User.HostLoopback = option != ""
	case n.Backend == qemu.TapNetwork && tap != "" && option == "":
	case n.Backend == qemu.NoNetwork && !isTap && option == "":
	case f.net == "":
		if f.any() {
			n.Backend = qemu.UserNetwork
		}
	default:
		return n, fmt.Errorf("--net %q: want user, user,%s, tap=NAME or none", f.net, hostLoopback)
	}
	if len(f.publish) > 0 && n.Backend != qemu.UserNetwork {
		return n, fmt.Errorf("--publish %s: only --net user has ports to publish", f.publish[0])
	}
	if f.any() && n.Backend == qemu.NoNetwork {
		return n, errors.New("--net none: the other options of the network go with user and tap")
	}
	for _, p := range f.publish {
		forward, err := usernet.ParseForward(p)
		if err != nil {
			return n, fmt.Errorf("--publish %w", err)
		}
		n.User.Forwards = append(n.User.Forwards, forward)
	}
	if n.MAC, err = f.hardwareAddr(n.Backend); err != nil {
		return n, err
	}
	n.User.GuestMAC, n.User.Hostname = n.MAC, f.Hostname
	n.Pcap = f.pcap
	if n.Backend == qemu.TapNetwork {
		return n, f.tap(&n)
	}
	return n, f.user(&n)
}

// any reports whether there is an option that makes sense with a network alone.
func (f *Network) any() bool {
	return len(f.publish)+len(f.ip)+len(f.gateway)+len(f.dns)+len(f.MAC)+len(f.pcap) > 0
}

// user gives the guest addresses in the user's network, and that to the guest.
func (f *Network) user(n *qemu.Network) error {
	ips, gateways, dns, err := f.addresses()
	if err != nil {
		return err
	}
	u := &n.User
	for _, p := range ips {
		guest, router := &u.Guest4, &u.Router4
		if p.Addr().Is6() {
			guest, router = &u.Guest6, &u.Router6
		}
		*guest = p
		if !p.Contains(*router) || *router == p.Addr() {
			*router = routerIn(p)
		}
	}
	for _, a := range gateways {
		if a.Is4() {
			u.Router4 = a
		} else {
			u.Router6 = a
		}
	}
	if err := u.Check(); err != nil {
		return fmt.Errorf("--net user: %w", err)
	}
	n.Addresses = []netip.Prefix{u.Guest4, u.Guest6}
	n.Routers = []netip.Addr{u.Router4, u.Router6}
	if n.DNS = dns; len(dns) == 0 {
		n.DNS = []netip.Addr{u.Router4}
	}
	n.Search = usernet.SearchDomains()
	return nil
}

// routerIn is an address for the router of a guest's network: the second one, or
// the first one if the guest has that.
func routerIn(p netip.Prefix) netip.Addr {
	first := p.Masked().Addr().Next()
	if second := first.Next(); second != p.Addr() {
		return second
	}
	return first
}

// tap gives the guest what the options say; without addresses it asks for all.
func (f *Network) tap(n *qemu.Network) (err error) {
	n.Addresses, n.Routers, n.DNS, err = f.addresses()
	return err
}

// addresses reads the addresses: of the guest and of routers, one of each family at
// most, and of name servers.
func (f *Network) addresses() (ips []netip.Prefix, gateways, dns []netip.Addr, err error) {
	for _, s := range f.ip {
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil || p.Addr().Is4In6():
			return nil, nil, nil, fmt.Errorf("--ip %q: want an address with the length of its prefix, such as 10.0.2.15/24", s)
		case slices.ContainsFunc(ips, func(o netip.Prefix) bool { return o.Addr().Is4() == p.Addr().Is4() }):
			return nil, nil, nil, fmt.Errorf("--ip %s: there is another one of the same family", s)
		}
		ips = append(ips, p)
	}
	if gateways, err = parseAddrs("--gateway", f.gateway); err == nil {
		dns, err = parseAddrs("--dns", f.dns)
	}
	for i, a := range gateways {
		if slices.ContainsFunc(gateways[:i], func(o netip.Addr) bool { return o.Is4() == a.Is4() }) {
			return nil, nil, nil, fmt.Errorf("--gateway %v: there is another one of the same family", a)
		}
	}
	return ips, gateways, dns, err
}

func parseAddrs(option string, words []string) (list []netip.Addr, err error) {
	for _, s := range words {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || a.Is4In6() {
			return nil, fmt.Errorf("%s %q: want an address such as 10.0.2.2", option, s)
		}
		list = append(list, a)
	}
	return list, nil
}

// hardwareAddr is the address of the guest's device. On a device of the host there
// may be other guests: there it is made up.
func (f *Network) hardwareAddr(b qemu.Backend) (a usernet.HardwareAddr, err error) {
	switch {
	case f.MAC != "":
		m, err := net.ParseMAC(f.MAC)
		if err != nil || len(m) != len(a) || m[0]&1 != 0 || m.String() == "00:00:00:00:00:00" {
			return a, fmt.Errorf("--mac %q: want the address of one device, such as 52:54:00:12:34:56", f.MAC)
		}
		return usernet.HardwareAddr(m), nil
	case b == qemu.TapNetwork:
		a = usernet.HardwareAddr{0x52, 0x54} // QEMU's own, locally administered
		rand.Read(a[3:])
		return a, nil
	}
	return usernet.Default().GuestMAC, nil
}

// CheckHostname reports what is wrong with a guest's name: Linux's rules for its
// length (HOST_NAME_MAX), those of DNS for what is in it.
func CheckHostname(name string) error {
	label := func(s string) bool {
		return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && strings.IndexFunc(s, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) < 0
	}
	if name != "" && (len(name) > 64 || slices.ContainsFunc(strings.Split(name, "."), func(s string) bool { return !label(s) })) {
		return fmt.Errorf("--hostname %q: want a name of letters, digits and hyphens, 64 at most", name)
	}
	return nil
}
