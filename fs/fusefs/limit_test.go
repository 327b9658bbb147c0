package fusefs

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// scarce is a server with few descriptors, of which it takes one for each node
// and one for each handle. It gets round to FORGET a little later.
type scarce struct {
	*counter
	files   int
	turn    sync.Mutex // of one request at a time
	late    sync.WaitGroup
	pending atomic.Int32
	most    int // descriptors that were in use at once
	refused atomic.Int32
	answer  syscall.Errno // to what is refused; 0: EMFILE
}

// open tells how many descriptors are in use.
func (s *scarce) open() (n int) {
	s.counter.mu.Lock()
	defer s.counter.mu.Unlock()
	for _, lookups := range s.lookups {
		if lookups > 0 {
			n++
		}
	}
	for _, opens := range s.handles {
		n += opens
	}
	s.most = max(s.most, n)
	return n
}

func (s *scarce) RoundTrip(in, out [][]byte) (int, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	var h fuse.InHeader
	h.Decode(join(in))
	more := map[uint32]int{fuse.FUSE_LOOKUP: 1, fuse.FUSE_OPEN: 1, fuse.FUSE_OPENDIR: 1, fuse.FUSE_MKDIR: 1,
		fuse.FUSE_CREATE: 2, fuse.FUSE_READDIRPLUS: 400}[h.Opcode]
	if more > 0 && s.open()+more > s.files {
		s.refused.Add(1)
		reply := fuse.OutHeader{Len: fuse.OutHeaderSize, Error: -int32(cmp.Or(s.answer, syscall.EMFILE)), Unique: h.Unique}
		return copy(out[0], reply.AppendTo(nil)), nil
	}
	return s.counter.RoundTrip(in, out)
}

func (s *scarce) Send(in [][]byte) error {
	msg := join(in)
	s.late.Add(1)
	s.pending.Add(1)
	time.AfterFunc(2*time.Millisecond, func() {
		s.counter.Send([][]byte{msg})
		s.pending.Add(-1)
		s.late.Done()
	})
	return nil
}

// telling is a scarce server that tells when it has forgotten.
type telling struct{ *scarce }

func (s telling) Drain() {
	for s.pending.Load() > 0 {
		time.Sleep(100 * time.Microsecond)
	}
}

// scarceFiles mounts a directory with n files, behind a server that has no more
// descriptors than files. At the end, all must be forgotten.
func scarceFiles(t *testing.T, n, files int, tells bool, opts Options) (*fs.VFS, *FS, *scarce) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), fmt.Append(nil, "text ", i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, c := loopback(t, dir, serverOptions{valid: time.Minute}, opts)
	s := &scarce{counter: c, files: files}
	f.t = s
	if tells {
		f.t = telling{s}
	}
	v := fs.New(f, fs.MountOptions{})
	t.Cleanup(func() {
		f.releases.finish()
		for (*f.files.reclaim.Load())(1<<30) > 0 {
		}
		f.flushForgets()
		s.late.Wait()
		if n := f.Counts(); n.Nodes != 0 || n.Handles != 0 {
			t.Errorf("%+v at the end", n)
		}
	})
	return v, f, s
}

