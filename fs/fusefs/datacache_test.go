package fusefs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// contentServer is a script with one file "f", whose bytes and attributes the
// test changes.
type contentServer struct {
	*script
	mu      sync.Mutex
	content []byte
	attr    fuse.AttrOut
	open    uint32 // FOPEN flags
	fail    func(in fuse.ReadIn) syscall.Errno
	before  func(op uint32) // called ahead of READ and WRITE, without mu
	after   func(op uint32) // called behind
}

func newContent(flags uint64, size int, valid time.Duration) *contentServer {
	s := &contentServer{script: newScript(flags), content: randomBytes(size)}
	s.attr = fuse.AttrOut{Attr: attrFor(idFile)}
	s.attr.AttrValid, s.attr.AttrValidNsec = uint64(valid/time.Second), uint32(valid%time.Second)
	s.attr.Attr.Mtime = 1000
	attr := func() *fuse.AttrOut {
		a := s.attr
		a.Attr.Size = uint64(len(s.content))
		return &a
	}
	s.ops[fuse.FUSE_GETATTR] = func(c *call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.ok(attr().AppendTo(nil))
	}
	s.ops[fuse.FUSE_SETATTR] = func(c *call) {
		var in fuse.SetattrIn
		in.Decode(c.args)
		s.mu.Lock()
		defer s.mu.Unlock()
		if in.Valid&fuse.FATTR_SIZE != 0 {
			s.content = append(s.content, make([]byte, max(0, int(in.Size)-len(s.content)))...)[:in.Size]
		}
		c.ok(attr().AppendTo(nil))
	}
	s.ops[fuse.FUSE_LOOKUP] = func(c *call) {
		s.mu.Lock()
		defer s.mu.Unlock()
		e := entryFor(c)
		if e.Nodeid == idFile {
			a := attr()
			e.Attr, e.AttrValid, e.AttrValidNsec = a.Attr, a.AttrValid, a.AttrValidNsec
		}
		c.ok(e.AppendTo(nil))
	}
	s.ops[fuse.FUSE_OPEN] = func(c *call) { c.ok((&fuse.OpenOut{Fh: 11, OpenFlags: s.open}).AppendTo(nil)) }
	s.ops[fuse.FUSE_READ] = func(c *call) {
		var in fuse.ReadIn
		in.Decode(c.args)
		s.call(s.before, fuse.FUSE_READ)
		s.mu.Lock()
		if s.fail != nil {
			if e := s.fail(in); e != 0 {
				s.mu.Unlock()
				c.errno(e)
				return
			}
		}
		size := uint64(len(s.content))
		c.ok(s.content[min(in.Offset, size):min(in.Offset+uint64(in.Size), size)])
		s.mu.Unlock()
		s.call(s.after, fuse.FUSE_READ)
	}
	s.ops[fuse.FUSE_WRITE] = func(c *call) {
		var in fuse.WriteIn
		in.Decode(c.args)
		s.call(s.before, fuse.FUSE_WRITE)
		s.mu.Lock()
		end := int(in.Offset) + len(c.args) - fuse.WriteInSize
		s.content = append(s.content, make([]byte, max(0, end-len(s.content)))...)
		n := copy(s.content[in.Offset:], c.args[fuse.WriteInSize:])
		c.ok((&fuse.WriteOut{Size: uint32(n)}).AppendTo(nil))
		s.mu.Unlock()
		s.call(s.after, fuse.FUSE_WRITE)
	}
	return s
}

func (s *contentServer) call(f func(uint32), op uint32) {
	if f != nil {
		f(op)
	}
}

// change replaces the content as somebody else would: with another mtime.
func (s *contentServer) change(b []byte) {
	s.mu.Lock()
	s.content = b
	s.attr.Attr.Mtimensec++
	s.mu.Unlock()
}

