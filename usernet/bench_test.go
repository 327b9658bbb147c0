package usernet

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
)

// BenchmarkThroughput is what one connection carries, with the guest's stack at the
// other end of the socket on the same processors.
func BenchmarkThroughput(b *testing.B) {
	const block = 256 << 10
	for _, mtu := range []int{1500, MaxMTU} {
		for _, way := range []string{"to host", "to guest", "forwarded"} {
			b.Run(fmt.Sprintf("mtu %d %s", mtu, way), func(b *testing.B) {
				config := testConfig()
				config.MTU = mtu
				f := Forward{Bind: netip.MustParseAddr("127.0.0.1"), Guest: 80}
				socket, err := f.Listen()
				if err != nil {
					b.Fatal(err)
				}
				config.Forwards = []Forward{f}
				g := newGuest(b, config).boot()
				if err := g.net.Forward(0, socket); err != nil {
					b.Fatal(err)
				}
				// The listener says when it has had all, or sends all.
				size := int64(b.N) * block
				serve := func(c net.Conn) {
					defer c.Close()
					if way == "to guest" {
						p := make([]byte, block)
						for range b.N {
							_, _ = c.Write(p)
						}
						return
					}
					_, _ = io.CopyN(io.Discard, c, size)
					_, _ = c.Write([]byte{1})
				}
				var c net.Conn
				if way == "forwarded" {
					l := g.listen(80)
					go func() {
						if c, err := l.Accept(); err == nil {
							serve(c)
						}
					}()
					c, err = net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(netip.AddrPortFrom(f.Bind, f.Host)))
				} else {
					c, err = g.dial(hostListen(b, hostAddr(b, false), func(c *net.TCPConn) { serve(c) }))
				}
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				b.SetBytes(block)
				b.ResetTimer()
				if way == "to guest" {
					if n, err := io.Copy(io.Discard, c); n != size || err != nil {
						b.Fatal(n, err)
					}
					return
				}
				p := make([]byte, block)
				for range b.N {
					if _, err := c.Write(p); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := io.ReadFull(c, p[:1]); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// BenchmarkConnect is a connection with a byte each way.
func BenchmarkConnect(b *testing.B) {
	g := newGuest(b, testConfig()).boot()
	addr := hostListen(b, hostAddr(b, false), echo)
	p := []byte{1}
	for b.Loop() {
		c, err := g.dial(addr)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = c.Write(p)
		if _, err := io.ReadFull(c, p); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}

// BenchmarkRoundTrip is a byte each way over one connection.
func BenchmarkRoundTrip(b *testing.B) {
	g := newGuest(b, testConfig()).boot()
	c, err := g.dial(hostListen(b, hostAddr(b, false), echo))
	if err != nil {
		b.Fatal(err)
	}
	p := []byte{1}
	for b.Loop() {
		_, _ = c.Write(p)
		if _, err := io.ReadFull(c, p); err != nil {
			b.Fatal(err)
		}
	}
}
