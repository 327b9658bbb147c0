package fusefs

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// action is one use of the client that sends op.
type action struct {
	op   uint32
	body int // least length of the body of the reply
	run  func(e *bench) error
}

// bench is a mounted script with what the actions work on.
type bench struct {
	fs              *FS
	file, link, dir fs.Node
	open, odir      fs.File
}

func newBench(t testing.TB, s *script, opts Options) *bench {
	t.Helper()
	e := &bench{fs: mountScript(t, s, opts)}
	e.file, e.link, e.dir = lookup(t, e.fs.root, "f"), lookup(t, e.fs.root, "l"), lookup(t, e.fs.root, "d")
	var err error
	if e.open, err = e.file.Open(os.O_RDWR); err != nil {
		t.Fatal(err)
	}
	if e.odir, err = e.dir.Open(os.O_RDONLY); err != nil {
		t.Fatal(err)
	}
	return e
}

func drop(e fs.Entry, err error) error {
	if e.Node != nil {
		e.Node.Unref()
	}
	return err
}

func readDirOf(e *bench) error {
	return e.odir.ReadDir(0, func(d *fs.Dirent) bool { drop(d.Entry, nil); return true })
}

var actions = []action{
	{fuse.FUSE_LOOKUP, 128, func(e *bench) error { return drop(e.fs.root.Lookup("f")) }},
	{fuse.FUSE_GETATTR, 104, func(e *bench) error { return e.file.Getattr(&fs.Attr{}) }},
	{fuse.FUSE_SETATTR, 104, func(e *bench) error {
		return e.file.Setattr(&fs.SetAttr{Valid: fs.SetMode, Mode: 0o600}, &fs.Attr{})
	}},
	{fuse.FUSE_READLINK, 1, func(e *bench) error { _, err := e.link.Readlink(); return err }},
	{fuse.FUSE_SYMLINK, 128, func(e *bench) error { return drop(e.fs.root.Symlink("x", "y")) }},
	{fuse.FUSE_MKNOD, 128, func(e *bench) error { return drop(e.fs.root.Mknod("x", syscall.S_IFREG, 0, 0)) }},
	{fuse.FUSE_MKDIR, 128, func(e *bench) error { return drop(e.fs.root.Mkdir("x", 0o755, 0)) }},
	{fuse.FUSE_UNLINK, 0, func(e *bench) error { return e.fs.root.Unlink("x") }},
	{fuse.FUSE_RMDIR, 0, func(e *bench) error { return e.fs.root.Rmdir("x") }},
	{fuse.FUSE_RENAME, 0, func(e *bench) error { return e.fs.root.Rename("x", e.dir, "y", 0) }},
	{fuse.FUSE_RENAME2, 0, func(e *bench) error { return e.fs.root.Rename("x", e.dir, "y", 1) }},
	{fuse.FUSE_LINK, 128, func(e *bench) error { return drop(e.fs.root.Link("x", e.file)) }},
	{fuse.FUSE_OPEN, 16, func(e *bench) error { return release(e.file.Open(os.O_RDONLY)) }},
	{fuse.FUSE_OPENDIR, 16, func(e *bench) error { return release(e.dir.Open(os.O_RDONLY)) }},
	{fuse.FUSE_READ, 0, func(e *bench) error { _, err := e.open.ReadAt(make([]byte, 100), 0); return err }},
	{fuse.FUSE_WRITE, 8, func(e *bench) error { _, _, err := e.open.WriteAt([]byte("hello"), 0); return err }},
	{fuse.FUSE_STATFS, 80, func(e *bench) error { return e.fs.Statfs(&fs.Statfs{}) }},
	{fuse.FUSE_READDIR, 0, readDirOf},
	{fuse.FUSE_READDIRPLUS, 0, readDirOf},
	{fuse.FUSE_FSYNC, 0, func(e *bench) error { return e.open.Fsync(false) }},
	{fuse.FUSE_FSYNCDIR, 0, func(e *bench) error { return e.odir.Fsync(false) }},
	{fuse.FUSE_FLUSH, 0, func(e *bench) error { e.open.(*file).wrote.Store(true); return e.open.Flush() }},
	{fuse.FUSE_CREATE, 144, func(e *bench) error {
		entry, f, err := e.fs.root.Create("x", os.O_RDWR|os.O_EXCL, 0o644, 0)
		drop(entry, nil)
		return release(f, err)
	}},
	{fuse.FUSE_TMPFILE, 144, func(e *bench) error {
		entry, f, err := e.fs.root.Tmpfile(os.O_RDWR, 0o644, 0)
		drop(entry, nil)
		return release(f, err)
	}},
	{fuse.FUSE_SETXATTR, 0, func(e *bench) error { return e.file.(fs.XattrNode).Setxattr("user.a", []byte("b"), 0) }},
	{fuse.FUSE_GETXATTR, 8, func(e *bench) error { _, err := e.file.(fs.XattrNode).Getxattr("user.a", nil); return err }},
	{fuse.FUSE_GETXATTR, 0, func(e *bench) error {
		_, err := e.file.(fs.XattrNode).Getxattr("user.a", make([]byte, 10))
		return err
	}},
	{fuse.FUSE_LISTXATTR, 8, func(e *bench) error { _, err := e.file.(fs.XattrNode).Listxattr(nil); return err }},
	{fuse.FUSE_REMOVEXATTR, 0, func(e *bench) error { return e.file.(fs.XattrNode).Removexattr("user.a") }},
	{fuse.FUSE_GETLK, 24, func(e *bench) error { return e.open.(fs.LockFile).Getlk(1, &fs.Lock{End: 9}) }},
	{fuse.FUSE_SETLK, 0, func(e *bench) error { return e.open.(fs.LockFile).Setlk(1, &fs.Lock{End: 9}, false, nil) }},
	{fuse.FUSE_SETLKW, 0, func(e *bench) error { return e.open.(fs.LockFile).Setlk(1, &fs.Lock{End: 9}, true, nil) }},
	{fuse.FUSE_ACCESS, 0, func(e *bench) error { return e.file.(fs.AccessNode).Access(4) }},
	{fuse.FUSE_BMAP, 8, func(e *bench) error { _, err := e.file.(fs.BmapNode).Bmap(1, 4096); return err }},
	{fuse.FUSE_IOCTL, 16, func(e *bench) error {
		_, _, err := e.open.(fs.IoctlFile).Ioctl(1, 2, []byte("in"), make([]byte, 8))
		return err
	}},
	{fuse.FUSE_POLL, 8, func(e *bench) error { _, err := e.open.(fs.PollFile).Poll(1); return err }},
	{fuse.FUSE_FALLOCATE, 0, func(e *bench) error { return e.open.(fs.FallocateFile).Fallocate(0, 0, 10) }},
	{fuse.FUSE_LSEEK, 8, func(e *bench) error { _, err := e.open.(fs.SeekHoleFile).SeekHole(0, fs.SeekData); return err }},
	{fuse.FUSE_COPY_FILE_RANGE, 8, func(e *bench) error {
		_, err := e.open.(fs.CopyFile).CopyTo(0, e.open, 10, 5)
		return err
	}},
	{fuse.FUSE_SYNCFS, 0, func(e *bench) error { return e.fs.Sync() }},
	{fuse.FUSE_STATX, 288, func(e *bench) error { return e.file.(fs.StatxNode).Statx(&fs.Statx{}, 0xfff) }},
}

