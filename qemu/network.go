package qemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/usernet"
)

// Backend is what a guest's network is on the host.
type Backend string

// The backends.
const (
	NoNetwork   Backend = "none"
	UserNetwork Backend = "user" // package usernet
	TapNetwork  Backend = "tap"  // a device of the host
)

// Network is the guest's network device and what is behind it.
type Network struct {
	Backend Backend
	MAC     usernet.HardwareAddr
	Tap     string // the device of TapNetwork
	Pcap    string // file for what crosses the device, in pcap's format; empty: none

	// User is the network of UserNetwork, and Sockets are those of its forwards,
	// which Run closes.
	User    usernet.Config
	Sockets []*os.File

	// What the guest is told. Without addresses it asks.
	Addresses []netip.Prefix
	Routers   []netip.Addr
	DNS       []netip.Addr
	Search    []string
}

// there reports whether the guest has a network device.
func (n *Network) there() bool { return n.Backend != "" && n.Backend != NoNetwork }

// settings returns the lines for the guest's kernel.
func (n *Network) settings() string {
	lines := ""
	for _, w := range n.Words() {
		lines += "net." + w + "\n"
	}
	return lines
}

// Words are what the guest is told of its network, as NAME=VALUE; several values have spaces
// between them.
func (n *Network) Words() (words []string) {
	add := func(key string, items []string) {
		if len(items) > 0 {
			words = append(words, key+"="+strings.Join(items, " "))
		}
	}
	add("ip", texts(n.Addresses))
	add("gateway", texts(n.Routers))
	add("dns", texts(n.DNS))
	add("search", n.Search)
	return words
}

func texts[T fmt.Stringer](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, v.String())
	}
	return out
}

func (n *Network) closeSockets() {
	for _, s := range n.Sockets {
		s.Close()
	}
	n.Sockets = nil
}

// NetDevice is the network device in the command line of QEMU.
type NetDevice struct {
	MAC    usernet.HardwareAddr
	MTU    int // that the device tells the guest; 0: it tells none
	Pcap   int // descriptor of the file for what crosses it; 0: none
	Stream int // descriptor of a stream of frames; 0: none
	Tap    []int
	Slirp  *usernet.Config // QEMU's own network
}

// netDevice returns the arguments for the network device.
func (c *Config) netDevice() []string {
	n := c.Net
	if n == nil {
		return nil
	}
	var backend string
	device := c.device("virtio-net") + ",netdev=net0,mac=" + n.MAC.String()
	switch {
	case n.Slirp != nil:
		backend = slirpBackend(n.Slirp)
	case len(n.Tap) > 1:
		backend = "tap,id=net0,fds=" + strings.ReplaceAll(strings.Trim(fmt.Sprint(n.Tap), "[]"), " ", ":")
		device += ",mq=on"
		if c.Machine != MicroVM { // a vector for each queue, the control queue and the configuration
			device += fmt.Sprintf(",vectors=%d", 2*len(n.Tap)+2)
		}
	case len(n.Tap) == 1:
		backend = fmt.Sprintf("tap,id=net0,fd=%d", n.Tap[0])
	default:
		backend = fmt.Sprintf("%s,id=net0,server=off,addr.type=fd,addr.str=%d", streamBackend, n.Stream)
	}
	if n.MTU != 0 {
		device += fmt.Sprintf(",host_mtu=%d", n.MTU)
	}
	args := []string{"-netdev", backend, "-device", device}
	if n.Pcap != 0 {
		args = append(args, "-object", fmt.Sprintf("filter-dump,id=pcap,netdev=net0,maxlen=%d,file=%s", maxCaptured, fdPath(n.Pcap)))
	}
	return args
}

// streamBackend is QEMU's backend that hands frames to another process, which it
// has from version 7.2 on.
const streamBackend = "stream"

// maxCaptured is how much of each packet is written to a capture, in bytes: all.
const maxCaptured = 65536

// slirpBackend describes QEMU's own network for a configuration. It is without
// IPv6: its addresses there are other ones.
func slirpBackend(c *usernet.Config) string {
	s := fmt.Sprintf("user,id=net0,ipv6=off,net=%v,host=%v,dns=%v,dhcpstart=%v", c.Guest4.Masked(), c.Router4, slirpDNS(c), c.Guest4.Addr())
	for _, f := range c.Forwards {
		protocol, bind := "tcp", ""
		if f.UDP {
			protocol = "udp"
		}
		if f.Bind.IsValid() {
			bind = f.Bind.String()
		}
		s += fmt.Sprintf(",hostfwd=%s:%s:%d-%v:%d", protocol, bind, f.Host, c.Guest4.Addr(), f.Guest)
	}
	return s
}

// slirpDNS is an address for the resolver of QEMU's own network, which is not to be
// that of the router.
func slirpDNS(c *usernet.Config) netip.Addr {
	a := c.Router4.Next()
	if a == c.Guest4.Addr() {
		a = a.Next()
	}
	if !c.Guest4.Contains(a) || !c.Guest4.Contains(a.Next()) { // the last one is for all
		a = c.Guest4.Masked().Addr().Next()
	}
	return a
}

// overSlirp is the network by QEMU's own means.
func (n *Network) overSlirp() *Network {
	n.closeSockets() // QEMU opens its own
	s := *n
	dns := slirpDNS(&n.User)
	s.DNS = nil
	for _, a := range n.DNS {
		if a == n.User.Router4 {
			a = dns
		}
		if a.Is4() {
			s.DNS = append(s.DNS, a)
		}
	}
	s.Addresses = []netip.Prefix{n.User.Guest4}
	s.Routers = []netip.Addr{n.User.Router4}
	return &s
}

