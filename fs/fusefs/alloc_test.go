package fusefs

import (
	"os"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// quiet answers READ, WRITE and GETATTR without allocating.
type quiet struct {
	fuse.Transport
	body [fuse.AttrOutSize]byte
}

func (q *quiet) RoundTrip(in, out [][]byte) (int, error) {
	var h fuse.InHeader
	if h.Decode(in[0]) != nil {
		return 0, nil
	}
	n := 0
	for _, p := range out {
		n += len(p)
	}
	o := fuse.OutHeader{Len: uint32(n), Unique: h.Unique}
	o.AppendTo(out[0][:0])
	switch h.Opcode {
	case fuse.FUSE_WRITE:
		w := fuse.WriteOut{Size: uint32(len(in[2]))}
		w.AppendTo(out[0][:fuse.OutHeaderSize])
	case fuse.FUSE_GETATTR:
		a := fuse.AttrOut{Attr: fuse.Attr{Mode: 0o100644}}
		a.AppendTo(out[0][:fuse.OutHeaderSize])
	}
	return n, nil
}

// TestAllocs: the hot paths leave no work to the garbage collector.
func TestAllocs(t *testing.T) {
	s := newScript(grantAll)
	withLifetimes(s, fuse.EntryOut{}, fuse.EntryOut{AttrValid: 1000})
	e := newBench(t, s, Options{NoAtime: true})
	var a fs.Attr
	e.file.Getattr(&a)
	var n fs.Node = e.file
	var f fs.File = e.open
	q := &quiet{Transport: s}
	e.fs.t = q
	buf := make([]byte, 4096)
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"Getattr, cached", func() error { return n.Getattr(&a) }},
		{"File.Getattr, cached", func() error { return f.Getattr(&a) }},
		{"ReadAt", func() error { _, err := f.ReadAt(buf, 0); return err }},
		{"WriteAt", func() error { _, _, err := f.WriteAt(buf, 0); return err }},
		{"Getattr, asked for", func() error { e.file.(fs.AttrInvalidator).InvalidateAttr(); return n.Getattr(&a) }},
		{"Fsync", func() error { return f.Fsync(true) }},
	} {
		got := testing.AllocsPerRun(200, func() {
			if err := c.do(); err != nil {
				t.Fatal(c.name, err)
			}
		})
		if got != 0 {
			t.Errorf("%s: %v allocations", c.name, got)
		}
	}
	if e.fs.Broken() != 0 {
		t.Error(s.takeLog())
	}
}

// TestAllocsHot: nor do stat of a name in the cache and reads of a file whose
// data is kept, by way of a VFS.
func TestAllocsHot(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(dir+"/a/b", 0o755)
	write(t, dir+"/a/b/f", make([]byte, 64<<10))
	vfs, _ := loopbackVFS(t, dir, serverOptions{valid: time.Hour})
	f, d, err := vfs.Open(fs.Base{}, "/a/b/f", os.O_RDONLY, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Put()
	defer f.Release()
	var a fs.Attr
	buf := make([]byte, 4096)
	for name, do := range map[string]func() error{
		"stat":  func() error { return vfs.Stat(fs.Base{}, "/a/b/f", true, &a) },
		"pread": func() error { _, err := f.ReadAt(buf, 4096); return err },
	} {
		for range 10 {
			if err := do(); err != nil {
				t.Fatal(name, err)
			}
		}
		if n := testing.AllocsPerRun(500, func() { do() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// benchmarks of what this layer adds to a round trip.

func BenchmarkGetattrCached(b *testing.B) {
	s := newScript(grantAll)
	withLifetimes(s, fuse.EntryOut{}, fuse.EntryOut{AttrValid: 1000})
	e := newBench(b, s, Options{})
	var a fs.Attr
	b.ReportAllocs()
	for b.Loop() {
		e.file.Getattr(&a)
	}
}

func BenchmarkReadAt(b *testing.B) {
	s := newScript(grantAll)
	e := newBench(b, s, Options{})
	e.fs.t = &quiet{Transport: s}
	buf := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		e.open.ReadAt(buf, 0)
	}
}

func BenchmarkReadDirPlus(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		write(b, dir+"/file"+string(rune('0'+i%10))+string(rune('a'+i/10%26))+string(rune('a'+i/260)), nil)
	}
	f, _ := loopback(b, dir, serverOptions{}, Options{})
	b.ReportAllocs()
	for b.Loop() {
		d, err := f.root.Open(os.O_RDONLY)
		if err != nil {
			b.Fatal(err)
		}
		d.ReadDir(0, func(d *fs.Dirent) bool { drop(d.Entry, nil); return true })
		d.Release()
	}
}
