package virtio_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// setup brings up a device with one queue.
func setup(t testing.TB, d *virtiotest.Device, mem virtio.Memory, size int) (*virtio.Device, *virtio.Queue) {
	t.Helper()
	var q *virtio.Queue
	dev, err := virtio.Init(d, mem, virtio.Driver{Setup: func(v *virtio.Device) (err error) {
		q, err = v.AddQueue(0, "test", size)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dev.Close()
		for _, f := range d.Faults() {
			t.Error("the driver broke a rule:", f)
		}
	})
	return dev, q
}

// echo answers a request with its own bytes, as many as there is room for.
func echo(c *virtiotest.Chain) {
	n := 0
	for _, r := range c.Read {
		n += c.Put(n, r)
	}
	c.Done(n)
}

func within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%s takes for ever", what)
	}
}

// cut splits b at random places into some parts, a few of them empty.
func cut(r *rand.Rand, b []byte, most int) [][]byte {
	var parts [][]byte
	for len(parts) < most-1 && len(b) > 0 {
		n := r.IntN(len(b) + 1)
		parts = append(parts, b[:n:n])
		b = b[n:]
	}
	return append(parts, b)
}

func fill(b []byte, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func combinations(t *testing.T, f func(t *testing.T, features uint64, mem *virtiotest.Memory)) {
	for _, features := range []uint64{0, virtio.FeatureIndirectDesc, virtio.FeatureEventIdx, virtio.FeatureIndirectDesc | virtio.FeatureEventIdx} {
		for _, kind := range []string{"direct", "bounce", "scatter"} {
			t.Run(fmt.Sprintf("%#x-%s", features, kind), func(t *testing.T) {
				mem := virtiotest.NewMemory(4 << 20)
				mem.Bounce = kind == "bounce"
				if kind == "scatter" {
					mem.Scatter = 1024
				}
				f(t, features, mem)
				if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
					t.Errorf("after the device is closed %d bytes are in use, %d wrong frees", s.InUse, s.Wrong)
				}
			})
		}
	}
}

func TestDo(t *testing.T) {
	combinations(t, func(t *testing.T, features uint64, mem *virtiotest.Memory) {
		d := virtiotest.New(mem, 26, features, 8)
		d.Serve = echo
		dev, q := setup(t, d, mem, 128)
		if q.Size() != 8 {
			t.Fatalf("size %d, want the device's 8", q.Size())
		}
		r := rand.New(rand.NewPCG(1, 2))
		for i := range 500 {
			msg := fill(make([]byte, 1+r.IntN(5000)), uint64(i))
			reply := make([]byte, r.IntN(6000))
			in, out := cut(r, msg, 1+r.IntN(12)), cut(r, reply, 1+r.IntN(12))
			n, err := q.Do(in, out)
			if err != nil {
				t.Fatal(err)
			}
			want := min(len(msg), len(reply))
			if n != want || !bytes.Equal(reply[:n], msg[:n]) {
				t.Fatalf("round %d: %d bytes, want %d, equal %v", i, n, want, bytes.Equal(reply[:n], msg[:n]))
			}
			if len(bytes.Trim(reply[n:], "\x00")) != 0 {
				t.Fatalf("round %d: bytes beyond the reply were written", i)
			}
		}
		if s := q.Stats(); s.Requests != 500 || s.InFlight != 0 || s.Bad != 0 {
			t.Errorf("counters: %+v", s)
		}
		for _, parts := range [][][]byte{nil, {}, {nil, {}}} {
			if _, err := q.Do(parts, nil); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("empty request: %v, want EINVAL", err)
			}
		}
		dev.Close()
	})
}

