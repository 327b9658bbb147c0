package fusefs

import (
	"os"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestOpenFlags: what reaches the server of the flags of an open, and how
// O_TRUNC is done.
func TestOpenFlags(t *testing.T) {
	const oDirect, oSync = 0x4000, 0x101000
	for _, c := range []struct {
		granted uint64
		flags   int
		want    uint32
		setattr int
	}{
		{0, os.O_RDONLY, 0, 0},
		{0, os.O_RDWR | os.O_APPEND, syscall.O_RDWR | syscall.O_APPEND, 0},
		{0, os.O_RDWR | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOCTTY | syscall.O_CLOEXEC, syscall.O_RDWR, 0},
		{0, os.O_WRONLY | oDirect | oSync, syscall.O_WRONLY | oDirect | oSync, 0},
		{0, os.O_WRONLY | syscall.O_TRUNC, syscall.O_WRONLY, 1},
		{fuse.FUSE_ATOMIC_O_TRUNC, os.O_WRONLY | syscall.O_TRUNC, syscall.O_WRONLY | syscall.O_TRUNC, 0},
	} {
		s := newScript(c.granted)
		f := mountScript(t, s, Options{})
		var open fuse.OpenIn
		var set fuse.SetattrIn
		var rel fuse.ReleaseIn
		s.alter = func(k *call) {
			switch k.Opcode {
			case fuse.FUSE_OPEN:
				open.Decode(k.args)
			case fuse.FUSE_SETATTR:
				set.Decode(k.args)
			case fuse.FUSE_RELEASE:
				rel.Decode(k.args)
			}
		}
		file, err := lookup(t, f.root, "f").Open(c.flags)
		if err != nil {
			t.Fatal(err)
		}
		if open.Flags != c.want {
			t.Errorf("open with %#x sent %#x, want %#x", c.flags, open.Flags, c.want)
		}
		if got := s.number(fuse.FUSE_SETATTR); got != c.setattr {
			t.Errorf("open with %#x: %d SETATTR, want %d", c.flags, got, c.setattr)
		}
		if c.setattr > 0 && (set.Valid != fuse.FATTR_SIZE|fuse.FATTR_FH || set.Size != 0 || set.Fh != 11) {
			t.Errorf("truncated with %+v", set)
		}
		file.Release()
		f.releases.finish()
		if rel.Fh != 11 || rel.Flags != c.want || rel.ReleaseFlags != 0 {
			t.Errorf("released with %+v, want the flags %#x of the open", rel, c.want)
		}
	}
}

// TestTruncateFails: the handle of an open that fails half way is released.
func TestTruncateFails(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	n := lookup(t, f.root, "f")
	s.ops[fuse.FUSE_SETATTR] = func(c *call) { c.errno(syscall.EROFS) }
	if _, err := n.Open(os.O_WRONLY | syscall.O_TRUNC); err != syscall.EROFS {
		t.Errorf("%v, want EROFS", err)
	}
	f.releases.finish()
	if s.number(fuse.FUSE_RELEASE) != 1 {
		t.Error("the handle was not released")
	}
}

// TestOpenSpecial: what a device or pipe of the host leads to is not here.
func TestOpenSpecial(t *testing.T) {
	for _, typ := range []uint32{syscall.S_IFIFO, syscall.S_IFCHR, syscall.S_IFBLK, syscall.S_IFSOCK} {
		s := newScript(0)
		s.ops[fuse.FUSE_LOOKUP] = func(c *call) { c.ok(entryOf(9, typ|0o644).AppendTo(nil)) }
		f := mountScript(t, s, Options{})
		n := lookup(t, f.root, "p")
		if _, err := n.Open(os.O_RDONLY); err != syscall.ENXIO {
			t.Errorf("type %o: %v, want ENXIO", typ, err)
		}
		if n.(fs.Kinder).Kind() != typ {
			t.Errorf("type %o: kind %o", typ, n.(fs.Kinder).Kind())
		}
		if s.number(fuse.FUSE_OPEN) != 0 {
			t.Errorf("type %o: OPEN was sent", typ)
		}
	}
}

// TestReturnedFlags: the flags that OPEN answers with are obeyed.
func TestReturnedFlags(t *testing.T) {
	openWith := func(flags uint32) (*script, fs.File) {
		s := newScript(0)
		s.ops[fuse.FUSE_OPEN] = func(c *call) { c.ok((&fuse.OpenOut{Fh: 11, OpenFlags: flags}).AppendTo(nil)) }
		f := mountScript(t, s, Options{})
		file, err := lookup(t, f.root, "f").Open(os.O_RDWR)
		if err != nil {
			t.Fatal(err)
		}
		return s, file
	}
	s, file := openWith(fuse.FOPEN_NOFLUSH)
	if err := file.Flush(); err != nil || s.number(fuse.FUSE_FLUSH) != 0 {
		t.Errorf("NOFLUSH: %v, %d FLUSH", err, s.number(fuse.FUSE_FLUSH))
	}
	s, file = openWith(0)
	if err := file.Flush(); err != nil || s.number(fuse.FUSE_FLUSH) != 0 {
		t.Errorf("%v, %d FLUSH before anything was written", err, s.number(fuse.FUSE_FLUSH))
	}
	file.WriteAt([]byte("hello"), 0)
	file.Flush()
	if err := file.Flush(); err != nil || s.number(fuse.FUSE_FLUSH) != 2 {
		t.Errorf("%v, %d FLUSH, want 2", err, s.number(fuse.FUSE_FLUSH))
	}
	if _, ok := file.(fs.Stream); ok {
		t.Error("a file with positions is a Stream")
	}
	// A short WRITE goes on, but not under direct I/O.
	for flags, want := range map[uint32]int{0: 10, fuse.FOPEN_DIRECT_IO: 4} {
		s, file = openWith(flags)
		s.ops[fuse.FUSE_WRITE] = func(c *call) {
			c.ok((&fuse.WriteOut{Size: uint32(min(4, len(c.args)-fuse.WriteInSize))}).AppendTo(nil))
		}
		if n, end, err := file.WriteAt(make([]byte, 10), 100); n != want || end != int64(100+want) || err != nil {
			t.Errorf("short writes with flags %#x: %d, %d, %v; want %d", flags, n, end, err, want)
		}
	}
	for _, flags := range []uint32{fuse.FOPEN_NONSEEKABLE, fuse.FOPEN_NONSEEKABLE | fuse.FOPEN_STREAM} {
		s, file = openWith(flags)
		stream, ok := file.(fs.Interruptible)
		if !ok {
			t.Fatalf("flags %#x: not a Stream", flags)
		}
		var in fuse.ReadIn
		s.alter = func(c *call) { in.Decode(c.args) }
		for i := range 3 {
			if n, err := stream.Read(make([]byte, 10)); n != 5 || err != nil {
				t.Errorf("Read = %d, %v", n, err)
			}
			want := uint64(0)
			if flags&fuse.FOPEN_STREAM == 0 {
				want = uint64(5 * i)
			}
			if in.Offset != want {
				t.Errorf("flags %#x: read %d at %d, want %d", flags, i, in.Offset, want)
			}
		}
		if n, err := stream.Write([]byte("abc")); n != 3 || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
		if err := fs.AwaitReady(stream, fs.PollIn, nil); err != nil {
			t.Errorf("Await: %v", err)
		}
	}
}

// TestHandleInAttr: GETATTR and SETATTR name the handle they go through.
func TestHandleInAttr(t *testing.T) {
	s := newScript(0)
	e := newBench(t, s, Options{})
	var get fuse.GetattrIn
	var set fuse.SetattrIn
	s.alter = func(c *call) {
		switch c.Opcode {
		case fuse.FUSE_GETATTR:
			get.Decode(c.args)
		case fuse.FUSE_SETATTR:
			set.Decode(c.args)
		}
	}
	var a fs.Attr
	for _, c := range []struct {
		do       func() error
		get, set bool
	}{
		{func() error { return e.open.Getattr(&a) }, true, false},
		{func() error { return e.file.Getattr(&a) }, false, false},
		{func() error { return e.open.Setattr(&fs.SetAttr{Valid: fs.SetMode}, &a) }, false, true},
		{func() error { return e.file.Setattr(&fs.SetAttr{Valid: fs.SetMode}, &a) }, false, false},
	} {
		get, set = fuse.GetattrIn{}, fuse.SetattrIn{}
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if got := get == (fuse.GetattrIn{GetattrFlags: fuse.FUSE_GETATTR_FH, Fh: 11}); got != c.get {
			t.Errorf("GETATTR %+v", get)
		}
		if got := set.Valid&fuse.FATTR_FH != 0 && set.Fh == 11; got != c.set {
			t.Errorf("SETATTR %+v", set)
		}
	}
}

// TestReleaseDir: a directory is released as such.
func TestReleaseDir(t *testing.T) {
	s := newScript(0)
	e := newBench(t, s, Options{})
	e.odir.Release()
	e.odir.Release()
	e.open.Release()
	e.fs.releases.finish()
	if s.number(fuse.FUSE_RELEASEDIR) != 1 || s.number(fuse.FUSE_RELEASE) != 1 {
		t.Errorf("%d RELEASEDIR, %d RELEASE, want 1 each", s.number(fuse.FUSE_RELEASEDIR), s.number(fuse.FUSE_RELEASE))
	}
	if _, err := e.odir.ReadAt(nil, 0); err != syscall.EISDIR {
		t.Errorf("ReadAt of a directory: %v", err)
	}
	if _, _, err := e.odir.WriteAt(nil, 0); err != syscall.EISDIR {
		t.Errorf("WriteAt of a directory: %v", err)
	}
}

// TestManyReleases: more than may be under way at once.
func TestManyReleases(t *testing.T) {
	s := newScript(0)
	c := newCounter(s)
	f := mount(t, c, Options{})
	hold := make(chan bool)
	fh := uint64(0)
	s.ops[fuse.FUSE_OPEN] = func(k *call) { fh++; k.ok((&fuse.OpenOut{Fh: fh}).AppendTo(nil)) }
	s.ops[fuse.FUSE_RELEASE] = func(k *call) { <-hold; k.ok(nil) }
	n := lookup(t, f.root, "f")
	var files []fs.File
	for range 3 * maxReleases {
		file, err := n.Open(os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	n.Unref()
	done := make(chan bool)
	go func() {
		for _, file := range files {
			file.Release()
		}
		done <- true
	}()
	for range files {
		hold <- true
	}
	<-done
	f.Close()
	c.check(t)
}
