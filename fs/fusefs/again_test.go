package fusefs

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// full is a server without space until the file idFile, which has been removed,
// is closed and forgotten. It gets round to FORGET a little later.
type full struct {
	fuse.Transport
	mu      sync.Mutex
	open    int
	lookups int64
	refused map[uint32]int // requests, by operation
	lack    syscall.Errno
	late    sync.WaitGroup
	pending atomic.Int32
	slow    time.Duration
	takes   func(h *fuse.InHeader) bool // space
}

func (s *full) RoundTrip(in, out [][]byte) (int, error) {
	var h fuse.InHeader
	h.Decode(join(in))
	s.mu.Lock()
	freed := s.open <= 0 && s.lookups <= 0
	refuse := s.takes(&h) && !freed
	if refuse {
		s.refused[h.Opcode]++
	}
	s.mu.Unlock()
	if refuse {
		reply := fuse.OutHeader{Len: fuse.OutHeaderSize, Error: -int32(s.lack), Unique: h.Unique}
		return copy(out[0], reply.AppendTo(nil)), nil
	}
	if h.Opcode == fuse.FUSE_RELEASE && h.Nodeid == idFile {
		time.Sleep(s.slow)
	}
	n, err := s.Transport.RoundTrip(in, out)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case h.Opcode == fuse.FUSE_OPEN && h.Nodeid == idFile:
		s.open++
	case h.Opcode == fuse.FUSE_RELEASE && h.Nodeid == idFile:
		s.open--
	case h.Opcode == fuse.FUSE_LOOKUP:
		var e fuse.EntryOut
		if e.Decode(join(out)[fuse.OutHeaderSize:]) == nil && e.Nodeid == idFile {
			s.lookups++
		}
	}
	return n, err
}

func (s *full) Send(in [][]byte) error {
	var h fuse.InHeader
	msg := join(in)
	h.Decode(msg)
	s.late.Add(1)
	s.pending.Add(1)
	time.AfterFunc(s.slow, func() {
		defer s.late.Done()
		defer s.pending.Add(-1)
		s.mu.Lock()
		defer s.mu.Unlock()
		switch args := msg[fuse.InHeaderSize:]; h.Opcode {
		case fuse.FUSE_FORGET:
			var f fuse.ForgetIn
			f.Decode(args)
			if h.Nodeid == idFile {
				s.lookups -= int64(f.Nlookup)
			}
		case fuse.FUSE_BATCH_FORGET:
			for args = args[fuse.BatchForgetInSize:]; len(args) > 0; args = args[fuse.ForgetOneSize:] {
				var f fuse.ForgetOne
				f.Decode(args)
				if f.Nodeid == idFile {
					s.lookups -= int64(f.Nlookup)
				}
			}
		}
	})
	return nil
}

func (s *full) Drain() {
	for s.pending.Load() > 0 {
		time.Sleep(100 * time.Microsecond)
	}
}

// spaceActions are the uses of the client that want space of the server. They
// work on other files than idFile.
var spaceActions = []action{
	{fuse.FUSE_WRITE, 0, func(e *bench) error { _, _, err := e.open.WriteAt([]byte("hello"), 0); return err }},
	{fuse.FUSE_WRITE, 0, func(e *bench) error { // in several messages
		n, _, err := e.open.WriteAt(make([]byte, 3*pageSize), 0)
		if err == nil && n != 3*pageSize {
			err = fmt.Errorf("%d bytes", n)
		}
		return err
	}},
	{fuse.FUSE_FALLOCATE, 0, func(e *bench) error { return e.open.(fs.FallocateFile).Fallocate(0, 0, 10) }},
	{fuse.FUSE_COPY_FILE_RANGE, 0, func(e *bench) error { _, err := e.open.(fs.CopyFile).CopyTo(0, e.open, 10, 5); return err }},
	{fuse.FUSE_SETATTR, 0, func(e *bench) error {
		return e.file.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 9}, &fs.Attr{})
	}},
	{fuse.FUSE_OPEN, 0, func(e *bench) error { return release(e.file.Open(os.O_WRONLY | os.O_TRUNC)) }},
	{fuse.FUSE_CREATE, 0, func(e *bench) error {
		entry, f, err := e.fs.root.Create("x", os.O_RDWR|os.O_EXCL, 0o644, 0)
		drop(entry, nil)
		return release(f, err)
	}},
	{fuse.FUSE_TMPFILE, 0, func(e *bench) error {
		entry, f, err := e.fs.root.Tmpfile(os.O_RDWR, 0o644, 0)
		drop(entry, nil)
		return release(f, err)
	}},
	{fuse.FUSE_MKNOD, 0, func(e *bench) error { return drop(e.fs.root.Mknod("x", syscall.S_IFREG, 0, 0)) }},
	{fuse.FUSE_MKDIR, 0, func(e *bench) error { return drop(e.fs.root.Mkdir("x", 0o755, 0)) }},
	{fuse.FUSE_SYMLINK, 0, func(e *bench) error { return drop(e.fs.root.Symlink("x", "y")) }},
	{fuse.FUSE_LINK, 0, func(e *bench) error { return drop(e.fs.root.Link("x", e.file)) }},
	{fuse.FUSE_RENAME, 0, func(e *bench) error { return e.fs.root.Rename("x", e.dir, "y", 0) }},
	{fuse.FUSE_RENAME2, 0, func(e *bench) error { return e.fs.root.Rename("x", e.dir, "y", 1) }},
	{fuse.FUSE_UNLINK, 0, func(e *bench) error { return e.fs.root.Unlink("x") }},
	{fuse.FUSE_RMDIR, 0, func(e *bench) error { return e.fs.root.Rmdir("x") }},
	{fuse.FUSE_SETXATTR, 0, func(e *bench) error { return e.file.(fs.XattrNode).Setxattr("user.a", []byte("b"), 0) }},
	{fuse.FUSE_REMOVEXATTR, 0, func(e *bench) error { return e.file.(fs.XattrNode).Removexattr("user.a") }},
}

