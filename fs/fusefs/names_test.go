package fusefs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestNamespace plays the operations on names against a directory of the host.
func TestNamespace(t *testing.T) {
	dir := t.TempDir()
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	want := func(got, want error) {
		t.Helper()
		if got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	odd := "\xff\xfe \n" + strings.Repeat("n", 250)
	e, err := root.Mkdir(odd, 0o750, 0)
	ok(err)
	sub := e.Node
	if st, err := os.Stat(filepath.Join(dir, odd)); err != nil || !st.IsDir() {
		t.Error(err)
	}
	want(drop(root.Mkdir(odd, 0o750, 0)), syscall.EEXIST)
	ok(drop(sub.Symlink("link", strings.Repeat("x/", 2000))))
	want(drop(sub.Symlink("long", strings.Repeat("x", 4096))), syscall.ENAMETOOLONG)
	want(drop(sub.Symlink("empty", "")), syscall.ENOENT)
	want(drop(sub.Symlink("nul", "a\x00b")), syscall.EINVAL)
	n := lookup(t, sub, "link")
	if target, err := n.Readlink(); err != nil || target != strings.Repeat("x/", 2000) {
		t.Errorf("target of %d bytes, %v", len(target), err)
	}
	n.Unref()
	ok(drop(sub.Mknod("fifo", syscall.S_IFIFO|0o600, 0, 0)))
	if st, err := os.Lstat(filepath.Join(dir, odd, "fifo")); err != nil || st.Mode().Type() != os.ModeNamedPipe {
		t.Error("no fifo", err)
	}
	e, err = sub.Mknod("file", syscall.S_IFREG|0o600, 0, 0)
	ok(err)
	file := e.Node
	e, err = root.Link("hard", file)
	ok(err)
	if e.Node != file {
		t.Error("a link to a node is another node")
	}
	e.Node.Unref()
	var a fs.Attr
	if ok(file.Getattr(&a)); a.Nlink != 2 {
		t.Errorf("nlink %d", a.Nlink)
	}
	ok(sub.Rename("file", root, "moved", 0))
	want(sub.Rename("file", root, "moved", 0), syscall.ENOENT)
	if n := lookup(t, root, "moved"); n != file {
		t.Error("a renamed node is another node")
	} else {
		n.Unref()
	}
	want(root.Rename("moved", root, odd, 1), syscall.EEXIST)
	ok(root.Rename("moved", sub, "link", 2))
	if n := lookup(t, sub, "link"); n != file {
		t.Error("exchange did not")
	} else {
		n.Unref()
	}
	want(root.Rmdir(odd), syscall.ENOTEMPTY)
	want(root.Unlink("none"), syscall.ENOENT)
	ok(sub.Unlink("link"))
	ok(sub.Unlink("fifo"))
	ok(root.Rmdir(odd))
	ok(root.Unlink("hard"))
	ok(root.Unlink("moved"))
	file.Unref()
	sub.Unref()
	other, _ := loopback(t, t.TempDir(), serverOptions{}, Options{})
	want(root.Rename("a", other.root, "b", 0), syscall.EXDEV)
	want(drop(root.Link("a", other.root)), syscall.EXDEV)
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestNameBytes: names go out as they are, with one NUL behind each.
func TestNameBytes(t *testing.T) {
	for _, c := range []struct {
		op   uint32
		do   func(e *bench) error
		want string // the end of the request
	}{
		{fuse.FUSE_LOOKUP, func(e *bench) error { return drop(e.dir.Lookup("f\xff")) }, "f\xff\x00"},
		{fuse.FUSE_SYMLINK, func(e *bench) error { return drop(e.dir.Symlink("name", "target")) }, "name\x00target\x00"},
		{fuse.FUSE_RENAME, func(e *bench) error { return e.dir.Rename("old", e.dir, "new", 0) }, "\x04\x00\x00\x00\x00\x00\x00\x00old\x00new\x00"},
		{fuse.FUSE_RENAME2, func(e *bench) error { return e.dir.Rename("old", e.dir, "new", 2) }, "\x02\x00\x00\x00\x00\x00\x00\x00old\x00new\x00"},
		{fuse.FUSE_LINK, func(e *bench) error { return drop(e.dir.Link("new", e.file)) }, "\x02\x00\x00\x00\x00\x00\x00\x00new\x00"},
		{fuse.FUSE_TMPFILE, func(e *bench) error {
			entry, f, err := e.dir.(fs.TmpfileNode).Tmpfile(os.O_RDWR, 0o600, 0)
			f.Release()
			return drop(entry, err)
		}, "\x00/\x00"},
	} {
		s := newScript(grantAll)
		e := newBench(t, s, Options{})
		var args []byte
		s.alter = func(k *call) {
			if k.Opcode == c.op {
				args = bytes.Clone(k.args)
			}
		}
		if err := c.do(e); err != nil {
			t.Errorf("%s: %v", fuse.OpName(c.op), err)
		}
		if !bytes.HasSuffix(args, []byte(c.want)) {
			t.Errorf("%s with %q, want it to end in %q", fuse.OpName(c.op), args, c.want)
		}
	}
}

// TestNamesRefused: what is no single component never reaches the server.
func TestNamesRefused(t *testing.T) {
	s := newScript(grantAll)
	e := newBench(t, s, Options{})
	before := len(s.sent)
	for name, want := range map[string]error{
		"": syscall.ENOENT, ".": syscall.EINVAL, "..": syscall.EINVAL, "a/b": syscall.EINVAL, "/": syscall.EINVAL,
		"a\x00": syscall.EINVAL, strings.Repeat("x", 256): syscall.ENAMETOOLONG,
	} {
		for i, err := range []error{
			drop(e.dir.Lookup(name)), drop(e.dir.Mkdir(name, 0, 0)), drop(e.dir.Mknod(name, syscall.S_IFREG, 0, 0)),
			drop(e.dir.Symlink(name, "x")), drop(e.dir.Link(name, e.file)), e.dir.Unlink(name), e.dir.Rmdir(name),
			e.dir.Rename(name, e.dir, "x", 0), e.dir.Rename("x", e.dir, name, 0),
		} {
			if err != want {
				t.Errorf("%q, %d: %v, want %v", name, i, err, want)
			}
		}
		if _, _, err := e.dir.Create(name, os.O_RDWR, 0, 0); err != want {
			t.Errorf("Create(%q): %v, want %v", name, err, want)
		}
	}
	if len(s.sent) != before {
		t.Errorf("sent %v", s.sent[before:])
	}
}
