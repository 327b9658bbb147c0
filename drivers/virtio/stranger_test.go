package virtio_test

import (
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// What a device may get wrong in the used ring ends the device: every request
// fails with EIO, those in flight and those to come, and the device has been
// reset before any of them returns.
func TestBadUsedRing(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(u *virtiotest.UsedElement)
		field  string
	}{
		{"id beyond the queue", func(u *virtiotest.UsedElement) { u.ID = 16 }, "used element id"},
		{"id far beyond", func(u *virtiotest.UsedElement) { u.ID = 0xffffffff }, "used element id"},
		{"id not in flight", func(u *virtiotest.UsedElement) { u.ID = 15 }, "used element id"},
		{"index jumps", func(u *virtiotest.UsedElement) { u.Index += 900 }, "used index"},
		{"index jumps by a ring", func(u *virtiotest.UsedElement) { u.Index += 16 }, "used index"},
		{"index goes back", func(u *virtiotest.UsedElement) { u.Index -= 2 }, "used index"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := virtiotest.NewMemory(1 << 20)
			d := virtiotest.New(mem, 26, virtio.FeatureIndirectDesc, 16)
			var stopped atomic.Bool
			d.OnReset = func() { time.Sleep(5 * time.Millisecond); stopped.Store(true) }
			requests := 0
			d.Serve = func(c *virtiotest.Chain) {
				if requests++; requests == 5 { // four are in flight and stay there
					stopped.Store(false) // it was set by the first reset
					c.Done(0)
				}
			}
			d.Tamper = func(_ int, u *virtiotest.UsedElement) { tt.tamper(u) }
			var failures atomic.Int32
			var q *virtio.Queue
			dev, err := virtio.Init(d, mem, virtio.Driver{
				Setup: func(v *virtio.Device) (err error) {
					q, err = v.AddQueue(0, "test", 16)
					return err
				},
				Failed: func(error) { failures.Add(1) },
			})
			if err != nil {
				t.Fatal(err)
			}
			within(t, "failing", func() {
				var wg sync.WaitGroup
				for range 5 {
					wg.Add(1)
					go func() {
						defer wg.Done()
						_, err := q.Do([][]byte{{1}}, [][]byte{{0}})
						if !stopped.Load() {
							t.Error("buffers are handed back before the device is stopped")
						}
						wants(t, err, "queue 0 (test)", tt.field)
					}()
				}
				wg.Wait()
				_, err := q.Do([][]byte{{1}}, [][]byte{{0}})
				wants(t, err, tt.field)
				wants(t, q.Post([][]byte{{1}}), tt.field)
				wants(t, dev.Err(), tt.field)
			})
			dev.Close()
			if n := failures.Load(); n != 1 {
				t.Errorf("told of the failure %d times", n)
			}
			if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
				t.Errorf("memory: %+v", s)
			}
		})
	}
}

// A reply said to be longer than its buffers fails that request only.
func TestBadUsedLength(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, 0, 16)
	d.Serve = echo
	var bad atomic.Uint32
	d.Tamper = func(_ int, u *virtiotest.UsedElement) {
		if n := bad.Load(); n != 0 {
			u.Len = n
		}
	}
	_, q := setup(t, d, mem, 16)
	for _, n := range []uint32{11, 0x7fffffff, 0x80000000, 0xffffffff} {
		bad.Store(n)
		got, err := q.Do([][]byte{make([]byte, 10)}, [][]byte{make([]byte, 4), make([]byte, 6)})
		if got != 0 {
			t.Errorf("length %d of it", got)
		}
		wants(t, err, "queue 0 (test)", "used length", "buffer of 10")
		bad.Store(0)
		if n, err := q.Do([][]byte{make([]byte, 10)}, [][]byte{make([]byte, 10)}); n != 10 || err != nil {
			t.Errorf("the next one: %d, %v", n, err)
		}
	}
	if s := q.Stats(); s.Bad != 4 {
		t.Errorf("counters: %+v", s)
	}
}

// A device that announces an error of its own is a failed device.
func TestNeedsReset(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, 0, 16)
	d.Serve = func(*virtiotest.Chain) { d.NeedReset() }
	_, q := setup(t, d, mem, 16)
	within(t, "failing", func() {
		_, err := q.Do([][]byte{{1}}, nil)
		wants(t, err, "status", "DEVICE_NEEDS_RESET")
	})
}

// Close ends requests that the device never answers, and those that wait for
// room.
func TestCloseWithRequests(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureIndirectDesc} {
		mem := virtiotest.NewMemory(1 << 20)
		d := virtiotest.New(mem, 26, features, 4)
		dev, q := setup(t, d, mem, 4)
		var wg sync.WaitGroup
		for range 20 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if _, err := q.Do([][]byte{{1}, {2}}, [][]byte{{0}}); !errors.Is(err, virtio.ErrClosed) {
					t.Errorf("%v, want ErrClosed", err)
				}
			}()
		}
		for q.Stats().Full == 0 {
			time.Sleep(time.Millisecond)
		}
		within(t, "closing", func() { dev.Close(); wg.Wait() })
		if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
			t.Errorf("memory: %+v", s)
		}
	}
}