// TestServerLimit: a server is hardly ever driven to where it has no descriptors
// if its limit is known (what is let go of one by one is not waited for), soon
// no more if it is not, and the program does not notice.
func TestServerLimit(t *testing.T) {
	const n, files = 2400, 1640
	for _, tt := range []struct {
		known int
		tells bool
		most  int32 // requests to be refused
		with  syscall.Errno
	}{
		{files, true, 5, syscall.EMFILE}, {files, false, 20, syscall.EMFILE}, {0, true, 20, syscall.EMFILE}, {0, false, 40, syscall.EMFILE},
		// As virtiofsd in Rust, which keeps some of what it was given for itself.
		{files + 600, true, 20, syscall.ENFILE}, {0, true, 20, syscall.ENFILE},
	} {
		known := tt.known
		v, f, s := scarceFiles(t, n, files, tt.tells, Options{MaxFiles: known})
		s.answer = tt.with
		open, d, err := v.Open(fs.Base{}, "f7", os.O_RDONLY, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var first, a fs.Attr
		for _, looks := range []int{n, 100} {
			for i := range looks {
				if err := v.Stat(fs.Base{}, fmt.Sprint("f", i), true, &a); err != nil {
					t.Fatalf("f%d with limit %d: %v", i, known, err)
				}
				if i == 5 && first.Ino != 0 && a != first {
					t.Errorf("f5 looked up again: %+v, before %+v", a, first)
				}
				if i == 5 {
					first = a
				}
			}
		}
		buf := make([]byte, 10)
		if k, err := open.ReadAt(buf, 0); err != nil || string(buf[:k]) != "text 7" {
			t.Errorf("the open file: %q, %v", buf[:k], err)
		}
		// READDIRPLUS brings many nodes at once.
		root, err := f.root.Open(os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		err = root.ReadDir(0, func(e *fs.Dirent) bool {
			seen++
			drop(e.Entry, nil)
			return true
		})
		if seen != n || err != nil {
			t.Errorf("%d entries, %v", seen, err)
		}
		// What makes a file cannot be sent twice.
		if err := v.Mkdir(fs.Base{}, "d", 0o755, 0); err != nil {
			t.Error(err)
		}
		root.Release()
		open.Release()
		d.Put()
		if refused := s.refused.Load(); refused > tt.most || known != files && refused == 0 {
			t.Errorf("%+v: %d requests were refused", tt, refused)
		}
		if c := f.Counts(); tt.tells && (c.Limit > files || c.Limit < files*3/4) {
			t.Errorf("%+v: the limit is taken for %d", tt, c.Limit)
		}
		if s.most > files {
			t.Errorf("%d descriptors in use at once, want no more than %d", s.most, files)
		}
	}
}

// TestAllInUse: what is in use is not forgotten for want of descriptors; the
// program gets the error, and goes on when it has closed something.
func TestAllInUse(t *testing.T) {
	v, _, s := scarceFiles(t, 300, 200, true, Options{MaxFiles: 200})
	var files []fs.File
	var names []*fs.Dentry
	var err error
	for i := range 300 {
		f, d, e := v.Open(fs.Base{}, fmt.Sprint("f", i), os.O_RDONLY, 0, 0)
		if err = e; err != nil {
			break
		}
		files, names = append(files, f), append(names, d)
	}
	if err != syscall.EMFILE || len(files) < 95 {
		t.Errorf("%d files open, then %v; want 99 and EMFILE", len(files), err)
	}
	for i, f := range files {
		buf := make([]byte, 20)
		if n, err := f.ReadAt(buf, 0); err != nil || string(buf[:n]) != fmt.Sprint("text ", i) {
			t.Fatalf("f%d: %q, %v", i, buf[:n], err)
		}
	}
	for i := range files {
		files[i].Release()
		names[i].Put()
	}
	var a fs.Attr
	for i := range 300 {
		if err := v.Stat(fs.Base{}, fmt.Sprint("f", i), true, &a); err != nil {
			t.Fatal(err)
		}
	}
	if s.most > 200 {
		t.Errorf("%d descriptors in use at once", s.most)
	}
}

// TestUnrefAll: many nodes are forgotten with few messages, each with the
// lookups that it has had.
func TestUnrefAll(t *testing.T) {
	v, f, s := scarceFiles(t, 1000, 1<<20, true, Options{})
	v.SetCacheSize(100)
	var a fs.Attr
	for range 3 {
		for i := range 1000 {
			if err := v.Stat(fs.Base{}, fmt.Sprint("f", i), true, &a); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.late.Wait()
	if n := s.open(); n > 100 || n != f.Counts().Nodes {
		t.Errorf("the server keeps %d nodes, of which the client has %d", n, f.Counts().Nodes)
	}
	forgot := f.Counts().Forgot
	if sent := s.number(fuse.FUSE_FORGET) + s.number(fuse.FUSE_BATCH_FORGET); forgot < 2900 || sent > 200 {
		t.Errorf("%d nodes were forgotten with %d messages", forgot, sent)
	}
}

// TestForgetConcurrent plays random operations from many goroutines where next
// to nothing stays that is not in use. The counter sees to it that nothing is
// asked for that was forgotten, and that all is forgotten in the end.
func TestForgetConcurrent(t *testing.T) {
	v, _, s := scarceFiles(t, 40, 1<<20, true, Options{})
	v.SetCacheSize(4)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(g)))
			for range 300 {
				stir(v, r)
			}
		})
	}
	wg.Wait()
	if n, _, evicted := v.CacheStats(); n > 5 || evicted < 1000 {
		t.Errorf("%d names are held, %d were evicted", n, evicted)
	}
	if s.refused.Load() != 0 {
		t.Error("requests were refused")
	}
}

// stir does one operation on a few paths of v, whatever comes of it.
func stir(v *fs.VFS, r *rand.Rand) {
	path := func() string {
		p := fmt.Sprint("f", r.IntN(40))
		if r.IntN(2) == 0 {
			p = fmt.Sprint("d", r.IntN(3), "/", p)
		}
		return p
	}
	var b fs.Base
	var a fs.Attr
	switch r.IntN(8) {
	case 0:
		v.Mkdir(b, fmt.Sprint("d", r.IntN(3)), 0o755, 0)
	case 1:
		v.Unlink(b, path())
	case 2:
		v.Rename(b, path(), b, path(), uint32(r.IntN(3)))
	case 3:
		v.Link(b, path(), b, path(), true)
	case 4, 5:
		f, d, err := v.Open(b, path(), os.O_RDWR|os.O_CREATE, 0o644, 0)
		if err != nil {
			return
		}
		f.WriteAt([]byte("data"), int64(r.IntN(10)))
		v.Stat(b, path(), true, &a)
		f.ReadAt(make([]byte, 10), 0)
		f.Release()
		d.Put()
	default:
		v.Stat(b, path(), true, &a)
	}
}
