package fusefs

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// lister lists directories by way of a VFS, which keeps the entries.
type lister struct {
	t   *testing.T
	vfs *fs.VFS
	ctr *counter
}

const (
	listedDirs    = 20
	listedEntries = 100
)

// newLister serves listedDirs directories d00, d01, … of listedEntries files.
func newLister(t *testing.T, valid time.Duration) *lister {
	dir := t.TempDir()
	for i := range listedDirs {
		d := fmt.Sprintf("%s/d%02d", dir, i)
		os.Mkdir(d, 0o755)
		for k := range listedEntries {
			write(t, fmt.Sprintf("%s/f%02d", d, k), nil)
		}
	}
	vfs, ctr := loopbackVFS(t, dir, serverOptions{caps: gofuse.CAP_READDIRPLUS_AUTO, valid: valid})
	return &lister{t, vfs, ctr}
}

// loopbackVFS is a VFS over loopback's server of dir.
func loopbackVFS(t *testing.T, dir string, o serverOptions) (*fs.VFS, *counter) {
	t.Helper()
	root, err := gofs.NewLoopbackRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctr := newCounter(newGoServer(root, o))
	vfs := fs.New(mount(t, ctr, Options{}), fs.MountOptions{})
	t.Cleanup(func() { vfs.Shutdown() })
	return vfs, ctr
}

// list lists directory i, and asks for the attributes of all entries if look
// is set. It returns how many messages of some kinds that took.
func (l *lister) list(i int, look bool) (plus, plain, lookups int) {
	l.t.Helper()
	path := fmt.Sprintf("/d%02d", i)
	if err := l.vfs.Stat(fs.Base{}, path, true, new(fs.Attr)); err != nil {
		l.t.Fatal(err)
	}
	before := [3]int{l.ctr.number(fuse.FUSE_READDIRPLUS), l.ctr.number(fuse.FUSE_READDIR), l.ctr.number(fuse.FUSE_LOOKUP)}
	f, d, err := l.vfs.Open(fs.Base{}, path, os.O_RDONLY, 0, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	n := 0
	if err := l.vfs.ReadDir(d, f, 0, func(*fs.Dirent) bool { n++; return true }); err != nil || n != listedEntries+2 {
		l.t.Fatalf("%d entries, %v", n, err)
	}
	f.Release()
	d.Put()
	for k := range listedEntries {
		var a fs.Attr
		if look {
			if err := l.vfs.Stat(fs.Base{}, fmt.Sprintf("%s/f%02d", path, k), true, &a); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	return l.ctr.number(fuse.FUSE_READDIRPLUS) - before[0], l.ctr.number(fuse.FUSE_READDIR) - before[1],
		l.ctr.number(fuse.FUSE_LOOKUP) - before[2]
}

// TestPlusUnused: those who only list names soon get names only.
func TestPlusUnused(t *testing.T) {
	l := newLister(t, time.Hour)
	if plus, _, _ := l.list(0, false); plus == 0 {
		t.Error("no attributes to begin with")
	}
	entries := l.ctr.plusSum
	for i := 1; i < listedDirs; i++ {
		l.list(i, false)
	}
	if sum := l.ctr.plusSum; entries > 30 || sum > 100 {
		t.Errorf("attributes of %d entries, then of %d, that nobody looked at", entries, sum)
	}
	if plus, plain, _ := l.list(1, false); plus != 0 || plain == 0 {
		t.Errorf("%d READDIRPLUS, %d READDIR in the end", plus, plain)
	}
}

// TestPlusUsed: those who look at what they list soon get it with the names,
// whatever others did before.
func TestPlusUsed(t *testing.T) {
	l := newLister(t, time.Hour)
	for i := range 5 {
		l.list(i, false)
	}
	l.list(5, true)
	l.list(6, true)
	for i := 7; i < listedDirs; i++ {
		if plus, plain, lookups := l.list(i, true); plus == 0 || plain != 0 || lookups != 0 {
			t.Errorf("directory %d: %d READDIRPLUS, %d READDIR, %d LOOKUP", i, plus, plain, lookups)
		}
	}
}

// TestPlusMistaken: a program that looks up names which somebody else has listed
// does not make later listings bring many attributes that nobody wants.
func TestPlusMistaken(t *testing.T) {
	l := newLister(t, time.Hour)
	for i := range 5 {
		l.list(i, false)
	}
	entries := l.ctr.plusSum
	l.list(5, true) // by names
	for i := 6; i < listedDirs; i++ {
		l.list(i, false)
	}
	if n := l.ctr.plusSum - entries; n > 150 {
		t.Errorf("attributes of %d entries that nobody looked at", n)
	}
}

// TestPlusNoLifetime: attributes that do not live are not asked for.
func TestPlusNoLifetime(t *testing.T) {
	l := newLister(t, 0)
	for i := range listedDirs {
		l.list(i, true)
	}
	if sum := l.ctr.plusSum; sum > 100 {
		t.Errorf("attributes of %d entries that could not be used", sum)
	}
}

// TestPlusOvertaken: what READDIRPLUS told of a name is not believed once the name
// has been changed, though it is handed up only then.
func TestPlusOvertaken(t *testing.T) {
	dir := t.TempDir()
	const n = 20
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprint("f", i)), nil)
	}
	v, c := loopbackVFS(t, dir, serverOptions{valid: time.Minute})
	d, at, err := v.Open(fs.Base{}, "/", os.O_RDONLY, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Put()
	defer d.Release()
	var next uint64
	var first string
	if err := v.ReadDir(at, d, 0, func(e *fs.Dirent) bool {
		if e.Name[0] != '.' && first == "" {
			first = e.Name
		}
		next = e.Next
		return first == ""
	}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if name := fmt.Sprint("f", i); i%2 == 0 {
			err = v.Unlink(fs.Base{}, name)
		} else {
			err = v.Rename(fs.Base{}, name, fs.Base{}, "new"+name, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := v.ReadDir(at, d, next, func(*fs.Dirent) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if c.number(fuse.FUSE_READDIRPLUS) == 0 {
		t.Error("no READDIRPLUS was sent")
	}
	for i := range n {
		name := fmt.Sprint("f", i)
		if d, err := v.Walk(fs.Base{}, name, false); err != syscall.ENOENT {
			t.Errorf("%s: %v, want ENOENT", name, err)
			if d != nil {
				d.Put()
			}
		}
	}
}