// openContent mounts s and opens the file.
func openContent(t testing.TB, s *contentServer, tr fuse.Transport, opts Options) (*FS, fs.Node, fs.File) {
	t.Helper()
	f := mount(t, tr, opts)
	n := lookup(t, f.root, "f")
	file, err := n.Open(os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	return f, n, file
}

// same reads length bytes at off and compares them with want's.
func same(t testing.TB, file fs.File, want []byte, off, length int) {
	t.Helper()
	buf := make([]byte, length)
	n, err := file.ReadAt(buf, int64(off))
	if err != nil {
		t.Fatal(err)
	}
	want = want[min(off, len(want)):min(off+length, len(want))]
	if !bytes.Equal(buf[:n], want) {
		t.Fatalf("%d bytes at %d: got %d, want %d, or others", length, off, n, len(want))
	}
}

// TestKeptData: what was read once is read again without the server.
func TestKeptData(t *testing.T) {
	s := newContent(grantAll, 300000, time.Hour)
	_, _, file := openContent(t, s, s, Options{})
	for range 2 {
		for off := 0; off < 310000; off += 5000 {
			same(t, file, s.content, off, 10000)
		}
	}
	if got := s.number(fuse.FUSE_READ); got > 5 {
		t.Errorf("%d READ for five blocks", got)
	}
	before := s.number(fuse.FUSE_READ)
	same(t, file, s.content, 0, 200000)
	if got := s.number(fuse.FUSE_READ) - before; got != 1 {
		t.Errorf("%d READ for a read that is not to be copied", got)
	}
}

// TestKeptReadFile: what os.ReadFile does takes one READ, and no GETATTR.
func TestKeptReadFile(t *testing.T) {
	s := newContent(grantAll, 2000, time.Hour)
	f, n, file := openContent(t, s, s, Options{})
	var a fs.Attr
	file.Getattr(&a)
	buf := make([]byte, a.Size+512)
	k, _ := file.ReadAt(buf, 0)
	end, _ := file.ReadAt(buf[k:], int64(k))
	file.Flush()
	file.Release()
	f.releases.finish()
	if k != 2000 || end != 0 || !bytes.Equal(buf[:k], s.content) {
		t.Errorf("read %d and %d", k, end)
	}
	want := []uint32{fuse.FUSE_INIT, fuse.FUSE_LOOKUP, fuse.FUSE_OPEN, fuse.FUSE_READ, fuse.FUSE_RELEASE}
	if fmt.Sprint(s.sent) != fmt.Sprint(want) {
		t.Errorf("sent %v, want %v", s.sent, want)
	}
	if used, _ := f.CacheStats(); used != 4096 {
		t.Errorf("%d bytes for a file of 2000", used)
	}
	n.Unref()
	if used, _ := f.CacheStats(); used != 0 {
		t.Errorf("%d bytes kept of a node that is forgotten", used)
	}
}

// TestDataLifetime: a change by somebody else is seen when the server's
// lifetime ends, at once if that is 0.
func TestDataLifetime(t *testing.T) {
	for _, valid := range []time.Duration{0, time.Nanosecond, 60 * time.Millisecond} {
		s := newContent(grantAll, 100000, valid)
		_, _, file := openContent(t, s, s, Options{})
		for i := range 6 {
			same(t, file, s.content, 10, 5000)
			same(t, file, s.content, 70000, 50000)
			content := randomBytes(100000)
			if i%2 == 1 {
				content = content[:90000+i]
			}
			s.change(content)
			time.Sleep(valid)
		}
	}
}

// TestRacyData: a change that the attributes do not tell of, since it came in
// the same tick of the host's clock, is seen all the same.
func TestRacyData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const valid = 50 * time.Millisecond
		s := newContent(grantAll, 100000, valid)
		f, n, file := openContent(t, s, s, Options{})
		same(t, file, s.content, 0, 5000)
		s.mu.Lock()
		s.content = randomBytes(100000)
		s.mu.Unlock()
		for range 4 { // the attributes are asked for and stay fresh
			time.Sleep(valid / 4)
			n.(fs.AttrInvalidator).InvalidateAttr()
			n.Getattr(&fs.Attr{})
		}
		same(t, file, s.content, 0, 5000)
		// What was read later than that stays.
		before := s.number(fuse.FUSE_READ)
		time.Sleep(valid)
		same(t, file, s.content, 0, 5000)
		if s.number(fuse.FUSE_READ) != before {
			t.Error("data that is old enough was dropped")
		}
		_ = f
	})
}

