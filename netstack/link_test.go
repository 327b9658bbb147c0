package netstack

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs/socket"
)

var (
	macA = nic.Address{0x52, 0x54, 0, 0, 0, 1}
	macB = nic.Address{0x52, 0x54, 0, 0, 0, 2}
)

// twoStacks returns two stacks on a wire, 10.0.0.1 and fd00::1, 10.0.0.2 and fd00::2.
func twoStacks(t testing.TB, o nic.Options) (a, b *Stack) {
	t.Helper()
	da, db := nic.Pair(macA, macB, o)
	a, b = newStack(t), newStack(t)
	for i, x := range []struct {
		s *Stack
		d nic.Device
	}{{a, da}, {b, db}} {
		c := Config{Addresses: []netip.Prefix{
			netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/24", i+1)), netip.MustParsePrefix(fmt.Sprintf("fd00::%d/64", i+1)),
		}}
		if err := x.s.AddDevice(x.d, c); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { da.Close(); db.Close() })
	return a, b
}

// listen makes a listening socket.
func (s *Stack) listen(t testing.TB, family int, addr []byte) *socket.File {
	t.Helper()
	l := s.openSocket(t, family, syscall.SOCK_STREAM, 0)
	if err := l.Bind(addr); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(16); err != nil {
		t.Fatal(err)
	}
	return l
}

// accept waits for a connection.
func accept(l *socket.File) (*socket.File, error) {
	var k socket.Socket
	err := l.Await(socket.In, nil, func() (err error) { k, err = l.Accept(); return err })
	if err != nil {
		return nil, err
	}
	return socket.NewFile(k, &socket.Node{}, l.Domain, l.Type, l.Protocol), nil
}

// readAll reads to the end.
func readAll(f *socket.File) ([]byte, error) {
	var all []byte
	b := make([]byte, 32<<10)
	for {
		n, err := f.Read(b)
		if err != nil || n == 0 {
			return all, err
		}
		all = append(all, b[:n]...)
	}
}

var allOffloads = nic.Offloads{Checksum: true, TSO4: true, TSO6: true, USO: true, ReceiveChecksum: true, ReceiveGSO: true}

// TestBulk: what is sent arrives, whatever the card does and loses, both ways at once
// and half closed.
func TestBulk(t *testing.T) {
	for _, tt := range []struct {
		name string
		nic.Options
		size int
	}{
		{"plain", nic.Options{}, 4 << 20},
		{"offloads", nic.Options{Offloads: allOffloads}, 16 << 20},
		{"large MTU", nic.Options{MTU: nic.MaxMTU, Offloads: allOffloads}, 16 << 20},
		{"checksums only", nic.Options{Offloads: nic.Offloads{Checksum: true, ReceiveChecksum: true}}, 4 << 20},
		{"small MTU", nic.Options{MTU: 1280}, 1 << 20},
		{"short queue", nic.Options{Depth: 2}, 1 << 20},
		{"losses", nic.Options{Lose: oneIn(50)}, 1 << 20},
		{"losses of segmented", nic.Options{Offloads: allOffloads, Lose: oneIn(20)}, 256 << 10}, // a retransmission that is lost takes a time-out
	} {
		for family, addr := range map[int][]byte{syscall.AF_INET: v4(80, 10, 0, 0, 2), syscall.AF_INET6: v6(80, 2)} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, family), func(t *testing.T) {
				t.Parallel()
				a, b := twoStacks(t, tt.Options)
				l := b.listen(t, family, addr)
				c := a.openSocket(t, family, syscall.SOCK_STREAM, 0)
				if err := connect(t, c, addr); err != nil {
					t.Fatal(err)
				}
				d, err := accept(l)
				if err != nil {
					t.Fatal(err)
				}
				data := make([]byte, tt.size)
				r := rand.NewChaCha8([32]byte{1})
				_, _ = io.ReadFull(r, data)
				done := make(chan error, 2)
				for _, f := range []*socket.File{c, d} {
					go func() {
						n, err := f.Write(data)
						if err == nil && n != len(data) {
							err = io.ErrShortWrite
						}
						if err == nil {
							err = f.Shutdown(syscall.SHUT_WR)
						}
						done <- err
					}()
				}
				got := make(chan error, 2)
				for _, f := range []*socket.File{c, d} {
					go func() {
						b, err := readAll(f)
						if err == nil && !bytes.Equal(b, data) {
							err = fmt.Errorf("%d bytes came, not those that were sent", len(b))
						}
						got <- err
					}()
				}
				for range 2 {
					if err := <-done; err != nil {
						t.Error("send:", err)
					}
					if err := <-got; err != nil {
						t.Error("receive:", err)
					}
				}
				c.Release()
				d.Release()
				l.Release()
			})
		}
	}
}

// oneIn loses one frame in n, at random.
func oneIn(n int) func(*nic.Frame) bool {
	r := rand.New(rand.NewPCG(1, 2))
	return func(*nic.Frame) bool { return r.IntN(n) == 0 }
}

func v6(port uint16, last byte) []byte {
	b := make([]byte, 28)
	b[0], b[2], b[3], b[8], b[23] = syscall.AF_INET6, byte(port>>8), byte(port), 0xfd, last
	return b
}

// TestDatagram: datagrams arrive whole, also those that are cut into fragments, with
// checksums that are right whatever the card offers.
func TestDatagram(t *testing.T) {
	for _, o := range []nic.Options{{}, {Offloads: allOffloads}, {MTU: nic.MaxMTU, Offloads: allOffloads}} {
		for family, addr := range map[int][]byte{syscall.AF_INET: v4(53, 10, 0, 0, 2), syscall.AF_INET6: v6(53, 2)} {
			a, b := twoStacks(t, o)
			d := b.openSocket(t, family, syscall.SOCK_DGRAM, 0)
			if err := d.Bind(addr); err != nil {
				t.Fatal(err)
			}
			c := a.openSocket(t, family, syscall.SOCK_DGRAM, 0)
			for _, size := range []int{0, 1, 1000, 1472, 1473, 3000, 40000, 65000} {
				sent := bytes.Repeat([]byte{byte(size)}, size)
				if n, err := c.Transmit(&socket.Message{Buffers: [][]byte{sent}, Addr: addr}, nil); err != nil || n != size {
					t.Fatalf("%d bytes: sent %d, %v", size, n, err)
				}
				got := make([]byte, 65536)
				m := socket.Message{Buffers: [][]byte{got}}
				n, err := d.Receive(&m, nil)
				if err != nil || !bytes.Equal(got[:n], sent) {
					t.Fatalf("%d bytes: got %d, %v", size, n, err)
				}
			}
		}
	}
}