const idOther = 7 // a file that stays

// newFull mounts a full server, of whose file "f" the client has just let go.
func newFull(t *testing.T, op uint32, lack syscall.Errno, starter bool) (*bench, *full) {
	t.Helper()
	sc := newScript(grantAll)
	sc.init.MaxPages = 1
	attr := attrFor(idFile)
	attr.Size = 1 << 20 // so that a write within it may go in parts at once
	lookup2 := sc.ops[fuse.FUSE_LOOKUP]
	sc.ops[fuse.FUSE_LOOKUP] = func(c *call) {
		if c.args[0] == 'o' {
			e := entryOf(idOther, syscall.S_IFREG|0o644)
			e.Attr, e.AttrValid = attr, 1000
			c.ok(e.AppendTo(nil))
			return
		}
		lookup2(c)
	}
	sc.ops[fuse.FUSE_GETATTR] = func(c *call) {
		a := attrFor(c.Nodeid)
		if c.Nodeid == idOther {
			a = attr
		}
		c.ok((&fuse.AttrOut{AttrValid: 1000, Attr: a}).AppendTo(nil))
	}
	for _, op := range []uint32{fuse.FUSE_CREATE, fuse.FUSE_TMPFILE} {
		sc.ops[op] = func(c *call) {
			c.ok((&fuse.OpenOut{Fh: 12}).AppendTo(entryOf(8, syscall.S_IFREG|0o644).AppendTo(nil)))
		}
	}
	for _, op := range []uint32{fuse.FUSE_MKNOD, fuse.FUSE_LINK} {
		sc.ops[op] = func(c *call) { c.ok(entryOf(idOther, syscall.S_IFREG|0o644).AppendTo(nil)) }
	}
	sc.ops[fuse.FUSE_SETATTR] = func(c *call) { c.ok((&fuse.AttrOut{Attr: attr}).AppendTo(nil)) }
	s := &full{Transport: sc, refused: map[uint32]int{}, lack: lack, slow: 3 * time.Millisecond}
	s.takes = func(h *fuse.InHeader) bool { return false }
	e := &bench{}
	if starter {
		e.fs = mount(t, &startingFull{starting{Transport: s}, s}, Options{Logf: sc.logf})
	} else {
		e.fs = mount(t, s, Options{Logf: sc.logf})
	}
	e.file, e.dir = lookup(t, e.fs.root, "o"), lookup(t, e.fs.root, "d")
	var err error
	if e.open, err = e.file.Open(os.O_RDWR); err != nil {
		t.Fatal(err)
	}
	gone := lookup(t, e.fs.root, "f")
	f, err := gone.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.takes = func(h *fuse.InHeader) bool { return h.Opcode == op && h.Nodeid != idFile }
	s.mu.Unlock()
	gone.Unref()
	f.Release()
	return e, s
}

type startingFull struct {
	starting
	*full
}

func (s *startingFull) Name() string                            { return s.full.Name() }
func (s *startingFull) RoundTrip(in, out [][]byte) (int, error) { return s.starting.RoundTrip(in, out) }
func (s *startingFull) Send(in [][]byte) error                  { return s.full.Send(in) }

// TestFreed: what the program has let go of is free before it is told that
// there is no space.
func TestFreed(t *testing.T) {
	for _, lack := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		for _, starter := range []bool{false, true} {
			for i, a := range spaceActions {
				e, s := newFull(t, a.op, lack, starter)
				if err := a.run(e); err != nil {
					t.Errorf("action %d, %s, starter %v: %v", i, fuse.OpName(a.op), starter, err)
				}
				if s.refused[a.op] == 0 {
					t.Errorf("action %d, %s, starter %v: there was space at once", i, fuse.OpName(a.op), starter)
				}
				s.late.Wait()
			}
		}
	}
}

