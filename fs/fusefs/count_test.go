package fusefs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestForgetExact: n entries of one node are given back with one FORGET of n.
func TestForgetExact(t *testing.T) {
	s := newScript(0)
	var got []fuse.ForgetOne
	s.ops[fuse.FUSE_FORGET] = func(c *call) {
		var in fuse.ForgetIn
		in.Decode(c.args)
		got = append(got, fuse.ForgetOne{Nodeid: c.Nodeid, Nlookup: in.Nlookup})
	}
	f := mountScript(t, s, Options{})
	var nodes []fs.Node
	for range 5 {
		nodes = append(nodes, lookup(t, f.root, "f"))
	}
	e, err := f.root.Link("g", nodes[0])
	if err != nil || e.Node != nodes[0] {
		t.Fatalf("Link: %v, %v; want the node itself", e.Node, err)
	}
	nodes = append(nodes, e.Node)
	nodes[0].Ref()
	nodes = append(nodes, nodes[0])
	for i, n := range nodes {
		if n != nodes[0] {
			t.Fatal("two nodes for one file")
		}
		if len(got) != 0 {
			t.Fatalf("forgotten with %d references left", len(nodes)-i)
		}
		n.Unref()
	}
	f.flushForgets()
	if want := []fuse.ForgetOne{{Nodeid: idFile, Nlookup: 6}}; !slices.Equal(got, want) {
		t.Errorf("forgot %v, want %v", got, want)
	}
	if len(f.table.m) != 1 {
		t.Errorf("%d nodes in the table, want the root", len(f.table.m))
	}
}

// TestForgetAfterRelease: an open file keeps its node; the FORGET follows the
// answer to RELEASE.
func TestForgetAfterRelease(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	n := lookup(t, f.root, "f")
	file, err := n.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	n.Unref()
	if s.number(fuse.FUSE_FORGET) != 0 {
		t.Error("forgotten while open")
	}
	file.Release()
	file.Release() // a second one changes nothing
	f.releases.finish()
	f.flushForgets()
	want := []uint32{fuse.FUSE_INIT, fuse.FUSE_LOOKUP, fuse.FUSE_OPEN, fuse.FUSE_RELEASE, fuse.FUSE_FORGET}
	if !slices.Equal(s.sent, want) {
		t.Errorf("sent %v, want %v", s.sent, want)
	}
}

// TestRefusedEntryForgotten: an entry that is not taken is counted all the same.
func TestRefusedEntryForgotten(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	s.ops[fuse.FUSE_LOOKUP] = func(c *call) { c.ok(entryOf(9, 0o644).AppendTo(nil)) }
	if _, err := f.root.Lookup("x"); err != syscall.EIO {
		t.Fatal(err)
	}
	f.flushForgets()
	if s.number(fuse.FUSE_FORGET) != 1 {
		t.Errorf("%d FORGET, want 1", s.number(fuse.FUSE_FORGET))
	}
	// CREATE has opened a file as well.
	s.ops[fuse.FUSE_CREATE] = func(c *call) {
		c.ok((&fuse.OpenOut{Fh: 3}).AppendTo(entryOf(9, 0o644).AppendTo(nil)))
	}
	if _, _, err := f.root.Create("x", os.O_RDWR, 0o644, 0); err != syscall.EIO {
		t.Fatal(err)
	}
	f.releases.finish()
	f.flushForgets()
	if s.number(fuse.FUSE_FORGET) != 2 || s.number(fuse.FUSE_RELEASE) != 1 {
		t.Errorf("%d FORGET, want 2; %d RELEASE, want 1", s.number(fuse.FUSE_FORGET), s.number(fuse.FUSE_RELEASE))
	}
}

