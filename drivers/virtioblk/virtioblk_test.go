package virtioblk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

var (
	_ io.ReaderAt = (*Disk)(nil)
	_ io.WriterAt = (*Disk)(nil)
)

// disk is a simulated device: what it has, and what it was asked for.
type disk struct {
	*virtiotest.Device
	mem *virtiotest.Memory

	mu       sync.Mutex
	data     []byte
	requests []string
	unsynced int // writes since the last flush
	status   byte
	short    int // bytes that it says less than it wrote
	mute     bool
	serial   string
}

// config is a device configuration (§5.2.4).
type config struct {
	sectors                   uint64
	sizeMax, segMax, blkSize  uint32
	physical                  uint8
	queues                    uint16
	maxDiscard, maxWriteZeroe uint32
}

func (c config) bytes() []byte {
	b := make([]byte, 60)
	binary.LittleEndian.PutUint64(b[0:], c.sectors)
	binary.LittleEndian.PutUint32(b[8:], c.sizeMax)
	binary.LittleEndian.PutUint32(b[12:], c.segMax)
	binary.LittleEndian.PutUint32(b[20:], c.blkSize)
	b[24] = c.physical
	binary.LittleEndian.PutUint16(b[34:], c.queues)
	binary.LittleEndian.PutUint32(b[36:], c.maxDiscard)
	binary.LittleEndian.PutUint32(b[40:], 1)
	binary.LittleEndian.PutUint32(b[48:], c.maxWriteZeroe)
	binary.LittleEndian.PutUint32(b[52:], 1)
	return b
}

var plain = config{sectors: 8192, segMax: 126, blkSize: 512, queues: 2, maxDiscard: 100, maxWriteZeroe: 64}

func newDisk(c config, features uint64) *disk {
	mem := virtiotest.NewMemory(16 << 20)
	d := &disk{mem: mem, data: make([]byte, c.sectors*sector), serial: "serial-1"}
	d.Device = virtiotest.New(mem, virtio.DeviceBlock, virtio.FeatureIndirectDesc|virtio.FeatureEventIdx|features, 128, 128, 128, 128, 128, 128, 128, 128, 128)
	d.ConfigSpace = c.bytes()
	d.Serve = d.serve
	return d
}

// serve answers a request as the specification says.
func (d *disk) serve(c *virtiotest.Chain) {
	d.mu.Lock()
	in := bytes.Join(c.Read, nil)
	writable := 0
	for _, b := range c.Write {
		writable += len(b)
	}
	status := d.status
	kind, at := binary.LittleEndian.Uint32(in), binary.LittleEndian.Uint64(in[8:])
	in = in[16:]
	d.requests = append(d.requests, fmt.Sprintf("%d at %d, %d in, %d out", kind, at, len(in), writable))
	var out []byte
	span := func(at, sectors uint64) []byte {
		if at+sectors > uint64(len(d.data))/sector || at+sectors < at {
			status = statusIOErr
			return nil
		}
		return d.data[at*sector : (at+sectors)*sector]
	}
	switch kind {
	case typeIn:
		out = span(at, uint64(writable-1)/sector)
	case typeOut:
		if status == 0 {
			copy(span(at, uint64(len(in))/sector), in)
		}
		d.unsynced++
	case typeFlush:
		d.unsynced = 0
	case typeGetID:
		out = make([]byte, idSize)
		copy(out, d.serial)
	case typeDiscard, typeWriteZeroes:
		clear(span(binary.LittleEndian.Uint64(in), uint64(binary.LittleEndian.Uint32(in[8:]))))
	default:
		status = statusUnsupported
	}
	if status == 0 {
		c.Put(0, out)
	}
	if status != statusNone {
		c.Put(writable-1, []byte{status})
	}
	n, mute := writable-d.short, d.mute
	d.mu.Unlock()
	if !mute {
		c.Done(n)
	}
}

