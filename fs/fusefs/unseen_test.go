package fusefs

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestUnseenNames: names are made without asking for them first, and with the
// errors that they deserve.
func TestUnseenNames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/old", nil)
	vfs, ctr := loopbackVFS(t, dir, serverOptions{valid: time.Hour})
	create := func(path string) error {
		f, d, err := vfs.Open(fs.Base{}, path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600, 0)
		if err == nil {
			f.Release()
			d.Put()
		}
		return err
	}
	mkdir := func(path string) error { return vfs.Mkdir(fs.Base{}, path, 0o755, 0) }
	symlink := func(path string) error { return vfs.Symlink("x", fs.Base{}, path) }
	for _, c := range []struct {
		name string
		do   func(string) error
		path string
		want error
		op   uint32
	}{
		{"create", create, "/new", nil, fuse.FUSE_CREATE},
		{"create over", create, "/old", syscall.EEXIST, fuse.FUSE_CREATE},
		{"mkdir", mkdir, "/newdir", nil, fuse.FUSE_MKDIR},
		{"mkdir over", mkdir, "/old", syscall.EEXIST, fuse.FUSE_MKDIR},
		{"symlink", symlink, "/newlink", nil, fuse.FUSE_SYMLINK},
		{"symlink over", symlink, "/old", syscall.EEXIST, fuse.FUSE_SYMLINK},
	} {
		before, lookups := ctr.number(c.op), ctr.number(fuse.FUSE_LOOKUP)
		if err := c.do(c.path); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if ops, lookups := ctr.number(c.op)-before, ctr.number(fuse.FUSE_LOOKUP)-lookups; ops != 1 || lookups != 0 {
			t.Errorf("%s: %d %s, %d LOOKUP", c.name, ops, fuse.OpName(c.op), lookups)
		}
	}
}