// TestPlusGivenBack: entries that nobody asked to see are forgotten when the
// directory is released, those behind a bad one too.
func TestPlusGivenBack(t *testing.T) {
	for _, bad := range []string{"", "a/b"} {
		s := newScript(grantAll)
		c := newCounter(s)
		f := mount(t, c, Options{})
		s.ops[fuse.FUSE_READDIRPLUS] = func(k *call) {
			var b []byte
			for i, name := range []string{".", "..", "a", "b", bad, "c"} {
				if name == "" {
					continue
				}
				b = entryOf(uint64(i+10), syscall.S_IFREG).AppendTo(b)
				b = fuse.AppendDirent(b, &fuse.Dirent{Off: uint64(i + 1)}, name)
			}
			k.ok(b)
		}
		d, err := f.root.Open(os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		d.ReadDir(0, func(e *fs.Dirent) bool {
			if n++; e.Entry.Node == nil {
				t.Errorf("%s: no entry", e.Name)
			} else {
				e.Entry.Node.Unref()
			}
			return bad != ""
		})
		d.Release()
		f.Close()
		if c.plusSum != 3+len(bad)/3 {
			t.Errorf("%d entries counted", c.plusSum)
		}
		c.check(t)
	}
}

// TestDestroyUnanswered: a server may end at DESTROY without an answer. Half a
// header is none.
func TestDestroyUnanswered(t *testing.T) {
	for used, want := range map[int]error{0: nil, 1: syscall.EIO, 15: syscall.EIO} {
		s := newScript(0)
		s.ops[fuse.FUSE_DESTROY] = func(c *call) { c.used = used }
		f := mountScript(t, s, Options{})
		if err := f.Close(); err != want {
			t.Errorf("used length %d: %v, want %v", used, err, want)
		}
		if log := s.takeLog(); (log == "") != (want == nil) {
			t.Errorf("used length %d: log %q", used, log)
		}
	}
}

// TestDestroy: nothing is sent behind DESTROY, and calls get ENODEV.
func TestDestroy(t *testing.T) {
	s := newScript(0)
	e := newBench(t, s, Options{})
	if err := e.fs.Close(); err != nil {
		t.Fatal(err)
	}
	n := len(s.sent)
	if s.sent[n-1] != fuse.FUSE_DESTROY {
		t.Errorf("last operation %s", fuse.OpName(s.sent[n-1]))
	}
	e.link.Unref()
	if err := e.file.Getattr(&fs.Attr{}); err != syscall.ENODEV {
		t.Errorf("Getattr after Close: %v, want ENODEV", err)
	}
	if len(s.sent) != n {
		t.Errorf("sent %v after DESTROY", s.sent[n:])
	}
}

// TestBatchForget: forgets of many goroutines share messages and stay exact.
func TestBatchForget(t *testing.T) {
	s := newScript(0)
	c := newCounter(s)
	f := mount(t, c, Options{})
	s.ops[fuse.FUSE_LOOKUP] = func(k *call) {
		k.ok(entryOf(uint64(k.args[0])<<8|uint64(k.args[1]), syscall.S_IFREG|0o644).AppendTo(nil))
	}
	var nodes []fs.Node
	for i := range 1000 {
		nodes = append(nodes, lookup(t, f.root, string([]byte{byte(128 + i/100), byte(128 + i%100)})))
	}
	var list []fuse.ForgetOne
	for _, n := range nodes[:600] {
		list = append(list, fuse.ForgetOne{Nodeid: n.(*node).id, Nlookup: 1})
	}
	f.sendForgets(list)
	if got := c.number(fuse.FUSE_BATCH_FORGET); got != 3 {
		t.Errorf("%d BATCH_FORGET for 600 nodes, want 3", got)
	}
	start := time.Now()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for _, n := range nodes[600+100*i : 700+100*i] {
				n.Unref()
			}
		})
	}
	wg.Wait()
	f.flushForgets()
	timed := int(time.Since(start) / forgetTime) // sent by the timer, on a slow machine
	if got := c.number(fuse.FUSE_FORGET) + c.number(fuse.FUSE_BATCH_FORGET); got > 3+400/forgetBatch+1+timed {
		t.Errorf("%d messages for 1000 nodes", got)
	}
	c.check(t)
}

// TestForgetSoon: a lookup count goes back by itself, though it waits for
// others.
func TestForgetSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(0)
		f := mountScript(t, s, Options{})
		for i := range 2 {
			lookup(t, f.root, "f").Unref()
			if n := s.number(fuse.FUSE_FORGET); n != i {
				t.Errorf("%d FORGET at once, want %d", n, i)
			}
			time.Sleep(forgetTime)
			synctest.Wait()
			if n := s.number(fuse.FUSE_FORGET); n != i+1 {
				t.Errorf("%d FORGET after a while, want %d", n, i+1)
			}
		}
	})
}

// TestCountsConcurrent plays random operations from many goroutines; the
// counter in front of the server sees to it that all is given back.
func TestCountsConcurrent(t *testing.T) {
	for _, opts := range []Options{{}, {Without: fuse.FUSE_DO_READDIRPLUS}} {
		f, _ := loopback(t, t.TempDir(), serverOptions{}, opts)
		root := f.Root()
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(g)))
				for range 300 {
					randomOp(root, r)
				}
			})
		}
		wg.Wait()
		for _, name := range list(t, root, 100) {
			root.Unlink(name)
			root.Rmdir(name)
		}
		root.Unref()
		f.releases.finish()
		if len(f.table.m) != 1 {
			t.Errorf("%d nodes left in the table", len(f.table.m))
		}
	}
}

// randomOp does one operation on a few names in root, whether or not it can
// succeed, and drops what it gets.
func randomOp(root fs.Node, r *rand.Rand) {
	name, other := fmt.Sprint("n", r.IntN(8)), fmt.Sprint("n", r.IntN(8))
	var e fs.Entry
	var f fs.File
	switch r.IntN(12) {
	case 0, 1:
		e, _ = root.Lookup(name)
	case 2:
		e, f, _ = root.Create(name, os.O_RDWR, 0o644, 0o22)
	case 3:
		e, _ = root.Mkdir(name, 0o755, 0)
	case 4:
		e, _ = root.Symlink(name, other)
	case 5:
		root.Unlink(name)
	case 6:
		root.Rmdir(name)
	case 7:
		root.Rename(name, root, other, uint32(r.IntN(3)))
	case 8:
		if e, _ = root.Lookup(name); e.Node != nil {
			drop(root.Link(other, e.Node))
		}
	case 9:
		e, _ = root.Mknod(name, syscall.S_IFIFO|0o600, 0, 0)
	case 10:
		d, err := root.Open(os.O_RDONLY)
		if err != nil {
			return
		}
		left := r.IntN(8)
		d.ReadDir(0, func(d *fs.Dirent) bool {
			drop(d.Entry, nil)
			left--
			return left > 0
		})
		d.Release()
	case 11:
		if e, _ = root.Lookup(name); e.Node != nil {
			f, _ = e.Node.Open(os.O_RDWR)
		}
	}
	if e.Node != nil {
		var a fs.Attr
		e.Node.Getattr(&a)
		e.Node.Unref()
	}
	if f != nil {
		f.WriteAt([]byte("data"), 0)
		f.ReadAt(make([]byte, 10), 0)
		f.Flush()
		f.Release()
	}
}
