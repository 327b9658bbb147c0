// Command netlink changes the machine's network by the libraries that programs use for
// that, looks at frames, and then waits for the network to end.
package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func must(what string, err error) {
	if err != nil {
		fmt.Println(what+":", err)
		os.Exit(1)
	}
}

func main() {
	changes()
	frames()
	datagrams()
	answers()
	turns()
	fmt.Println("changed")
	c, err := net.Dial("tcp", os.Args[1])
	must("dial", err)
	fmt.Println("connected")
	_, err = c.Read(make([]byte, 1))
	fmt.Println(err)
	_, err = net.DialTimeout("tcp", os.Args[1], time.Minute)
	fmt.Println(err)
}

// nextOf returns the next news of an address. Those of IPv6 come when the router has been heard.
func nextOf(news chan netlink.AddrUpdate, addr *netlink.Addr) netlink.AddrUpdate {
	for u := range news {
		if u.LinkAddress.String() == addr.IPNet.String() {
			return u
		}
	}
	return netlink.AddrUpdate{}
}

func changes() {
	addrs, links := make(chan netlink.AddrUpdate, 16), make(chan netlink.LinkUpdate, 16)
	must("subscribe", netlink.AddrSubscribe(addrs, nil))
	must("subscribe", netlink.LinkSubscribe(links, nil))
	eth0, err := netlink.LinkByName("eth0")
	must("eth0", err)
	addr, err := netlink.ParseAddr("10.0.2.99/24")
	must("address", err)
	must("add address", netlink.AddrAdd(eth0, addr))
	if err := netlink.AddrAdd(eth0, addr); err != unix.EEXIST {
		must("add address again", fmt.Errorf("%v", err))
	}
	if u := nextOf(addrs, addr); !u.NewAddr {
		must("news", fmt.Errorf("%+v", u))
	}
	list, err := netlink.AddrList(eth0, netlink.FAMILY_V4)
	must("addresses", err)
	if len(list) != 2 {
		must("addresses", fmt.Errorf("%v", list))
	}
	must("remove address", netlink.AddrDel(eth0, addr))
	if u := nextOf(addrs, addr); u.NewAddr {
		must("news", fmt.Errorf("%+v", u))
	}
	_, to, _ := net.ParseCIDR("198.51.100.0/24")
	route := &netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: to, Gw: net.IPv4(10, 0, 2, 2)}
	must("add route", netlink.RouteAdd(route))
	way, err := netlink.RouteGet(net.IPv4(198, 51, 100, 9))
	must("route", err)
	if len(way) != 1 || !way[0].Gw.Equal(route.Gw) {
		must("route", fmt.Errorf("%v", way))
	}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Dst: to}, netlink.RT_FILTER_DST)
	must("routes", err)
	if len(routes) != 1 {
		must("routes", fmt.Errorf("%v", routes))
	}
	must("remove route", netlink.RouteDel(route))
	must("down", netlink.LinkSetDown(eth0))
	if _, err := net.Dial("udp", "10.0.2.2:9"); err == nil {
		must("dial", fmt.Errorf("no error over an interface that is down"))
	}
	must("up", netlink.LinkSetUp(eth0))
	must("MTU", netlink.LinkSetMTU(eth0, 1400))
	for want := range []int{0, 1, 2} {
		u := <-links
		if up := u.Flags&unix.IFF_UP != 0; up != (want != 0) || want == 2 && u.Link.Attrs().MTU != 1400 {
			must("news", fmt.Errorf("%d: %+v", want, u))
		}
	}
	must("default route", netlink.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: net.IPv4(10, 0, 2, 2)}))
}

// frames asks for the router's address and reads the answer, which a filter picks.
func frames() {
	eth0, err := net.InterfaceByName("eth0")
	must("eth0", err)
	filter, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 20, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 2, SkipFalse: 1}, bpf.RetConstant{Val: 1500}, bpf.RetConstant{Val: 0},
	})
	must("filter", err)
	c, err := packet.Listen(eth0, packet.Raw, unix.ETH_P_ARP, &packet.Config{Filter: filter})
	must("listen", err)
	defer c.Close()
	own := eth0.HardwareAddr
	ask := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, own...)
	ask = append(ask, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1)
	ask = append(append(ask, own...), 10, 0, 2, 15)
	ask = append(ask, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2)
	_, err = c.WriteTo(ask, &packet.Addr{HardwareAddr: net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}})
	must("send", err)
	must("deadline", c.SetReadDeadline(time.Now().Add(time.Minute)))
	b := make([]byte, 1500)
	n, from, err := c.ReadFrom(b)
	must("receive", err)
	if n < 42 || net.IP(b[28:32]).String() != "10.0.2.2" || from.String() != net.HardwareAddr(b[6:12]).String() {
		must("answer", fmt.Errorf("%x of %v", b[:n], from))
	}
}

