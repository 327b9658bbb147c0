package pci

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// Where the simulated device has its structures in BAR 4.
const (
	atCommon = 0x0000
	atISR    = 0x1000
	atConfig = 0x2000
	atNotify = 0x3000
	barSize  = 0x4000
)

// virtioFn is a virtio device behind PCI registers (virtio 1.2 §4.1).
type virtioFn struct {
	*fn
	m       *machine
	dev     *virtiotest.Device
	entries int

	mu           sync.Mutex
	devSel       uint32
	drvSel       uint32
	features     uint64
	configVector uint16
	sel          uint16
	size         map[uint16]uint16
	vector       map[uint16]uint16
	enabled      map[uint16]bool
	rings        map[uint16]*[3]uint64
	isr          uint8
	table        []byte
	pending      map[int]bool
	noVectors    bool // the device has no room for vectors
	stuckEnable  bool
	multiplier   uint32
}

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// virtioCap adds a capability for a structure.
func (v *virtioFn) virtioCap(at int, kind, bar byte, off, length uint32, more ...byte) {
	body := append([]byte{byte(16 + len(more)), kind, bar, 0, 0, 0}, le32(off)...)
	v.cap(at, 9, append(append(body, le32(length)...), more...)...)
}

func newVirtio(m *machine, slot, entries int, dev *virtiotest.Device) *virtioFn {
	v := &virtioFn{
		fn: newFn(slot, 0, 0x1af4, uint16(0x1040+dev.ID), 0x018000), m: m, dev: dev, entries: entries,
		configVector: noVector, size: map[uint16]uint16{}, vector: map[uint16]uint16{},
		enabled: map[uint16]bool{}, rings: map[uint16]*[3]uint64{}, pending: map[int]bool{}, multiplier: 4,
	}
	v.config[0x3d] = 1
	v.bar(4, barSize, bar64|barPref)
	v.regs[4] = registers{v.readBAR, v.writeBAR}
	if entries > 0 {
		v.table = make([]byte, entries*16)
		for i := range entries {
			v.table[i*16+12] = 1
		}
		v.bar(1, 4096, bar32)
		v.regs[1] = registers{v.readTable, v.writeTable}
		v.cap(0x40, 0x11, byte(entries-1), byte((entries-1)>>8), 1, 8, 0, 0, 1, 0, 0, 0)
		v.write[0x43] = 0xc0
	}
	v.virtioCap(0x50, 1, 4, atCommon, 0x38)
	v.virtioCap(0x60, 3, 4, atISR, 1)
	v.virtioCap(0x70, 4, 4, atConfig, uint32(len(dev.ConfigSpace)+64))
	v.virtioCap(0x84, 2, 4, atNotify, 0x100, le32(v.multiplier)...)
	v.virtioCap(0x9c, 5, 0, 0, 0, 0, 0, 0, 0) // configuration access, of no use here
	v.virtioCap(0xb0, 8, 2, 0x1000, 0x2000, append(le32(1), le32(2)...)...)
	v.config[0xb0+5] = 7 // its id
	dev.Raised = v.raise
	m.root = append(m.root, v.fn)
	return v
}

func (v *virtioFn) raise(q int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.config[0x43]&0x80 != 0 {
		n := v.configVector
		if q >= 0 {
			var ok bool
			if n, ok = v.vector[uint16(q)]; !ok {
				n = noVector
			}
		}
		if int(n) < v.entries {
			v.pending[int(n)] = true
			v.deliver()
		}
		return
	}
	if q >= 0 {
		v.isr |= 1
	} else {
		v.isr |= 2
	}
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	for _, l := range v.m.lines {
		l.fire()
	}
}

// deliver sends the messages of what is pending and not masked.
func (v *virtioFn) deliver() {
	for n := range v.pending {
		e := v.table[n*16:]
		if v.config[0x43]&0xc0 != 0x80 || e[12]&1 != 0 {
			continue
		}
		delete(v.pending, n)
		if v.fn.config[4]&4 == 0 {
			v.m.t.Error("message without bus mastering")
		}
		v.m.message(binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint32(e[8:]))
	}
}

func (v *virtioFn) readTable(off, width int) uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if off -= 0x800; off < 0 || off >= len(v.table) || width != 4 {
		v.m.t.Errorf("table read of %d bytes at %#x", width, off)
		return 0
	}
	return binary.LittleEndian.Uint32(v.table[off:])
}