func release(f fs.File, err error) error {
	if f != nil {
		f.Release()
	}
	return err
}

// optionsFor leaves out the flags with which op is not used.
func optionsFor(op uint32) Options {
	if op == fuse.FUSE_READDIR {
		return Options{Without: fuse.FUSE_DO_READDIRPLUS}
	}
	return Options{}
}

// TestActions proves that each action sends its operation and succeeds.
func TestActions(t *testing.T) {
	for _, a := range actions {
		s := newScript(grantAll)
		e := newBench(t, s, optionsFor(a.op))
		before := s.number(a.op)
		if err := a.run(e); err != nil {
			t.Errorf("%s: %v", fuse.OpName(a.op), err)
		}
		if s.number(a.op) == before {
			t.Errorf("%s was not sent", fuse.OpName(a.op))
		}
		if log := s.takeLog(); log != "" {
			t.Errorf("%s: logged %s", fuse.OpName(a.op), log)
		}
	}
}

// TestBadReplies spoils the reply of each operation in each way that any reply
// can be spoilt.
func TestBadReplies(t *testing.T) {
	ways := []struct {
		name, field string
		spoil       func(*call)
	}{
		{"nothing written", "used length 0 ", func(c *call) { c.used = 0 }},
		{"negative used length", "used length 0 ", func(c *call) { c.used = -1 }},
		{"header cut", "used length 15 ", func(c *call) { c.used = 15 }},
		{"more used than room", "used length", func(c *call) { c.used = c.room + 1 }},
		{"huge used length", "used length", func(c *call) { c.used = 1 << 40 }},
		{"unknown unique", "unique", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Unique += 2 }) }},
		{"unique 0", "unique 0 ", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Unique = 0 }) }},
		{"len 0", "len 0 ", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Len = 0 }) }},
		{"len 15", "len 15 ", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Len = 15 }) }},
		{"len beyond used", "len", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Len++ }) }},
		{"len huge", "len 4294967295 ", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Len = 1<<32 - 1 }) }},
		{"positive error", "error 5 ", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Error = 5 }) }},
		{"error -512", "error", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Error = -512 }) }},
		{"least error", "error 2147483648 ", func(c *call) { c.setHeader(func(h *fuse.OutHeader) { h.Error = -1 << 31 }) }},
	}
	for _, a := range actions {
		for _, w := range ways {
			a.expectBad(t, w.name, w.field, w.spoil)
		}
		if a.body > 0 {
			a.expectBad(t, "body cut", "", func(c *call) {
				cut := fuse.OutHeaderSize + a.body - 1
				c.setHeader(func(h *fuse.OutHeader) { h.Len = uint32(cut) })
				c.used = cut
			})
		}
	}
}