// TestHostChanges changes a file on the host under a running client.
func TestHostChanges(t *testing.T) {
	dir := t.TempDir()
	for _, valid := range []time.Duration{0, 40 * time.Millisecond} {
		t.Run(fmt.Sprint(valid), func(t *testing.T) {
			content := randomBytes(200000)
			write(t, dir+"/f", content)
			f, _ := loopback(t, dir, serverOptions{valid: valid}, Options{})
			root := f.Root()
			defer root.Unref()
			n := lookup(t, root, "f")
			defer n.Unref()
			file, err := n.Open(os.O_RDONLY)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Release()
			r := rand.New(rand.NewPCG(3, 4))
			for range 20 {
				for range 10 {
					same(t, file, content, r.IntN(210000), 1+r.IntN(30000))
				}
				switch r.IntN(3) {
				case 0:
					content = randomBytes(100000 + r.IntN(100000))
					write(t, dir+"/f", content)
				case 1:
					content[r.IntN(len(content))]++
					h, _ := os.OpenFile(dir+"/f", os.O_WRONLY, 0)
					h.WriteAt(content, 0)
					h.Close()
				case 2:
					content = content[:len(content)-r.IntN(1000)]
					os.Truncate(dir+"/f", int64(len(content)))
				}
				time.Sleep(valid)
			}
		})
	}
}

// TestKeptAtOpen: which opens drop what is kept.
func TestKeptAtOpen(t *testing.T) {
	for _, c := range []struct {
		flags uint64
		open  uint32
		reads int
	}{
		{0, 0, 3}, {0, fuse.FOPEN_KEEP_CACHE, 1}, {fuse.FUSE_AUTO_INVAL_DATA, 0, 1},
		{fuse.FUSE_AUTO_INVAL_DATA, fuse.FOPEN_DIRECT_IO, 6},
	} {
		s := newContent(c.flags|fuse.FUSE_MAX_PAGES, 5000, time.Hour)
		s.open = c.open
		f := mount(t, s, Options{})
		n := lookup(t, f.root, "f")
		for range 3 {
			file, err := n.Open(os.O_RDONLY)
			if err != nil {
				t.Fatal(err)
			}
			same(t, file, s.content, 0, 100)
			same(t, file, s.content, 100, 100)
			file.Release()
		}
		if got := s.number(fuse.FUSE_READ); got != c.reads {
			t.Errorf("%+v: %d READ", c, got)
		}
	}
}

// TestOwnChanges plays random operations on a file that is kept all the time,
// and compares each read with a model.
func TestOwnChanges(t *testing.T) {
	dir := t.TempDir()
	for seed := range uint64(4) {
		model := randomBytes(300000)
		write(t, dir+"/f", model)
		f, c := loopback(t, dir, serverOptions{valid: time.Hour}, Options{CacheSize: 512 << 10})
		root := f.Root()
		n := lookup(t, root, "f")
		var files [2]fs.File
		for i, flags := range []int{os.O_RDWR, os.O_RDWR | os.O_APPEND} {
			var err error
			if files[i], err = n.Open(flags); err != nil {
				t.Fatal(err)
			}
		}
		r := rand.New(rand.NewPCG(seed, 1))
		put := func(data []byte, off int) {
			if end := off + len(data); end > len(model) {
				model = append(model, make([]byte, end-len(model))...)
			}
			copy(model[off:], data)
		}
		var a fs.Attr
		for range 1500 {
			off := r.IntN(400000)
			switch r.IntN(12) {
			case 0:
				data := randomBytes(1 + r.IntN(100000))
				files[0].WriteAt(data, int64(off))
				put(data, off)
			case 1, 2:
				data := randomBytes(1 + r.IntN(3000))
				files[0].WriteAt(data, int64(off))
				put(data, off)
			case 3:
				data := randomBytes(1 + r.IntN(3000))
				files[1].WriteAt(data, 0)
				put(data, len(model))
			case 4:
				size := r.IntN(400000)
				files[0].Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: int64(size)}, &a)
				model = append(model, make([]byte, max(0, size-len(model)))...)[:size]
			case 5:
				const punch = 3 // FALLOC_FL_PUNCH_HOLE, FALLOC_FL_KEEP_SIZE
				err := files[0].(fs.FallocateFile).Fallocate(punch, int64(off), 5000)
				if err == nil && off < len(model) {
					clear(model[off:min(off+5000, len(model))])
				}
			case 6:
				from := r.IntN(len(model) + 1)
				k, err := files[0].(fs.CopyFile).CopyTo(int64(from), files[0], int64(from+100000), 50000)
				if err == nil && k > 0 {
					put(bytes.Clone(model[from:from+int(k)]), from+100000)
				}
			default:
				same(t, files[r.IntN(2)], model, off, 1+r.IntN(60000))
			}
			if used, limit := f.CacheStats(); used > limit {
				t.Fatalf("%d bytes kept, the bound is %d", used, limit)
			}
		}
		if c.number(fuse.FUSE_READ) == 0 {
			t.Error("nothing was read")
		}
		files[0].Release()
		files[1].Release()
		n.Unref()
		root.Unref()
		f.releases.finish()
		if used, _ := f.CacheStats(); used != 0 {
			t.Errorf("%d bytes kept in the end", used)
		}
	}
}