// asked returns what the device was asked for since the last call.
func (d *disk) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.requests
	d.requests = nil
	return r
}

func open(t testing.TB, d *disk) *Disk {
	t.Helper()
	k, err := Open(d, d.mem, func(err error) { t.Error(err) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.Close()
		if f := d.Faults(); len(f) > 0 {
			t.Error(f)
		}
		if n := d.mem.Stats().InUse; n != 0 {
			t.Errorf("%d bytes leaked", n)
		}
	})
	d.asked()
	return k
}

// TestPlay reads and writes at random places from several goroutines, each in a part of
// its own, and compares with memory.
func TestPlay(t *testing.T) {
	for _, c := range []config{
		plain,
		{sectors: 8192, segMax: 2, blkSize: 4096, queues: 1},
		{sectors: 8192, sizeMax: 8192, segMax: 126, blkSize: 1024, queues: 9, physical: 3},
	} {
		d := newDisk(c, features&^featureRO)
		k := open(t, d)
		block := int64(k.BlockSize())
		if block != int64(c.blkSize) || k.PhysicalBlockSize() != int(c.blkSize)<<c.physical || k.Size() != 4<<20 || k.Serial() != "serial-1" {
			t.Errorf("%v: physical %d, %d bytes, serial %q", k, k.PhysicalBlockSize(), k.Size(), k.Serial())
		}
		var wg sync.WaitGroup
		const players = 4
		for i := range int64(players) {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 1))
				part := k.Size() / players
				model := make([]byte, part)
				for range 150 {
					off := rng.Int64N(part/block) * block
					n := min(part-off, rng.Int64N(200)*block)
					if rng.IntN(8) == 0 {
						n = part - off
					}
					p := make([]byte, n)
					switch rng.IntN(2) {
					case 0:
						for j := range p {
							p[j] = byte(rng.Uint32())
						}
						if m, err := k.WriteAt(p, i*part+off); m != len(p) || err != nil {
							t.Errorf("write of %d: %d, %v", len(p), m, err)
						}
						copy(model[off:], p)
					case 1:
						if m, err := k.ReadAt(p, i*part+off); m != len(p) || err != nil || !bytes.Equal(p, model[off:off+n]) {
							t.Errorf("read of %d at %d: %d, %v, or other bytes", len(p), off, m, err)
						}
					}
				}
			})
		}
		wg.Wait()
		for _, r := range d.asked() {
			var kind, at, in, out int
			fmt.Sscanf(r, "%d at %d, %d in, %d out", &kind, &at, &in, &out)
			if most := max(in, out-1); most > k.layout.transfer() {
				t.Errorf("a request of %d bytes, %d are allowed", most, k.layout.transfer())
			}
		}
	}
}

// TestLimits: how large a request may be follows from what the device says, whatever
// it is.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		l    layout
		want int
	}{
		{layout{blockSize: 512, segMax: 254}, 253 * pageSize},
		{layout{blockSize: 512, segMax: 1 << 31}, 255 * pageSize},
		{layout{blockSize: 512, segMax: 1}, 512},
		{layout{blockSize: 4096, segMax: 0}, 4096},
		{layout{blockSize: 512, segMax: 126, sizeMax: 1000}, 512},
		{layout{blockSize: 512, segMax: 126, sizeMax: 1<<32 - 1}, 125 * pageSize},
		{layout{blockSize: 65536, segMax: 126}, 7 * 65536},
	} {
		if got := tt.l.transfer(); got != tt.want {
			t.Errorf("%+v: %d bytes, want %d", tt.l, got, tt.want)
		}
	}
}

