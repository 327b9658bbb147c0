package fusefs

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestSplit: how reads and writes are cut by what was negotiated.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		flags         uint64
		maxWrite      uint32
		maxPages      uint16
		read, write   int // largest request
		reads, writes int // requests for 300,000 bytes
	}{
		{0, 1 << 20, 256, 131072, 4096, 3, 74},
		{fuse.FUSE_BIG_WRITES, 1 << 20, 256, 131072, 131072, 3, 3},
		{fuse.FUSE_BIG_WRITES, 65536, 256, 131072, 65536, 3, 5},
		{fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES, 1 << 20, 256, 300000, 300000, 1, 1},
		{fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES, 1 << 20, 2, 8192, 8192, 37, 37},
	} {
		s := newScript(c.flags)
		s.init.MaxWrite, s.init.MaxPages = c.maxWrite, c.maxPages
		content := randomBytes(300000)
		got := make([]byte, len(content))
		var read, wrote int
		s.ops[fuse.FUSE_READ] = func(k *call) {
			var in fuse.ReadIn
			in.Decode(k.args)
			read = max(read, int(in.Size))
			k.ok(content[in.Offset:min(in.Offset+uint64(in.Size), uint64(len(content)))])
		}
		s.ops[fuse.FUSE_WRITE] = func(k *call) {
			var in fuse.WriteIn
			in.Decode(k.args)
			wrote = max(wrote, int(in.Size))
			n := copy(got[in.Offset:], k.args[fuse.WriteInSize:])
			if n != int(in.Size) {
				t.Errorf("WRITE of %d with %d bytes of data", in.Size, n)
			}
			k.ok((&fuse.WriteOut{Size: uint32(n)}).AppendTo(nil))
		}
		e := newBench(t, s, Options{})
		buf := make([]byte, len(content))
		if n, err := e.open.ReadAt(buf, 0); n != len(buf) || err != nil || !bytes.Equal(buf, content) {
			t.Errorf("%+v: read %d, %v", c, n, err)
		}
		if n, end, err := e.open.WriteAt(content, 0); n != len(buf) || end != int64(n) || err != nil || !bytes.Equal(got, content) {
			t.Errorf("%+v: wrote %d, %v", c, n, err)
		}
		if read != c.read || wrote != c.write || s.number(fuse.FUSE_READ) != c.reads || s.number(fuse.FUSE_WRITE) != c.writes {
			t.Errorf("%+v: %d reads of %d, %d writes of %d", c, s.number(fuse.FUSE_READ), read, s.number(fuse.FUSE_WRITE), wrote)
		}
	}
}

// TestNoCopy: the caller's buffer itself is what the transport gets.
func TestNoCopy(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	p := &partsOf{Transport: s}
	e.fs.t = p
	buf := make([]byte, 1000)
	if _, err := e.open.ReadAt(buf, 0); err != nil {
		t.Fatal(err)
	}
	if len(p.out) != 2 || len(p.out[0]) != 16 || &p.out[1][0] != &buf[0] || len(p.out[1]) != len(buf) {
		t.Errorf("READ into %d parts", len(p.out))
	}
	if _, _, err := e.open.WriteAt(buf, 0); err != nil {
		t.Fatal(err)
	}
	// The form in which virtiofsd does not copy either.
	if len(p.in) != 3 || len(p.in[0]) != 40 || len(p.in[1]) != 40 || &p.in[2][0] != &buf[0] {
		t.Errorf("WRITE from %d parts", len(p.in))
	}
}

// partsOf remembers the parts of the last request.
type partsOf struct {
	fuse.Transport
	in, out [][]byte
}

func (p *partsOf) RoundTrip(in, out [][]byte) (int, error) {
	p.in, p.out = append([][]byte(nil), in...), append([][]byte(nil), out...)
	return p.Transport.RoundTrip(in, out)
}