// TestOvertakenFill: bytes that the server sent before a change, and that come
// after it, are not kept.
func TestOvertakenFill(t *testing.T) {
	for _, what := range []string{"write", "append", "truncate", "attributes"} {
		s := newContent(grantAll, 5000, time.Hour)
		_, n, file := openContent(t, s, s, Options{})
		sent, changed := make(chan bool), make(chan bool)
		var once atomic.Bool
		s.after = func(op uint32) {
			if op == fuse.FUSE_READ && !once.Swap(true) {
				sent <- true
				<-changed
			}
		}
		done := make(chan bool)
		go func() {
			file.ReadAt(make([]byte, 4000), 0)
			done <- true
		}()
		<-sent
		var a fs.Attr
		switch what {
		case "write":
			file.WriteAt([]byte("hello"), 100)
		case "append":
			file.WriteAt([]byte("hello"), 5000)
		case "truncate":
			file.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 50}, &a)
		case "attributes":
			s.change(randomBytes(5000))
			n.(fs.AttrInvalidator).InvalidateAttr()
			n.Getattr(&a)
		}
		close(changed)
		<-done
		same(t, file, s.content, 0, 6000)
	}
}

// TestWritesOvertaken: of two writes at once nobody here knows the order.
func TestWritesOvertaken(t *testing.T) {
	s := newContent(grantAll, 5000, time.Hour)
	_, _, file := openContent(t, s, s, Options{})
	same(t, file, s.content, 0, 5000)
	first, second := make(chan bool), make(chan bool)
	var n atomic.Int32
	s.after = func(op uint32) {
		if op == fuse.FUSE_WRITE && n.Add(1) == 1 {
			first <- true
			<-second // the reply to the first comes last
		}
	}
	done := make(chan bool)
	go func() {
		file.WriteAt([]byte("aaaa"), 100)
		done <- true
	}()
	<-first
	file.WriteAt([]byte("bbbb"), 102)
	second <- true
	<-done
	same(t, file, s.content, 0, 5000)
	// One alone is followed without the server.
	before := s.number(fuse.FUSE_READ)
	file.WriteAt([]byte("cccc"), 4990)
	same(t, file, s.content, 4000, 1000)
	if s.number(fuse.FUSE_READ) != before {
		t.Error("read again after a write")
	}
}

// TestReadaheadError: an error behind the bytes asked for is not theirs.
func TestReadaheadError(t *testing.T) {
	s := newContent(grantAll, 1<<20, time.Hour)
	s.fail = func(in fuse.ReadIn) syscall.Errno {
		if in.Offset+uint64(in.Size) > 500000 {
			return syscall.EIO
		}
		return 0
	}
	st := &starting{Transport: s}
	f, _, file := openContent(t, s, st, Options{})
	off := 0
	for ; off+4096 <= 500000; off += 4096 {
		same(t, file, s.content, off, 4096)
	}
	if _, err := file.ReadAt(make([]byte, 4096), int64(off+4096)); err != syscall.EIO {
		t.Errorf("%v, want EIO", err)
	}
	file.Release()
	f.Close()
}

