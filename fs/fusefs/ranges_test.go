package fusefs

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func TestRangesLoopback(t *testing.T) {
	dir := t.TempDir()
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()
	e, file, err := root.Create("f", os.O_RDWR, 0o644, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Node.Unref()
	defer file.Release()
	if err := file.(fs.FallocateFile).Fallocate(0, 0, 1<<20); err != nil && err != syscall.EOPNOTSUPP {
		t.Fatal(err)
	}
	var a fs.Attr
	if file.Getattr(&a); a.Size != 1<<20 {
		t.Errorf("size %d after fallocate", a.Size)
	}
	file.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 0}, &a)
	file.Setattr(&fs.SetAttr{Valid: fs.SetSize, Size: 1 << 20}, &a)
	data := randomBytes(4096)
	if _, _, err := file.WriteAt(data, 512<<10); err != nil {
		t.Fatal(err)
	}
	seek := file.(fs.SeekHoleFile)
	if off, err := seek.SeekHole(0, fs.SeekData); err != nil || off != 512<<10 && off != 0 {
		t.Errorf("first data at %d, %v", off, err)
	}
	if off, err := seek.SeekHole(512<<10, fs.SeekHole); err != nil || off != 516<<10 && off != 1<<20 {
		t.Errorf("hole at %d, %v", off, err)
	}
	if _, err := seek.SeekHole(1<<20, fs.SeekData); err != syscall.ENXIO {
		t.Errorf("data behind the end: %v, want ENXIO", err)
	}
	if _, err := seek.SeekHole(0, 1); err != syscall.EINVAL {
		t.Errorf("whence 1: %v, want EINVAL", err)
	}
	e2, to, err := root.Create("g", os.O_RDWR, 0o644, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer e2.Node.Unref()
	defer to.Release()
	n, err := file.(fs.CopyFile).CopyTo(512<<10, to, 100, 4096)
	if err != nil || n != 4096 {
		t.Fatalf("CopyTo = %d, %v", n, err)
	}
	if got := readAll(t, e2.Node); len(got) != 4196 || !bytes.Equal(got[100:], data) {
		t.Errorf("copied %d bytes that differ", len(got))
	}
	if n, err := file.(fs.CopyFile).CopyTo(2<<20, to, 0, 10); n != 0 || err != nil {
		t.Errorf("CopyTo at the end = %d, %v", n, err)
	}
	for _, bad := range [][3]int64{{-1, 0, 1}, {0, -1, 1}, {0, 0, -1}, {1<<63 - 1, 0, 2}} {
		if _, err := file.(fs.CopyFile).CopyTo(bad[0], to, bad[1], bad[2]); err != syscall.EINVAL {
			t.Errorf("CopyTo%v: %v, want EINVAL", bad, err)
		}
	}
	for _, bad := range [][2]int64{{-1, 1}, {0, 0}, {0, -1}} {
		if err := file.(fs.FallocateFile).Fallocate(0, bad[0], bad[1]); err != syscall.EINVAL {
			t.Errorf("Fallocate%v: %v, want EINVAL", bad, err)
		}
	}
}

// TestAllData: what SEEK_DATA and SEEK_HOLE say without LSEEK.
func TestAllData(t *testing.T) {
	s := newScript(grantAll)
	s.ops[fuse.FUSE_LSEEK] = nil
	e := newBench(t, s, Options{})
	for _, c := range []struct {
		off    int64
		whence int
		want   int64
		err    error
	}{
		{0, fs.SeekData, 0, nil}, {4, fs.SeekData, 4, nil}, {5, fs.SeekData, 0, syscall.ENXIO},
		{0, fs.SeekHole, 5, nil}, {5, fs.SeekHole, 0, syscall.ENXIO}, {-1, fs.SeekHole, 0, syscall.ENXIO},
	} {
		if got, err := e.open.(fs.SeekHoleFile).SeekHole(c.off, c.whence); got != c.want || err != c.err {
			t.Errorf("SeekHole(%d, %d) = %d, %v; want %d, %v", c.off, c.whence, got, err, c.want, c.err)
		}
	}
}

func TestStatx(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	var x fs.Statx
	if err := e.open.(fs.StatxNode).Statx(&x, 0xfff); err != nil || x.Btime != (fs.Time{Sec: 77, Nsec: 88}) || x.Mask != 0xfff || x.Size != 5 {
		t.Errorf("%+v, %v", x, err)
	}
	// What GETATTR tells needs no STATX.
	n := s.number(fuse.FUSE_STATX)
	if err := e.file.(fs.StatxNode).Statx(&x, basicStats); err != nil || x.Mask != basicStats || x.Ino != idFile {
		t.Errorf("%+v, %v", x, err)
	}
	if s.number(fuse.FUSE_STATX) != n {
		t.Error("STATX sent for basic attributes")
	}
	if got := makedev(0x123, 0x45678); got != 0x45612378 {
		t.Errorf("makedev = %#x", got)
	}
}

