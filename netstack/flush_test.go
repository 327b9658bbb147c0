package netstack

import (
	"bytes"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/fs/socket"
)

// TestFlush: what was sent before the end arrives, and a peer that takes nothing holds
// up the end no longer than it may.
func TestFlush(t *testing.T) {
	a, b := twoStacks(t, nic.Options{})
	addr := v4(80, 10, 0, 0, 2)
	l := b.listen(t, syscall.AF_INET, addr)
	c := a.openSocket(t, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := connect(t, c, addr); err != nil {
		t.Fatal(err)
	}
	d, err := accept(l)
	if err != nil {
		t.Fatal(err)
	}
	sent := bytes.Repeat([]byte("x"), 300<<10)
	if _, err := c.Write(sent); err != nil {
		t.Fatal(err)
	}
	// The end is not for the program to see, whether it waits or asks.
	al := a.listen(t, syscall.AF_INET, v4(81, 10, 0, 0, 1))
	seen := make(chan string, 2)
	go func() {
		_, err := accept(al)
		seen <- fmt.Sprint("accept: ", err)
	}()
	go func() {
		n, err := c.Read(make([]byte, 1))
		seen <- fmt.Sprint("read: ", n, ", ", err)
	}()
	got := make(chan int)
	go func() {
		all, _ := readAll(d)
		got <- len(all)
	}()
	a.Flush(time.Minute)
	if a.sending() {
		t.Error("something is not confirmed")
	}
	if n := <-got; n != len(sent) {
		t.Errorf("%d bytes came, want %d", n, len(sent))
	}
	for name, do := range map[string]func() error{
		"accept": func() error { _, err := al.Accept(); return err },
		"send":   func() error { _, err := c.Send(&socket.Message{Buffers: [][]byte{{1}}}); return err },
		"recv":   func() error { _, err := c.Recv(&socket.Message{Buffers: [][]byte{{1}}}); return err },
		"poll": func() error {
			if now, err := c.Poll(^uint32(0)); now != 0 {
				return fmt.Errorf("events %#x, %v", now, err)
			}
			return syscall.EAGAIN
		},
	} {
		if err := do(); err != syscall.EAGAIN {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
	select {
	case text := <-seen:
		t.Error("the end was seen: ", text)
	case <-time.After(100 * time.Millisecond):
	}
}

var a4, a6 = netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")

// FuzzReceive: no frame is a panic, whatever the card says of it, and however it is cut, also
// where a raw socket hears it, or sends it.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("\x52\x54\x00\x00\x00\x01\x52\x54\x00\x00\x00\x02\x08\x00E\x00\x00\x1c\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x02\x0a\x00\x00\x01\x00\x43\x00\x44\x00\x08\x00\x00"))
	f.Add(announceNDP("\x52\x54\x00\x00\x00\x02", addressOf(a6)))
	f.Add(announceARP("\x52\x54\x00\x00\x00\x02", addressOf(a4)))
	f.Add([]byte("\x52\x54\x00\x00\x00\x01\x52\x54\x00\x00\x00\x02\x08\x00E\x00\x00\x1c\x00\x00\x00\x00\x40\x2f\x66\xaf\x0a\x00\x00\x02\x0a\x00\x00\x01datagram"))
	f.Add([]byte("\x52\x54\x00\x00\x00\x01\x52\x54\x00\x00\x00\x02\x86\xdd`\x00\x00\x00\x00\x10<\x40\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x2f\x00\x01\x04\x00\x00\x00\x00datagram"))
	f.Add(append([]byte("\x52\x54\x00\x00\x00\x01\x52\x54\x00\x00\x00\x02\x08\x00E\x00\x00\x38\x00\x00\x00\x00\x40\x01\x66\xc1\x0a\x00\x00\x02\x0a\x00\x00\x01\x03\x02\x00\x00\x00\x00\x00\x00"),
		append(ipv4Header(8, 47, [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}), "datagram"...)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < nic.HeaderLen || len(b) > nic.MaxFrame {
			return
		}
		s, _ := twoStacks(t, nic.Options{Offloads: allOffloads})
		copy(b, macA[:])
		hear := s.rawSockets(t, b)
		defer hear()
		l := s.links[0]
		for _, o := range []nic.Offload{{}, {ChecksumValid: true}, {NeedsChecksum: true, GSO: nic.GSOTCPv4, GSOSize: 1}} {
			half := len(b) - len(b)/3
			parts := []nic.Part{}
			for _, p := range [][]byte{b[:max(half, nic.HeaderLen)], b[max(half, nic.HeaderLen):]} {
				m := l.Alloc(max(len(p), 1))
				copy(m.Bytes(), p)
				parts = append(parts, nic.Part{Buffer: m, Len: len(p)})
			}
			l.Receive(0, []nic.Received{{Parts: parts, Offload: o}})
		}
	})
}

// rawSockets opens raw sockets of the protocols that a frame may be of, and sends it by
// those that have their header. What it returns has them hear what has come.
func (s *Stack) rawSockets(t *testing.T, frame []byte) (hear func()) {
	t.Helper()
	var open []*socket.File
	for family, c := range map[int]struct {
		at, least int
		to        []byte
	}{syscall.AF_INET: {nic.HeaderLen + 9, 20, v4(0, 127, 0, 0, 1)}, syscall.AF_INET6: {nic.HeaderLen + 6, 0, v6lo(0)}} {
		protocols := []int{syscall.IPPROTO_ICMP, syscall.IPPROTO_ICMPV6, 47}
		if len(frame) > c.at && frame[c.at] != 0 {
			protocols = append(protocols, int(frame[c.at]))
		}
		for _, p := range protocols {
			f := s.openSocket(t, family, syscall.SOCK_RAW, p)
			_ = f.SetOption(solRaw, syscall.IPV6_CHECKSUM, []byte{frame[len(frame)-1] &^ 1, 0, 0, 0}) // with IPv4 there is none
			open = append(open, f)
		}
		whole := s.openSocket(t, family, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
		_, _ = whole.Send(&socket.Message{Buffers: [][]byte{frame[nic.HeaderLen:]}, Addr: c.to}) // most are bad
		_, _ = open[len(open)-1].Send(&socket.Message{Buffers: [][]byte{frame[nic.HeaderLen:]}, Addr: c.to})
		open = append(open, whole)
	}
	return func() {
		for _, f := range open {
			header := 0
			if f.Domain == syscall.AF_INET {
				header = 20
			}
			hears(t, f, header)
			e := f.Socket.(*sock).raw()
			e.mu.Lock()
			want := 0
			for _, d := range e.queue { // what has come since
				want += len(d.data) + rawOverhead
			}
			if e.charge != want {
				t.Errorf("%d bytes are charged, want %d", e.charge, want)
			}
			e.mu.Unlock()
			f.Release()
		}
	}
}
