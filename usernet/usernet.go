// Package usernet is a network for one guest that needs no rights on the host: a
// process that ends the guest's connections and makes them anew with sockets of
// its own. Towards the guest it is a router, with a DHCP server, a resolver and
// router advertisements, on the frames that QEMU's -netdev stream carries.
//
// It stands on gVisor's TCP/IP stack. github.com/containers/gvisor-tap-vsock does
// too, but was left: it has ten connections under way at most, answers pings to
// anything as if the host were there, gives the host's loopback to whoever knows
// an address, serves neither IPv6 nor the host's /etc/hosts, waits for the link
// under a lock, and leads to libraries of virtual machine managers.
//
// What is not passed on: multicast and broadcast, IP options, and ICMP but for
// echo and what is said of unreachable destinations.
package usernet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Config is a network. It travels to the process that serves it as JSON.
type Config struct {
	Guest4  netip.Prefix // of the guest, with the length of the subnet
	Router4 netip.Addr   // of this program, in the same subnet
	Guest6  netip.Prefix
	Router6 netip.Addr

	GuestMAC  HardwareAddr
	RouterMAC HardwareAddr
	MTU       int    // of IP packets, in bytes
	Hostname  string // for DHCP; may be empty

	// HostLoopback has connections to the router's address reach what listens on
	// the host's loopback.
	HostLoopback bool
	// Forwards are ports of the host that lead to the guest.
	Forwards []Forward
}

// HardwareAddr is the address of an Ethernet device.
type HardwareAddr [6]byte

func (a HardwareAddr) String() string { return net.HardwareAddr(a[:]).String() }

// MaxMTU is the largest MTU: with an Ethernet header a frame has to fit into what
// QEMU takes, and into 16 bits of length.
const MaxMTU = 65000

// Default returns the network that guests have where nobody asks for another one.
// The addresses of IPv4 are those of QEMU's own network, those of IPv6 are unique
// local ones (RFC 4193).
func Default() Config {
	return Config{
		Guest4:    netip.MustParsePrefix("10.0.2.15/24"),
		Router4:   netip.MustParseAddr("10.0.2.2"),
		Guest6:    netip.MustParsePrefix("fd79:6f6c:6b00::15/64"),
		Router6:   netip.MustParseAddr("fd79:6f6c:6b00::2"),
		GuestMAC:  HardwareAddr{0x52, 0x54, 0x00, 0x12, 0x34, 0x56},
		RouterMAC: HardwareAddr{0x52, 0x55, 0x0a, 0x00, 0x02, 0x02},
		MTU:       MaxMTU,
	}
}

// Check reports what cannot be in a configuration.
func (c *Config) Check() error {
	for _, f := range []struct {
		name    string
		guest   netip.Prefix
		router  netip.Addr
		is      func(netip.Addr) bool
		longest int
	}{{"IPv4", c.Guest4, c.Router4, netip.Addr.Is4, 30}, {"IPv6", c.Guest6, c.Router6, netip.Addr.Is6, 126}} {
		guest := f.guest.Addr()
		switch {
		case !f.is(guest) || !f.is(f.router) || f.router.Is4In6():
			return fmt.Errorf("guest %v and router %v are no %s addresses", guest, f.router, f.name)
		case f.guest.Bits() < 1 || f.guest.Bits() > f.longest:
			return fmt.Errorf("%v: a network for a guest and a router has a prefix of 1 to %d bits", f.guest, f.longest)
		case !f.guest.Contains(f.router):
			return fmt.Errorf("router %v is not in the guest's network %v", f.router, f.guest.Masked())
		case guest == f.router:
			return fmt.Errorf("guest and router both have the address %v", guest)
		}
		for _, a := range []netip.Addr{guest, f.router} {
			if a.IsLoopback() || a.IsMulticast() || a.IsUnspecified() || a == f.guest.Masked().Addr() || a == broadcast(f.guest) {
				return fmt.Errorf("%v is no address for a machine in %v", a, f.guest.Masked())
			}
		}
	}
	if c.MTU < 1280 || c.MTU > MaxMTU { // RFC 8200 §5
		return fmt.Errorf("MTU %d: want 1280 to %d", c.MTU, MaxMTU)
	}
	return nil
}

// broadcast is the last address of an IPv4 subnet; zero for IPv6.
func broadcast(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() {
		return netip.Addr{}
	}
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// Network is a network at work.
type Network struct {
	answered atomic.Bool // the guest has answered a connection, see dialGuestAt

	config   Config
	logf     func(format string, args ...any)
	resolver *resolver
	link     *link
	stack    *stack.Stack
	buffers  *budget
	flows    *flows
	syns     *syns
	ctx      context.Context
	cancel   context.CancelFunc
	serving  sync.WaitGroup
}

// New makes a network; logf is told what is wrong with it, a line each.
func New(config Config, logf func(format string, args ...any)) (*Network, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	n := &Network{config: config, logf: logf, buffers: newBudget(), syns: newSYNs()}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.resolver = newResolver(&n.config, resolvConf, hostsFile)
	n.link = newLink(n)
	n.flows = newFlows()
	if err := n.newStack(); err != nil {
		n.cancel()
		return nil, err
	}
	return n, nil
}

// Serve carries frames between the guest at the other end of conn and the host,
// until the guest has closed it, or Close is called. It closes conn.
func (n *Network) Serve(conn net.Conn) error {
	defer conn.Close()
	defer context.AfterFunc(n.ctx, func() { conn.Close() })()
	n.serving.Go(func() { n.link.write(conn) })
	n.serving.Go(n.advertise)
	n.serving.Go(func() { n.flows.sweep(n.ctx, time.NewTicker(sweepInterval)) })
	err := n.link.read(conn)
	// A QEMU that is killed leaves frames unread.
	if err == io.EOF || errors.Is(err, syscall.ECONNRESET) || n.ctx.Err() != nil {
		err = nil
	}
	n.Close()
	return err
}

// Close ends the network and every connection over it.
func (n *Network) Close() {
	n.cancel()
	n.link.close()
	n.flows.close()
	n.serving.Wait()
	n.stack.Close()
}