// TestReadahead: a file read in order is read ahead, in large pieces.
func TestReadahead(t *testing.T) {
	for _, step := range []int{512, 4096, 65536, 100000} {
		s := newContent(grantAll, 8<<20+1234, time.Hour)
		s.init.MaxReadahead = 1 << 20
		c := newCounter(s)
		st := &starting{Transport: c, latency: 50 * time.Microsecond}
		f, n, file := openContent(t, s, st, Options{CacheSize: 4 << 20})
		for off := 0; off < len(s.content)+step; off += step {
			same(t, file, s.content, off, step)
		}
		if got, most := s.number(fuse.FUSE_READ), 8<<20>>blockShift/maxWindow*3; got > most {
			t.Errorf("steps of %d: %d READ, want %d at most", step, got, most)
		}
		if used, limit := f.CacheStats(); used > limit {
			t.Errorf("%d bytes kept, the bound is %d", used, limit)
		}
		file.Release() // with a read under way, it may be
		n.Unref()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		c.check(t)
		if used := f.started.used.Load(); used != 0 {
			t.Errorf("%d slots left taken", used)
		}
	}
}

// TestKeptConcurrent: readers, writers and evictions at once. Each writer has
// its own bytes, in which only one value is ever found.
func TestKeptConcurrent(t *testing.T) {
	const files, part, parts = 3, 30000, 8
	dir := t.TempDir()
	for i := range files {
		write(t, fmt.Sprintf("%s/f%d", dir, i), make([]byte, part*parts))
	}
	f, _ := loopback(t, dir, serverOptions{valid: 50 * time.Millisecond}, Options{CacheSize: 512 << 10})
	root := f.Root()
	defer root.Unref()
	var wg sync.WaitGroup
	for g := range files * parts {
		wg.Go(func() {
			n := lookup(t, root, fmt.Sprintf("f%d", g%files))
			defer n.Unref()
			file, err := n.Open(os.O_RDWR)
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Release()
			off := int64(g/files) * part
			r := rand.New(rand.NewPCG(9, uint64(g)))
			buf := make([]byte, part)
			for i := range 60 {
				value := bytes.Repeat([]byte{byte(i)}, part)
				if _, _, err := file.WriteAt(value, off); err != nil {
					t.Error(err)
				}
				for range 4 {
					file.ReadAt(buf[:1+r.IntN(part)], int64(r.IntN(part*parts)))
				}
				if k, err := file.ReadAt(buf, off); k != part || err != nil || !bytes.Equal(buf, value) {
					t.Errorf("round %d: %d, %v, or not what was written", i, k, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestKeptAllocs: a read of what is kept leaves the garbage collector alone.
func TestKeptAllocs(t *testing.T) {
	s := newContent(grantAll, 1<<20, time.Hour)
	_, _, file := openContent(t, s, s, Options{})
	buf := make([]byte, 4096)
	for off := int64(0); off < 1<<20; off += 4096 {
		file.ReadAt(buf, off)
	}
	off := int64(0)
	got := testing.AllocsPerRun(1000, func() {
		file.ReadAt(buf, off)
		off = (off + 123456) % (1 << 20)
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkKept(b *testing.B) {
	s := newContent(grantAll, 4<<20, time.Hour)
	_, _, file := openContent(b, s, s, Options{})
	for _, size := range []int{4096, 65536} {
		buf := make([]byte, size)
		for off := 0; off < 4<<20; off += size {
			file.ReadAt(buf, int64(off))
		}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			off := 0
			for b.Loop() {
				file.ReadAt(buf, int64(off))
				off = (off + 17*size) % (4 << 20)
			}
		})
		b.Run(fmt.Sprint(size, "x16"), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				buf := make([]byte, size)
				off := rand.IntN(4<<20) / size * size
				for pb.Next() {
					file.ReadAt(buf, int64(off))
					off = (off + 17*size) % (4 << 20)
				}
			})
		})
	}
}