func (v *virtioFn) writeTable(off, width int, x uint32) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if off -= 0x800; off < 0 || off >= len(v.table) || width != 4 {
		v.m.t.Errorf("table write of %d bytes at %#x", width, off)
		return
	}
	binary.LittleEndian.PutUint32(v.table[off:], x)
	v.deliver()
}

func (v *virtioFn) readBAR(off, width int) uint32 {
	if off >= atConfig && off < atNotify {
		return v.dev.ReadConfig(off-atConfig, width)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if off == atISR && width == 1 {
		s := v.isr
		v.isr = 0 // reading acknowledges
		return uint32(s)
	}
	wide := map[int]int{0x10: 2, 0x12: 2, 0x14: 1, 0x15: 1, 0x16: 2, 0x18: 2, 0x1a: 2, 0x1c: 2, 0x1e: 2}
	if w := wide[off]; w != width && (w != 0 || width != 4) {
		v.m.t.Errorf("read of %d bytes at %#x", width, off)
	}
	switch off {
	case 0x04:
		if v.devSel < 2 {
			return uint32(v.dev.Features >> (32 * v.devSel))
		}
		return 0
	case 0x10:
		return uint32(v.configVector)
	case 0x12:
		return uint32(v.dev.NumQueues())
	case 0x14:
		return uint32(v.dev.Status())
	case 0x15:
		return v.dev.ConfigGeneration() & 0xff
	case 0x18:
		if n, ok := v.size[v.sel]; ok {
			return uint32(n)
		}
		return uint32(v.dev.QueueMax(int(v.sel)))
	case 0x1a:
		if n, ok := v.vector[v.sel]; ok {
			return uint32(n)
		}
		return noVector
	case 0x1c:
		if v.enabled[v.sel] {
			return 1
		}
		return 0
	case 0x1e:
		return uint32(v.dev.NumQueues()) - uint32(v.sel) // anything but the queue's number
	}
	v.m.t.Errorf("read at %#x", off)
	return 0
}

func (v *virtioFn) writeBAR(off, width int, x uint32) {
	if off >= atNotify {
		q := v.dev.NumQueues() - (off-atNotify)/int(v.multiplier)
		if width != 2 || int(x) != q || (off-atNotify)%int(v.multiplier) != 0 {
			v.m.t.Errorf("notification %d of %d bytes at %#x, which is that of queue %d", x, width, off, q)
		}
		v.dev.Notify(int(x))
		return
	}
	if off >= atConfig {
		v.dev.WriteConfig(off-atConfig, width, x)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if off >= 0x20 && off < 0x38 && width == 4 {
		if v.rings[v.sel] == nil {
			v.rings[v.sel] = new([3]uint64)
		}
		p := &v.rings[v.sel][(off-0x20)/8]
		if off&4 == 0 {
			*p = *p&^0xffffffff | uint64(x)
		} else {
			*p = *p&0xffffffff | uint64(x)<<32
		}
		return
	}
	switch fmt.Sprintf("%#x/%d", off, width) {
	case "0x0/4":
		v.devSel = x
	case "0x8/4":
		v.drvSel = x
	case "0xc/4":
		v.features = v.features&^(0xffffffff<<(32*v.drvSel)) | uint64(x)<<(32*v.drvSel)
		v.dev.SetDriverFeatures(v.features)
	case "0x10/2":
		if v.configVector = uint16(x); v.noVectors || int(x) >= v.entries {
			v.configVector = noVector
		}
	case "0x14/1":
		v.dev.SetStatus(uint8(x))
		if x == 0 {
			v.configVector, v.isr = noVector, 0
			clear(v.vector)
			clear(v.enabled)
			clear(v.size)
		}
	case "0x16/2":
		v.sel = uint16(x)
	case "0x18/2":
		v.size[v.sel] = uint16(x)
	case "0x1a/2":
		if v.vector[v.sel] = uint16(x); int(x) >= v.entries {
			v.vector[v.sel] = noVector
		}
	case "0x1c/2":
		if x != 1 || v.stuckEnable {
			return
		}
		r := v.rings[v.sel]
		if err := v.dev.EnableQueue(int(v.sel), int(v.size[v.sel]), r[0], r[1], r[2]); err != nil {
			v.m.t.Error(err)
			return
		}
		v.enabled[v.sel] = true
	default:
		v.m.t.Errorf("write of %d bytes at %#x", width, off)
	}
}

// registers are made of two functions.
type registers struct {
	read  func(off, width int) uint32
	write func(off, width int, v uint32)
}

func (w registers) Size() int               { return barSize }
func (w registers) Read8(o int) uint8       { return uint8(w.read(o, 1)) }
func (w registers) Read16(o int) uint16     { return uint16(w.read(o, 2)) }
func (w registers) Read32(o int) uint32     { return w.read(o, 4) }
func (w registers) Write8(o int, v uint8)   { w.write(o, 1, uint32(v)) }
func (w registers) Write16(o int, v uint16) { w.write(o, 2, uint32(v)) }
func (w registers) Write32(o int, v uint32) { w.write(o, 4, v) }

func simulated(mem *virtiotest.Memory) *virtiotest.Device {
	d := virtiotest.New(mem, 26, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, 8, 16, 4)
	d.ConfigSpace = []byte{1, 2, 3, 4, 5, 6, 7, 8}
	d.Serve = func(c *virtiotest.Chain) { c.Done(c.Put(0, []byte{byte(c.Queue), 7})) }
	return d
}

func TestVirtio(t *testing.T) {
	tests := []struct {
		name    string
		entries int // of the MSI-X table, 0: no MSI-X
		vectors int // that the machine has, 0: enough
		used    int // vectors that the driver takes
	}{
		{"a vector each", 4, 0, 4},
		{"more than enough", 2048 / 16, 0, 4},
		{"small table", 2, 0, 2},
		{"smallest table", 1, 0, 1},
		{"few vectors", 4, 2, 2},
		{"interrupt line", 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := virtiotest.NewMemory(1 << 20)
			d := simulated(mem)
			m := q35(t)
			m.noMSI = tt.vectors
			newVirtio(m, 2, tt.entries, d).bar(2, 1<<34, bar64|barPref)
			f := open(t, m).Functions()[1]
			tr, err := OpenVirtio(f)
			if err != nil {
				t.Fatal(err)
			}
			if tr.Name() != "virtio-pci 00:02.0" || tr.DeviceID() != 26 || tr.NumQueues() != 3 || tr.QueueMax(1) != 16 || tr.QueueMax(3) != 0 || tr.QueueMax(-1) != 0 {
				t.Errorf("%s: device %d, %d queues", tr.Name(), tr.DeviceID(), tr.NumQueues())
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
			b2, _ := f.BAR(2)
			if a, n, ok := tr.SharedMemory(7); !ok || a != b2.Addr+1<<32+0x1000 || n != 2<<32+0x2000 {
				t.Errorf("shared memory at %#x, %#x bytes, %v", a, n, ok)
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
				Changed: func(*virtio.Device) {
					select {
					case changed <- struct{}{}:
					default:
					}
				},
			})
			if err != nil {
				t.Fatal(err)
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
			for range 20 {
				d.Interrupt(virtio.ConfigInterrupt)
				select {
				case <-changed:
				case <-time.After(time.Minute):
					t.Fatal("a configuration change is lost")
				}
			}
			wg.Wait()
			if len(m.vectors) != tt.used {
				t.Errorf("%d vectors used, want %d", len(m.vectors), tt.used)
			}
			if tt.entries == 0 && m.lines[22] == nil {
				t.Errorf("INTA of device 2 is GSI 22, not %v", m.lines)
			}
			dev.Close()
			if d.Status() != 0 || tr.WaitInterrupt(0) || tr.WaitInterrupt(virtio.ConfigInterrupt) {
				t.Error("it is not closed")
			}
			if f.Read16(regCommand)&(commandMemory|commandMaster) != commandMemory|commandMaster {
				t.Error("to close a device that resets itself changes the memory map")
			}
			for _, x := range d.Faults() {
				t.Error("the driver broke a rule:", x)
			}
		})
	}
}

func TestVirtioRefuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(v *virtioFn)
		want string
	}{
		{"legacy", func(v *virtioFn) {
			binary.LittleEndian.PutUint16(v.config[2:], 0x1009)
			v.config[6] = 0
		}, "disable-legacy=on"},
		{"no capabilities", func(v *virtioFn) { v.config[6] = 0 }, "no common configuration"},
		{"no notification", func(v *virtioFn) { v.config[0x87] = 77 }, "no notification structure"},
		{"no interrupt status", func(v *virtioFn) { v.config[0x63] = 77 }, "no interrupt status structure"},
		{"reserved BAR", func(v *virtioFn) { v.config[0x54] = 6 }, "no common configuration"},
		{"missing BAR", func(v *virtioFn) { v.config[0x54] = 3 }, "there is no BAR 3"},
		{"common too short", func(v *virtioFn) { v.config[0x5c] = 0x37 }, "want at least 56"},
		{"common not aligned", func(v *virtioFn) { v.config[0x58] = 2 }, "aligned to 4"},
		{"beyond its BAR", func(v *virtioFn) { copy(v.config[0x58:], le32(barSize-0x34)) }, "leave BAR 4"},
		{"offset overflows", func(v *virtioFn) { copy(v.config[0x58:], le32(0xfffffffc)) }, "leave BAR 4"},
		{"short capability", func(v *virtioFn) { v.config[0x52] = 12 }, "cap_len: 12"},
		{"long capability", func(v *virtioFn) { v.config[0x52] = 0xff }, "cap_len: 255"},
		{"short notification capability", func(v *virtioFn) { v.config[0x86] = 16 }, "cap_len: 16"},
		{"I/O BAR", func(v *virtioFn) { v.bar(0, 64, barIO); v.config[0x54] = 0 }, "I/O ports"},
		{"MSI-X table beyond its BAR", func(v *virtioFn) { v.config[0x42], v.config[0x43] = 0xff, 7 }, "MSI-X table of 2048 entries"},
		{"MSI-X in no BAR", func(v *virtioFn) { v.config[0x44] = 7 }, "no BAR 7"},
		{"BAR without an address", func(v *virtioFn) { v.bar(2, 1<<63, bar64) }, "BAR 2"},
	}
	for _, tt := range tests {
		mem := virtiotest.NewMemory(1 << 16)
		m := q35(t)
		tt.edit(newVirtio(m, 2, 4, simulated(mem)))
		f := open(t, m).Functions()[1]
		_, err := OpenVirtio(f)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "00:02.0") {
			t.Errorf("%s: %v, want one that names %q", tt.name, err, tt.want)
		}
		if f.Read16(regCommand)&commandMaster != 0 {
			t.Errorf("%s: it is left able to reach memory", tt.name)
		}
	}
	// A second structure of a kind stands in for one of no use.
	m := q35(t)
	v := newVirtio(m, 2, 4, simulated(virtiotest.NewMemory(1<<16)))
	v.virtioCap(0xd0, 1, 3, atCommon, 0x38)
	if _, err := OpenVirtio(open(t, m).Functions()[1]); err != nil {
		t.Error(err)
	}
	// Neither vectors nor lines.
	m = q35(t)
	newVirtio(m, 2, 0, simulated(virtiotest.NewMemory(1<<16)))
	p := m.platform()
	p.Line = nil
	b, _ := Open(p)
	if _, err := OpenVirtio(b.Functions()[1]); err == nil || !strings.Contains(err.Error(), "no MSI-X") {
		t.Error(err)
	}
}