// Memory that is not contiguous goes to the device in pieces, but for small parts
// and for more pieces than there are descriptors, which are copied.
func TestScattered(t *testing.T) {
	for _, tt := range []struct {
		name        string
		sizes       []int // of parts
		least, most int   // pieces
	}{
		{"large", []int{40, 100_000}, 1 + 25, 1 + 26},
		{"small across a boundary", []int{4000, 4000, 4000}, 3, 3},
		{"two large", []int{60_000, 50_000}, 15 + 13, 16 + 14},
		{"too many pieces", []int{300_000}, 1, 1},
		{"one of two has too many", []int{20_000, 300_000}, 5 + 1, 6 + 1},
		{"many parts", slices.Repeat([]int{8192}, 61), 61, 63},
		{"too many parts", slices.Repeat([]int{8192}, 100), 63, 63},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mem := virtiotest.NewMemory(4 << 20)
			mem.Scatter = 4096
			d := virtiotest.New(mem, 26, virtio.FeatureIndirectDesc, 64)
			pieces := 0
			d.Serve = func(c *virtiotest.Chain) {
				pieces = len(c.Read)
				echo(c)
			}
			dev, q := setup(t, d, mem, 64)
			var in [][]byte
			var msg []byte
			for i, n := range tt.sizes {
				in = append(in, fill(make([]byte, n), uint64(i)))
				msg = append(msg, in[i]...)
			}
			reply := make([]byte, len(msg))
			if n, err := q.Do(in, [][]byte{reply}); n != len(msg) || err != nil || !bytes.Equal(msg, reply) {
				t.Errorf("%d of %d, %v, equal %v", n, len(msg), err, bytes.Equal(msg, reply))
			}
			if pieces < tt.least || pieces > tt.most {
				t.Errorf("%d pieces, want %d to %d", pieces, tt.least, tt.most)
			}
			dev.Close()
			if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Many goroutines, a small ring, replies out of order: everyone gets their own
// reply, and a full ring is waited for.
func TestConcurrent(t *testing.T) {
	combinations(t, func(t *testing.T, features uint64, mem *virtiotest.Memory) {
		d := virtiotest.New(mem, 26, features, 16)
		var mu sync.Mutex
		var held []*virtiotest.Chain
		flush := func() {
			mu.Lock()
			batch := held
			held = nil
			mu.Unlock()
			rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			for _, c := range batch {
				echo(c)
			}
		}
		d.Serve = func(c *virtiotest.Chain) {
			mu.Lock()
			held = append(held, c)
			n := len(held)
			mu.Unlock()
			if n >= 3 {
				flush()
			}
		}
		stop := make(chan struct{})
		var ticker sync.WaitGroup
		ticker.Add(1)
		go func() {
			defer ticker.Done()
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					flush()
				}
			}
		}()
		dev, q := setup(t, d, mem, 16)
		within(t, "concurrent use", func() {
			var wg sync.WaitGroup
			for g := range 40 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					r := rand.New(rand.NewPCG(uint64(g), 7))
					for i := range 50 {
						msg := fill(make([]byte, 1+r.IntN(300)), uint64(g*1000+i))
						reply := make([]byte, len(msg))
						n, err := q.Do(cut(r, msg, 1+r.IntN(4)), cut(r, reply, 1+r.IntN(4)))
						if err != nil || n != len(msg) || !bytes.Equal(msg, reply) {
							t.Errorf("goroutine %d: reply %d of %d bytes, %v, equal %v", g, n, len(msg), err, bytes.Equal(msg, reply))
							return
						}
					}
				}()
			}
			wg.Wait()
		})
		close(stop)
		ticker.Wait()
		if s := q.Stats(); s.Requests != 2000 || s.Full == 0 {
			t.Errorf("counters: %+v, want 2000 requests and some waits", s)
		}
		dev.Close()
	})
}

func TestPost(t *testing.T) {
	combinations(t, func(t *testing.T, features uint64, mem *virtiotest.Memory) {
		d := virtiotest.New(mem, 26, features, 16)
		var got atomic.Int64
		d.Serve = func(c *virtiotest.Chain) {
			for _, r := range c.Read {
				got.Add(int64(r[0]))
			}
			c.Done(0)
		}
		dev, q := setup(t, d, mem, 16)
		const each, goroutines = 300, 4
		within(t, "posting", func() {
			var wg sync.WaitGroup
			for range goroutines {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for range each {
						if err := q.Post([][]byte{{1, 2}, {1}}); err != nil {
							t.Error(err)
						}
					}
				}()
			}
			wg.Wait()
			for got.Load() < 2*each*goroutines {
				time.Sleep(time.Millisecond)
			}
		})
		if n := got.Load(); n != 2*each*goroutines {
			t.Errorf("%d parts arrived, want %d", n, 2*each*goroutines)
		}
		dev.Close()
	})
}