// addNetwork opens the guest's network and starts what serves it.
func (g *guest) addNetwork() error {
	n := &g.o.Network
	if !n.there() {
		return nil
	}
	dev := &NetDevice{MAC: n.MAC}
	if n.Pcap != "" {
		f, err := os.Create(n.Pcap)
		if err != nil {
			return fmt.Errorf("capture of the network: %w", err)
		}
		dev.Pcap = g.files.add(f)
	}
	switch {
	case n.Backend == TapNetwork:
		queues, err := openTap(n.Tap, max(g.o.CPUs, 1))
		if err != nil {
			return err
		}
		for _, q := range queues {
			dev.Tap = append(dev.Tap, g.files.add(q))
		}
	case g.slirp:
		dev.Slirp = &n.User
	default:
		p, socket, keep, err := serveNetwork(n, g.o.SelfNet, g.o.Trace, g.o.Trace)
		if err != nil {
			return err
		}
		g.network, g.networkKeep = p, keep
		dev.Stream, dev.MTU = g.files.add(socket), n.User.MTU
	}
	g.config.Net = dev
	return nil
}

// errNoStream is the end of a QEMU that does not know streamBackend.
var errNoStream = errors.New("this QEMU cannot hand the guest's network to another process: it has no -netdev " + streamBackend + ", which came with 7.2")

// lacksStream reports whether QEMU has ended for want of streamBackend.
func (g *guest) lacksStream() bool {
	return g.config.Net != nil && g.config.Net.Stream != 0 && closed(g.qemu.done) && g.qemu.err != nil &&
		!closed(g.control.main) && strings.Contains(g.qemu.errs.words(), "-netdev "+streamBackend)
}

// networkEnded says that the guest's network has ended before the guest. It is nil
// if that is as it should be: it ends when QEMU does.
func (g *guest) networkEnded() error {
	if g.network.err == nil {
		return nil
	}
	g.control.upToDate()
	if closed(g.control.exited) || closed(g.qemu.done) {
		return nil
	}
	return fmt.Errorf("the guest's network: %w", g.network.end())
}

// networkDone is closed when the process of the network has ended; nil if there is
// none.
func (g *guest) networkDone() <-chan struct{} {
	if g.network == nil {
		return nil
	}
	return g.network.done
}

// serveNetwork starts self, a command of this program that ends up in ServeNetwork.
// It returns the socket for QEMU, and what keeps the process alive until it is
// closed.
func serveNetwork(n *Network, self []string, show, trace io.Writer) (*process, *os.File, io.Closer, error) {
	if len(self) == 0 {
		return nil, nil, nil, errors.New("no command for the guest's network")
	}
	config, err := json.Marshal(n.User)
	if err != nil {
		return nil, nil, nil, err
	}
	ours, theirs, err := pair()
	if err != nil {
		return nil, nil, nil, err
	}
	frames, err := framePair()
	if err != nil {
		ours.Close()
		theirs.Close()
		return nil, nil, nil, err
	}
	d := descriptors{files: []*os.File{theirs, frames[0]}} // parentFD, framesFD
	for _, s := range n.Sockets {                          // which another attempt needs as well
		copied, err := unix.FcntlInt(s.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			ours.Close()
			frames[1].Close()
			d.close()
			return nil, nil, nil, fmt.Errorf("socket of a forwarded port: %w", err)
		}
		d.add(os.NewFile(uintptr(copied), "forward"))
	}
	p, err := start(self[0], append(self[1:len(self):len(self)], string(config)), &d, show, trace)
	if err != nil {
		ours.Close()
		frames[1].Close()
		return nil, nil, nil, err
	}
	p.name = "the process that serves it"
	return p, frames[1], ours, nil
}

// frameBuffer is how much of the stream the host's kernel may hold, in bytes, as
// far as it lets us: the fewer times two processes wait for each other, the better.
const frameBuffer = 1 << 20

// framePair makes the two ends of a stream of frames.
func framePair() (pair [2]*os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return pair, fmt.Errorf("socket pair: %w", err)
	}
	for i, fd := range fds {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, frameBuffer) // else it is slower
		pair[i] = os.NewFile(uintptr(fd), "frames")
	}
	return pair, nil
}

// Descriptors of the process that runs ServeNetwork. The sockets of forwards
// follow.
const (
	parentFD   = 3
	framesFD   = 4
	forwardsFD = 5
)

// ServeNetwork is the body of the process that serves a guest's network, described
// by config. It ends when QEMU or the parent does.
func ServeNetwork(config string) error {
	var c usernet.Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return fmt.Errorf("this command is for yolk's own use (%w)", err)
	}
	files := fileLimit()
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}) // else with what there is
	n, err := usernet.New(c, func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "yolk: the guest's network: %s\n", fmt.Sprintf(format, args...))
	})
	if err != nil {
		return err
	}
	parent := os.NewFile(parentFD, "parent")
	go func() {
		_, _ = parent.Read(make([]byte, 1)) // it never says anything
		os.Exit(0)
	}()
	f := os.NewFile(framesFD, "frames")
	frames, err := net.FileConn(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("this command is for yolk's own use (%w)", err)
	}
	for i := range c.Forwards {
		if err := n.Forward(i, os.NewFile(uintptr(forwardsFD+i), "forward")); err != nil {
			return fmt.Errorf("forwarded port %v: %w", c.Forwards[i], err)
		}
	}
	confine("the guest's network", networkFilter)
	return n.Serve(frames)
}