// expectBad runs the action with its reply spoilt: EIO, and a line in the log
// that names the device, the operation and the field.
func (a *action) expectBad(t *testing.T, name, field string, spoil func(*call)) {
	t.Helper()
	s := newScript(grantAll)
	e := newBench(t, s, optionsFor(a.op))
	s.alter = func(c *call) {
		if c.Opcode == a.op {
			spoil(c)
		}
	}
	if err := a.run(e); err != syscall.EIO {
		t.Errorf("%s, %s: %v, want EIO", fuse.OpName(a.op), name, err)
	}
	log := s.takeLog()
	want := fmt.Sprintf("%s: FUSE %s reply: %s", s.Name(), fuse.OpName(a.op), field)
	if !strings.Contains(log, want) {
		t.Errorf("%s, %s: logged %q, want %q", fuse.OpName(a.op), name, log, want)
	}
	// The next one is none the worse for it.
	e.fs.releases.finish()
	s.alter = nil
	if err := a.run(e); err != nil {
		t.Errorf("%s after %s: %v", fuse.OpName(a.op), name, err)
	}
}

// TestBadValues sends replies of the right form with values that cannot be.
func TestBadValues(t *testing.T) {
	body := func(b []byte) func(*call) { return func(c *call) { c.ok(b) } }
	entry := func(change func(*fuse.EntryOut)) []byte {
		e := entryOf(idFile, syscall.S_IFREG|0o644)
		change(e)
		return e.AppendTo(nil)
	}
	attr := func(change func(*fuse.Attr)) []byte {
		a := fuse.AttrOut{Attr: attrFor(idFile)}
		change(&a.Attr)
		return a.AppendTo(nil)
	}
	dirent := func(name string, off uint64) []byte {
		return fuse.AppendDirent(nil, &fuse.Dirent{Ino: 1, Off: off}, name)
	}
	plus := func(name string) []byte {
		return append(entryOf(idFile, syscall.S_IFREG).AppendTo(nil), dirent(name, 1)...)
	}
	long := dirent("four", 1)
	long[16] = 200
	for _, c := range []struct {
		op    uint32
		name  string
		reply []byte
		want  error
		log   string
	}{
		{fuse.FUSE_LOOKUP, "root as a child", entry(func(e *fuse.EntryOut) { e.Nodeid = 1 }), syscall.EIO, "nodeid 1 "},
		{fuse.FUSE_LOOKUP, "no type", entry(func(e *fuse.EntryOut) { e.Attr.Mode = 0o644 }), syscall.EIO, "mode 420 "},
		{fuse.FUSE_LOOKUP, "type of all bits", entry(func(e *fuse.EntryOut) { e.Attr.Mode = 0o170644 }), syscall.EIO, "mode"},
		{fuse.FUSE_LOOKUP, "size", entry(func(e *fuse.EntryOut) { e.Attr.Size = 1 << 63 }), syscall.EIO, "size 9223372036854775808 "},
		{fuse.FUSE_MKDIR, "negative entry", make([]byte, 128), syscall.EIO, "nodeid 0 "},
		{fuse.FUSE_MKNOD, "negative entry", make([]byte, 128), syscall.EIO, "nodeid 0 "},
		{fuse.FUSE_SYMLINK, "negative entry", make([]byte, 128), syscall.EIO, "nodeid 0 "},
		{fuse.FUSE_LINK, "negative entry", make([]byte, 128), syscall.EIO, "nodeid 0 "},
		{fuse.FUSE_CREATE, "negative entry", make([]byte, 144), syscall.EIO, "nodeid 0 "},
		{fuse.FUSE_CREATE, "a directory", append(entryOf(idDir, syscall.S_IFDIR).AppendTo(nil), make([]byte, 16)...), syscall.EIO, "mode"},
		{fuse.FUSE_GETATTR, "size", attr(func(a *fuse.Attr) { a.Size = 1<<64 - 1 }), syscall.EIO, "size"},
		{fuse.FUSE_READLINK, "NUL", []byte("a\x00b"), syscall.EIO, `target "a\x00b" `},
		{fuse.FUSE_READLINK, "empty", nil, syscall.EIO, "target length 0 "},
		{fuse.FUSE_READLINK, "long", make([]byte, 4096), syscall.EIO, "target"},
		{fuse.FUSE_WRITE, "more than sent", (&fuse.WriteOut{Size: 6}).AppendTo(nil), syscall.EIO, "size 6 "},
		{fuse.FUSE_WRITE, "nothing", (&fuse.WriteOut{}).AppendTo(nil), syscall.EIO, "size 0 "},
		{fuse.FUSE_COPY_FILE_RANGE, "more than asked", (&fuse.WriteOut{Size: 6}).AppendTo(nil), syscall.EIO, "size 6 "},
		{fuse.FUSE_LSEEK, "negative", (&fuse.LseekOut{Offset: 1 << 63}).AppendTo(nil), syscall.EIO, "offset"},
		{fuse.FUSE_GETLK, "type", (&fuse.LkOut{Lk: fuse.FileLock{Type: 3}}).AppendTo(nil), syscall.EIO, "type 3 "},
		{fuse.FUSE_GETLK, "end before start", (&fuse.LkOut{Lk: fuse.FileLock{Start: 2, End: 1}}).AppendTo(nil), syscall.EIO, "end 1 "},
		{fuse.FUSE_GETXATTR, "size", (&fuse.GetxattrOut{Size: 1 << 20}).AppendTo(nil), syscall.EIO, "size 1048576 "},
		{fuse.FUSE_STATX, "size", (&fuse.StatxOut{Stat: fuse.Statx{Size: 1 << 63}}).AppendTo(nil), syscall.EIO, "size"},
		{fuse.FUSE_IOCTL, "retry", (&fuse.IoctlOut{Flags: fuse.FUSE_IOCTL_RETRY}).AppendTo(nil), syscall.EIO, "flags"},
		{fuse.FUSE_READDIR, "slash", dirent("a/b", 1), syscall.EIO, `dirent name "a/b" `},
		{fuse.FUSE_READDIR, "NUL", dirent("a\x00b", 1), syscall.EIO, `dirent name "a\x00b" `},
		{fuse.FUSE_READDIR, "empty name", dirent("", 1), syscall.EIO, `dirent name "" `},
		{fuse.FUSE_READDIR, "long name", dirent(strings.Repeat("x", 256), 1), syscall.EIO, `dirent name "xxx`},
		{fuse.FUSE_READDIR, "past the end", long, syscall.EIO, "dirent namelen 200 "},
		{fuse.FUSE_READDIR, "header cut", dirent("four", 1)[:20], syscall.EIO, "dirent namelen"},
		{fuse.FUSE_READDIR, "cookie 0", dirent("a", 0), syscall.EIO, "dirent off 0 "},
		{fuse.FUSE_READDIRPLUS, "slash", plus("a/b"), syscall.EIO, `dirent name "a/b" `},
		{fuse.FUSE_READDIRPLUS, "NUL", plus("a\x00"), syscall.EIO, `dirent name "a\x00" `},
		{fuse.FUSE_READDIRPLUS, "entry cut", plus("a")[:120], syscall.EIO, "dirent namelen"},
		{fuse.FUSE_READDIRPLUS, "dirent cut", plus("a")[:150], syscall.EIO, "dirent namelen"},
	} {
		s := newScript(grantAll)
		e := newBench(t, s, optionsFor(c.op))
		s.ops[c.op] = body(c.reply)
		for _, a := range actions {
			if a.op != c.op {
				continue
			}
			if err := a.run(e); err != c.want {
				t.Errorf("%s, %s: %v, want %v", fuse.OpName(c.op), c.name, err, c.want)
			}
			break
		}
		if log := s.takeLog(); !strings.Contains(log, c.log) || !strings.Contains(log, s.Name()) || !strings.Contains(log, fuse.OpName(c.op)) {
			t.Errorf("%s, %s: logged %q, want %q", fuse.OpName(c.op), c.name, log, c.log)
		}
	}
}