// A lone message costs no interrupt.
func TestPostQuiet(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureEventIdx} {
		mem := virtiotest.NewMemory(1 << 20)
		d := virtiotest.New(mem, 26, features, 64)
		served := make(chan struct{}, 1)
		d.Serve = func(c *virtiotest.Chain) { c.Done(0); served <- struct{}{} }
		_, q := setup(t, d, mem, 64)
		for range 20 {
			if err := q.Post([][]byte{{1}}); err != nil {
				t.Fatal(err)
			}
			<-served
		}
		if n := d.Interrupts(0); n != 0 {
			t.Errorf("features %#x: %d interrupts for 20 messages of which nobody awaits a reply", features, n)
		}
	}
}

// The event index saves notifications while the device is at work anyway.
func TestNotificationsSuppressed(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureEventIdx} {
		mem := virtiotest.NewMemory(1 << 20)
		d := virtiotest.New(mem, 26, features, 64)
		begin := make(chan struct{})
		d.Serve = func(c *virtiotest.Chain) { <-begin; c.Done(0) }
		_, q := setup(t, d, mem, 64)
		var reqs []*virtio.Request
		for i := range 20 {
			r, err := q.Start([][]byte{{1}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if reqs = append(reqs, r); i == 0 {
				for q.Stats().InFlight == 0 || d.Notifications(0) == 0 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(10 * time.Millisecond) // the device takes it up
			}
		}
		close(begin)
		for _, r := range reqs {
			if _, err := r.Wait(); err != nil {
				t.Error(err)
			}
		}
		if s := q.Stats(); s.Notifications > 3 || int(s.Notifications) != d.Notifications(0) {
			t.Errorf("features %#x: %d notifications for 20 requests, the device saw %d", features, s.Notifications, d.Notifications(0))
		}
	}
}

// Who watches the ring hands that over when it has its reply, so that no reply
// costs an interrupt; and all get their reply, watchers or not.
func TestWatch(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureEventIdx} {
		for _, most := range []int{1, 2, 100} {
			mem := virtiotest.NewMemory(1 << 20)
			d := virtiotest.New(mem, 26, features, 64)
			serve := make(chan bool)
			d.Serve = func(c *virtiotest.Chain) { <-serve; c.Done(0) }
			_, q := setup(t, d, mem, 64)
			q.SetWatch(most, time.Hour)
			const n = 5
			var left atomic.Int32
			for range n {
				left.Add(1)
				go func() {
					if _, err := q.Do([][]byte{{1}}, nil); err != nil {
						t.Error(err)
					}
					left.Add(-1)
				}()
			}
			for answered := 0; ; answered++ {
				in, watching := n-answered, min(most, n-answered)
				within(t, fmt.Sprintf("features %#x, %d may watch: reply %d", features, most, answered), func() {
					for {
						if w, p := q.Watchers(); w == watching && p == in-watching && int(left.Load()) == in {
							return
						}
						time.Sleep(time.Millisecond)
					}
				})
				if in == 0 {
					break
				}
				serve <- true
			}
			if i := d.Interrupts(0); i != 0 {
				t.Errorf("features %#x, %d may watch: %d interrupts for %d replies that somebody looked out for", features, most, i, n)
			}
		}
	}
}

// Requests of which the device is to be told by somebody who watches are not
// forgotten when the watch ends.
func TestWatchBriefly(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, virtio.FeatureEventIdx, 64)
	var first *virtiotest.Chain
	d.Serve = func(c *virtiotest.Chain) { // answers when it knows of both
		if first == nil {
			first = c
			return
		}
		first.Done(0)
		first = nil
		c.Done(0)
	}
	_, q := setup(t, d, mem, 64)
	q.SetWatch(1, time.Nanosecond)
	within(t, "the second of two requests", func() {
		for range 20000 {
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					if _, err := q.Do([][]byte{{1}}, nil); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		}
	})
	// On one CPU the two may never meet.
	if s := q.Stats(); runtime.GOMAXPROCS(0) > 1 && s.Notifications >= s.Requests {
		t.Errorf("%d notifications for %d requests", s.Notifications, s.Requests)
	}
}

