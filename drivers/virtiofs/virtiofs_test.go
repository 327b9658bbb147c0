package virtiofs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

var (
	_ fuse.Transport = (*FS)(nil)
	_ fuse.Starter   = (*FS)(nil)
)

func config(tag string, queues uint32) []byte {
	c := make([]byte, tagSize+4)
	copy(c[:tagSize], tag)
	binary.LittleEndian.PutUint32(c[tagSize:], queues)
	return c
}

func device(mem *virtiotest.Memory, tag string, queues int) *virtiotest.Device {
	sizes := []int{128}
	for range queues {
		sizes = append(sizes, 128)
	}
	d := virtiotest.New(mem, virtio.DeviceFileSystem, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, sizes...)
	d.ConfigSpace = config(tag, uint32(queues))
	return d
}

func TestTag(t *testing.T) {
	full := strings.Repeat("x", tagSize)
	tests := []struct {
		raw  string
		want string
		bad  string
	}{
		{"root", "root", ""},
		{"/", "/", ""},
		{"größe", "größe", ""},
		{"two words", "two words", ""},
		{full, full, ""},
		{"", "", "empty"},
		{"\x00root", "", "empty"},
		{"ro\x00ot", "", "goes on after its end"},
		{"a\nb", "", "unprintable"},
		{"a\x7f", "", "unprintable"},
		{"\x1b[2J", "", "unprintable"},
		{"\xff\xfe", "", "UTF-8"},
		{strings.Repeat("x", tagSize-1) + "ö", "", "36 bytes"},
	}
	for _, tt := range tests {
		mem := virtiotest.NewMemory(1 << 20)
		f, err := Open(device(mem, tt.raw, 1), mem)
		if tt.bad != "" {
			if err == nil || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "virtio-test 0: tag: ") || !strings.Contains(err.Error(), tt.bad) {
				t.Errorf("%q: %v, want an error with %q", tt.raw, err, tt.bad)
			}
		} else if err != nil {
			t.Errorf("%q: %v", tt.raw, err)
		} else {
			if f.Tag() != tt.want || f.Name() != "virtiofs "+tt.want+" (virtio-test 0)" {
				t.Errorf("%q: tag %q, name %q", tt.raw, f.Tag(), f.Name())
			}
			f.Close()
		}
		if n := mem.Stats().InUse; n != 0 {
			t.Errorf("%q: %d bytes leaked", tt.raw, n)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(d *virtiotest.Device)
		want   string
	}{
		{"other device", func(d *virtiotest.Device) { d.ID = 2 }, "device ID"},
		{"no request queues", func(d *virtiotest.Device) { d.ConfigSpace = config("root", 0) }, "num_request_queues"},
		{"more than there are", func(d *virtiotest.Device) { d.ConfigSpace = config("root", 3) }, "queue 3 (request 2)"},
		{"far too many", func(d *virtiotest.Device) { d.ConfigSpace = config("root", 1<<32-1) }, "queue 3 (request 2)"},
		{"no VERSION_1", func(d *virtiotest.Device) { d.Features &^= virtio.FeatureVersion1 }, "VERSION_1"},
		{"restless configuration", func(d *virtiotest.Device) {
			d.OnConfigRead = func(int) { d.ChangeConfig(func([]byte) {}) }
		}, "config generation"},
	}
	for _, tt := range tests {
		mem := virtiotest.NewMemory(1 << 20)
		d := device(mem, "root", 2)
		tt.change(d)
		f, err := Open(d, mem)
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "virtio-test 0") {
			t.Errorf("%s: %v, want one that names %q", tt.name, err, tt.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := device(mem, "root", 3)
	var forgotten atomic.Int64
	var mu sync.Mutex
	used := map[int]int{}
	d.Serve = func(c *virtiotest.Chain) {
		if c.Queue == queueHighPriority {
			for _, r := range c.Read {
				forgotten.Add(int64(len(r)))
			}
			c.Done(0)
			return
		}
		mu.Lock()
		used[c.Queue]++
		mu.Unlock()
		n := c.Put(0, []byte("header"))
		for _, r := range c.Read {
			n += c.Put(n, bytes.ToUpper(r))
		}
		c.Done(n)
	}
	f, err := Open(d, mem)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 30 {
				head, body := make([]byte, 6), make([]byte, 10)
				n, err := f.RoundTrip([][]byte{[]byte("ab"), []byte("cde")}, [][]byte{head, body})
				if n != 11 || err != nil || string(head) != "header" || string(body[:5]) != "ABCDE" {
					t.Errorf("%d, %v, %q %q", n, err, head, body)
				}
			}
		}()
	}
	wg.Wait()
	for i := range 3 {
		if used[queueRequest+i] != 80 {
			t.Errorf("request queue %d had %d of 240 requests", i, used[queueRequest+i])
		}
	}
	for range 500 {
		if err := f.Send([][]byte{make([]byte, 40), make([]byte, 8)}); err != nil {
			t.Fatal(err)
		}
	}
	for begin := time.Now(); forgotten.Load() < 500*48 && time.Since(begin) < time.Minute; {
		time.Sleep(time.Millisecond)
	}
	if n := forgotten.Load(); n != 500*48 {
		t.Errorf("%d bytes of messages without reply arrived, want %d", n, 500*48)
	}
	if qs := f.Device().Queues(); len(qs) != 4 || qs[0].Stats().Requests != 500 || qs[1].Stats().BytesIn != 80*11 {
		t.Errorf("counters: %+v %+v", qs[0].Stats(), qs[1].Stats())
	}
	f.Close()
	if _, err := f.RoundTrip([][]byte{{1}}, nil); !errors.Is(err, syscall.EIO) {
		t.Errorf("after Close: %v, want EIO", err)
	}
	if err := f.Send([][]byte{{1}}); !errors.Is(err, syscall.EIO) {
		t.Errorf("after Close: %v, want EIO", err)
	}
	for _, x := range d.Faults() {
		t.Error("the driver broke a rule:", x)
	}
	if n := mem.Stats().InUse; n != 0 {
		t.Errorf("%d bytes leaked", n)
	}
}

