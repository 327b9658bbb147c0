package virtiorng

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

var _ io.Reader = (*RNG)(nil)

func device(mem *virtiotest.Memory, serve func(c *virtiotest.Chain)) *virtiotest.Device {
	d := virtiotest.New(mem, virtio.DeviceEntropy, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, 64)
	d.Serve = serve
	return d
}

func TestRead(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	turn := byte(0)
	d := device(mem, func(c *virtiotest.Chain) {
		if len(c.Read) != 0 {
			t.Error("a buffer that the device cannot write to")
		}
		turn++
		// As many as there are, a few at a time.
		c.Done(c.Put(0, bytes.Repeat([]byte{turn}, 5)))
	})
	r, err := Open(d, mem, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 12)
	if n, err := io.ReadFull(r, got); err != nil {
		t.Fatal(n, err)
	}
	if want := "\x01\x01\x01\x01\x01\x02\x02\x02\x02\x02\x03\x03"; string(got) != want {
		t.Errorf("read %q, want %q", got, want)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("no bytes: %d, %v", n, err)
	}
	if r.Name() != "virtio rng (virtio-test 0)" {
		t.Errorf("name %q", r.Name())
	}
	r.Close()
	if _, err := r.Read(got); !errors.Is(err, syscall.EIO) {
		t.Errorf("after Close: %v", err)
	}
	if f := d.Faults(); len(f) > 0 {
		t.Error(f)
	}
	if n := mem.Stats().InUse; n != 0 {
		t.Errorf("%d bytes leaked", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *virtiotest.Device)
		want   string
	}{
		{"other device", func(d *virtiotest.Device) { d.ID = 2 }, "device ID"},
		{"no VERSION_1", func(d *virtiotest.Device) { d.Features &^= virtio.FeatureVersion1 }, "VERSION_1"},
		{"no queue", func(d *virtiotest.Device) { d.QueueSizes[0] = 0 }, "queue 0 (request)"},
		{"refused features", func(d *virtiotest.Device) { d.RefuseFeatures = true }, "FEATURES_OK"},
	} {
		mem := virtiotest.NewMemory(1 << 20)
		d := device(mem, nil)
		tt.change(d)
		r, err := Open(d, mem, nil)
		if err == nil {
			r.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "virtio-test 0") {
			t.Errorf("%s: %v, want one that names %q", tt.name, err, tt.want)
		}
		if n := mem.Stats().InUse; n != 0 {
			t.Errorf("%s: %d bytes leaked", tt.name, n)
		}
	}
}

// What a hostile device does ends in an error that names it, and is told once if
// it ends the device; nothing is taken for random that the device did not write.
func TestHostileDevice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve func(c *virtiotest.Chain)
		bad   func(d *virtiotest.Device)
		want  string
		ends  bool
	}{
		{name: "no bytes", serve: func(c *virtiotest.Chain) { c.Done(0) }, want: "used length: 0"},
		{name: "more bytes than asked for", serve: func(c *virtiotest.Chain) { c.Done(33) }, want: "33"},
		{name: "4 GiB", serve: func(c *virtiotest.Chain) { c.Done(1<<32 - 1) }, want: "4294967295"},
		{name: "another buffer", serve: func(c *virtiotest.Chain) { c.Done(8) },
			bad: func(d *virtiotest.Device) { d.Tamper = func(_ int, u *virtiotest.UsedElement) { u.ID = 7 } }, want: "queue 0 (request)", ends: true},
		{name: "index too far", serve: func(c *virtiotest.Chain) { c.Done(8) },
			bad: func(d *virtiotest.Device) { d.Tamper = func(_ int, u *virtiotest.UsedElement) { u.Index = 999 } }, want: "used index", ends: true},
		{name: "needs reset", serve: func(c *virtiotest.Chain) {},
			bad: func(d *virtiotest.Device) { time.AfterFunc(20*time.Millisecond, d.NeedReset) }, want: "DEVICE_NEEDS_RESET", ends: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mem := virtiotest.NewMemory(1 << 20)
			d := device(mem, tt.serve)
			var told atomic.Int32
			r, err := Open(d, mem, func(error) { told.Add(1) })
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if tt.bad != nil {
				tt.bad(d)
			}
			type result struct {
				n   int
				err error
			}
			done := make(chan result, 1)
			go func() {
				n, err := r.Read(make([]byte, 32))
				done <- result{n, err}
			}()
			select {
			case got := <-done:
				if got.n != 0 || !errors.Is(got.err, syscall.EIO) || !strings.Contains(got.err.Error(), tt.want) || !strings.Contains(got.err.Error(), "virtio-test 0") {
					t.Errorf("read %d, %v, want an error with %q", got.n, got.err, tt.want)
				}
			case <-time.After(time.Minute):
				t.Fatal("still reads")
			}
			r.Close()
			if n := told.Load(); (n == 1) != tt.ends {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// A device that never answers keeps who reads waiting, until it is closed.
func TestSilentDevice(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	r, err := Open(device(mem, func(*virtiotest.Chain) {}), mem, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := r.Read(make([]byte, 32))
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	r.Close()
	if err := <-done; !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
}