// A watch in vain ends, and the interrupt brings the reply.
func TestWatchInVain(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, virtio.FeatureEventIdx, 64)
	serve := make(chan bool)
	d.Serve = func(c *virtiotest.Chain) { <-serve; c.Done(0) }
	_, q := setup(t, d, mem, 64)
	q.SetWatch(1, time.Microsecond)
	for range 100 {
		done := make(chan error)
		go func() {
			_, err := q.Do([][]byte{{1}}, nil)
			done <- err
		}()
		within(t, "a watch in vain", func() {
			for w, p := 0, 0; w != 0 || p != 1; w, p = q.Watchers() {
				time.Sleep(10 * time.Microsecond)
			}
			serve <- true
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	if n := d.Interrupts(0); n != 100 {
		t.Errorf("%d interrupts for 100 replies that nobody looked out for", n)
	}
}

// Beside goroutines that compute nobody watches, as the interrupt comes sooner than a look; alone, one does.
func TestWatchBesideOthers(t *testing.T) {
	for _, test := range []struct {
		others, late bool
		interrupts   uint64
	}{{false, false, 0}, {true, false, 0}, {false, true, 0}, {true, true, 1}} {
		mem := virtiotest.NewMemory(1 << 20)
		d := virtiotest.New(mem, 26, virtio.FeatureEventIdx, 64)
		serve := make(chan bool)
		d.Serve = func(c *virtiotest.Chain) { <-serve; c.Done(0) }
		_, q := setup(t, d, mem, 64)
		q.SetWatch(1, time.Hour)
		q.SetOthers(test.others, test.late)
		done := make(chan error)
		go func() {
			_, err := q.Do([][]byte{{1}}, nil)
			done <- err
		}()
		within(t, "a request", func() {
			for w, p := 0, 0; w+p != 1; w, p = q.Watchers() {
				time.Sleep(10 * time.Microsecond)
			}
			serve <- true
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		if n := uint64(d.Interrupts(0)); n != test.interrupts {
			t.Errorf("others %v, late %v: %d interrupts, want %d", test.others, test.late, n, test.interrupts)
		}
	}
}

// A look that had to wait for somebody who computes is the last one.
func TestWatchLate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, virtio.FeatureEventIdx, 64)
	serve := make(chan bool)
	d.Serve = func(c *virtiotest.Chain) { <-serve; c.Done(0) }
	_, q := setup(t, d, mem, 64)
	q.SetWatch(1, time.Hour)
	q.SetOthers(true, false)
	var stop atomic.Bool
	var computes sync.WaitGroup
	computes.Go(func() {
		for !stop.Load() {
		}
	})
	done := make(chan error)
	go func() {
		_, err := q.Do([][]byte{{1}}, nil)
		done <- err
	}()
	within(t, "the end of a watch beside a computing goroutine", func() {
		for w, p := 0, 0; w != 0 || p != 1; w, p = q.Watchers() {
			time.Sleep(time.Millisecond)
		}
		stop.Store(true)
		serve <- true
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	computes.Wait()
}

// What is deferred costs no notification and no interrupt of its own.
func TestDefer(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureEventIdx} {
		mem := virtiotest.NewMemory(1 << 20)
		d := virtiotest.New(mem, 26, features, 64)
		var served atomic.Int32
		d.Serve = func(c *virtiotest.Chain) { served.Add(1); echo(c) }
		_, q := setup(t, d, mem, 64)
		deferred := func() (r *virtio.Request, reply []byte) {
			reply = make([]byte, 1)
			r, err := q.Defer([][]byte{{7}}, [][]byte{reply})
			if err != nil {
				t.Fatal(err)
			}
			return r, reply
		}
		settled := func(r *virtio.Request, reply []byte) {
			t.Helper()
			if n, err := r.Wait(); n != 1 || err != nil || reply[0] != 7 {
				t.Errorf("features %#x: %d, %v, reply %v", features, n, err, reply)
			}
		}
		if _, err := q.Do([][]byte{{1}}, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // until the device looks at the ring no more
		served.Store(0)
		notifications, interrupts := d.Notifications(0), d.Interrupts(0)
		var requests []*virtio.Request
		var replies [][]byte
		for range 5 {
			r, reply := deferred()
			requests, replies = append(requests, r), append(replies, reply)
		}
		time.Sleep(20 * time.Millisecond)
		if n := d.Notifications(0) - notifications; n != 0 || served.Load() != 0 {
			t.Errorf("features %#x: %d notifications for deferred requests, %d of which were served", features, n, served.Load())
		}
		q.Flush()
		within(t, "flushing", func() {
			for served.Load() < 5 || len(requests[4].Done()) == 0 {
				time.Sleep(time.Millisecond)
				q.Flush()
			}
		})
		for i := range requests {
			settled(requests[i], replies[i])
		}
		if n, i := d.Notifications(0)-notifications, d.Interrupts(0)-interrupts; n != 1 || i != 0 {
			t.Errorf("features %#x: %d notifications and %d interrupts for requests flushed at once, want 1 and 0", features, n, i)
		}
		// They go with the next request,
		r, reply := deferred()
		if _, err := q.Do([][]byte{{1}}, nil); err != nil {
			t.Error(err)
		}
		settled(r, reply)
		// and need none if somebody waits, by watching or for an interrupt.
		for _, watch := range []time.Duration{0, time.Second} {
			q.SetWatch(1, watch)
			for range 50 {
				r, reply := deferred()
				within(t, "waiting for a deferred request", func() { settled(r, reply) })
			}
		}
	}
}

// Deferred requests that fill the ring make room for others.
func TestDeferFull(t *testing.T) {
	combinations(t, func(t *testing.T, features uint64, mem *virtiotest.Memory) {
		d := virtiotest.New(mem, 26, features, 8)
		d.Serve = echo
		dev, q := setup(t, d, mem, 8)
		within(t, "a full ring", func() {
			var requests []*virtio.Request
			for range 6 {
				r, err := q.Defer([][]byte{{1}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				requests = append(requests, r)
			}
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 100 {
						if _, err := q.Do([][]byte{{1}}, [][]byte{make([]byte, 1)}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			for _, r := range requests {
				if _, err := r.Wait(); err != nil {
					t.Error(err)
				}
			}
		})
		dev.Close()
	})
}

// A chain longer than the queue still arrives, cut differently.
func TestLongChain(t *testing.T) {
	combinations(t, func(t *testing.T, features uint64, mem *virtiotest.Memory) {
		d := virtiotest.New(mem, 26, features, 8)
		d.Serve = echo
		dev, q := setup(t, d, mem, 8)
		msg := fill(make([]byte, 400), 3)
		reply := make([]byte, 400)
		var in, out [][]byte
		for i := 0; i < 400; i += 4 {
			in, out = append(in, msg[i:i+4]), append(out, reply[i:i+4])
		}
		for range 20 {
			clear(reply)
			if n, err := q.Do(in, out); n != 400 || err != nil || !bytes.Equal(msg, reply) {
				t.Fatalf("%d, %v, equal %v", n, err, bytes.Equal(msg, reply))
			}
		}
		dev.Close()
	})
}

// When memory runs out a request fails, and the next one goes on.
func TestNoMemory(t *testing.T) {
	mem := virtiotest.NewMemory(64 << 10)
	mem.Bounce = true
	d := virtiotest.New(mem, 26, virtio.FeatureIndirectDesc, 8)
	d.Serve = echo
	_, q := setup(t, d, mem, 8)
	before := mem.Stats().InUse
	if _, err := q.Do([][]byte{make([]byte, 1000), make([]byte, 1<<20)}, [][]byte{make([]byte, 10)}); !errors.Is(err, virtio.ErrNoMemory) || !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("%v, want ErrNoMemory", err)
	}
	if now := mem.Stats().InUse; now != before {
		t.Errorf("%d bytes leaked", now-before)
	}
	if _, err := q.Do([][]byte{{1}}, [][]byte{{0}}); err != nil {
		t.Error(err)
	}
}

func TestRequestAllocatesNothing(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, 16)
	d.Serve = echo
	_, q := setup(t, d, mem, 16)
	in, out := [][]byte{make([]byte, 40), make([]byte, 24)}, [][]byte{make([]byte, 16), make([]byte, 4096)}
	for range 100 {
		q.Do(in, out)
	}
	if n := testing.AllocsPerRun(500, func() { q.Do(in, out) }); n != 0 {
		t.Errorf("%v allocations per request", n)
	}
}

func BenchmarkDo(b *testing.B) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, 128)
	d.Serve = func(c *virtiotest.Chain) { c.Done(16) }
	_, q := setup(b, d, mem, 128)
	in, out := [][]byte{make([]byte, 40), make([]byte, 24)}, [][]byte{make([]byte, 16), make([]byte, 4096)}
	for b.Loop() {
		if _, err := q.Do(in, out); err != nil {
			b.Fatal(err)
		}
	}
}

// wants checks an error of a bad device: EIO, naming device, queue and field.
func wants(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("%v is not EIO", err)
		return
	}
	for _, p := range append(parts, "virtio-test 0") {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q does not name %q", err, p)
		}
	}
}
