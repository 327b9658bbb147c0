package fusefs

import (
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// windowed is a script with a window of shared memory.
type windowed struct {
	*script
	mem []byte
}

func (w *windowed) Window() []byte { return w.mem }

func newWindowed(pages, align int) *windowed {
	w := &windowed{newScript(grantAll), make([]byte, pages*pageSize)}
	w.init.MapAlignment = uint16(align)
	w.ops[fuse.FUSE_SETUPMAPPING] = func(c *call) {
		var in fuse.SetupmappingIn
		in.Decode(c.args)
		for i := range w.mem[in.Moffset : in.Moffset+in.Len] {
			w.mem[int(in.Moffset)+i] = byte((int(in.Foffset) + i) >> 12) // each page its number
		}
		c.ok(nil)
	}
	w.ops[fuse.FUSE_REMOVEMAPPING] = func(c *call) { c.ok(nil) }
	return w
}

func TestMap(t *testing.T) {
	for _, align := range []int{0, 12, 14} {
		w := newWindowed(16, align)
		e := &bench{fs: mount(t, w, Options{})}
		e.file = lookup(t, e.fs.root, "f")
		e.open, _ = e.file.Open(2)
		m, err := e.open.(fs.MapFile).Map(5*pageSize, 100, false)
		if err != nil {
			t.Fatal(err)
		}
		if b := m.Bytes(); len(b) != 100 || cap(b) != 100 || b[0] != 5 || b[99] != 5 {
			t.Errorf("align %d: %d bytes of page %d", align, len(b), b[0])
		}
		rest, err := e.open.(fs.MapFile).Map(0, 12*pageSize, true)
		if err != nil || rest.Bytes()[0] != 0 || rest.Bytes()[12*pageSize-1] != 11 {
			t.Errorf("align %d: %v", align, err)
		}
		if _, err := e.open.(fs.MapFile).Map(0, 12*pageSize, true); err != syscall.ENOMEM {
			t.Errorf("align %d: full window: %v, want ENOMEM", align, err)
		}
		e.open.Release()
		e.fs.releases.finish()
		e.file.Unref() // the mapping keeps the node
		if w.number(fuse.FUSE_FORGET) != 0 {
			t.Error("forgotten while mapped")
		}
		for range 2 {
			if err := m.Unmap(); err != nil {
				t.Error(err)
			}
		}
		if err := rest.Unmap(); err != nil {
			t.Error(err)
		}
		e.fs.flushForgets()
		if w.number(fuse.FUSE_FORGET) != 1 || w.number(fuse.FUSE_REMOVEMAPPING) != 2 {
			t.Errorf("%d FORGET, %d REMOVEMAPPING", w.number(fuse.FUSE_FORGET), w.number(fuse.FUSE_REMOVEMAPPING))
		}
		if want := []extent{{0, 16 * pageSize}}; !slices.Equal(e.fs.window.free, want) {
			t.Errorf("free %v, want %v", e.fs.window.free, want)
		}
	}
}

func TestMapFails(t *testing.T) {
	w := newWindowed(4, 12)
	f := mountWindowed(t, w)
	n := lookup(t, f.root, "f")
	file, _ := n.Open(0)
	m := file.(fs.MapFile)
	for _, c := range []struct {
		off, length int64
		want        error
	}{
		{-4096, 1, syscall.EINVAL}, {1, 1, syscall.EINVAL}, {0, 0, syscall.EINVAL}, {0, -1, syscall.EINVAL},
		{0, 5 * pageSize, syscall.ENOMEM}, {0, 1<<63 - 1, syscall.ENOMEM}, {1<<63 - 4096, 1, nil},
	} {
		x, err := m.Map(c.off, c.length, false)
		if err != c.want {
			t.Errorf("Map(%d, %d): %v, want %v", c.off, c.length, err, c.want)
		}
		if err == nil {
			x.Unmap()
		}
	}
	// What could not be unmapped is not used again; what was not mapped is.
	x, _ := m.Map(0, 3*pageSize, false)
	w.ops[fuse.FUSE_REMOVEMAPPING] = func(c *call) { c.errno(syscall.EIO) }
	if err := x.Unmap(); err != syscall.EIO {
		t.Errorf("Unmap: %v, want EIO", err)
	}
	if _, err := m.Map(0, 2*pageSize, false); err != syscall.ENOMEM {
		t.Errorf("%v, want ENOMEM", err)
	}
	w.ops[fuse.FUSE_SETUPMAPPING] = nil
	for range 2 {
		if _, err := m.Map(0, pageSize, false); err != syscall.ENODEV {
			t.Errorf("%v, want ENODEV", err)
		}
	}
	if want := []extent{{3 * pageSize, pageSize}}; !slices.Equal(f.window.free, want) {
		t.Errorf("free %v, want %v", f.window.free, want)
	}
	if w.number(fuse.FUSE_SETUPMAPPING) != 3 {
		t.Errorf("%d SETUPMAPPING", w.number(fuse.FUSE_SETUPMAPPING))
	}
	// No window, or none agreed on.
	e := newBench(t, newScript(grantAll), Options{})
	if _, err := e.open.(fs.MapFile).Map(0, 1, false); err != syscall.ENODEV {
		t.Errorf("without a window: %v, want ENODEV", err)
	}
	w = newWindowed(4, 31)
	if _, err := Mount(w, Options{}); err == nil || !strings.Contains(err.Error(), "map_alignment 2^31") {
		t.Errorf("alignment of 2 GiB: %v", err)
	}
}

func mountWindowed(t *testing.T, w *windowed) *FS {
	t.Helper()
	f, err := Mount(w, Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestWindowAlloc plays random allocations against a map of the pages.
func TestWindowAlloc(t *testing.T) {
	const pages = 64
	w := window{mem: make([]byte, pages*pageSize)}
	w.open(pageSize)
	var owner [pages]int
	var live []extent
	r := rand.New(rand.NewPCG(3, 4))
	for i := 1; i < 20000; i++ {
		if len(live) > 0 && r.IntN(2) == 0 {
			k := r.IntN(len(live))
			e := live[k]
			live = append(live[:k], live[k+1:]...)
			w.release(e)
			for p := e.start / pageSize; p < (e.start+e.length)/pageSize; p++ {
				owner[p] = 0
			}
			continue
		}
		n := int64(1+r.IntN(12)) * pageSize
		start, err := w.alloc(n)
		if err != nil {
			continue
		}
		for p := start / pageSize; p < (start+n)/pageSize; p++ {
			if owner[p] != 0 {
				t.Fatalf("page %d given out twice", p)
			}
			owner[p] = i
		}
		live = append(live, extent{start, n})
	}
	for _, e := range live {
		w.release(e)
	}
	if want := []extent{{0, pages * pageSize}}; !slices.Equal(w.free, want) {
		t.Errorf("free %v, want %v", w.free, want)
	}
}
