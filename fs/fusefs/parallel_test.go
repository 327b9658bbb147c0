package fusefs

import (
	"bytes"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// starting makes a Starter of a Transport that has none.
type starting struct {
	fuse.Transport
	depth     int
	latency   time.Duration
	now, most atomic.Int32 // started and not answered
	total     atomic.Int32

	mu   sync.Mutex
	held []func() // the deferred
}

type startedCall struct {
	n    int
	err  error
	done chan struct{}

	hurry func()
}

func (s *starting) RoundTrip(in, out [][]byte) (int, error) {
	s.Flush()
	s.total.Add(1)
	if s.latency > 0 {
		time.Sleep(s.latency)
	}
	return s.Transport.RoundTrip(in, out)
}

func (s *starting) Start(in, out [][]byte) (fuse.Pending, error) {
	s.Flush()
	for n := s.now.Add(1); ; {
		most := s.most.Load()
		if n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	c := &startedCall{done: make(chan struct{}, 1)}
	go func() {
		c.n, c.err = s.RoundTrip(in, out)
		s.now.Add(-1)
		c.done <- struct{}{}
	}()
	return c, nil
}

// Defer holds a request back as long as a transport may.
func (s *starting) Defer(in, out [][]byte) (fuse.Pending, error) {
	c := &startedCall{done: make(chan struct{}, 1), hurry: s.Flush}
	s.mu.Lock()
	s.held = append(s.held, func() {
		c.n, c.err = s.Transport.RoundTrip(in, out)
		c.done <- struct{}{}
	})
	s.mu.Unlock()
	return c, nil
}

func (s *starting) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, send := range s.held {
		send()
	}
	s.held = nil
}

func (s *starting) Depth() int {
	if s.depth == 0 {
		return 128
	}
	return s.depth
}

func (c *startedCall) Wait() (int, error) {
	if c.hurry != nil {
		c.hurry()
	}
	<-c.done
	return c.n, c.err
}

func (c *startedCall) Done() <-chan struct{} { return c.done }

// parallelBench mounts content as "f" with requests of a page, with the replies
// to reads in an order of their own. A read at fail fails.
func parallelBench(t *testing.T, content []byte, fail *atomic.Int64) (*bench, *starting) {
	s := newScript(fuse.FUSE_BIG_WRITES | fuse.FUSE_MAX_PAGES | fuse.FUSE_ASYNC_READ)
	s.init.MaxPages = 1
	var mu sync.Mutex
	attr := fuse.AttrOut{Attr: attrFor(idFile)}
	attr.Attr.Size = uint64(len(content))
	attr.AttrValid = 1000
	s.ops[fuse.FUSE_GETATTR] = func(c *call) { c.ok(attr.AppendTo(nil)) }
	s.ops[fuse.FUSE_READ] = func(c *call) {
		var in fuse.ReadIn
		in.Decode(c.args)
		time.Sleep(time.Duration(in.Offset*7%5) * 100 * time.Microsecond)
		if int64(in.Offset) == fail.Load() {
			c.errno(syscall.EIO)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		size := uint64(len(content))
		c.ok(content[min(in.Offset, size):min(in.Offset+uint64(in.Size), size)])
	}
	s.ops[fuse.FUSE_WRITE] = func(c *call) {
		var in fuse.WriteIn
		in.Decode(c.args)
		if int64(in.Offset) == fail.Load() {
			c.errno(syscall.ENOSPC)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		n := copy(content[in.Offset:], c.args[fuse.WriteInSize:])
		c.ok((&fuse.WriteOut{Size: uint32(n)}).AppendTo(nil))
	}
	st := &starting{Transport: s}
	f := mount(t, st, Options{Logf: s.logf})
	e := &bench{fs: f, file: lookup(t, f.root, "f")}
	e.file.(*node).InvalidateAttr()
	e.file.Getattr(&fs.Attr{})
	var err error
	if e.open, err = e.file.Open(os.O_RDWR); err != nil {
		t.Fatal(err)
	}
	return e, st
}

// TestParallelRead: parts of one read are under way together; what counts is
// the file's order, not that of the replies.
func TestParallelRead(t *testing.T) {
	content := randomBytes(10*4096 + 100)
	var fail atomic.Int64
	fail.Store(-1)
	e, st := parallelBench(t, content, &fail)
	for _, c := range []struct{ off, n, fail, want int }{
		{0, len(content), -1, len(content)},
		{0, 3 * len(content), -1, len(content)},
		{5, 40000, -1, 40000},
		{39000, 50000, -1, len(content) - 39000},
		{len(content), 50000, -1, 0},
		{0, len(content), 4096, 4096},
		{0, len(content), 8 * 4096, 8 * 4096},
	} {
		fail.Store(int64(c.fail))
		buf := make([]byte, c.n)
		n, err := e.open.ReadAt(buf, int64(c.off))
		if n != c.want || err != nil || !bytes.Equal(buf[:n], content[c.off:c.off+n]) {
			t.Errorf("%+v: %d, %v", c, n, err)
		}
	}
	fail.Store(0)
	if n, err := e.open.ReadAt(make([]byte, len(content)), 0); n != 0 || err != syscall.EIO {
		t.Errorf("the first part fails: %d, %v", n, err)
	}
	if m := st.most.Load(); m < 2 || m > maxParallel {
		t.Errorf("%d requests at once", m)
	}
	if n := e.fs.started.used.Load(); n != 0 {
		t.Errorf("%d slots left taken", n)
	}
}

// TestParallelWrite: a write into the file goes in parts together, one that
// makes it longer in order.
func TestParallelWrite(t *testing.T) {
	content := make([]byte, 12*4096)
	var fail atomic.Int64
	fail.Store(-1)
	e, st := parallelBench(t, content[:10*4096], &fail)
	data := randomBytes(10 * 4096)
	if n, end, err := e.open.WriteAt(data, 0); n != len(data) || end != int64(n) || err != nil || !bytes.Equal(content[:n], data) {
		t.Errorf("%d, %d, %v", n, end, err)
	}
	if m := st.most.Load(); m < 2 || m > maxParallel {
		t.Errorf("%d requests at once", m)
	}
	fail.Store(2 * 4096)
	if n, _, err := e.open.WriteAt(data, 0); n != 2*4096 || err != nil {
		t.Errorf("the third part fails: %d, %v", n, err)
	}
	fail.Store(0)
	if n, _, err := e.open.WriteAt(data, 0); n != 0 || err != syscall.ENOSPC {
		t.Errorf("the first part fails: %d, %v", n, err)
	}
	fail.Store(6 * 4096)
	st.most.Store(0)
	if n, _, err := e.open.WriteAt(data, 4096); n != 5*4096 || err != nil || st.most.Load() != 0 {
		t.Errorf("behind the end: %d, %v, %d at once", n, err, st.most.Load())
	}
}

// TestParallelMany: callers without a slot go on one by one.
func TestParallelMany(t *testing.T) {
	content := randomBytes(10 * 4096)
	var fail atomic.Int64
	fail.Store(-1)
	e, st := parallelBench(t, content, &fail)
	st.depth = 8
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			buf := make([]byte, len(content))
			if n, err := e.open.ReadAt(buf, 0); n != len(buf) || err != nil || !bytes.Equal(buf, content) {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	wg.Wait()
}

// TestPostedReleases: releases are sent in their order, at once, and Close
// waits for the answers.
func TestPostedReleases(t *testing.T) {
	s := newScript(0)
	c := newCounter(s)
	st := &starting{Transport: c, depth: 32, latency: time.Millisecond}
	fh := uint64(0)
	s.ops[fuse.FUSE_OPEN] = func(k *call) { fh++; k.ok((&fuse.OpenOut{Fh: fh}).AppendTo(nil)) }
	f := mount(t, st, Options{})
	n := lookup(t, f.root, "f")
	for range 100 {
		file, err := n.Open(os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		file.Release()
	}
	n.Unref()
	f.Close()
	if m := st.most.Load(); m > 16 {
		t.Errorf("%d at once", m)
	}
	c.check(t)
	if last := s.sent[len(s.sent)-1]; last != fuse.FUSE_DESTROY {
		t.Errorf("last operation %s", fuse.OpName(last))
	}
	if got := s.number(fuse.FUSE_RELEASE); got != 100 {
		t.Errorf("%d RELEASE", got)
	}
}

// TestReleaseOfFlock: the lock is free when Release returns.
func TestReleaseOfFlock(t *testing.T) {
	s := newScript(grantAll)
	st := &starting{Transport: s, latency: 5 * time.Millisecond}
	f := mount(t, st, Options{})
	file, err := lookup(t, f.root, "f").Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.(fs.LockFile).Flock(fs.WriteLock, false, nil); err != nil {
		t.Fatal(err)
	}
	file.Release()
	if s.number(fuse.FUSE_RELEASE) != 1 {
		t.Error("not released yet")
	}
}

// TestFlushForLocks: POSIX locks of any handle make every close flush.
func TestFlushForLocks(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	other, err := e.file.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	other.Flush()
	if s.number(fuse.FUSE_FLUSH) != 0 {
		t.Error("flushed without need")
	}
	if err := e.open.(fs.LockFile).Setlk(fs.ProcessOwner, &fs.Lock{Type: fs.ReadLock, End: toEnd}, false, nil); err != nil {
		t.Fatal(err)
	}
	other.Flush()
	if s.number(fuse.FUSE_FLUSH) != 1 {
		t.Error("the lock was not dropped")
	}
}