// TestDirWithoutProgress has READDIR answer for ever with the cookie asked for.
func TestDirWithoutProgress(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{Without: fuse.FUSE_DO_READDIRPLUS})
	s.ops[fuse.FUSE_READDIR] = func(c *call) { c.ok(fuse.AppendDirent(nil, &fuse.Dirent{Off: 5}, "again")) }
	n := 0
	err := e.odir.ReadDir(0, func(*fs.Dirent) bool { n++; return n < 1000 })
	if err != syscall.EIO || n > 2 {
		t.Errorf("%d entries, %v; want EIO", n, err)
	}
	if log := s.takeLog(); !strings.Contains(log, "dirent off 5 ") {
		t.Errorf("logged %q", log)
	}
}

func TestDeviceErrors(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	s.alter = func(c *call) { c.err = errors.New("used index jumps from 3 to 9") }
	if err := e.file.Getattr(&fs.Attr{}); err != syscall.EIO {
		t.Errorf("Getattr: %v, want EIO", err)
	}
	if log := s.takeLog(); !strings.Contains(log, "virtiofs test (script): FUSE GETATTR: used index jumps") {
		t.Errorf("logged %q", log)
	}
	s.alter = func(c *call) { c.err = syscall.ENODEV }
	if err := e.file.Getattr(&fs.Attr{}); err != syscall.ENODEV {
		t.Errorf("Getattr: %v, want ENODEV", err)
	}
	if f := e.fs.Broken(); f != 1 {
		t.Errorf("%d broken replies, want 1", f)
	}
}

// TestLogLimit keeps a server that only sends nonsense from filling the log.
func TestLogLimit(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	s.alter = func(c *call) { c.used = 0 }
	for range 10000 {
		e.file.Getattr(&fs.Attr{})
	}
	if n := strings.Count(s.takeLog(), "\n"); n > 100 {
		t.Errorf("%d lines", n)
	}
}