func TestFlushDiscardZeroes(t *testing.T) {
	d := newDisk(plain, features&^featureRO)
	k := open(t, d)
	if _, err := k.WriteAt(bytes.Repeat([]byte{7}, 4<<20), 0); err != nil {
		t.Fatal(err)
	}
	if err := k.Flush(); err != nil || d.unsynced != 0 {
		t.Errorf("%v, %d writes are not flushed", err, d.unsynced)
	}
	d.asked()
	if err := k.Discard(512, 250*512); err != nil {
		t.Error(err)
	}
	if err := k.WriteZeroes(1<<20, 65*512, true); err != nil {
		t.Error(err)
	}
	if got, want := strings.Join(d.asked(), "; "), "11 at 0, 16 in, 1 out; 11 at 0, 16 in, 1 out; 11 at 0, 16 in, 1 out; "+
		"13 at 0, 16 in, 1 out; 13 at 0, 16 in, 1 out"; got != want {
		t.Errorf("asked for %s", got)
	}
	if want := []byte{7, 0}; !bytes.Equal(d.data[511:513], want) || d.data[512*251-1] != 0 || d.data[512*251] != 7 ||
		d.data[1<<20] != 0 || d.data[1<<20+65*512-1] != 0 || d.data[1<<20+65*512] != 7 {
		t.Error("other bytes are zero")
	}
	// A disk that has none of it.
	k = open(t, newDisk(plain, 0))
	if k.Flush() != nil || !errors.Is(k.Discard(0, 512), syscall.EOPNOTSUPP) || !errors.Is(k.WriteZeroes(0, 512, false), syscall.EOPNOTSUPP) {
		t.Error("a disk without a feature was asked to use it")
	}
}

// TestRefuses: what is not whole blocks on the disk, or written to one that is
// read-only, does not reach the device.
func TestRefuses(t *testing.T) {
	d := newDisk(plain, features)
	k := open(t, d)
	if _, err := k.WriteAt(make([]byte, 512), 0); !errors.Is(err, syscall.EROFS) || !k.ReadOnly() {
		t.Errorf("write: %v", err)
	}
	for _, tt := range []struct{ off, n int64 }{{1, 512}, {0, 511}, {4 << 20, 512}, {-512, 512}, {4<<20 - 512, 1024}, {1<<63 - 512, 512}} {
		if n, err := k.ReadAt(make([]byte, tt.n), tt.off); n != 0 || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%d bytes at %d: %d, %v", tt.n, tt.off, n, err)
		}
	}
	if got := d.asked(); len(got) > 0 {
		t.Errorf("the device was asked for %q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(c *config, d *disk)
		want   string
	}{
		{"other device", func(_ *config, d *disk) { d.ID = 1 }, "device ID"},
		{"block size 0", func(c *config, _ *disk) { c.blkSize = 0 }, "blk_size"},
		{"block size 768", func(c *config, _ *disk) { c.blkSize = 768 }, "blk_size"},
		{"block size 128 KiB", func(c *config, _ *disk) { c.blkSize = 1 << 17 }, "blk_size"},
		{"too large", func(c *config, _ *disk) { c.sectors = 1 << 60 }, "capacity"},
		{"no queues", func(c *config, _ *disk) { c.queues = 0 }, "num_queues"},
		{"segments without room", func(c *config, _ *disk) { c.sizeMax = 100 }, "size_max"},
		{"physical blocks", func(c *config, _ *disk) { c.physical = 200 }, "physical_block_exp"},
		{"missing queue", func(_ *config, d *disk) { d.QueueSizes[1] = 0 }, "queue 1 (request 1)"},
	} {
		c := plain
		d := newDisk(c, features)
		tt.change(&c, d)
		d.ConfigSpace = c.bytes()
		k, err := Open(d, d.mem, nil, nil)
		if err == nil {
			k.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "virtio-test 0") {
			t.Errorf("%s: %v, want one that names %q", tt.name, err, tt.want)
		}
		if n := d.mem.Stats().InUse; n != 0 {
			t.Errorf("%s: %d bytes leaked", tt.name, n)
		}
	}
}