func TestTmpfile(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	var in fuse.CreateIn
	s.alter = func(c *call) {
		if c.Opcode == fuse.FUSE_TMPFILE {
			in.Decode(c.args)
		}
	}
	entry, file, err := e.dir.(fs.TmpfileNode).Tmpfile(os.O_RDWR, 0o600, 0o077)
	if err != nil || entry.Node != e.file || in.Mode != syscall.S_IFREG|0o600 {
		t.Fatalf("%v, mode %o, %v", entry, in.Mode, err)
	}
	file.Release()
	entry.Node.Unref()
}

// TestMisc: values that pass through.
func TestMisc(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	if b, err := e.file.(fs.BmapNode).Bmap(1, 512); b != 6 || err != nil {
		t.Errorf("Bmap = %d, %v", b, err)
	}
	out := make([]byte, 9)
	if r, n, err := e.open.(fs.IoctlFile).Ioctl(1, 2, []byte("x"), out); r != 1 || n != 4 || err != nil || string(out[:n]) != "data" {
		t.Errorf("Ioctl = %d, %d, %v, %q", r, n, err, out)
	}
	if _, _, err := e.odir.(fs.IoctlFile).Ioctl(1, 2, nil, out); err != nil {
		t.Errorf("Ioctl of a directory: %v", err)
	}
	if _, _, err := e.open.(fs.IoctlFile).Ioctl(1, 2, nil, make([]byte, 2<<20)); err != syscall.ENOMEM {
		t.Errorf("huge Ioctl: %v", err)
	}
	if ev, err := e.open.(fs.PollFile).Poll(5); ev != 1 || err != nil {
		t.Errorf("Poll = %d, %v", ev, err)
	}
	if e.open.(fs.NotifyFile).Watch(&fs.Waiter{}) {
		t.Error("a file of a server with POLL tells of changes")
	}
	s.ops[fuse.FUSE_POLL] = nil
	for range 2 {
		if ev, err := e.open.(fs.PollFile).Poll(0xffff); ev != alwaysReady || err != nil {
			t.Errorf("Poll without POLL = %#x, %v", ev, err)
		}
	}
	if !e.open.(fs.NotifyFile).Watch(&fs.Waiter{}) {
		t.Error("a file of a server without POLL may change")
	}
	s.ops[fuse.FUSE_ACCESS] = func(c *call) { c.errno(syscall.EACCES) }
	if err := e.file.(fs.AccessNode).Access(2); err != syscall.EACCES {
		t.Errorf("Access: %v, want EACCES", err)
	}
	var st fs.Statfs
	if err := e.dir.(fs.StatfsNode).Statfs(&st); err != nil || st.Blocks != 9 || st.Frsize != 4096 || st.Type != 0x65735546 {
		t.Errorf("Statfs %+v, %v", st, err)
	}
	for _, o := range e.fs.Stats() {
		if o.Op == "ACCESS" && (o.Calls != 1 || o.Errors != 1) || o.Op == "?" {
			t.Errorf("stats %+v", o)
		}
	}
}

// TestFsyncFlags: data only or all.
func TestFsyncFlags(t *testing.T) {
	s := newScript(0)
	e := newBench(t, s, Options{})
	var in fuse.FsyncIn
	s.alter = func(c *call) { in.Decode(c.args) }
	for _, dataOnly := range []bool{true, false} {
		for _, f := range []fs.File{e.open, e.odir} {
			if err := f.Fsync(dataOnly); err != nil || in.Fh != 11 || in.FsyncFlags == 1 != dataOnly {
				t.Errorf("Fsync(%v): %+v, %v", dataOnly, in, err)
			}
		}
	}
	if s.number(fuse.FUSE_FSYNC) != 2 || s.number(fuse.FUSE_FSYNCDIR) != 2 {
		t.Error("FSYNC and FSYNCDIR mixed up")
	}
	s.ops[fuse.FUSE_FSYNC] = func(c *call) { c.errno(syscall.ENOSPC) }
	if err := e.open.Fsync(false); err != syscall.ENOSPC {
		t.Errorf("Fsync: %v, want ENOSPC", err)
	}
}