// TestErrorsMidway: what was transferred before an error is reported first.
func TestErrorsMidway(t *testing.T) {
	s := newScript(fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES)
	s.init.MaxPages = 1
	e := newBench(t, s, Options{})
	n := 0
	s.ops[fuse.FUSE_READ] = func(c *call) {
		if n++; n == 3 {
			c.errno(syscall.EIO)
			return
		}
		c.ok(make([]byte, 4096))
	}
	s.ops[fuse.FUSE_WRITE] = func(c *call) {
		if n++; n == 3 || n == 4 { // it is sent twice
			c.errno(syscall.ENOSPC)
			return
		}
		c.ok((&fuse.WriteOut{Size: 4096}).AppendTo(nil))
	}
	buf := make([]byte, 5*4096)
	if k, err := e.open.ReadAt(buf, 0); k != 8192 || err != nil {
		t.Errorf("ReadAt = %d, %v; want 8192", k, err)
	}
	n = 0
	if k, end, err := e.open.WriteAt(buf, 0); k != 8192 || end != 8192 || err != nil {
		t.Errorf("WriteAt = %d, %d, %v; want 8192", k, end, err)
	}
	n = 2
	if k, _, err := e.open.WriteAt(buf, 0); k != 0 || err != syscall.ENOSPC {
		t.Errorf("WriteAt = %d, %v; want ENOSPC", k, err)
	}
	n = 2
	if k, err := e.open.ReadAt(buf, 0); k != 0 || err != syscall.EIO {
		t.Errorf("ReadAt = %d, %v; want EIO", k, err)
	}
	if _, _, err := e.open.WriteAt(buf, -1); err != syscall.EINVAL {
		t.Errorf("WriteAt at -1: %v", err)
	}
	if _, _, err := e.open.WriteAt(buf, math.MaxInt64); err != syscall.EFBIG {
		t.Errorf("WriteAt at the last offset: %v", err)
	}
}

// TestAppend: the server appends; the client learns where it ended.
func TestAppend(t *testing.T) {
	for _, valid := range []uint64{0, 1000} {
		s := newScript(grantAll)
		size := uint64(5)
		attr := func(c *call) {
			a := attrFor(idFile)
			a.Size = size
			c.ok((&fuse.AttrOut{AttrValid: valid, Attr: a}).AppendTo(nil))
		}
		s.ops[fuse.FUSE_GETATTR] = attr
		s.ops[fuse.FUSE_WRITE] = func(c *call) {
			size += uint64(len(c.args) - fuse.WriteInSize) // wherever the client thinks the end is
			c.ok((&fuse.WriteOut{Size: uint32(len(c.args) - fuse.WriteInSize)}).AppendTo(nil))
		}
		f := mountScript(t, s, Options{})
		n := lookup(t, f.root, "f")
		file, err := n.Open(os.O_WRONLY | os.O_APPEND)
		if err != nil {
			t.Fatal(err)
		}
		n.Getattr(&fs.Attr{})
		for i, want := range []int64{8, 11} {
			if k, end, err := file.WriteAt([]byte("abc"), 12345); k != 3 || end != want || err != nil {
				t.Errorf("lifetime %d, append %d: %d, %d, %v; want end %d", valid, i, k, end, err, want)
			}
		}
		if valid == 0 {
			size += 100 // somebody else
			if _, end, err := file.WriteAt([]byte("abc"), 0); end != 114 || err != nil {
				t.Errorf("append behind another's: %d, %v; want 114", end, err)
			}
		}
	}
}

func TestAppendLoopback(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/f", []byte("start "))
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()
	n := lookup(t, root, "f")
	defer n.Unref()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			file, err := n.Open(os.O_WRONLY | os.O_APPEND)
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Release()
			for range 50 {
				if _, _, err := file.WriteAt([]byte("line\n"), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, _ := os.ReadFile(dir + "/f")
	if want := append([]byte("start "), bytes.Repeat([]byte("line\n"), 400)...); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d, or mixed", len(got), len(want))
	}
}

// TestAppendMemory: the same with a server that goes by the offset.
func TestAppendMemory(t *testing.T) {
	f := mount(t, newGoServer(&memRoot{}, serverOptions{}), Options{})
	n := lookup(t, f.root, "big")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			file, err := n.Open(os.O_WRONLY | os.O_APPEND)
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Release()
			for range 50 {
				if _, _, err := file.WriteAt([]byte("line\n"), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := readAll(t, n); !bytes.Equal(got, bytes.Repeat([]byte("line\n"), 400)) {
		t.Errorf("%d bytes, want 2000, or mixed", len(got))
	}
}

// TestLinearWrites: writes of several messages to one place do not mix.
func TestLinearWrites(t *testing.T) {
	dir := t.TempDir()
	const size = 300000
	write(t, dir+"/f", make([]byte, size))
	f, _ := loopback(t, dir, serverOptions{maxWrite: 64 << 10}, Options{})
	root := f.Root()
	defer root.Unref()
	n := lookup(t, root, "f")
	defer n.Unref()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			file, err := n.Open(os.O_RDWR)
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Release()
			data := bytes.Repeat([]byte{byte('a' + i)}, size)
			for range 5 {
				if k, _, err := file.WriteAt(data, 0); k != size || err != nil {
					t.Errorf("%d, %v", k, err)
				}
			}
		})
	}
	wg.Wait()
	got, _ := os.ReadFile(dir + "/f")
	if len(got) != size || !bytes.Equal(got, bytes.Repeat(got[:1], size)) {
		t.Error("writes have mixed")
	}
}

