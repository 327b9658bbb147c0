package virtionet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// What a device may get wrong about a frame costs that frame, and nothing of another
// one is in those that follow.
func TestBadFrames(t *testing.T) {
	h := func(change func(h *header)) []byte {
		v := header{numBuffers: 1}
		change(&v)
		b := pattern(headerSize+100, 9)
		v.put(b)
		return b
	}
	good := func(h *header) {}
	tests := []struct {
		name    string
		offered uint64 // 0: everything
		b       []byte
		n       int // that the device says it wrote; 0: len(b)
		buffers int // further ones that it says belong to the frame
	}{
		{"nothing", 0, nil, 0, 0},
		{"a part of a header", 0, h(good)[:11], 0, 0},
		{"a header alone", 0, h(good)[:12], 0, 0},
		{"less than an Ethernet header", 0, h(good)[:25], 0, 0},
		{"more than its buffer", 0, h(good), 4097, 0},
		{"far more", 0, h(good), 0xffffffff, 0},
		{"no buffers", 0, h(func(h *header) { h.numBuffers = 0 }), 0, 0},
		{"two, and the second is empty", 0, h(func(h *header) { h.numBuffers = 2 }), 0, 1},
		{"more buffers than a frame can have", 0, h(func(h *header) { h.numBuffers = 300 }), 0, 299},
		{"the most buffers", 0, h(func(h *header) { h.numBuffers = 65535 }), 0, 65534},
		{"checksum in the Ethernet header", 0, h(func(h *header) { h.flags, h.csumStart = flagNeedsCsum, 13 }), 0, 0},
		{"checksum beyond the end", 0, h(func(h *header) { h.flags, h.csumStart, h.csumOffset = flagNeedsCsum, 34, 65 }), 0, 0},
		{"checksum far beyond the end", 0, h(func(h *header) { h.flags, h.csumStart, h.csumOffset = flagNeedsCsum, 65535, 65535 }), 0, 0},
		{"a kind of segments that is none", 0, h(func(h *header) { h.flags, h.csumStart, h.gsoType, h.gsoSize = flagNeedsCsum, 34, 7, 100 }), 0, 0},
		{"UDP fragments, which were not asked for", 0, h(func(h *header) { h.flags, h.csumStart, h.gsoType, h.gsoSize = flagNeedsCsum, 34, 3, 100 }), 0, 0},
		{"UDP datagrams, which were not asked for", 0, h(func(h *header) { h.flags, h.csumStart, h.gsoType, h.gsoSize = flagNeedsCsum, 34, 5, 100 }), 0, 0},
		{"ECN alone", 0, h(func(h *header) { h.flags, h.csumStart, h.gsoType, h.gsoSize = flagNeedsCsum, 34, 0x80, 100 }), 0, 0},
		{"segments of no size", 0, h(func(h *header) { h.flags, h.csumStart, h.gsoType = flagNeedsCsum, 34, gsoTCPv4 }), 0, 0},
		{"segments without a checksum", 0, h(func(h *header) { h.gsoType, h.gsoSize = gsoTCPv4, 100 }), 0, 0},
		{"segments where none were asked for", everything &^ featureGuestTSO4,
			h(func(h *header) { h.flags, h.csumStart, h.gsoType, h.gsoSize = flagNeedsCsum, 34, gsoTCPv4, 100 }), 0, 0},
		{"segments where no offload was asked for", everything &^ featureGuestCsum, h(func(h *header) { h.gsoType, h.gsoSize = gsoTCPv4, 100 }), 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.offered == 0 {
				tt.offered = everything
			}
			d := newDevice(tt.offered, 1)
			n, s := open(t, d)
			length := tt.n
			if length == 0 {
				length = len(tt.b)
			}
			d.raw(0, tt.b, length)
			for range tt.buffers {
				d.raw(0, nil, 0)
			}
			want := pattern(200, 5)
			d.deliver(0, header{}, want, 1<<20)
			if got := next(t, "the good frame", s.got); !bytes.Equal(got.data, want) || got.Offload != (nic.Offload{}) {
				t.Errorf("%d bytes arrive, %+v", len(got.data), got.Offload)
			}
			if st := n.Stats(); st.RxErrors != 1 || st.RxFrames != 1 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// A device that was not asked for offloads and says something of them is not believed.
func TestNotBelieved(t *testing.T) {
	d := newDevice(everything&^featureGuestCsum, 1)
	_, s := open(t, d)
	d.deliver(0, header{flags: flagNeedsCsum | flagDataValid, csumStart: 65535, csumOffset: 65535}, pattern(100, 0), 1<<20)
	if got := next(t, "the frame", s.got); got.Offload != (nic.Offload{}) {
		t.Errorf("%+v", got.Offload)
	}
}

// A frame in which the device says that there is more than it wrote shows nothing of
// an earlier one, and a frame longer than any can be is dropped with all its buffers
// and without more memory than one that is right.
func TestNothingOfAnother(t *testing.T) {
	d := newDevice(everything, 1)
	n, s := open(t, d)
	secret := bytes.Repeat([]byte{0xab}, 1000)
	for range 600 { // all buffers have had it
		copy(secret, address[:])
		d.deliver(0, header{}, secret, 1<<20)
		next(t, "a frame", s.got)
	}
	for range 300 {
		b := make([]byte, headerSize+20)
		(&header{numBuffers: 1}).put(b)
		d.raw(0, b, 4096)
		if got := next(t, "a frame", s.got); bytes.IndexByte(got.data, 0xab) >= 0 {
			t.Fatal("a frame has bytes of an earlier one")
		}
	}
	b := pattern(4096, 0)
	(&header{numBuffers: 40}).put(b)
	for range 40 {
		d.raw(0, b, 4096)
	}
	b = pattern(headerSize+14, 0)
	(&header{numBuffers: 5000}).put(b)
	d.raw(0, b, len(b))
	for range 4999 {
		d.raw(0, b[:1], 1)
		if out := s.out.Load(); out > 256+100 {
			t.Fatalf("%d buffers are out", out)
		}
	}
	want := pattern(9000, 5)
	d.deliver(0, header{}, want, 1<<20)
	if got := next(t, "the good frame", s.got); !bytes.Equal(got.data, want) {
		t.Errorf("%d bytes arrive", len(got.data))
	}
	if st := n.Stats(); st.RxErrors != 2 {
		t.Errorf("%+v", st)
	}
}

// What the device gets wrong in a ring ends it, whichever ring it is: the owner of the
// device is told, the link is down, and everything is given back.
func TestBadRing(t *testing.T) {
	for queue := range 2 {
		for name, tamper := range map[string]func(u *virtiotest.UsedElement){
			"id beyond the queue": func(u *virtiotest.UsedElement) { u.ID = 256 },
			"id not in flight":    func(u *virtiotest.UsedElement) { u.ID = 0xffffffff },
			"index jumps":         func(u *virtiotest.UsedElement) { u.Index += 900 },
		} {
			t.Run([]string{"receive ", "transmit "}[queue]+name, func(t *testing.T) {
				d := newDevice(everything, 1)
				failed := make(chan error, 2)
				n, err := Open(d, d.mem, func(err error) { failed <- err })
				if err != nil {
					t.Fatal(err)
				}
				s := newStack()
				if err := n.Start(s); err != nil {
					t.Fatal(err)
				}
				d.Tamper = func(q int, u *virtiotest.UsedElement) {
					if q == queue {
						tamper(u)
					}
				}
				f := frame(pattern(100, 0), nic.Offload{})
				if _, err := n.Send(0, []nic.Frame{f}); err != nil && queue == 0 {
					t.Error(err)
				}
				if queue == 0 {
					d.deliver(0, header{}, pattern(100, 0), 1<<20)
				}
				if err := next(t, "the failure", failed); !errors.Is(err, syscall.EIO) {
					t.Error(err)
				}
				if up := next(t, "the link", s.links); up || n.Link() {
					t.Error("the link is up")
				}
				g := frame(pattern(100, 0), nic.Offload{})
				if k, err := n.Send(0, []nic.Frame{g}); k != 1 || err == nil {
					t.Errorf("sent %d, %v", k, err)
				}
				closed(t, n, d, s)
				if told(f) != 1 || told(g) != 1 {
					t.Errorf("owners are told %d and %d times", told(f), told(g))
				}
			})
		}
	}
}

// Closing while frames go both ways gives everything back, once.
func TestCloseBusy(t *testing.T) {
	for i := range 20 {
		d := newDevice(everything, 1)
		n, s := open(t, d)
		stop := make(chan struct{})
		ended := make(chan []nic.Frame)
		go func() {
			var all []nic.Frame
			for {
				f := []nic.Frame{frame(pattern(100, 0), nic.Offload{}), frame(pattern(200, 0), nic.Offload{})}
				k, err := n.Send(0, f)
				all = append(all, f[:k]...)
				select {
				case <-stop:
					ended <- all
					return
				case <-d.sent:
				default:
					if err != nil {
						time.Sleep(time.Millisecond)
					}
				}
			}
		}()
		go func() {
			for range s.got {
			}
		}()
		go func() {
			for range 100 {
				d.mu.Lock()
				var c *virtiotest.Chain
				if l := d.buffers[0]; len(l) > 0 {
					c, d.buffers[0] = l[0], l[1:]
				}
				d.mu.Unlock()
				if c != nil {
					b := pattern(500, 0)
					(&header{numBuffers: 1}).put(b)
					c.Put(0, b)
					c.Done(len(b))
				}
			}
		}()
		time.Sleep(time.Duration(i%5) * 300 * time.Microsecond)
		closed(t, n, d, s)
		close(stop)
		for j, f := range next(t, "the sender", ended) {
			if told(f) != 1 {
				t.Fatalf("owner %d is told %d times", j, told(f))
			}
		}
	}
}

// FuzzReceive has the device fill buffers and say how much as it likes: nothing
// panics, what reaches the stack is as package nic says, and all comes back.
func FuzzReceive(f *testing.F) {
	add := func(h header, lengths ...uint16) {
		b := make([]byte, headerSize)
		h.put(b)
		for _, n := range lengths {
			b = binary.LittleEndian.AppendUint16(b, n)
		}
		f.Add(b, uint64(0xffff))
	}
	add(header{numBuffers: 1}, 100)
	add(header{numBuffers: 3}, 4096, 4096, 20)
	add(header{flags: 1, csumStart: 34, csumOffset: 16, gsoType: 1, gsoSize: 1448, numBuffers: 2}, 4096, 900)
	add(header{numBuffers: 65535}, 12, 26, 4097, 65535, 0)
	f.Fuzz(func(t *testing.T, script []byte, bits uint64) {
		d := newDevice(everything&^(^bits&(featureMrgRxBuf|featureGuestCsum|featureGuestTSO4|featureGuestTSO6|featureGuestECN)), 1)
		n, err := Open(d, d.mem, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := newStack()
		if err := n.Start(s); err != nil {
			t.Fatal(err)
		}
		used := 0
		for len(script) >= headerSize+2 && used < 100 {
			length := int(binary.LittleEndian.Uint16(script[headerSize:]))
			d.raw(0, script[:headerSize], length)
			used++
			// The next buffer begins with what comes next, a header or not.
			script = script[2:]
		}
		eventually(t, "taking what was used", func() bool {
			return n.dev.Err() != nil || int(n.rx[0].q.Stats().InFlight) == n.rx[0].most && n.rx[0].q.Stats().Requests == uint64(n.rx[0].most+used)
		})
		closed(t, n, d, s)
		close(s.got)
		o := n.Offloads()
		for r := range s.got {
			if len(r.data) < nic.HeaderLen || len(r.data) > nic.MaxFrame {
				t.Errorf("a frame of %d bytes", len(r.data))
			}
			if (r.NeedsChecksum || r.ChecksumValid) && !o.ReceiveChecksum || r.GSO != nic.GSONone && !o.ReceiveGSO {
				t.Errorf("%+v where %+v", r.Offload, o)
			}
			if r.NeedsChecksum && int(r.ChecksumStart)+int(r.ChecksumOffset)+2 > len(r.data) {
				t.Errorf("%+v of %d bytes", r.Offload, len(r.data))
			}
		}
		for _, fault := range d.Faults() {
			t.Error("the driver broke a rule:", fault)
		}
	})
}