// A device may use a request without writing anything, whatever room there is
// for a reply: so ends DESTROY with some servers.
func TestNoReply(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := device(mem, "root", 1)
	d.Serve = func(c *virtiotest.Chain) { c.Done(0) }
	f, err := Open(d, mem)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		head := []byte("0123456789abcdef")
		if n, err := f.RoundTrip([][]byte{make([]byte, 40)}, [][]byte{head, make([]byte, 100)}); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if string(head) != "0123456789abcdef" {
			t.Errorf("%q is where nothing was written", head)
		}
	}
	f.Close()
	if n := mem.Stats().InUse; n != 0 {
		t.Errorf("%d bytes leaked", n)
	}
}

// Requests are under way together, and taken in whatever order.
func TestStart(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := device(mem, "root", 1)
	arrived := make(chan *virtiotest.Chain, 8)
	d.Serve = func(c *virtiotest.Chain) { arrived <- c }
	f, err := Open(d, mem)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const many = 8
	if f.Depth() < many {
		t.Fatalf("depth %d", f.Depth())
	}
	var pending [many]fuse.Pending
	var out [many][1]byte
	for i := range pending {
		if pending[i], err = f.Start([][]byte{{byte(i)}}, [][]byte{out[i][:]}); err != nil {
			t.Fatal(err)
		}
	}
	for range pending {
		c := <-arrived
		c.Done(c.Put(0, c.Read[0]))
	}
	for i := many - 1; i >= 0; i-- {
		var n int
		if i%2 == 0 {
			n, err = pending[i].Wait()
		} else {
			<-pending[i].Done()
			n, err = pending[i].Wait()
		}
		if n != 1 || err != nil || out[i][0] != byte(i) {
			t.Errorf("request %d: %d, %v, %d", i, n, err, out[i][0])
		}
	}
}

// A device that fails on one queue has failed on all.
func TestFailure(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := device(mem, "root", 2)
	d.Serve = func(c *virtiotest.Chain) {
		if c.Queue == 2 {
			c.Done(0)
		}
	}
	d.Tamper = func(_ int, u *virtiotest.UsedElement) { u.Index = 1000 }
	var told atomic.Value
	f, err := OpenFunc(d, mem, func(err error) { told.Store(err) })
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := f.RoundTrip([][]byte{{1}}, [][]byte{{0}})
			errs <- err
		}()
	}
	for range 4 {
		select {
		case err := <-errs:
			if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "virtio-test 0: queue 2 (request 1): used index") {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("a failed device keeps its requests")
		}
	}
	if err := f.Send([][]byte{{1}}); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	f.Close()
	if told.Load() == nil {
		t.Error("nobody was told")
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := device(mem, "root", 1)
	d.Serve = func(c *virtiotest.Chain) { c.Done(16 * min(c.Queue, 1)) }
	f, err := Open(d, mem)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, out := [][]byte{make([]byte, 40), make([]byte, 40)}, [][]byte{make([]byte, 16), make([]byte, 4096)}
	for range 300 {
		f.RoundTrip(in, out)
		f.Send(in)
	}
	if n := testing.AllocsPerRun(500, func() { f.RoundTrip(in, out); f.Send(in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