// datagrams sends and receives those of a protocol that the machine itself does not have,
// and is told of one that nobody has.
func datagrams() {
	for network, host := range map[string]string{"ip4:47": "127.0.0.1", "ip6:47": "::1"} {
		c, err := net.ListenPacket(network, host)
		must("listen", err)
		_, err = c.WriteTo([]byte("a datagram"), c.LocalAddr())
		must("send", err)
		must("deadline", c.SetReadDeadline(time.Now().Add(time.Minute)))
		b := make([]byte, 100)
		n, from, err := c.ReadFrom(b)
		must("receive", err)
		if string(b[:n]) != "a datagram" || from.String() != host {
			must("datagram", fmt.Errorf("%q of %v", b[:n], from))
		}
		must("close", c.Close())
	}
	c, err := net.Dial("ip4:99", "127.0.0.9")
	must("dial", err)
	defer c.Close()
	_, err = c.Write([]byte("a datagram"))
	must("send", err)
	must("deadline", c.SetReadDeadline(time.Now().Add(time.Minute)))
	if _, err := c.Read(make([]byte, 100)); !errors.Is(err, unix.ENOPROTOOPT) {
		must("datagram to nobody", fmt.Errorf("%v", err))
	}
}

// answers: where a program answers what it receives, acknowledgements go with the answers,
// in two segments in place of four. A machine that stands still for a while has more.
func answers() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must("listen", err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		must("accept", err)
		_, _ = io.Copy(c, c)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	must("dial", err)
	defer c.Close()
	const trips = 20
	least := uint64(math.MaxUint64)
	for range 1000 {
		before := sentSegments()
		for b := make([]byte, 1); b[0] < trips; b[0]++ {
			_, err := c.Write(b)
			must("write", err)
			_, err = io.ReadFull(c, b)
			must("read", err)
		}
		if least = min(least, sentSegments()-before); least <= 2*trips+2 {
			return
		}
	}
	must("answers", fmt.Errorf("%d take %d segments at least", trips, least))
}

// sentSegments is how many segments of TCP have been sent.
func sentSegments() uint64 {
	data, err := os.ReadFile("/proc/net/snmp")
	must("snmp", err)
	var names []string
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if words[0] != "Tcp:" {
			continue
		}
		if i := slices.Index(names, "OutSegs"); i > 0 {
			n, err := strconv.ParseUint(words[i], 10, 64)
			must("OutSegs", err)
			return n
		}
		names = words
	}
	must("OutSegs", fmt.Errorf("not in %q", data))
	return 0
}

// turns: of many pairs that answer each other, more than a processor's own queue of
// goroutines holds, none gets on at the expense of the others.
func turns() {
	const pairs, trips = 300, 40
	l, err := net.Listen("unix", "/tmp/turns")
	must("listen", err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				for b := make([]byte, 1); ; {
					if _, err := c.Read(b); err != nil {
						return
					}
					_, _ = c.Write(b)
				}
			}()
		}
	}()
	var made [pairs]atomic.Int64
	var over atomic.Bool
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range pairs {
		c, err := net.Dial("unix", "/tmp/turns")
		must("dial", err)
		_, err = c.Write([]byte{0}) // all are served before the first begins
		must("write", err)
		_, err = io.ReadFull(c, make([]byte, 1))
		must("read", err)
		all.Go(func() {
			defer c.Close()
			<-begin
			for b := make([]byte, 1); !over.Load(); {
				_, err := c.Write(b)
				must("write", err)
				_, err = io.ReadFull(c, b)
				must("read", err)
				if made[i].Add(1) == trips {
					over.Store(true)
				}
			}
		})
	}
	close(begin)
	all.Wait()
	for i := range made {
		if n := made[i].Load(); n < trips/4 {
			must("turns", fmt.Errorf("pair %d has made %d trips when another has made %d", i, n, trips))
		}
	}
}
