package fusefs

import (
	"os"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestENOSYS runs each operation three times against a server that lacks it.
func TestENOSYS(t *testing.T) {
	want := map[uint32]struct {
		err  error
		sent int // of three attempts
	}{
		fuse.FUSE_FLUSH: {nil, 1}, fuse.FUSE_FSYNC: {nil, 1}, fuse.FUSE_FSYNCDIR: {nil, 1},
		fuse.FUSE_ACCESS: {nil, 1}, fuse.FUSE_SYNCFS: {nil, 1}, fuse.FUSE_CREATE: {nil, 1},
		fuse.FUSE_OPEN: {nil, 1}, fuse.FUSE_OPENDIR: {nil, 1}, fuse.FUSE_LSEEK: {nil, 1},
		fuse.FUSE_POLL: {nil, 1}, fuse.FUSE_STATX: {nil, 1}, fuse.FUSE_SETLKW: {nil, 1},
		fuse.FUSE_READDIRPLUS: {nil, 1},
		fuse.FUSE_FALLOCATE:   {syscall.EOPNOTSUPP, 1}, fuse.FUSE_COPY_FILE_RANGE: {syscall.EOPNOTSUPP, 1},
		fuse.FUSE_SETXATTR: {syscall.EOPNOTSUPP, 1}, fuse.FUSE_GETXATTR: {syscall.EOPNOTSUPP, 1},
		fuse.FUSE_LISTXATTR: {syscall.EOPNOTSUPP, 1}, fuse.FUSE_REMOVEXATTR: {syscall.EOPNOTSUPP, 1},
		fuse.FUSE_TMPFILE: {syscall.EOPNOTSUPP, 1}, fuse.FUSE_RENAME2: {syscall.EINVAL, 1},
		fuse.FUSE_BMAP: {syscall.EINVAL, 1}, fuse.FUSE_IOCTL: {syscall.ENOTTY, 1},
		fuse.FUSE_GETLK: {syscall.ENOSYS, 1}, fuse.FUSE_SETLK: {syscall.ENOSYS, 1},
		fuse.FUSE_READDIR: {syscall.ENOSYS, 3}, // with READDIRPLUS not negotiated, nothing is left
	}
	for _, a := range actions {
		w, special := want[a.op]
		if !special {
			w.err, w.sent = syscall.ENOSYS, 3
		}
		s := newScript(grantAll)
		e := newBench(t, s, optionsFor(a.op))
		before := s.number(a.op)
		s.ops[a.op] = nil
		for range 3 {
			if err := a.run(e); err != w.err {
				t.Errorf("%s: %v, want %v", fuse.OpName(a.op), err, w.err)
			}
		}
		if got := s.number(a.op) - before; got != w.sent {
			t.Errorf("%s: sent %d times, want %d", fuse.OpName(a.op), got, w.sent)
		}
		if log := s.takeLog(); log != "" {
			t.Errorf("%s: logged %s", fuse.OpName(a.op), log)
		}
	}
}

// TestENOSYSOpen: without the flag for it, an open that fails has failed.
func TestENOSYSOpen(t *testing.T) {
	s := newScript(0)
	f := mountScript(t, s, Options{})
	file, dir := lookup(t, f.root, "f"), lookup(t, f.root, "d")
	s.ops[fuse.FUSE_OPEN], s.ops[fuse.FUSE_OPENDIR] = nil, nil
	for range 2 {
		if _, err := file.Open(os.O_RDONLY); err != syscall.ENOSYS {
			t.Errorf("Open: %v, want ENOSYS", err)
		}
		if _, err := dir.Open(os.O_RDONLY); err != syscall.ENOSYS {
			t.Errorf("Open of a directory: %v, want ENOSYS", err)
		}
	}
}

// TestZeroMessageOpen: a file and a directory of several batches are read with
// no open and no release.
func TestZeroMessageOpen(t *testing.T) {
	s := newScript(grantAll &^ fuse.FUSE_DO_READDIRPLUS)
	f := mountScript(t, s, Options{})
	s.ops[fuse.FUSE_OPEN], s.ops[fuse.FUSE_OPENDIR] = nil, nil
	var in fuse.ReadIn
	s.alter = func(c *call) {
		switch c.Opcode {
		case fuse.FUSE_READ, fuse.FUSE_READDIR:
			if in.Decode(c.args); in.Fh != 0 {
				t.Errorf("%s with handle %d", fuse.OpName(c.Opcode), in.Fh)
			}
		case fuse.FUSE_GETATTR, fuse.FUSE_SETATTR:
			var g fuse.GetattrIn
			if g.Decode(c.args); g.GetattrFlags&fuse.FUSE_GETATTR_FH != 0 || c.Opcode == fuse.FUSE_SETATTR && g.GetattrFlags&fuse.FATTR_FH != 0 {
				t.Errorf("%s names a handle that was never opened", fuse.OpName(c.Opcode))
			}
		}
	}
	n := lookup(t, f.root, "f")
	for range 2 {
		if got := string(readAll5(t, n)); got != "hello" {
			t.Errorf("read %q", got)
		}
		for _, step := range []int{1, 2, 100} {
			if got := list(t, f.root, step); len(got) != 2 {
				t.Errorf("steps of %d: %q", step, got)
			}
		}
	}
	file, err := n.Open(os.O_RDWR | syscall.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	if s.number(fuse.FUSE_SETATTR) != 1 {
		t.Error("a file opened without a message was not truncated")
	}
	file.Getattr(&fs.Attr{})
	file.Release()
	f.releases.finish()
	for op, want := range map[uint32]int{
		fuse.FUSE_OPEN: 1, fuse.FUSE_OPENDIR: 1, fuse.FUSE_RELEASE: 0, fuse.FUSE_RELEASEDIR: 0,
	} {
		if got := s.number(op); got != want {
			t.Errorf("%d %s, want %d", got, fuse.OpName(op), want)
		}
	}
}

// readAll5 reads the five bytes of the script's file.
func readAll5(t *testing.T, n fs.Node) []byte {
	t.Helper()
	f, err := n.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	buf := make([]byte, 9)
	k, err := f.ReadAt(buf, 0)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:k]
}

// TestPlusOnly: a server that has READDIRPLUS and no READDIR.
func TestPlusOnly(t *testing.T) {
	s := newScript(grantAll)
	f := mountScript(t, s, Options{})
	s.ops[fuse.FUSE_READDIR] = nil
	for range 2 {
		if got := list(t, f.root, 100); len(got) != 2 {
			t.Errorf("listing %q", got)
		}
	}
	if s.number(fuse.FUSE_READDIR) > 1 {
		t.Errorf("READDIR sent %d times", s.number(fuse.FUSE_READDIR))
	}
}

// TestCreateFallback: MKNOD and OPEN stand in for CREATE.
func TestCreateFallback(t *testing.T) {
	s := newScript(grantAll)
	s.ops[fuse.FUSE_CREATE] = nil
	f := mountScript(t, s, Options{})
	var in fuse.MknodIn
	mknod := s.ops[fuse.FUSE_MKNOD]
	s.ops[fuse.FUSE_MKNOD] = func(c *call) { in.Decode(c.args); mknod(c) }
	e, file, err := f.root.Create("x", os.O_RDWR|os.O_EXCL, 0o640, 0)
	if err != nil || in.Mode != syscall.S_IFREG|0o640 {
		t.Fatalf("Create: mode %o, %v", in.Mode, err)
	}
	file.Release()
	e.Node.Unref()
	s.ops[fuse.FUSE_MKNOD] = func(c *call) { c.errno(syscall.EEXIST) }
	if _, _, err := f.root.Create("f", os.O_RDWR|os.O_EXCL, 0o640, 0); err != syscall.EEXIST {
		t.Errorf("Create with O_EXCL: %v, want EEXIST", err)
	}
	e, file, err = f.root.Create("f", os.O_RDWR, 0o640, 0)
	if err != nil {
		t.Fatalf("Create of what is there: %v", err)
	}
	file.Release()
	e.Node.Unref()
	// The open fails: the node is given back.
	s.ops[fuse.FUSE_OPEN] = func(c *call) { c.errno(syscall.EMFILE) }
	if _, _, err := f.root.Create("f", os.O_RDWR, 0o640, 0); err != syscall.EMFILE {
		t.Errorf("Create: %v, want EMFILE", err)
	}
	f.releases.finish()
	if len(f.table.m) != 1 {
		t.Error("a node is left in the table")
	}
}