// TestParallelDirectWrites: without the flag, one WRITE at a time.
func TestParallelDirectWrites(t *testing.T) {
	for _, flags := range []uint32{fuse.FOPEN_DIRECT_IO, fuse.FOPEN_DIRECT_IO | fuse.FOPEN_PARALLEL_DIRECT_WRITES} {
		s := newScript(grantAll)
		s.ops[fuse.FUSE_OPEN] = func(c *call) { c.ok((&fuse.OpenOut{Fh: 1, OpenFlags: flags}).AppendTo(nil)) }
		f := mountScript(t, s, Options{})
		file, _ := lookup(t, f.root, "f").Open(os.O_RDWR)
		var mu sync.Mutex
		now, most := 0, 0
		both := make(chan bool, 2)
		s.ops[fuse.FUSE_WRITE] = func(c *call) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			if flags&fuse.FOPEN_PARALLEL_DIRECT_WRITES != 0 {
				both <- true // wait for the other
				for len(both) < 2 {
					syscall.Getpid()
				}
			}
			mu.Lock()
			now--
			mu.Unlock()
			c.ok((&fuse.WriteOut{Size: 4}).AppendTo(nil))
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { file.WriteAt([]byte("data"), 0) })
		}
		wg.Wait()
		want := 1
		if flags&fuse.FOPEN_PARALLEL_DIRECT_WRITES != 0 {
			want = 2
		}
		if most != want {
			t.Errorf("flags %#x: %d writes at once, want %d", flags, most, want)
		}
	}
}

// TestWriteLoopback writes at random places and compares with a model.
func TestWriteLoopback(t *testing.T) {
	dir := t.TempDir()
	for _, o := range []serverOptions{{}, {maxWrite: 1 << 20, caps: gofuse.CAP_ATOMIC_O_TRUNC}} {
		f, _ := loopback(t, dir, o, Options{})
		root := f.Root()
		e, file, err := root.Create("f", os.O_RDWR|syscall.O_TRUNC, 0o666, 0o027)
		if err != nil {
			t.Fatal(err)
		}
		st, _ := os.Stat(dir + "/f")
		if st.Mode() != 0o640 || st.Size() != 0 {
			t.Errorf("created with mode %v, size %d", st.Mode(), st.Size())
		}
		var model []byte
		r := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			off, n := r.IntN(500000), r.IntN(200000)
			data := randomBytes(n)
			if k, end, err := file.WriteAt(data, int64(off)); k != n || end != int64(off+n) || err != nil {
				t.Fatalf("WriteAt(%d, %d) = %d, %d, %v", n, off, k, end, err)
			}
			if n > 0 && len(model) < off+n {
				model = append(model, make([]byte, off+n-len(model))...)
			}
			copy(model[min(off, len(model)):], data)
		}
		if err := file.Fsync(true); err != nil {
			t.Error(err)
		}
		if err := file.Flush(); err != nil {
			t.Error(err)
		}
		if got := readAll(t, e.Node); !bytes.Equal(got, model) {
			t.Error("file differs from the model")
		}
		// It goes on without its name.
		if err := root.Unlink("f"); err != nil {
			t.Fatal(err)
		}
		var a fs.Attr
		e.Node.(fs.AttrInvalidator).InvalidateAttr()
		if err := file.Getattr(&a); err != nil || a.Nlink != 0 || a.Size != int64(len(model)) {
			t.Errorf("unlinked but open: nlink %d, size %d, %v", a.Nlink, a.Size, err)
		}
		buf := make([]byte, 100)
		if n, err := file.ReadAt(buf, 0); n != 100 || err != nil || !bytes.Equal(buf, model[:100]) {
			t.Errorf("unlinked but open: read %d, %v", n, err)
		}
		file.Release()
		e.Node.Unref()
		root.Unref()
	}
}
