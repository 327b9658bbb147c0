package blockdev

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// ram is a Disk in memory that insists on whole blocks.
type ram struct {
	mu       sync.Mutex
	data     []byte
	block    int
	readOnly bool
	noZeroes bool
	flushes  int
	discards [][2]int64
	t        testing.TB
}

func (r *ram) check(off, n int64) {
	if off%int64(r.block) != 0 || n%int64(r.block) != 0 || off < 0 || off+n > int64(len(r.data)) {
		r.t.Errorf("%d bytes at %d of a disk of %d with blocks of %d", n, off, len(r.data), r.block)
	}
}

func (r *ram) ReadAt(p []byte, off int64) (int, error) {
	r.check(off, int64(len(p)))
	r.mu.Lock()
	defer r.mu.Unlock()
	return copy(p, r.data[off:]), nil
}

func (r *ram) WriteAt(p []byte, off int64) (int, error) {
	r.check(off, int64(len(p)))
	r.mu.Lock()
	defer r.mu.Unlock()
	return copy(r.data[off:], p), nil
}

func (r *ram) Flush() error { r.flushes++; return nil }

func (r *ram) Discard(off, n int64) error {
	r.check(off, n)
	r.discards = append(r.discards, [2]int64{off, n})
	return nil
}

func (r *ram) WriteZeroes(off, n int64, unmap bool) error {
	r.check(off, n)
	if r.noZeroes {
		return syscall.EOPNOTSUPP
	}
	clear(r.data[off : off+n])
	return nil
}

func (r *ram) Size() int64            { return int64(len(r.data)) }
func (r *ram) BlockSize() int         { return r.block }
func (r *ram) PhysicalBlockSize() int { return 4096 }
func (r *ram) ReadOnly() bool         { return r.readOnly }

var node = synth.New("test", 0).Dir()

func newRAM(t testing.TB, size, block int) *ram {
	return &ram{data: make([]byte, size), block: block, t: t}
}

func openFile(t testing.TB, b *Device, flags int) *file {
	t.Helper()
	f, err := b.Open(node, flags)
	if err != nil {
		t.Fatal(err)
	}
	return f.(*file)
}

// TestPlay: bytes are where they were written, wherever blocks begin, also when parts of
// one block are written at the same time.
func TestPlay(t *testing.T) {
	for _, block := range []int{512, 4096} {
		d := newRAM(t, 1<<20, block)
		whole := New(d)
		part, err := whole.Part(int64(4*block), 1<<19)
		if err != nil {
			t.Fatal(err)
		}
		const players = 4
		var wg sync.WaitGroup
		for i := range players {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 7))
				f := openFile(t, part, syscall.O_RDWR)
				// Player i has every fourth piece of 100 bytes.
				model := map[int64]byte{}
				for range 1000 {
					at := (rng.Int64N((1<<19)/400)*4 + int64(i)) * 100
					p := make([]byte, 100)
					if rng.IntN(2) == 0 {
						c := byte(rng.Uint32())
						for j := range p {
							p[j] = c
						}
						if n, end, err := f.WriteAt(p, at); n != 100 || end != at+100 || err != nil {
							t.Errorf("write at %d: %d, %d, %v", at, n, end, err)
						}
						model[at] = c
					} else if n, err := f.ReadAt(p, at); n != 100 || err != nil || !bytes.Equal(p, bytes.Repeat([]byte{model[at]}, 100)) {
						t.Errorf("read at %d: %d, %v: %v, want %d", at, n, err, p, model[at])
					}
				}
			})
		}
		wg.Wait()
		if i := bytes.IndexFunc(d.data[:4*block], func(r rune) bool { return r != 0 }); i >= 0 {
			t.Errorf("byte %d, before the part, was written", i)
		}
		// Of any length.
		rng := rand.New(rand.NewPCG(1, 1))
		model := bytes.Clone(d.data)
		f := openFile(t, whole, syscall.O_RDWR)
		for range 300 {
			at := rng.Int64N(1 << 20)
			p := make([]byte, rng.IntN(200_000))
			n, err := f.ReadAt(p, at)
			if want := model[at:min(int64(len(model)), at+int64(len(p)))]; err != nil || !bytes.Equal(p[:n], want) {
				t.Fatalf("read of %d at %d: %d, %v", len(p), at, n, err)
			}
			at = rng.Int64N(1 << 20)
			for j := range p {
				p[j] = byte(rng.Uint32())
			}
			n, _, err = f.WriteAt(p, at)
			if want := min(len(p), len(model)-int(at)); err != nil || n != want {
				t.Fatalf("write of %d at %d: %d, %v", len(p), at, n, err)
			}
			copy(model[at:], p)
		}
		if !bytes.Equal(d.data, model) {
			t.Error("other bytes are on the disk")
		}
	}
}

