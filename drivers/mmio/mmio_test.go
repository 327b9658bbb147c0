package mmio

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// registers are the registers of a virtio-mmio transport (virtio 1.2 §4.2.2)
// before a simulated device.
type registers struct {
	t   *testing.T
	dev *virtiotest.Device

	mu              sync.Mutex
	version         uint32
	magic           uint32
	devSel, drvSel  uint32
	driver          uint64
	sel, shm        uint32
	num             map[uint32]uint32
	addr            map[uint32]*[3]uint64
	ready           map[uint32]uint32
	status          uint32 // interrupt status
	line            chan struct{}
	stuckReady      bool
	acks, statusGet int
}

func newRegisters(t *testing.T, dev *virtiotest.Device) *registers {
	r := &registers{t: t, dev: dev, version: 2, magic: 0x74726976, line: make(chan struct{}, 1),
		num: map[uint32]uint32{}, addr: map[uint32]*[3]uint64{}, ready: map[uint32]uint32{}}
	dev.Raised = func(q int) {
		bit := uint32(1)
		if q < 0 {
			bit = 2
		}
		r.mu.Lock()
		edge := r.status == 0
		r.status |= bit
		r.mu.Unlock()
		if edge { // the line rises only from 0
			r.line <- struct{}{}
		}
	}
	return r
}

func (r *registers) Size() int { return 0x200 }

func (r *registers) queue() *[3]uint64 {
	if r.addr[r.sel] == nil {
		r.addr[r.sel] = new([3]uint64)
	}
	return r.addr[r.sel]
}