func TestVirtioQueueRefused(t *testing.T) {
	tests := []struct {
		name  string
		edit  func(v *virtioFn)
		index int
		want  string
	}{
		{"no such queue", func(v *virtioFn) {}, 3, "no queue 3"},
		{"too large", func(v *virtioFn) {}, 2, "queue_size"},
		{"in use", func(v *virtioFn) { v.enabled[0] = true }, 0, "in use"},
		{"not enabled", func(v *virtioFn) { v.stuckEnable = true }, 0, "does not enable"},
		{"no vector", func(v *virtioFn) { v.entries = 0 }, 0, "queue_msix_vector"},
		{"notification beyond", func(v *virtioFn) { copy(v.config[0x94:], le32(0x1000)) }, 0, "queue_notify_off"},
		{"notification overflows", func(v *virtioFn) { copy(v.config[0x94:], le32(0xffffffff)) }, 0, "queue_notify_off"},
	}
	for _, tt := range tests {
		m := q35(t)
		v := newVirtio(m, 2, 4, simulated(virtiotest.NewMemory(1<<16)))
		tt.edit(v)
		tr, err := OpenVirtio(open(t, m).Functions()[1])
		if err != nil {
			t.Fatal(tt.name, err)
		}
		err = tr.EnableQueue(tt.index, 8, 0, 0, 0)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "virtio-pci 00:02.0: ") || !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v, want one that names %q", tt.name, err, tt.want)
		}
		tr.Close()
	}
	// A device that does not take the vector for configuration changes.
	m := q35(t)
	v := newVirtio(m, 2, 4, simulated(virtiotest.NewMemory(1<<16)))
	v.noVectors = true
	tr, err := OpenVirtio(open(t, m).Functions()[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Reset(); err == nil || !strings.Contains(err.Error(), "config_msix_vector") {
		t.Error(err)
	}
	tr.Notify(99)
	tr.Notify(-1)
	tr.Close()
	tr.Close()
}

// A device that does not stop is cut off from memory.
// A device that has more queues with some features than without shows them once they
// are taken, and their interrupts come.
func TestQueuesByFeature(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 20)
	d := virtiotest.New(mem, 26, 1<<22, 8, 16, 4)
	const feature = 1 << 22
	d.Visible = func(features uint64) int {
		if features&feature != 0 {
			return 3
		}
		return 1
	}
	d.Serve = func(c *virtiotest.Chain) { c.Done(c.Put(0, []byte{7})) }
	m := q35(t)
	newVirtio(m, 2, 2, d)
	tr, err := OpenVirtio(open(t, m).Functions()[1])
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

func TestVirtioStuck(t *testing.T) {
	mem := virtiotest.NewMemory(1 << 16)
	d := simulated(mem)
	m := q35(t)
	newVirtio(m, 2, 4, d)
	tr, err := OpenVirtio(open(t, m).Functions()[1])
	if err != nil {
		t.Fatal(err)
	}
	tr.SetStatus(1)
	d.StuckStatus = true
	if err := tr.Close(); err != nil {
		t.Errorf("%v, though it cannot reach memory any more", err)
	}
	if tr.Function().Read16(regCommand)&commandMaster != 0 {
		t.Error("it can reach memory")
	}
}

func TestVirtioID(t *testing.T) {
	for _, c := range []struct {
		device, sub uint16
		is          bool
		want        uint32
	}{{0x105a, 0, true, 26}, {0x1000, 1, true, 1}, {0x1003, 0x1100, true, 3}, {0x1006, 77, true, 77}, {0x103f, 5, true, 5}, {0x0fff, 0, false, 0}, {0x1080, 0, false, 0}} {
		f := &Function{Vendor: 0x1af4, Device: c.device, SubDevice: c.sub}
		if f.IsVirtio() != c.is || c.is && f.VirtioID() != c.want {
			t.Errorf("%#x: %v %d, want %v %d", c.device, f.IsVirtio(), f.VirtioID(), c.is, c.want)
		}
	}
}

// FuzzFunction fills the configuration space of a function with anything.
func FuzzFunction(f *testing.F) {
	m := q35(f)
	v := newVirtio(m, 2, 4, simulated(virtiotest.NewMemory(1<<16)))
	f.Add(v.config[:256], v.write[:256])
	f.Add(v.config[:0x60], []byte{})
	f.Fuzz(func(t *testing.T, config, write []byte) {
		m := q35(t)
		d := simulated(virtiotest.NewMemory(1 << 16))
		v := newVirtio(m, 2, 4, d)
		quiet := &testing.T{} // accesses that make no sense are the point here
		m.t = quiet
		if len(config) > 256 || len(write) > 256 {
			return
		}
		copy(v.config[4:], config)
		copy(v.write[:], write)
		b, err := Open(m.platform())
		if err != nil {
			return
		}
		for _, f := range b.Functions() {
			_ = f.String()
			if !f.IsVirtio() {
				continue
			}
			tr, err := OpenVirtio(f)
			if err != nil {
				continue
			}
			for i := range tr.NumQueues() {
				if n := tr.QueueMax(i); n > 0 {
					tr.SharedMemory(uint8(i))
				}
			}
			tr.Close()
		}
	})
}