// TestStillFull: where nothing gets free the program gets the error, at the
// second try.
func TestStillFull(t *testing.T) {
	for _, lack := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		for i, a := range spaceActions {
			e, s := newFull(t, a.op, lack, false)
			s.mu.Lock()
			s.lookups = 1 << 40
			s.mu.Unlock()
			if err := a.run(e); err != lack {
				t.Errorf("action %d, %s: %v, want %v", i, fuse.OpName(a.op), err, lack)
			}
			if n := s.refused[a.op]; n != 2 {
				t.Errorf("action %d, %s: sent %d times", i, fuse.OpName(a.op), n)
			}
			s.late.Wait()
		}
	}
}

// TestLostDataIsTold: an error that tells of data lost is not asked away.
func TestLostDataIsTold(t *testing.T) {
	for _, a := range actions {
		switch a.op {
		case fuse.FUSE_FSYNC, fuse.FUSE_FSYNCDIR, fuse.FUSE_FLUSH, fuse.FUSE_SYNCFS:
		default:
			continue
		}
		for _, lack := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
			s := newScript(grantAll)
			e := newBench(t, s, Options{})
			failed := false
			s.ops[a.op] = func(c *call) {
				if failed {
					c.ok(nil)
					return
				}
				failed = true
				c.errno(lack)
			}
			if err := a.run(e); err != lack {
				t.Errorf("%s: %v, want %v", fuse.OpName(a.op), err, lack)
			}
		}
	}
}

// TestMadeHalf: a name that is there at the second try was not there before.
func TestMadeHalf(t *testing.T) {
	s := newScript(grantAll)
	f := mountScript(t, s, Options{})
	answers := []syscall.Errno{syscall.ENOSPC, syscall.EEXIST, syscall.EEXIST}
	s.ops[fuse.FUSE_MKDIR] = func(c *call) {
		c.errno(answers[0])
		answers = answers[1:]
	}
	if _, err := f.root.Mkdir("x", 0o755, 0); err != syscall.ENOSPC {
		t.Errorf("%v, want ENOSPC", err)
	}
	if _, err := f.root.Mkdir("x", 0o755, 0); err != syscall.EEXIST {
		t.Errorf("%v, want EEXIST", err)
	}
}

// TestSettleWaitsForItsOwn: settle waits for what was released before it, also
// while others go on releasing, and for a release that a read under way keeps.
func TestSettleWaitsForItsOwn(t *testing.T) {
	for _, starter := range []bool{false, true} {
		s := newScript(0)
		var tr fuse.Transport = s
		if starter {
			tr = &starting{Transport: s}
		}
		f := mount(t, tr, Options{Logf: s.logf})
		n := lookup(t, f.root, "f")
		var mu sync.Mutex
		closed := map[uint64]bool{}
		s.ops[fuse.FUSE_RELEASE] = func(c *call) {
			var in fuse.ReleaseIn
			in.Decode(c.args)
			mu.Lock()
			closed[in.Fh] = true
			mu.Unlock()
		}
		s.ops[fuse.FUSE_RELEASE] = answering(s.ops[fuse.FUSE_RELEASE])
		var next atomic.Uint64
		s.ops[fuse.FUSE_OPEN] = func(c *call) { c.ok((&fuse.OpenOut{Fh: next.Add(1)}).AppendTo(nil)) }
		stop := make(chan bool)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if file, err := n.Open(os.O_RDONLY); err == nil {
						file.Release()
					}
					time.Sleep(100 * time.Microsecond)
				}
			})
		}
		for i := range 60 {
			o, err := n.Open(os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			h := o.(*file).handle
			if i%2 == 0 { // as a read does that nobody waits for
				h.hold()
				time.AfterFunc(time.Millisecond, h.put)
			}
			o.Release()
			f.releases.settle()
			mu.Lock()
			if !closed[h.fh] {
				t.Fatalf("starter %v: handle %d is open", starter, h.fh)
			}
			mu.Unlock()
		}
		close(stop)
		wg.Wait()
		f.releases.finish()
		if !slices.Equal(f.releases.open[:], []int{0, 0}) {
			t.Errorf("%v handles are not closed in the end", f.releases.open)
		}
	}
}

// answering answers what do has looked at.
func answering(do func(*call)) func(*call) {
	return func(c *call) {
		do(c)
		c.ok(nil)
	}
}

// TestReleaseRefused: a RELEASE that a server refuses for want of something is
// waited for by nobody who has to give that back.
func TestReleaseRefused(t *testing.T) {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENOSPC} {
		s := newScript(0)
		s.ops[fuse.FUSE_RELEASE] = func(c *call) { c.errno(e) }
		f := mountScript(t, s, Options{})
		n := lookup(t, f.root, "f")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					if file, err := n.Open(os.O_RDONLY); err == nil {
						file.Release()
						f.settle()
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestStatfsAfterFreeing: the space of what the program has let go of is told
// to be free.
func TestStatfsAfterFreeing(t *testing.T) {
	e, s := newFull(t, fuse.FUSE_STATFS, syscall.ENOSPC, true)
	if err := e.fs.Statfs(&fs.Statfs{}); err != nil || s.refused[fuse.FUSE_STATFS] != 0 {
		t.Errorf("%v: STATFS was sent before", err)
	}
	s.late.Wait()
}
