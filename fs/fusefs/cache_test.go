package fusefs

import (
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func TestLifetime(t *testing.T) {
	for _, c := range []struct {
		sec  uint64
		nsec uint32
		want time.Duration
	}{
		{0, 0, 0}, {1, 5, time.Second + 5}, {0, 1 << 31, 999999999}, {0, 999999999, 999999999},
		{9223372035, 999999999, 9223372035999999999}, {9223372036, 0, fs.Forever},
		{1 << 63, 0, fs.Forever}, {math.MaxUint64, math.MaxUint32, fs.Forever},
	} {
		if got := lifetime(c.sec, c.nsec); got != c.want {
			t.Errorf("lifetime(%d, %d) = %d, want %d", c.sec, c.nsec, got, c.want)
		}
	}
	if got := deadline(mark{time: 100}, fs.Forever); got != math.MaxInt64 {
		t.Errorf("deadline of Forever: %d", got)
	}
}

// withLifetimes makes LOOKUP answer with these lifetimes.
func withLifetimes(s *script, entry, attr fuse.EntryOut) {
	s.ops[fuse.FUSE_LOOKUP] = func(c *call) {
		e := entryFor(c)
		e.EntryValid, e.EntryValidNsec = entry.EntryValid, entry.EntryValidNsec
		e.AttrValid, e.AttrValidNsec = attr.AttrValid, attr.AttrValidNsec
		c.ok(e.AppendTo(nil))
	}
}

// TestTwoLifetimes: that of the name goes up with the entry, that of the
// attributes says when to ask again.
func TestTwoLifetimes(t *testing.T) {
	for _, c := range []struct {
		entry, attr fuse.EntryOut
		asked       int
		least, most time.Duration
	}{
		{fuse.EntryOut{EntryValid: 5}, fuse.EntryOut{}, 3, 5 * time.Second, 5 * time.Second},
		{fuse.EntryOut{}, fuse.EntryOut{AttrValid: 100}, 0, 0, 0},
		{fuse.EntryOut{EntryValidNsec: 1}, fuse.EntryOut{AttrValidNsec: 1}, 3, 0, 1},
		{fuse.EntryOut{EntryValid: 1 << 63}, fuse.EntryOut{AttrValid: 1 << 63}, 0, fs.Forever, fs.Forever},
	} {
		s := newScript(0)
		withLifetimes(s, c.entry, c.attr)
		f := mountScript(t, s, Options{})
		start := time.Now()
		e, err := f.root.Lookup("f")
		if err != nil || e.Valid < c.least-time.Since(start) || e.Valid > c.most {
			t.Errorf("%+v: entry valid for %v, %v", c.entry, e.Valid, err)
		}
		neg, err := f.root.Lookup("x")
		if err != nil || neg.Node != nil || neg.Valid < c.least-time.Since(start) || neg.Valid > c.most {
			t.Errorf("%+v: negative entry %v valid for %v, %v", c.entry, neg.Node, neg.Valid, err)
		}
		time.Sleep(2)
		for range 3 {
			var a fs.Attr
			if err := e.Node.Getattr(&a); err != nil || a.Size != 5 {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		if got := s.number(fuse.FUSE_GETATTR); got != c.asked {
			t.Errorf("attributes valid for %d s %d ns: %d GETATTR, want %d", c.attr.AttrValid, c.attr.AttrValidNsec, got, c.asked)
		}
	}
}

// TestNegative: an ENOENT reply is an error, which nobody may cache.
func TestNegative(t *testing.T) {
	s := newScript(0)
	s.ops[fuse.FUSE_LOOKUP] = func(c *call) { c.errno(syscall.ENOENT) }
	f := mountScript(t, s, Options{})
	if e, err := f.root.Lookup("x"); err != syscall.ENOENT || e.Node != nil {
		t.Errorf("%v, %v; want ENOENT", e, err)
	}
	s.ops[fuse.FUSE_LOOKUP] = func(c *call) { c.errno(syscall.EACCES) }
	if _, err := f.root.Lookup("x"); err != syscall.EACCES {
		t.Errorf("%v, want EACCES", err)
	}
}

// TestStale: a node is (nodeid, generation) and a type. When the server uses
// the id for another file, the old node gives ESTALE and the new one works.
func TestStale(t *testing.T) {
	for _, c := range []struct {
		name string
		e    *fuse.EntryOut
	}{
		{"generation", func() *fuse.EntryOut {
			e := entryOf(idFile, syscall.S_IFREG|0o644)
			e.Generation = 2
			return e
		}()},
		{"type", entryOf(idFile, syscall.S_IFDIR|0o755)},
	} {
		s := newScript(grantAll)
		ctr := newCounter(s)
		f := mount(t, ctr, Options{})
		e := &bench{fs: f, file: lookup(t, f.root, "f"), link: lookup(t, f.root, "l"), dir: lookup(t, f.root, "d")}
		e.open, _ = e.file.Open(os.O_RDWR)
		e.odir, _ = e.dir.Open(os.O_RDONLY)
		s.ops[fuse.FUSE_LOOKUP] = func(k *call) { k.ok(c.e.AppendTo(nil)) }
		again := lookup(t, f.root, "f")
		if again == e.file {
			t.Errorf("%s: the same node", c.name)
		}
		for _, a := range actions {
			switch a.op {
			case fuse.FUSE_GETATTR, fuse.FUSE_SETATTR, fuse.FUSE_OPEN, fuse.FUSE_READ, fuse.FUSE_WRITE,
				fuse.FUSE_GETXATTR, fuse.FUSE_SETXATTR, fuse.FUSE_ACCESS, fuse.FUSE_LINK, fuse.FUSE_STATX, fuse.FUSE_FALLOCATE:
				if err := a.run(e); err != syscall.ESTALE {
					t.Errorf("%s: %s of the old node: %v, want ESTALE", c.name, fuse.OpName(a.op), err)
				}
			}
		}
		s.ops[fuse.FUSE_GETATTR] = func(k *call) { k.ok((&fuse.AttrOut{Attr: c.e.Attr}).AppendTo(nil)) }
		if err := again.Getattr(&fs.Attr{}); err != nil {
			t.Errorf("%s: new node: %v", c.name, err)
		}
		again.Unref()
		again = lookup(t, f.root, "f") // forgets of the two do not mix
		again.Unref()
		e.open.Release()
		e.odir.Release()
		for _, n := range []fs.Node{e.file, e.link, e.dir} {
			n.Unref()
		}
		f.Close()
		ctr.check(t)
	}
}

// TestStaleByAttr: the type changes in a reply to GETATTR.
func TestStaleByAttr(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	n := lookup(t, f.root, "f")
	s.ops[fuse.FUSE_GETATTR] = func(c *call) { c.ok((&fuse.AttrOut{Attr: attrFor(idDir)}).AppendTo(nil)) }
	for range 2 {
		if err := n.Getattr(&fs.Attr{}); err != syscall.ESTALE {
			t.Errorf("Getattr: %v, want ESTALE", err)
		}
	}
	if got := s.number(fuse.FUSE_GETATTR); got != 1 {
		t.Errorf("%d GETATTR, want 1", got)
	}
}

// TestAttrCacheChanges: what this client does itself is seen at once, whatever
// the server's lifetime.
func TestAttrCacheChanges(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/f", []byte("hello"))
	f, ctr := loopback(t, dir, serverOptions{valid: time.Hour}, Options{})
	root := f.Root()
	defer root.Unref()
	n := lookup(t, root, "f")
	defer n.Unref()
	var a fs.Attr
	get := func() fs.Attr {
		t.Helper()
		if err := n.Getattr(&a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := ctr.number(fuse.FUSE_GETATTR)
	for range 5 {
		get()
	}
	if got := ctr.number(fuse.FUSE_GETATTR); got != before {
		t.Errorf("%d GETATTR within the lifetime", got-before)
	}
	// A change on the host is not seen within the lifetime.
	if err := os.WriteFile(dir+"/f", []byte("hello, world"), 0o644); err != nil {
		t.Fatal(err)
	}
	if get().Size != 5 {
		t.Errorf("size %d", a.Size)
	}
	n.(fs.AttrInvalidator).InvalidateAttr()
	if get().Size != 12 {
		t.Errorf("size %d after InvalidateAttr, want 12", a.Size)
	}
	file, err := n.Open(os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Release()
	if _, _, err := file.WriteAt([]byte("more than that, as you see"), 0); err != nil {
		t.Fatal(err)
	}
	if get().Size != 26 {
		t.Errorf("size %d after a write, want 26", a.Size)
	}
	if err := file.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 3}, &a); err != nil || a.Size != 3 {
		t.Errorf("truncate: %d, %v", a.Size, err)
	}
	if get().Size != 3 {
		t.Errorf("size %d after truncate, want 3", a.Size)
	}
	if err := n.Setattr(&fs.SetAttr{Valid: fs.SetMode, Mode: 0o600}, &a); err != nil || get().Mode != syscall.S_IFREG|0o600 {
		t.Errorf("mode %o, %v", a.Mode, err)
	}
	e, err := root.Link("g", n)
	if err != nil {
		t.Fatal(err)
	}
	e.Node.Unref()
	if get().Nlink != 2 {
		t.Errorf("nlink %d after link, want 2", a.Nlink)
	}
	old := fs.Time{Sec: 1, Nsec: 2}
	if err := n.Setattr(&fs.SetAttr{Valid: fs.SetAtime | fs.SetMtime, Atime: old, Mtime: old}, &a); err != nil {
		t.Fatal(err)
	}
	if _, err := file.ReadAt(make([]byte, 1), 0); err != nil {
		t.Fatal(err)
	}
	if get(); a.Atime == old || a.Mtime != old {
		t.Errorf("after a read: atime %v, mtime %v", a.Atime, a.Mtime)
	}
	root.Getattr(&a)
	mtime := a.Mtime
	time.Sleep(10 * time.Millisecond)
	if err := root.Unlink("g"); err != nil {
		t.Fatal(err)
	}
	if root.Getattr(&a); a.Mtime == mtime {
		t.Error("the directory's time is that of before the unlink")
	}
}

// TestReplyOvertaken: attributes that were asked for before a change of ours
// and arrive after it are not kept.
func TestReplyOvertaken(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	n := lookup(t, f.root, "f")
	file, _ := n.Open(os.O_RDWR)
	asked, written := make(chan bool), make(chan bool)
	size := uint64(5)
	s.ops[fuse.FUSE_GETATTR] = func(c *call) {
		a := attrFor(idFile)
		a.Size = size
		if size == 5 {
			asked <- true
			<-written
		}
		c.ok((&fuse.AttrOut{AttrValid: 1000, Attr: a}).AppendTo(nil))
	}
	done := make(chan fs.Attr)
	go func() {
		var a fs.Attr
		n.Getattr(&a)
		done <- a
	}()
	<-asked
	if _, _, err := file.WriteAt([]byte("longer"), 0); err != nil {
		t.Fatal(err)
	}
	written <- true
	<-done
	size = 6
	var a fs.Attr
	if n.Getattr(&a); a.Size != 6 {
		t.Errorf("size %d, want 6: an old reply was kept", a.Size)
	}
}

// TestSetattrTells: SETATTR answers with all attributes, and their lifetime.
func TestSetattrTells(t *testing.T) {
	s := newScript(0)
	s.ops[fuse.FUSE_SETATTR] = func(c *call) {
		c.ok((&fuse.AttrOut{AttrValid: 1000, Attr: attrFor(idFile)}).AppendTo(nil))
	}
	e := newBench(t, s, Options{})
	var a fs.Attr
	if err := e.file.Setattr(&fs.SetAttr{Valid: fs.SetMode, Mode: 0o644}, &a); err != nil {
		t.Fatal(err)
	}
	if err := e.file.Getattr(&a); err != nil || s.number(fuse.FUSE_GETATTR) != 0 {
		t.Errorf("%d GETATTR behind SETATTR, %v", s.number(fuse.FUSE_GETATTR), err)
	}
}

func TestNoAtime(t *testing.T) {
	for _, no := range []bool{false, true} {
		s := newScript(0)
		withLifetimes(s, fuse.EntryOut{}, fuse.EntryOut{AttrValid: 1000})
		f := mountScript(t, s, Options{NoAtime: no})
		n := lookup(t, f.root, "f")
		file, _ := n.Open(os.O_RDONLY)
		file.ReadAt(make([]byte, 5), 0)
		n.Getattr(&fs.Attr{})
		if got, want := s.number(fuse.FUSE_GETATTR) == 0, no; got != want {
			t.Errorf("NoAtime %v: answered from the cache: %v", no, got)
		}
	}
}

func TestReadlinkCached(t *testing.T) {
	for _, flags := range []uint64{0, fuse.FUSE_CACHE_SYMLINKS} {
		s := newScript(flags)
		f := mountScript(t, s, Options{})
		n := lookup(t, f.root, "l")
		for range 3 {
			if target, err := n.Readlink(); target != "target" || err != nil {
				t.Errorf("Readlink = %q, %v", target, err)
			}
		}
		want := 3
		if flags != 0 {
			want = 1
		}
		if got := s.number(fuse.FUSE_READLINK); got != want {
			t.Errorf("flags %#x: %d READLINK, want %d", flags, got, want)
		}
	}
}