// TestHostileDevice: what the device gets wrong about a request is an error of the
// request, with how much before it is sure.
func TestHostileDevice(t *testing.T) {
	for _, tt := range []struct {
		name string
		bad  func(d *disk)
		want string
	}{
		{"says that it failed", func(d *disk) { d.status = statusIOErr }, "failed on the host"},
		{"does not know reads", func(d *disk) { d.status = statusUnsupported }, "read: operation not supported"},
		{"a status that is none", func(d *disk) { d.status = 77 }, "status: 77"},
		{"no status", func(d *disk) { d.status = statusNone }, "status: 255"},
		{"fewer bytes", func(d *disk) { d.short = 1 }, "used length"},
		{"no bytes", func(d *disk) { d.short = 513 }, "used length: 0"},
		{"more bytes", func(d *disk) { d.short = -1 }, "used length"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDisk(plain, features&^featureRO)
			k := open(t, d)
			d.mu.Lock()
			tt.bad(d)
			d.mu.Unlock()
			n, err := k.ReadAt(make([]byte, 512), 0)
			if n != 0 || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%d, %v, want one that says %q", n, err, tt.want)
			}
		})
	}
	// In the midst of a long one.
	d := newDisk(config{sectors: 8192, segMax: 9, blkSize: 512, queues: 1}, features&^featureRO)
	k := open(t, d)
	d.mu.Lock()
	d.data = d.data[:100*1024]
	d.mu.Unlock()
	if n, err := k.ReadAt(make([]byte, 1<<20), 0); n != 96<<10 || !errors.Is(err, syscall.EIO) {
		t.Errorf("%d bytes of 100 KiB, %v", n, err)
	}
	if n, err := k.WriteAt(make([]byte, 1<<20), 64<<10); n != 32<<10 || !errors.Is(err, syscall.EIO) {
		t.Errorf("%d bytes of 100 KiB, %v", n, err)
	}
}

// TestGone: a device that fails, or is closed, ends what waits for it.
func TestGone(t *testing.T) {
	for _, end := range []func(d *disk, k *Disk){
		func(d *disk, _ *Disk) { d.NeedReset() },
		func(_ *disk, k *Disk) { k.Close() },
	} {
		d := newDisk(plain, features&^featureRO)
		k, err := Open(d, d.mem, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		d.mute = true
		d.mu.Unlock()
		errs := make(chan error)
		go func() {
			_, err := k.ReadAt(make([]byte, 4<<20), 0)
			errs <- err
		}()
		time.Sleep(time.Millisecond)
		end(d, k)
		if err := <-errs; !errors.Is(err, syscall.EIO) {
			t.Errorf("%v", err)
		}
		k.Close()
		if n := d.mem.Stats().InUse; n != 0 {
			t.Errorf("%d bytes leaked", n)
		}
	}
}

// TestResize: a disk that the host makes larger is larger; nonsense changes nothing.
func TestResize(t *testing.T) {
	d := newDisk(plain, features)
	var told atomic.Int32
	k, err := Open(d, d.mem, nil, func() { told.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	resize := func(sectors uint64) {
		d.ChangeConfig(func(b []byte) { binary.LittleEndian.PutUint64(b, sectors) })
		d.Interrupt(virtio.ConfigInterrupt)
	}
	resize(1 << 62)
	resize(16384)
	for k.Size() != 16384*512 || told.Load() != 1 {
		time.Sleep(time.Millisecond)
	}
}

func TestSerial(t *testing.T) {
	for serial, want := range map[string]string{"": "", "disk 1": "disk1", "a\x00b": "a", "\x1b[2J\xff": "[2J", "exactly twenty bytes": "exactlytwentybytes"} {
		d := newDisk(plain, features)
		d.serial = serial
		if k := open(t, d); k.Serial() != want {
			t.Errorf("%q: %q", serial, k.Serial())
		}
	}
	d := newDisk(plain, features)
	d.status = statusUnsupported
	if k := open(t, d); k.Serial() != "" {
		t.Error("a name where there is none")
	}
}