// TestEnds: a device ends where it ends, and a part too.
func TestEnds(t *testing.T) {
	d := newRAM(t, 64<<10, 512)
	part, err := New(d).Part(1024, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := openFile(t, part, syscall.O_RDWR)
	p := make([]byte, 100)
	if n, err := f.ReadAt(p, 2000); n != 48 || err != nil {
		t.Errorf("read across the end: %d, %v", n, err)
	}
	if n, err := f.ReadAt(p, 2048); n != 0 || err != nil {
		t.Errorf("read at the end: %d, %v", n, err)
	}
	if n, end, err := f.WriteAt(p, 2000); n != 48 || end != 2048 || err != nil {
		t.Errorf("write across the end: %d, %d, %v", n, end, err)
	}
	if n, _, err := f.WriteAt(p, 1<<40); n != 0 || err != syscall.ENOSPC {
		t.Errorf("write behind the end: %d, %v", n, err)
	}
	for _, tt := range []struct {
		pos, off int64
		whence   int
		want     int64
		err      error
	}{
		{0, 2048, seekSet, 2048, nil}, {0, 2049, seekSet, 0, syscall.EINVAL}, {0, -1, seekSet, 0, syscall.EINVAL},
		{100, 1, seekCur, 101, nil}, {100, -101, seekCur, 0, syscall.EINVAL}, {100, 1<<63 - 1, seekCur, 0, syscall.EINVAL},
		{0, 0, seekEnd, 2048, nil}, {0, -8, seekEnd, 2040, nil}, {0, 1, seekEnd, 0, syscall.EINVAL},
		{0, 5, fs.SeekData, 5, nil}, {0, 5, fs.SeekHole, 2048, nil}, {0, 2048, fs.SeekData, 0, syscall.ENXIO},
	} {
		got, err := f.SeekFrom(tt.pos, tt.off, tt.whence)
		if err != tt.err || err == nil && got != tt.want {
			t.Errorf("%+v: %d, %v", tt, got, err)
		}
	}
	for _, r := range [][2]int64{{-512, 512}, {0, 0}, {100, 512}, {512, 100}, {64 << 10, 512}, {63 << 10, 2048}, {1<<63 - 512, 512}} {
		if _, err := New(d).Part(r[0], r[1]); err != syscall.EINVAL {
			t.Errorf("part of %d bytes at %d: %v", r[1], r[0], err)
		}
	}
	d.data = d.data[:2048] // the host has made the disk smaller
	if n, err := f.ReadAt(make([]byte, 4096), 0); n != 1024 || err != nil {
		t.Errorf("read of a smaller disk: %d, %v", n, err)
	}
}

func TestReadOnlyAndSync(t *testing.T) {
	d := newRAM(t, 8192, 512)
	f := openFile(t, New(d), syscall.O_RDWR|syscall.O_DSYNC)
	f.WriteAt([]byte("x"), 0)
	if d.flushes != 1 {
		t.Errorf("%d flushes of a write with O_DSYNC", d.flushes)
	}
	f.Fsync(false)
	if d.flushes != 2 {
		t.Errorf("%d flushes with one of fsync", d.flushes)
	}
	d.readOnly = true
	if _, err := New(d).Open(node, syscall.O_WRONLY); err != syscall.EROFS {
		t.Errorf("open for writing: %v", err)
	}
	if _, _, err := f.WriteAt([]byte("x"), 0); err != syscall.EROFS {
		t.Errorf("write: %v", err)
	}
	if err := f.Fallocate(fs.FallocPunch|fs.FallocKeepSize, 0, 512); err != syscall.EROFS {
		t.Errorf("hole: %v", err)
	}
}

func TestControls(t *testing.T) {
	d := newRAM(t, 8192, 512)
	part, _ := New(d).Part(512, 4096)
	f := openFile(t, part, syscall.O_RDWR)
	for _, tt := range []struct {
		cmd  uint32
		size int
		want uint64
	}{
		{BLKGETSIZE64, 8, 4096}, {BLKGETSIZE, 8, 8}, {BLKSSZGET, 4, 512}, {BLKPBSZGET, 4, 4096}, {BLKIOMIN, 4, 4096},
		{BLKROGET, 4, 0}, {BLKBSZGET, 4, 4096}, {BLKIOOPT, 4, 0}, {BLKALIGNOFF, 4, 0},
	} {
		out := make([]byte, 8)
		if _, n, err := f.Ioctl(tt.cmd, 0, nil, out[:tt.size]); n != tt.size || err != nil || binary.LittleEndian.Uint64(out) != tt.want {
			t.Errorf("%#x: %d, %v, % x", tt.cmd, n, err, out)
		}
	}
	ranged := func(off, n int64) []byte {
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(off)), uint64(n))
	}
	if _, _, err := f.Ioctl(BLKDISCARD, 0, ranged(512, 1024), nil); err != nil || len(d.discards) != 1 || d.discards[0] != [2]int64{1024, 1024} {
		t.Errorf("discard: %v, %v", err, d.discards)
	}
	for _, r := range [][2]int64{{0, 100}, {1, 512}, {0, 8192}, {-512, 512}, {4096, 512}} {
		for _, cmd := range []uint32{BLKDISCARD, BLKZEROOUT} {
			if _, _, err := f.Ioctl(cmd, 0, ranged(r[0], r[1]), nil); err != syscall.EINVAL {
				t.Errorf("%#x of %v: %v", cmd, r, err)
			}
		}
	}
	for _, noZeroes := range []bool{false, true} {
		d.noZeroes = noZeroes
		for i := range d.data {
			d.data[i] = 9
		}
		if _, _, err := f.Ioctl(BLKZEROOUT, 0, ranged(512, 1024), nil); err != nil || d.data[1023] != 9 || d.data[1024] != 0 || d.data[2047] != 0 || d.data[2048] != 9 {
			t.Errorf("zeroes, without such requests: %t: %v", noZeroes, err)
		}
	}
	if _, _, err := f.Ioctl(0x5401, 0, nil, make([]byte, 36)); !errors.Is(err, syscall.ENOTTY) {
		t.Errorf("a terminal's request: %v", err)
	}
	if _, _, err := f.Ioctl(BLKDISCARD, 0, nil, nil); err != syscall.EFAULT {
		t.Errorf("no range: %v", err)
	}
}