func TestInitRefuses(t *testing.T) {
	tests := []struct {
		name   string
		device func(d *virtiotest.Device)
		driver virtio.Driver
		want   []string
	}{
		{"legacy", func(d *virtiotest.Device) { d.Features = virtio.FeatureIndirectDesc }, virtio.Driver{}, []string{"features", "VIRTIO_F_VERSION_1"}},
		{"features refused", func(d *virtiotest.Device) { d.RefuseFeatures = true }, virtio.Driver{}, []string{"status", "FEATURES_OK"}},
		{"required feature", func(d *virtiotest.Device) {}, virtio.Driver{Features: 2, Required: 2}, []string{"features", "0x2"}},
		{"no reset", func(d *virtiotest.Device) { d.StuckStatus = true; d.SetStatus(1) }, virtio.Driver{}, []string{"status", "reset"}},
		{"no queue", func(d *virtiotest.Device) { d.QueueSizes[0] = 0 }, virtio.Driver{}, []string{"queue size", "queue 0 (test)"}},
		{"queue of one", func(d *virtiotest.Device) { d.QueueSizes[0] = 1 }, virtio.Driver{}, []string{"queue size", "queue 0 (test)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := virtiotest.NewMemory(1 << 20)
			d := virtiotest.New(mem, 26, 0, 16)
			tt.device(d)
			tt.driver.Setup = func(v *virtio.Device) error {
				_, err := v.AddQueue(0, "test", 16)
				return err
			}
			dev, err := virtio.Init(d, mem, tt.driver)
			if err == nil {
				dev.Close()
				t.Fatal("no error")
			}
			wants(t, err, tt.want...)
			if d.Status()&virtio.StatusFailed == 0 {
				t.Errorf("status %#x: FAILED was not set", d.Status())
			}
			if s := mem.Stats(); s.InUse != 0 {
				t.Errorf("memory: %+v", s)
			}
		})
	}
}

func TestInitOutOfMemory(t *testing.T) {
	mem := virtiotest.NewMemory(4096)
	d := virtiotest.New(mem, 26, 0, 128, 128)
	_, err := virtio.Init(d, mem, virtio.Driver{Setup: func(v *virtio.Device) error {
		for i := range 2 {
			if _, err := v.AddQueue(i, "test", 128); err != nil {
				return err
			}
		}
		return nil
	}})
	if !errors.Is(err, virtio.ErrNoMemory) {
		t.Errorf("%v, want ErrNoMemory", err)
	}
	if s := mem.Stats(); s.InUse != 0 {
		t.Errorf("memory: %+v", s)
	}
}

func TestConfigGeneration(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, 0, 16)
	d.ConfigSpace = make([]byte, 8)
	both := func(c []byte, v uint32) {
		binary.LittleEndian.PutUint32(c, v)
		binary.LittleEndian.PutUint32(c[4:], v)
	}
	both(d.ConfigSpace, 1)
	dev, _ := setup(t, d, mem, 16)

	// The configuration changes between the reads of its halves, twice.
	changes := 0
	d.OnConfigRead = func(off int) {
		if off == 4 && changes < 2 {
			changes++
			d.ChangeConfig(func(c []byte) { both(c, uint32(10+changes)) })
		}
	}
	var a, b uint32
	if err := dev.ReadConfig(func() { a, b = dev.Config32(0), dev.Config32(4) }); err != nil {
		t.Fatal(err)
	}
	if a != 12 || b != 12 {
		t.Errorf("read %d and %d, want 12 of one moment", a, b)
	}

	// It never stands still.
	d.OnConfigRead = func(int) { d.ChangeConfig(func([]byte) {}) }
	err := dev.ReadConfig(func() { dev.Config32(0) })
	wants(t, err, "config generation")
}

// FuzzUsedRing has the device answer with whatever it likes. Requests end, with
// an error or without one, and nothing panics.
func FuzzUsedRing(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1}, uint8(0))
	f.Add([]byte{1, 200, 3, 255, 9, 7}, uint8(1))
	f.Add([]byte{0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, script []byte, bits uint8) {
		mem := virtiotest.NewMemory(64 << 10)
		d := virtiotest.New(mem, 26, uint64(bits&3)<<28, 8)
		var mu sync.Mutex
		d.Serve = func(c *virtiotest.Chain) { c.Done(1) }
		d.Tamper = func(_ int, u *virtiotest.UsedElement) {
			mu.Lock()
			defer mu.Unlock()
			next := func() byte {
				if len(script) == 0 {
					return 0
				}
				b := script[0]
				script = script[1:]
				return b
			}
			u.ID ^= uint32(next()) | uint32(next())<<24
			u.Len += uint32(next())
			u.Index += uint16(next())
			if len(script) > 0 && script[0] == 0xee {
				u.Skip = true
			}
		}
		dev, q := setup(t, d, mem, 8)
		go func() { // a device may just go silent
			time.Sleep(20 * time.Millisecond)
			dev.Close()
		}()
		within(t, "fuzzing", func() {
			for range 10 {
				b := make([]byte, 4)
				n, err := q.Do([][]byte{{1}, {2}}, [][]byte{b[:2], b[2:]})
				if n < 0 || n > len(b) || err != nil && n != 0 {
					t.Errorf("%d, %v", n, err)
				}
			}
		})
		dev.Close()
		if s := mem.Stats(); s.InUse != 0 || s.Wrong != 0 {
			t.Errorf("memory: %+v", s)
		}
	})
}
