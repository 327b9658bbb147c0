package nic_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
)

var (
	here  = nic.Address{2, 0, 0, 0, 0, 1}
	there = nic.Address{2, 0, 0, 0, 0, 2}
)

// stack takes what a device delivers, and counts buffers.
type stack struct {
	got       chan received
	buffers   atomic.Int64 // that are out
	links     chan bool
	announced atomic.Int32
}

type received struct {
	queue int
	data  []byte
	nic.Offload
}

type buffer struct {
	s    *stack
	b    []byte
	gone atomic.Bool
}

func (b *buffer) Bytes() []byte { return b.b }

func (b *buffer) Release() {
	if b.gone.Swap(true) {
		panic("a buffer is released twice")
	}
	b.s.buffers.Add(-1)
}

func newStack() *stack {
	return &stack{got: make(chan received, 4096), links: make(chan bool, 16)}
}

func (s *stack) Alloc(size int) nic.Buffer {
	s.buffers.Add(1)
	return &buffer{s: s, b: make([]byte, size)}
}

func (s *stack) Receive(queue int, frames []nic.Received) {
	for i := range frames {
		var data []byte
		for _, p := range frames[i].Parts {
			data = append(data, p.Bytes()...)
		}
		frames[i].Release()
		s.got <- received{queue, data, frames[i].Offload}
	}
}

func (s *stack) LinkChanged(up bool) { s.links <- up }
func (s *stack) Announce()           { s.announced.Add(1) }

func (s *stack) next(t *testing.T) received {
	t.Helper()
	select {
	case r := <-s.got:
		return r
	case <-time.After(time.Minute):
		t.Fatal("nothing arrives")
	}
	panic("unreachable")
}

// owner counts how often it is told.
type owner struct{ n atomic.Int32 }

func (o *owner) Release() { o.n.Add(1) }

func frame(to nic.Address, payload int) nic.Frame {
	b := make([]byte, nic.HeaderLen+payload)
	copy(b, to[:])
	for i := range b[12:] {
		b[12+i] = byte(rand.Uint32())
	}
	return nic.Frame{Data: [][]byte{b[:nic.HeaderLen], b[nic.HeaderLen:]}, Owner: new(owner)}
}

func pair(t *testing.T, o nic.Options) (a, b *nic.End, sa, sb *stack) {
	a, b = nic.Pair(here, there, o)
	sa, sb = newStack(), newStack()
	if err := errors.Join(a.Start(sa), b.Start(sb)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.Close()
		b.Close()
		if n := sa.buffers.Load() + sb.buffers.Load(); n != 0 {
			t.Errorf("%d buffers were not released", n)
		}
	})
	return a, b, sa, sb
}

// Frames of all lengths arrive whole, in order, at the queue that they were sent
// into, with their offloads, and each owner is told once.
func TestPair(t *testing.T) {
	all := nic.Offloads{Checksum: true, TSO4: true, TSO6: true, ReceiveChecksum: true, ReceiveGSO: true}
	a, b, sa, sb := pair(t, nic.Options{Queues: 2, Offloads: all})
	for _, way := range []struct {
		from *nic.End
		to   nic.Address
		s    *stack
	}{{a, there, sb}, {b, here, sa}} {
		var frames []nic.Frame
		for _, n := range []int{0, 1, 46, 1499, 1500, 4096, 9000, 65535} {
			f := frame(way.to, n)
			if n > 1500 {
				f.Offload = nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 54}
			}
			frames = append(frames, f)
		}
		if n, err := way.from.Send(1, frames); n != len(frames) || err != nil {
			t.Fatalf("sent %d, %v", n, err)
		}
		for _, f := range frames {
			got := way.s.next(t)
			if want := bytes.Join(f.Data, nil); got.queue != 1 || !bytes.Equal(got.data, want) || got.Offload != f.Offload {
				t.Errorf("%d bytes arrive in queue %d as %d, %+v", len(want), got.queue, len(got.data), got.Offload)
			}
			if n := f.Owner.(*owner).n.Load(); n != 1 {
				t.Errorf("the owner was told %d times", n)
			}
		}
	}
	if s := b.Stats(); s.RxFrames != 8 || s.TxFrames != 8 || s.RxBytes != s.TxBytes {
		t.Errorf("%+v", s)
	}
}

// What a device cannot send it takes, counts and drops.
func TestUnsendable(t *testing.T) {
	a, _, _, sb := pair(t, nic.Options{Offloads: nic.Offloads{Checksum: true, TSO4: true}})
	bad := []nic.Frame{frame(there, 1501), {Data: [][]byte{make([]byte, 13)}}, {}}
	with := func(payload int, o nic.Offload) {
		f := frame(there, payload)
		f.Offload = o
		bad = append(bad, f)
	}
	with(100, nic.Offload{NeedsChecksum: true, ChecksumStart: 100, ChecksumOffset: 16})
	with(100, nic.Offload{NeedsChecksum: true, ChecksumStart: 65535, ChecksumOffset: 65535})
	with(100, nic.Offload{NeedsChecksum: true, ChecksumStart: 13, ChecksumOffset: 0})
	with(9000, nic.Offload{GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 54})
	with(9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOHeader: 54})
	with(9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 33})
	with(9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 9999})
	with(9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 54, ChecksumOffset: 16, GSO: nic.GSOTCPv6, GSOSize: 1448, GSOHeader: 74})
	with(9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6, GSO: nic.GSOUDP, GSOSize: 1448, GSOHeader: 42})
	with(9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: nic.GSOTCPv4, GSOSize: 1448, GSOHeader: 54, ECN: true})
	with(9000, nic.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: 77, GSOSize: 1448, GSOHeader: 54})
	good := frame(there, 10)
	if n, err := a.Send(0, append(bad, good)); n != len(bad)+1 || err != nil {
		t.Fatalf("sent %d, %v", n, err)
	}
	if got := sb.next(t); !bytes.Equal(got.data, bytes.Join(good.Data, nil)) {
		t.Errorf("arrived: %d bytes", len(got.data))
	}
	if s := a.Stats(); s.TxErrors != uint64(len(bad)) || s.TxFrames != 1 {
		t.Errorf("%+v, with %d bad frames", s, len(bad))
	}
	for i, f := range bad {
		if o, ok := f.Owner.(*owner); ok && o.n.Load() != 1 {
			t.Errorf("owner %d was told %d times", i, o.n.Load())
		}
	}
}

