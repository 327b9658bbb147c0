package virtio_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// setupBuffers brings up a device with one queue of buffers. Back gets what Take
// returns, from the queue's own goroutine, which asks for an interrupt after every():
// no more than the device still has, or none would come.
func setupBuffers(t testing.TB, d *virtiotest.Device, mem virtio.Memory, size int, every func() int, back func(slot, n int, err error)) (*virtio.Device, *virtio.BufferQueue) {
	t.Helper()
	var q *virtio.BufferQueue
	take := func(q *virtio.BufferQueue) {
		for {
			slot, n, err := q.Take()
			if slot < 0 {
				return
			}
			back(slot, n, err)
		}
	}
	serve := func(q *virtio.BufferQueue) {
		for {
			q.Lock()
			for take(q); q.Ended() == nil && q.Arm(every()); take(q) {
			}
			q.Unlock()
			if !q.Wait() {
				break
			}
		}
		q.Lock()
		take(q)
		q.Unlock()
	}
	dev, err := virtio.Init(d, mem, virtio.Driver{Setup: func(v *virtio.Device) (err error) {
		q, err = v.AddBufferQueue(0, "buffers", size, serve)
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

func each() int { return 1 }

// Batches of buffers come back, each once and with what the device wrote, over all
// kinds of rings and memory, in whatever order the device uses them.
func TestBuffers(t *testing.T) {
	combinations(t, func(t *testing.T, features uint64, mem *virtiotest.Memory) {
		const size, buffers = 16, 500
		d := virtiotest.New(mem, 1, features, size)
		var held []*virtiotest.Chain
		var mu sync.Mutex
		shuffle := rand.New(rand.NewPCG(1, features))
		d.Serve = func(c *virtiotest.Chain) {
			mu.Lock()
			defer mu.Unlock()
			held = append(held, c)
			if len(held) > 3 {
				i := shuffle.IntN(len(held))
				echo(held[i])
				held = slices.Delete(held, i, i+1)
			}
		}
		drain := func() {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range held {
				echo(c)
			}
			held = nil
		}
		type state struct {
			in, out [][]byte
			busy    bool
		}
		slots := make([]state, size)
		done := make(chan struct{}, 1)
		count := 0
		dev, q := setupBuffers(t, d, mem, size, each, func(slot, n int, err error) {
			s := &slots[slot]
			if !s.busy || err != nil {
				t.Errorf("slot %d: busy %v, %v", slot, s.busy, err)
			}
			in, out := bytes.Join(s.in, nil), bytes.Join(s.out, nil)
			if n != min(len(in), len(out)) || !bytes.Equal(out[:n], in[:n]) {
				t.Errorf("slot %d: %d bytes of %d, %d; or others", slot, n, len(in), len(out))
			}
			s.busy = false
			count++
			select {
			case done <- struct{}{}:
			default:
			}
		})
		r := rand.New(rand.NewPCG(2, features))
		within(t, "passing buffers", func() {
			put := 0
			for put < buffers {
				q.Lock()
				full := false
				for range 1 + r.IntN(6) {
					slot := slices.IndexFunc(slots, func(s state) bool { return !s.busy })
					if slot < 0 {
						full = true
						break
					}
					s := &slots[slot]
					s.in, s.out = cut(r, fill(make([]byte, 1+r.IntN(100)), uint64(put)), 3), cut(r, make([]byte, 1+r.IntN(100)), 3)
					err := q.Put(slot, s.in, s.out)
					if full = errors.Is(err, virtio.ErrFull); full {
						break
					}
					if err != nil {
						t.Error(err)
						break
					}
					s.busy = true
					put++
				}
				q.Unlock()
				if full {
					drain()
					select {
					case <-done:
					case <-time.After(time.Millisecond):
					}
				}
			}
			for {
				drain()
				q.Lock()
				n := count
				q.Unlock()
				if n == put {
					break
				}
				select {
				case <-done:
				case <-time.After(time.Millisecond):
				}
			}
		})
		if s := q.Stats(); s.InFlight != 0 || s.Requests < buffers || s.Bad != 0 {
			t.Errorf("%+v", s)
		}
		dev.Close()
	})
}

// A batch costs one notification, and what comes back as many interrupts as were
// asked for.
func TestBufferBatch(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureEventIdx} {
		t.Run(fmt.Sprintf("features %#x", features), func(t *testing.T) {
			mem := virtiotest.NewMemory(1 << 20)
			d := virtiotest.New(mem, 1, features, 64)
			begin := make(chan struct{})
			d.Serve = func(c *virtiotest.Chain) {
				<-begin
				c.Done(0)
			}
			back := make(chan int, 64)
			armed, count := make(chan struct{}, 64), 0
			every := func() int {
				armed <- struct{}{}
				return max(1, 32-count)
			}
			_, q := setupBuffers(t, d, mem, 64, every, func(slot, _ int, _ error) { count++; back <- slot })
			<-armed
			q.Lock()
			for i := range 32 {
				if err := q.Put(i, [][]byte{{1}}, nil); err != nil {
					t.Fatal(err)
				}
			}
			q.Unlock()
			if n := d.Notifications(0); n != 1 {
				t.Errorf("%d notifications for a batch", n)
			}
			close(begin)
			within(t, "the batch", func() {
				for range 32 {
					<-back
				}
			})
			if n := d.Interrupts(0); features != 0 && n != 1 {
				t.Errorf("%d interrupts for 32 buffers where one was asked for", n)
			}
			if s := q.Stats(); s.Notifications != 1 || s.Requests != 32 || s.BytesOut != 32 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A lazy queue gets no interrupts; Arm says what has come meanwhile.
func TestBuffersLazy(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureEventIdx} {
		mem := virtiotest.NewMemory(1 << 20)
		d := virtiotest.New(mem, 1, features, 16)
		served := make(chan struct{}, 16)
		d.Serve = func(c *virtiotest.Chain) { c.Done(0); served <- struct{}{} }
		var q *virtio.BufferQueue
		dev, err := virtio.Init(d, mem, virtio.Driver{Setup: func(v *virtio.Device) (err error) {
			q, err = v.AddBufferQueue(0, "buffers", 16, func(q *virtio.BufferQueue) {
				for q.Wait() {
				}
			})
			return err
		}})
		if err != nil {
			t.Fatal(err)
		}
		q.Lock()
		if q.Arm(2) {
			t.Error("an empty ring has something")
		}
		q.Arm(16) // moves the event away
		q.Lazy()
		for i := range 8 {
			if err := q.Put(i, [][]byte{{1}}, nil); err != nil {
				t.Fatal(err)
			}
		}
		q.Unlock()
		within(t, "serving", func() {
			for range 8 {
				<-served
			}
		})
		if n := d.Interrupts(0); n != 0 {
			t.Errorf("features %#x: %d interrupts of a lazy queue", features, n)
		}
		q.Lock()
		if q.Arm(9) {
			t.Error("9 of 8 are there")
		}
		if !q.Arm(8) {
			t.Error("8 are not there")
		}
		for i := range 8 {
			if slot, _, err := q.Take(); slot != i || err != nil {
				t.Errorf("took %d, %v", slot, err)
			}
		}
		if slot, _, _ := q.Take(); slot != -1 {
			t.Errorf("took %d of none", slot)
		}
		q.Unlock()
		dev.Close()
	}
}

// What the caller gets wrong, and a full ring, are errors and change nothing.
func TestBufferErrors(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 1, 0, 4) // which answers nothing
	_, q := setupBuffers(t, d, mem, 4, each, func(int, int, error) {})
	q.Lock()
	defer q.Unlock()
	for _, slot := range []int{-1, 4} {
		if err := q.Put(slot, [][]byte{{1}}, nil); err == nil {
			t.Errorf("slot %d is taken", slot)
		}
	}
	if err := q.Put(0, nil, nil); err == nil {
		t.Error("an empty buffer is taken")
	}
	if err := q.Put(0, [][]byte{{1}, {2}, {3}}, nil); err != nil {
		t.Error(err)
	}
	if err := q.Put(0, [][]byte{{1}}, nil); err == nil || errors.Is(err, virtio.ErrFull) {
		t.Errorf("a slot that is with the device: %v", err)
	}
	if err := q.Put(1, [][]byte{{1}, {2}}, nil); !errors.Is(err, virtio.ErrFull) {
		t.Errorf("two descriptors where there is one: %v", err)
	}
	if err := q.Put(1, [][]byte{{1}}, nil); err != nil {
		t.Error(err)
	}
	if err := q.Put(2, [][]byte{{1}}, nil); !errors.Is(err, virtio.ErrFull) {
		t.Errorf("a full ring: %v", err)
	}
}

// However a device ends, every buffer comes back once, and not before the device has
// been stopped.
func TestBuffersEnd(t *testing.T) {
	ends := map[string]func(dev *virtio.Device, d *virtiotest.Device, q *virtio.BufferQueue){
		"closed":  func(dev *virtio.Device, _ *virtiotest.Device, _ *virtio.BufferQueue) { dev.Close() },
		"aborted": func(dev *virtio.Device, _ *virtiotest.Device, _ *virtio.BufferQueue) { dev.Abort(errors.New("gone")) },
		"failed":  func(_ *virtio.Device, d *virtiotest.Device, _ *virtio.BufferQueue) { d.NeedReset() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			mem := virtiotest.NewMemory(1 << 20)
			mem.Bounce = name == "closed" // the bounce buffers come back too
			d := virtiotest.New(mem, 1, virtio.FeatureIndirectDesc, 16)
			var stopped atomic.Bool
			d.OnReset = func() { time.Sleep(5 * time.Millisecond); stopped.Store(true) }
			back := make(chan int, 64)
			dev, q := setupBuffers(t, d, mem, 16, each, func(slot, n int, err error) {
				if n != 0 || err == nil || !stopped.Load() {
					t.Errorf("slot %d comes back with %d, %v; stopped %v", slot, n, err, stopped.Load())
				}
				back <- slot
			})
			stopped.Store(false) // it was set by the first reset
			q.Lock()
			for i := range 10 {
				if err := q.Put(i, nil, [][]byte{make([]byte, 10), make([]byte, 10)}); err != nil {
					t.Fatal(err)
				}
			}
			q.Unlock()
			end(dev, d, q)
			within(t, "ending", func() {
				for i := range 10 {
					if slot := <-back; slot != i {
						t.Errorf("slot %d comes back, want %d", slot, i)
					}
				}
			})
			q.Lock()
			if q.Ended() == nil || q.Put(11, nil, [][]byte{{1}}) == nil || q.Arm(1) {
				t.Error("an ended queue takes buffers")
			}
			q.Unlock()
			dev.Close()
			if len(back) != 0 {
				t.Error("slots come back twice")
			}
			if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
				t.Errorf("memory: %+v", s)
			}
		})
	}
}

// Passing buffers allocates nothing.
func TestBuffersAllocateNothing(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 1, virtio.FeatureEventIdx|virtio.FeatureIndirectDesc, 64)
	d.Serve = func(c *virtiotest.Chain) { c.Done(0) }
	back := make(chan int, 64)
	_, q := setupBuffers(t, d, mem, 64, each, func(slot, _ int, _ error) { back <- slot })
	in := [][]byte{make([]byte, 12), make([]byte, 1500)}
	batch := func() {
		q.Lock()
		for i := range 16 {
			q.Put(i, in, nil)
		}
		q.Unlock()
		for range 16 {
			<-back
		}
	}
	batch()
	if n := testing.AllocsPerRun(100, batch); n >= 1 {
		t.Errorf("%v allocations for a batch of 16", n)
	}
}

// FuzzUsedBuffers is FuzzUsedRing for a queue of buffers: whatever the device puts
// into the ring, each buffer comes back at most once while it serves, with a length
// that fits, and all of them come back when it is closed.
func FuzzUsedBuffers(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1}, uint8(0))
	f.Add([]byte{1, 200, 3, 255, 9, 7}, uint8(1))
	f.Add([]byte{0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, script []byte, bits uint8) {
		mem := virtiotest.NewMemory(64 << 10)
		d := virtiotest.New(mem, 1, uint64(bits&3)<<28, 8)
		d.Serve = func(c *virtiotest.Chain) { c.Done(1) }
		var mu sync.Mutex
		d.Tamper = func(_ int, u *virtiotest.UsedElement) {
			mu.Lock()
			defer mu.Unlock()
			next := func() (b byte) {
				if len(script) > 0 {
					b, script = script[0], script[1:]
				}
				return b
			}
			u.ID ^= uint32(next()) | uint32(next())<<24
			u.Len += uint32(next())
			u.Index += uint16(next())
			u.Skip = len(script) > 0 && script[0] == 0xee
		}
		var out [8]bool // with the device, under the queue's lock
		dev, q := setupBuffers(t, d, mem, 8, each, func(slot, n int, err error) {
			if !out[slot] || n < 0 || n > 4 || err != nil && n != 0 {
				t.Errorf("slot %d, out: %v, comes back with %d, %v", slot, out[slot], n, err)
			}
			out[slot] = false
		})
		b := make([]byte, 4)
		for range 10 {
			q.Lock()
			for i := range out {
				if !out[i] && q.Put(i, nil, [][]byte{b[:2], b[2:]}) == nil {
					out[i] = true
				}
			}
			q.Unlock()
		}
		dev.Close()
		if out != [8]bool{} {
			t.Errorf("do not come back: %v", out)
		}
		if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
			t.Errorf("memory: %+v", s)
		}
	})
}
