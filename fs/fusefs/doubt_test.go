package fusefs

import (
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestReplacedName: where the name of a file is another one's by now, or
// nobody's, the virtiofsd of QEMU answers EIO to the calls that remove or move
// it. The name is looked up again; what is an error then, is one.
func TestReplacedName(t *testing.T) {
	var b fs.Base
	calls := []struct {
		op uint32
		do func(v *fs.VFS) error
	}{
		{fuse.FUSE_UNLINK, func(v *fs.VFS) error { return v.Unlink(b, "f") }},
		{fuse.FUSE_RMDIR, func(v *fs.VFS) error { return v.Rmdir(b, "d") }},
		{fuse.FUSE_RENAME, func(v *fs.VFS) error { return v.Rename(b, "f", b, "x", 0) }},
		{fuse.FUSE_RENAME2, func(v *fs.VFS) error { return v.Rename(b, "f", b, "x", fs.RenameNoReplace) }},
	}
	for _, c := range calls {
		for _, tt := range []struct {
			fails int  // how often
			gone  bool // the name, at the server
			want  error
		}{{0, false, nil}, {1, false, nil}, {1, true, syscall.ENOENT}, {9, false, syscall.EIO}} {
			s := newScript(grantAll)
			withLifetimes(s, fuse.EntryOut{EntryValid: 100}, fuse.EntryOut{AttrValid: 100})
			v := fs.New(mountScript(t, s, Options{}), fs.MountOptions{})
			for _, name := range []string{"f", "d"} {
				if err := v.Stat(b, name, false, new(fs.Attr)); err != nil {
					t.Fatal(err)
				}
			}
			left := tt.fails
			s.ops[c.op] = func(k *call) {
				if left--; left >= 0 {
					k.errno(syscall.EIO)
					return
				}
				k.ok(nil)
			}
			if tt.gone {
				s.ops[fuse.FUSE_LOOKUP] = func(k *call) { k.errno(syscall.ENOENT) }
			}
			if err := c.do(v); err != tt.want {
				t.Errorf("%s, %d failures, gone: %v: %v, want %v", fuse.OpName(c.op), tt.fails, tt.gone, err, tt.want)
			}
		}
	}
}

// TestWorkingDirectoryStays: a mkdir that finds a directory leaves what is in
// use of it alone.
func TestWorkingDirectoryStays(t *testing.T) {
	s := newScript(grantAll)
	withLifetimes(s, fuse.EntryOut{EntryValid: 100}, fuse.EntryOut{AttrValid: 100})
	v := fs.New(mountScript(t, s, Options{}), fs.MountOptions{})
	d, err := v.Walk(fs.Base{}, "d", true)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Put()
	s.ops[fuse.FUSE_MKDIR] = func(c *call) { c.errno(syscall.EEXIST) }
	if err := v.Mkdir(fs.Base{}, "d", 0o755, 0); err != syscall.EEXIST {
		t.Errorf("mkdir: %v, want EEXIST", err)
	}
	if n := s.number(fuse.FUSE_MKDIR); n != 1 {
		t.Errorf("%d MKDIR", n)
	}
	if path, err := v.Path(nil, d); path != "/d" || err != nil {
		t.Errorf("the directory is at %q, %v", path, err)
	}
}