// A full queue says so, and then that it has room.
func TestRoom(t *testing.T) {
	a, b, _, sb := pair(t, nic.Options{Depth: 8})
	block := make(chan struct{})
	var once sync.Once
	const n = 500
	go func() {
		for range n {
			r := <-sb.got
			once.Do(func() { <-block })
			_ = r
		}
		close(sb.links)
	}()
	var frames []nic.Frame
	for range n {
		frames = append(frames, frame(there, 20))
	}
	short := 0
	for rest := frames; len(rest) > 0; {
		k, err := a.Send(0, rest)
		if err != nil {
			t.Fatal(err)
		}
		if rest = rest[k:]; len(rest) > 0 {
			if short++; short == 1 {
				close(block)
			}
			<-a.Room(0)
		}
	}
	<-sb.links
	if short == 0 {
		t.Error("the queue was never full")
	}
	sb.links = make(chan bool)
	if s := b.Stats(); s.RxFrames != n {
		t.Errorf("%+v", s)
	}
}

// The filter, the link and losses.
func TestPairDrops(t *testing.T) {
	lose := atomic.Bool{}
	a, b, _, sb := pair(t, nic.Options{Lose: func(*nic.Frame) bool { return lose.Load() }})
	other, group := nic.Address{2, 9, 9, 9, 9, 9}, nic.Address{1, 0, 0x5e, 0, 0, 1}
	arrive := func(what string, want ...nic.Address) {
		t.Helper()
		all := []nic.Address{there, other, group, nic.Broadcast}
		before := b.Stats()
		for _, to := range all {
			a.Send(0, []nic.Frame{frame(to, 50)})
		}
		for _, to := range want {
			if got := sb.next(t); nic.Address(got.data) != to {
				t.Errorf("%s: a frame to %v arrives, want %v", what, nic.Address(got.data), to)
			}
		}
		for begin := time.Now(); a.Link() && !lose.Load() && time.Since(begin) < time.Minute; {
			if s := b.Stats(); s.RxFrames+s.RxDropped-before.RxFrames-before.RxDropped == uint64(len(all)) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if s := b.Stats(); s.RxFrames-before.RxFrames != uint64(len(want)) {
			t.Errorf("%s: %d arrive, want %d", what, s.RxFrames-before.RxFrames, len(want))
		}
	}
	arrive("no filter", there, other, group, nic.Broadcast)
	b.SetFilter(nic.Filter{})
	arrive("own address", there, nic.Broadcast)
	b.SetFilter(nic.Filter{Addresses: []nic.Address{other}})
	arrive("addresses", there, other, nic.Broadcast)
	b.SetFilter(nic.Filter{AllMulticast: true})
	arrive("groups", there, group, nic.Broadcast)
	b.SetFilter(nic.Filter{Promiscuous: true})
	arrive("promiscuous", there, other, group, nic.Broadcast)
	a.SetLink(false)
	if up := <-sb.links; up || b.Link() {
		t.Error("the link stays up")
	}
	arrive("link down")
	b.SetLink(true)
	if up := <-sb.links; !up {
		t.Error("the link stays down")
	}
	lose.Store(true)
	arrive("losses")
	b.Announce()
	if sb.announced.Load() != 1 {
		t.Error("no announcement")
	}
}

// Once Close has returned, every frame and every buffer has been released, and
// sending fails.
func TestPairClose(t *testing.T) {
	for _, first := range []int{0, 1} {
		a, b, _, _ := pair(t, nic.Options{Depth: 16})
		stop := make(chan struct{})
		sent := make(chan []*owner)
		go func() {
			var owners []*owner
			for {
				select {
				case <-stop:
					sent <- owners
					return
				default:
				}
				f := frame(there, 1000)
				if n, _ := a.Send(0, []nic.Frame{f}); n == 1 {
					owners = append(owners, f.Owner.(*owner))
				} else {
					<-a.Room(0)
				}
			}
		}()
		ends := []*nic.End{a, b}
		for _, i := range []int{first, 1 - first} {
			time.Sleep(5 * time.Millisecond)
			ends[i].Close()
		}
		close(stop)
		last := frame(there, 1000)
		if n, err := a.Send(0, []nic.Frame{last}); n != 1 || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("sending into what is closed: %d, %v", n, err)
		}
		for _, o := range append(<-sent, last.Owner.(*owner)) {
			if n := o.n.Load(); n != 1 {
				t.Fatalf("an owner was told %d times", n)
			}
		}
	}
}
