package virtio_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"

	"github.com/yolkos/yolk/drivers/virtio"
)

const testPhys = 0x8000_0000

func arena(t testing.TB, size int) *virtio.Arena {
	t.Helper()
	mem := make([]byte, size+4096)
	a, err := virtio.NewArena(mem[pageSkip(mem):][:size], testPhys)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// pageSkip is how far the next page boundary is.
func pageSkip(b []byte) int { return int(-addressOf(b) % 4096) }

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

func TestArena(t *testing.T) {
	a := arena(t, 64<<10)
	type block struct {
		b    []byte
		fill byte
	}
	var live []block
	r := rand.New(rand.NewPCG(5, 6))
	failed := 0
	for i := range 20000 {
		if len(live) > 0 && r.IntN(2) == 0 {
			k := r.IntN(len(live))
			if bad := bytes.TrimLeft(live[k].b, string(live[k].fill)); len(bad) > 0 {
				t.Fatal("two allocations overlap")
			}
			a.Free(live[k].b)
			live[k] = live[len(live)-1]
			live = live[:len(live)-1]
			continue
		}
		size, align := 1+r.IntN(3000), 1<<r.IntN(13)
		b, err := a.Alloc(size, align)
		if err != nil {
			if !errors.Is(err, virtio.ErrNoMemory) {
				t.Fatal(err)
			}
			failed++
			continue
		}
		phys, n := a.Phys(b)
		if n != size || len(b) != size || phys%uint64(align) != 0 || phys < testPhys || phys+uint64(size) > testPhys+64<<10 {
			t.Fatalf("Alloc(%d, %d): %d bytes, %d of them at %#x", size, align, len(b), n, phys)
		}
		if len(bytes.Trim(b, "\x00")) > 0 {
			t.Fatal("not zeroed")
		}
		fill := byte('a' + i%26)
		for j := range b {
			b[j] = fill
		}
		live = append(live, block{b, fill})
	}
	if failed == 0 {
		t.Error("the arena never was full: the test is too gentle")
	}
	for _, l := range live {
		a.Free(l.b)
	}
	if s := a.Stats(); s.InUse != 0 || s.Wrong != 0 || s.Peak == 0 {
		t.Errorf("%+v", s)
	}
	// Everything has grown together again.
	if _, err := a.Alloc(64<<10, 4096); err != nil {
		t.Error(err)
	}
}

func TestArenaRefuses(t *testing.T) {
	a := arena(t, 4096)
	for _, c := range [][2]int{{0, 1}, {-1, 1}, {1, 0}, {1, 3}, {1, -8}, {4097, 1}, {1 << 62, 1}, {1, 1 << 62}} {
		if b, err := a.Alloc(c[0], c[1]); b != nil || !errors.Is(err, virtio.ErrNoMemory) {
			t.Errorf("Alloc(%d, %d): %v", c[0], c[1], err)
		}
	}
	b, err := a.Alloc(100, 16)
	if err != nil {
		t.Fatal(err)
	}
	a.Free(b)
	a.Free(b)                // twice
	a.Free(make([]byte, 10)) // not from here
	a.Free(nil)              // nothing
	c, _ := a.Alloc(100, 16) //
	a.Free(c[16:])           // not its beginning
	if s := a.Stats(); s.Wrong != 4 || s.InUse != 112 {
		t.Errorf("%+v, want 4 wrong frees and 112 bytes in use", s)
	}
	a.Free(c[:0])
	if s := a.Stats(); s.InUse != 0 {
		t.Errorf("%+v", s)
	}
	for _, size := range []int{0} {
		if _, err := virtio.NewArena(make([]byte, size), 0); err == nil {
			t.Errorf("arena of %d bytes", size)
		}
	}
	if _, err := virtio.NewArena(make([]byte, 4096), ^uint64(0)-10); err == nil {
		t.Error("arena beyond the end of memory")
	}
}

func TestArenaPhys(t *testing.T) {
	mem := make([]byte, 8192)
	heap := make([]byte, 100)
	plain, err := virtio.NewArena(mem, uint64(addressOf(mem)))
	if err != nil {
		t.Fatal(err)
	}
	if _, n := plain.Phys(heap); n != 0 {
		t.Error("heap memory has an address without an identity range")
	}
	at := uint64(addressOf(heap))
	a, err := virtio.NewArena(mem, uint64(addressOf(mem)), virtio.Range{Start: 16, End: 32}, virtio.Range{Start: at, End: at + 90})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		b     []byte
		first int
		n     int
	}{
		{heap[10:90], 10, 80},
		{heap, 0, 90}, // and the rest lies elsewhere
		{heap[80:91], 80, 10},
		{heap[90:], 0, 0},
		{nil, 0, 0},
		{heap[:0], 0, 0},
	} {
		want := at + uint64(tt.first)
		if tt.n == 0 {
			want = 0
		}
		if p, n := a.Phys(tt.b); p != want || n != tt.n {
			t.Errorf("%d bytes at %d: %d at %#x, want %d at %#x", len(tt.b), tt.first, n, p, tt.n, want)
		}
	}
	if p, n := a.Phys(mem[8191:]); n != 1 || p != uint64(addressOf(mem))+8191 {
		t.Errorf("last byte: %d at %#x", n, p)
	}
	a.Walk = func(addr uintptr, n int) (uint64, int) { return uint64(addr) + 1<<40, 7 }
	if p, n := a.Phys(heap[90:]); p != at+90+1<<40 || n != 7 {
		t.Errorf("memory that has to be looked up: %d bytes at %#x", n, p)
	}
	if _, n := a.Phys(heap[95:]); n != 5 {
		t.Errorf("%d bytes of 5", n)
	}
}

func TestArenaConcurrent(t *testing.T) {
	a := arena(t, 256<<10)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 500 {
				if b, err := a.Alloc(1+(i*37+g)%2000, 16); err == nil {
					b[0] = byte(g)
					a.Phys(b)
					a.Free(b)
				}
			}
		}()
	}
	wg.Wait()
	if s := a.Stats(); s.InUse != 0 || s.Wrong != 0 {
		t.Errorf("%+v", s)
	}
}

// FuzzArena plays a script of allocations and frees against a byte map.
func FuzzArena(f *testing.F) {
	f.Add([]byte{1, 4, 200, 12, 0, 0, 3, 3, 255, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		a := arena(t, 4096)
		taken := make([]bool, 4096)
		var live [][]byte
		span := func(b []byte) []bool {
			p, n := a.Phys(b)
			if n != len(b) {
				t.Fatal("no address")
			}
			return taken[p-testPhys:][:len(b)]
		}
		for len(script) >= 2 {
			op, arg := script[0], script[1]
			script = script[2:]
			if op >= 128 && len(live) > 0 {
				k := int(arg) % len(live)
				clear(span(live[k]))
				a.Free(live[k])
				live = append(live[:k], live[k+1:]...)
				continue
			}
			b, err := a.Alloc(int(arg)*int(op&7), 1<<(op>>3&15))
			if err != nil {
				continue
			}
			for i, used := range span(b) {
				if used || b[i] != 0 {
					t.Fatal("overlap, or not zeroed")
				}
				span(b)[i] = true
				b[i] = 1
			}
			live = append(live, b)
		}
		for _, b := range live {
			a.Free(b)
		}
		if _, err := a.Alloc(4096, 4096); err != nil || a.Stats().Wrong != 0 {
			t.Fatal(err, a.Stats())
		}
	})
}
