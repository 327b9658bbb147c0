package fusefs

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func TestXattrLoopback(t *testing.T) {
	for _, caps := range []uint64{0, gofuse.CAP_SETXATTR_EXT} {
		dir := t.TempDir()
		write(t, dir+"/f", nil)
		if err := syscall.Setxattr(dir+"/f", "user.test", []byte("x"), 0); err != nil {
			t.Skip("the host's file system has no user xattrs:", err)
		}
		f, _ := loopback(t, dir, serverOptions{caps: caps}, Options{})
		root := f.Root()
		n := lookup(t, root, "f")
		x := n.(fs.XattrNode)
		value := randomBytes(1000)
		if err := x.Setxattr("user.a\xff", value, 1); err != nil {
			t.Fatal(err)
		}
		if err := x.Setxattr("user.a\xff", value, 1); err != syscall.EEXIST {
			t.Errorf("XATTR_CREATE again: %v, want EEXIST", err)
		}
		if err := x.Setxattr("user.b", nil, 2); err != syscall.ENODATA {
			t.Errorf("XATTR_REPLACE of nothing: %v, want ENODATA", err)
		}
		if err := x.Setxattr("user.empty", nil, 0); err != nil {
			t.Errorf("empty value: %v", err)
		}
		if got, err := fs.ReadXattr(x, "user.a\xff"); err != nil || !bytes.Equal(got, value) {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		if got, err := fs.ReadXattr(x, "user.empty"); err != nil || len(got) != 0 {
			t.Errorf("empty value: %q, %v", got, err)
		}
		if _, err := x.Getxattr("user.a\xff", make([]byte, 999)); err != syscall.ERANGE {
			t.Errorf("small buffer: %v, want ERANGE", err)
		}
		if list, err := fs.ReadXattr(x, ""); err != nil || !strings.Contains(string(list), "user.a\xff\x00") || !strings.Contains(string(list), "user.test\x00") {
			t.Errorf("list %q, %v", list, err)
		}
		if err := x.Removexattr("user.a\xff"); err != nil {
			t.Error(err)
		}
		if _, err := x.Getxattr("user.a\xff", nil); err != syscall.ENODATA {
			t.Errorf("removed: %v, want ENODATA", err)
		}
		n.Unref()
		root.Unref()
	}
}

// TestXattrGrows: the value grows between the two questions.
func TestXattrGrows(t *testing.T) {
	s := newScript(0)
	size := uint32(3)
	s.ops[fuse.FUSE_GETXATTR] = func(c *call) {
		in := xattrSize(c)
		switch {
		case in == 0:
			c.ok((&fuse.GetxattrOut{Size: size}).AppendTo(nil))
			if size < 6 {
				size++
			}
		case in < size:
			c.errno(syscall.ERANGE)
		default:
			c.ok([]byte("values")[:size])
		}
	}
	s.ops[fuse.FUSE_LISTXATTR] = s.ops[fuse.FUSE_GETXATTR]
	e := newBench(t, s, Options{})
	x := e.file.(fs.XattrNode)
	if got, err := fs.ReadXattr(x, "user.a"); string(got) != "values" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	size = 2
	if got, err := fs.ReadXattr(x, ""); string(got) != "values" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	// For ever.
	s.ops[fuse.FUSE_GETXATTR] = func(c *call) {
		if xattrSize(c) == 0 {
			c.ok((&fuse.GetxattrOut{Size: 3}).AppendTo(nil))
		} else {
			c.errno(syscall.ERANGE)
		}
	}
	if _, err := fs.ReadXattr(x, "user.a"); err != syscall.ERANGE {
		t.Errorf("%v, want ERANGE", err)
	}
}

// TestSetxattrForm: the short form of the request without SETXATTR_EXT.
func TestSetxattrForm(t *testing.T) {
	for flags, want := range map[uint64]int{0: 8, fuse.FUSE_SETXATTR_EXT: 16} {
		s := newScript(flags)
		e := newBench(t, s, Options{})
		s.ops[fuse.FUSE_SETXATTR] = func(c *call) {
			if string(c.args[want:]) != "user.a\x00value" || c.args[0] != 5 || c.args[4] != 2 {
				t.Errorf("flags %#x: %q", flags, c.args)
			}
			c.ok(nil)
		}
		x := e.file.(fs.XattrNode)
		if err := x.Setxattr("user.a", []byte("value"), 2); err != nil {
			t.Error(err)
		}
		for name, want := range map[string]error{
			"": syscall.ERANGE, strings.Repeat("x", 256): syscall.ERANGE, "a\x00": syscall.EINVAL,
		} {
			if err := x.Setxattr(name, nil, 0); err != want {
				t.Errorf("name %q: %v, want %v", name, err, want)
			}
		}
		if err := x.Setxattr("user.a", make([]byte, fs.XattrMax+1), 0); err != syscall.E2BIG {
			t.Errorf("long value: %v, want E2BIG", err)
		}
	}
}
