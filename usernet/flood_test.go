package usernet

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// syn makes a packet with a SYN of any address of the guest's.
func syn(from, to netip.AddrPort, seq uint32) []byte {
	p := make([]byte, header.IPv4MinimumSize+header.TCPMinimumSize)
	src, dst := toStack(from.Addr()), toStack(to.Addr())
	ip := header.IPv4(p)
	ip.Encode(&header.IPv4Fields{TotalLength: uint16(len(p)), TTL: 64, Protocol: uint8(header.TCPProtocolNumber), SrcAddr: src, DstAddr: dst})
	ip.SetChecksum(^ip.CalculateChecksum())
	h := header.TCP(p[header.IPv4MinimumSize:])
	h.Encode(&header.TCPFields{SrcPort: from.Port(), DstPort: to.Port(), SeqNum: seq, DataOffset: header.TCPMinimumSize, Flags: header.TCPFlagSyn, WindowSize: 65535})
	h.SetChecksum(^h.CalculateChecksum(header.PseudoHeaderChecksum(header.TCPProtocolNumber, src, dst, header.TCPMinimumSize)))
	return p
}

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// A guest that floods the network with what costs most, and reads nothing, is not
// given memory without end, and the network is of use to it afterwards.
func TestFlood(t *testing.T) {
	at := hostAddr(t, false)
	open := hostListen(t, at, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c); c.Close() })
	datagrams := hostUDP(t, at)
	for name, frame := range map[string]func(g *guest, i int) []byte{
		"connections": func(g *guest, i int) []byte {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 16), byte(i >> 8)}), uint16(i)|1024)
			return g.ethernet(0x0800, syn(from, open, uint32(i)))
		},
		"datagrams": func(g *guest, i int) []byte {
			return g.ethernet(0x0800, udpPacket(g.config.Guest4.Addr(), datagrams.Addr(), uint16(i), datagrams.Port(), make([]byte, 1000)))
		},
		"names": func(g *guest, i int) []byte {
			return g.ethernet(0x0800, udpPacket(g.config.Guest4.Addr(), g.config.Router4, uint16(i), 53, query(uint16(i), "localhost.", 1)))
		},
		"DHCP": func(g *guest, i int) []byte { return g.dhcp(dhcpDiscover, i&1 == 0) },
		"fragments": func(g *guest, i int) []byte {
			p := udpPacket(g.config.Guest4.Addr(), datagrams.Addr(), 9, datagrams.Port(), make([]byte, 8000))
			ip := header.IPv4(p)
			binary.BigEndian.PutUint16(p[4:], uint16(i))
			p[6] = 0x20 // there is more
			ip.SetChecksum(0)
			ip.SetChecksum(^ip.CalculateChecksum())
			return g.ethernet(0x0800, p)
		},
		"router solicitations": func(g *guest, i int) []byte {
			return g.ndp(netip.MustParseAddr("fe80::1"), netip.MustParseAddr("ff02::2"), []byte{133, 0, 0, 0, 0, 0, 0, 0})
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuest(t, testConfig())
			before := heap()
			for i := range 20000 {
				if err := g.send(frame(g, i)); err != nil {
					t.Fatal(err)
				}
			}
			const most = 256 << 20
			if after := heap(); after > before+most {
				t.Errorf("%d MiB more in use", (after-before)>>20)
			} else {
				t.Logf("%d MiB more in use", int64(after-before)>>20)
			}
			g.boot() // it reads what there is, and is a guest like any other
			if got, err := ask(t, g.dialUDP(datagrams), []byte("x")); string(got) != "x" {
				t.Errorf("a datagram: %q, %v", got, err)
			}
			if name == "connections" {
				return // others have to wait until those are given up
			}
			eventually(t, "a connection", func() bool {
				c, err := g.dial(open)
				if err == nil {
					c.Close()
				}
				return err == nil
			})
		})
	}
}

// A guest that takes no frames does not keep the network from taking its own, and
// finds it at work when it does.
func TestGuestTakesNothing(t *testing.T) {
	g := newGuest(t, testConfig())
	for range 5000 { // more than link and socket hold
		if err := g.send(g.dhcp(dhcpDiscover, true)); err != nil {
			t.Fatal(err)
		}
	}
	g.boot()
	c, err := g.dial(hostListen(t, hostAddr(t, false), echo))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// Thousands of connections are open at once, and each has its own bytes.
func TestManyConnections(t *testing.T) {
	want := 10000
	if testing.Short() {
		want = 500
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// Each has a socket of the network's, and one of the listener's.
	if most := int(limit.Max/2) - 200; most < want {
		t.Logf("%d connections: this process may open no more than %d files", most, limit.Max)
		want = most
	}
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit.Max, Max: limit.Max})
	g := newGuest(t, testConfig()).boot()
	addr := hostListen(t, hostAddr(t, false), echo)
	before := heap()
	conns := make([]net.Conn, want)
	var all sync.WaitGroup
	for w := range 50 {
		all.Go(func() {
			for i := w; i < want; i += 50 {
				c, err := g.dial(addr)
				if err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
				conns[i] = c
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d connections: %d KiB for each, in both stacks", want, int(heap()-before)/want>>10)
	for w := range 50 {
		all.Go(func() {
			b := make([]byte, 4)
			for i := w; i < want; i += 50 {
				_ = conns[i].SetDeadline(time.Now().Add(hang))
				_, _ = conns[i].Write(binary.BigEndian.AppendUint32(nil, uint32(i)))
				if _, err := io.ReadFull(conns[i], b); err != nil || binary.BigEndian.Uint32(b) != uint32(i) {
					t.Errorf("connection %d: %x, %v", i, b, err)
				}
				conns[i].Close()
			}
		})
	}
	all.Wait()
	eventually(t, "all connections are given up", func() bool { return g.net.buffers.conns.Load() == 0 })
}

// Connections one after the other do not wait for those that are over.
func TestShortConnections(t *testing.T) {
	g, to := newForwarded(t, Forward{Bind: netip.MustParseAddr("127.0.0.1"), Guest: 80})
	l := g.listen(80)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("x"))
			c.Close()
		}
	}()
	n := 3000
	if testing.Short() {
		n = 300
	}
	for i := range n {
		c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
		if err != nil {
			t.Fatal(i, err)
		}
		_ = c.SetDeadline(time.Now().Add(hang))
		if got, err := io.ReadAll(c); string(got) != "x" || err != nil {
			t.Fatalf("connection %d: %q, %v", i, got, err)
		}
		c.Close()
	}
}

// A guest that is killed, with frames on their way to it, is no failure of the
// network.
func TestGuestKilled(t *testing.T) {
	ours, theirs := socketPair(t)
	n, err := New(testConfig(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- n.Serve(theirs) }()
	g := &guest{t: t, net: n, conn: ours, config: testConfig()}
	if err := g.send(g.dhcp(dhcpDiscover, true)); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Read(make([]byte, 1)); err != nil { // the rest of it is there
		t.Fatal(err)
	}
	ours.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