func (r *registers) Read32(off int) uint32 {
	if off >= 0x100 {
		return r.dev.ReadConfig(off-0x100, 4)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch off {
	case 0x000:
		return r.magic
	case 0x004:
		return r.version
	case 0x008:
		return r.dev.ID
	case 0x00c:
		return 0x554d4551
	case 0x010:
		if r.devSel < 2 {
			return uint32(r.dev.Features >> (32 * r.devSel))
		}
		return 0
	case 0x034:
		return uint32(r.dev.QueueMax(int(r.sel)))
	case 0x044:
		return r.ready[r.sel]
	case 0x060:
		r.statusGet++
		return r.status
	case 0x070:
		return uint32(r.dev.Status())
	case 0x0b0, 0x0b4, 0x0b8, 0x0bc:
		addr, length, ok := r.dev.SharedMemory(uint8(r.shm))
		if !ok {
			return 0xffffffff
		}
		return uint32([2]uint64{length, addr}[(off-0xb0)/8] >> (8 * (off & 4)))
	case 0x0fc:
		return r.dev.ConfigGeneration()
	}
	r.t.Errorf("read of register %#x", off)
	return 0
}

func (r *registers) Write32(off int, v uint32) {
	if off >= 0x100 {
		r.dev.WriteConfig(off-0x100, 4, v)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if off >= 0x80 && off < 0xa8 {
		part := &r.queue()[(off-0x80)/16]
		if off&4 == 0 {
			*part = *part&^0xffffffff | uint64(v)
		} else {
			*part = *part&0xffffffff | uint64(v)<<32
		}
		return
	}
	switch off {
	case 0x014:
		r.devSel = v
	case 0x020:
		r.driver = r.driver&^(0xffffffff<<(32*r.drvSel)) | uint64(v)<<(32*r.drvSel)
		r.dev.SetDriverFeatures(r.driver)
	case 0x024:
		r.drvSel = v
	case 0x030:
		r.sel = v
	case 0x038:
		r.num[r.sel] = v
	case 0x044:
		if v == 1 && !r.stuckReady {
			a := r.queue()
			if err := r.dev.EnableQueue(int(r.sel), int(r.num[r.sel]), a[0], a[1], a[2]); err != nil {
				r.t.Error(err)
				return
			}
			r.ready[r.sel] = 1
		}
	case 0x050:
		r.dev.Notify(int(v))
	case 0x064:
		if v&^3 != 0 {
			r.t.Errorf("undefined bits %#x acknowledged", v)
		}
		r.acks++
		r.status &^= v
	case 0x070:
		r.dev.SetStatus(uint8(v))
		if v == 0 {
			r.status = 0
			clear(r.ready)
		}
	case 0x0ac:
		r.shm = v
	default:
		r.t.Errorf("write of %#x to register %#x", v, off)
	}
}

// Registers outside of the configuration are 32 bits wide (§4.2.2.2).
func (r *registers) narrow(off int) {
	if off < 0x100 {
		r.t.Errorf("narrow access to register %#x", off)
	}
}
func (r *registers) Read8(off int) uint8 {
	r.narrow(off)
	return uint8(r.dev.ReadConfig(off-0x100, 1))
}
func (r *registers) Read16(off int) uint16 {
	r.narrow(off)
	return uint16(r.dev.ReadConfig(off-0x100, 2))
}
func (r *registers) Write8(off int, v uint8) {
	r.narrow(off)
	r.dev.WriteConfig(off-0x100, 1, uint32(v))
}
func (r *registers) Write16(off int, v uint16) {
	r.narrow(off)
	r.dev.WriteConfig(off-0x100, 2, uint32(v))
}

var _ reg.Regs = (*registers)(nil)

// wire is an interrupt line.
type wire struct {
	line chan struct{}
	once sync.Once
	end  chan struct{}
}

func (w *wire) Wait() bool {
	select {
	case <-w.line:
		return true
	case <-w.end:
		return false
	}
}
func (w *wire) Close() { w.once.Do(func() { close(w.end) }) }

func (r *registers) irq() (virtio.Interrupt, error) {
	return &wire{line: r.line, end: make(chan struct{})}, nil
}

func TestTransport(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx|1<<63, 8, 16, 4)
	d.ConfigSpace = []byte{1, 2, 3, 4, 5, 6, 7, 8}
	d.SharedRanges = map[uint8][2]uint64{3: {0x12_3456_7000, 0x2_0000_1000}}
	d.Serve = func(c *virtiotest.Chain) { c.Done(c.Put(0, []byte{byte(c.Queue), 7})) }
	r := newRegisters(t, d)
	tr, err := Open(0xfeb00200, r, r.irq)
	if err != nil {
		t.Fatal(err)
	}
	if tr.Name() != "virtio-mmio feb00200" || tr.DeviceID() != 26 || tr.NumQueues() != 3 || tr.QueueMax(1) != 16 || tr.QueueMax(3) != 0 {
		t.Errorf("%s: device %d, %d queues, %d %d", tr.Name(), tr.DeviceID(), tr.NumQueues(), tr.QueueMax(1), tr.QueueMax(3))
	}
	if f := tr.DeviceFeatures(); f != d.Features {
		t.Errorf("features %#x, want %#x", f, d.Features)
	}
	if tr.ReadConfig(1, 1) != 2 || tr.ReadConfig(2, 2) != 0x0403 || tr.ReadConfig(4, 4) != 0x08070605 {
		t.Error("the configuration reads otherwise")
	}
	tr.WriteConfig(0, 1, 9)
	tr.WriteConfig(2, 2, 0x0b0a)
	tr.WriteConfig(4, 4, 0x0f0e0d0c)
	if string(d.ConfigSpace) != "\x09\x02\x0a\x0b\x0c\x0d\x0e\x0f" {
		t.Errorf("configuration %x", d.ConfigSpace)
	}
	if a, n, ok := tr.SharedMemory(3); a != 0x12_3456_7000 || n != 0x2_0000_1000 || !ok {
		t.Errorf("shared memory %#x %#x %v", a, n, ok)
	}
	if _, _, ok := tr.SharedMemory(0); ok {
		t.Error("there is no shared memory 0")
	}

	var qs [3]*virtio.Queue
	changed := make(chan struct{}, 1)
	dev, err := virtio.Init(tr, mem, virtio.Driver{
		Setup: func(v *virtio.Device) (err error) {
			for i := range qs {
				if qs[i], err = v.AddQueue(i, "test", 128); err != nil {
					return err
				}
			}
			return nil
		},
		Changed: func(*virtio.Device) { changed <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := d.Features &^ (1 << 63); dev.Features() != want {
		t.Errorf("features %#x, want %#x", dev.Features(), want)
	}
	var wg sync.WaitGroup
	for i, q := range qs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 300 {
				reply := make([]byte, 2)
				if n, err := q.Do([][]byte{{1}, {2}}, [][]byte{reply[:1], reply[1:]}); n != 2 || err != nil || reply[0] != byte(i) || reply[1] != 7 {
					t.Errorf("queue %d: %d, %v, %v", i, n, err, reply)
					return
				}
			}
		}()
	}
	for range 50 {
		d.Interrupt(virtio.ConfigInterrupt)
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatal("a configuration change is lost")
		}
	}
	wg.Wait()
	dev.Close()
	if d.Status() != 0 || tr.WaitInterrupt(0) || tr.WaitInterrupt(virtio.ConfigInterrupt) {
		t.Error("it is not closed")
	}
	for _, x := range d.Faults() {
		t.Error("the driver broke a rule:", x)
	}
}

// A device that has more queues with some features than without shows them once they
// are taken, and their interrupts come.
func TestQueuesByFeature(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 1, 1<<22, 8, 16, 4)
	const feature = 1 << 22
	d.Visible = func(features uint64) int {
		if features&feature != 0 {
			return 3
		}
		return 1
	}
	d.Serve = func(c *virtiotest.Chain) { c.Done(c.Put(0, []byte{7})) }
	r := newRegisters(t, d)
	tr, err := Open(0xfeb00200, r, r.irq)
	if err != nil {
		t.Fatal(err)
	}
	if n := tr.NumQueues(); n != 1 || tr.QueueMax(2) != 0 {
		t.Errorf("%d queues before, the last one of %d", n, tr.QueueMax(2))
	}
	var q *virtio.Queue
	dev, err := virtio.Init(tr, mem, virtio.Driver{Features: feature, Setup: func(v *virtio.Device) (err error) {
		q, err = v.AddQueue(2, "late", 4)
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	if n := tr.NumQueues(); n != 3 {
		t.Errorf("%d queues", n)
	}
	b := []byte{0}
	if n, err := q.Do([][]byte{{1}}, [][]byte{b}); n != 1 || err != nil || b[0] != 7 {
		t.Errorf("%d, %v, %d", n, err, b[0])
	}
	dev.Close()
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *registers)
		want   string // empty: nothing there
	}{
		{"no device", func(r *registers) { r.dev.ID = 0 }, ""},
		{"no device, legacy", func(r *registers) { r.dev.ID, r.version = 0, 1 }, ""},
		{"legacy", func(r *registers) { r.version = 1 }, "-global virtio-mmio.force-legacy=false"},
		{"future", func(r *registers) { r.version = 3 }, "version: 3"},
		{"not virtio", func(r *registers) { r.magic = 0xffffffff }, "magic: 0xffffffff"},
	}
	for _, tt := range tests {
		r := newRegisters(t, virtiotest.New(virtiotest.NewMemory(1<<16), 26, 0, 8))
		tt.change(r)
		tr, err := Open(0xfeb00e00, r, func() (virtio.Interrupt, error) {
			t.Errorf("%s: interrupt claimed", tt.name)
			return nil, nil
		})
		if tr != nil || (err == nil) != (tt.want == "") {
			t.Errorf("%s: %v, %v", tt.name, tr, err)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "virtio-mmio feb00e00: ") || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, syscall.EIO)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// The interrupt is not to be had.
	r := newRegisters(t, virtiotest.New(virtiotest.NewMemory(1<<16), 26, 0, 8))
	_, err := Open(0xfeb00e00, r, func() (virtio.Interrupt, error) { return nil, syscall.EBUSY })
	if !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), "feb00e00") {
		t.Error(err)
	}
}

func TestEnableQueueRefused(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 16)
	r := newRegisters(t, virtiotest.New(mem, 26, 0, 8))
	r.stuckReady = true
	tr, err := Open(0xfeb00e00, r, r.irq)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for _, c := range []struct {
		index, size int
		want        string
	}{{0, 8, "QueueReady"}, {0, 16, "QueueNumMax"}, {1, 8, "no queue 1"}, {-1, 8, "no queue -1"}} {
		if err := tr.EnableQueue(c.index, c.size, 0, 0, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("queue %d of %d: %v, want one that names %q", c.index, c.size, err, c.want)
		}
	}
	r.ready[0] = 1
	if err := tr.EnableQueue(0, 8, 0, 0, 0); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Error(err)
	}
}
