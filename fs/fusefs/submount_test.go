package fusefs

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// mountedTree is a server of directories, some of which are mounts of its host.
// All files have the inode number that their name ends with.
type mountedTree struct {
	*script
	ids   map[string]uint64 // by path
	paths map[uint64]string
	last  uint64
	tops  map[string]bool // mounts
}

func newMountedTree(tops ...string) *mountedTree {
	s := &mountedTree{script: newScript(grantAll), ids: map[string]uint64{"": fuse.FUSE_ROOT_ID}, paths: map[uint64]string{fuse.FUSE_ROOT_ID: ""}, last: 100, tops: map[string]bool{}}
	for _, top := range tops {
		s.tops[top] = true
	}
	entry := func(dir uint64, name string) *fuse.EntryOut {
		path := s.paths[dir] + "/" + name
		if s.ids[path] == 0 {
			s.last++
			s.ids[path], s.paths[s.last] = s.last, path
		}
		e := &fuse.EntryOut{Nodeid: s.ids[path], Generation: 1, AttrValid: 100}
		e.Attr = fuse.Attr{Ino: uint64(name[len(name)-1]), Mode: syscall.S_IFDIR | 0o755, Nlink: 2}
		if s.tops[path] {
			e.Attr.Flags = fuse.FUSE_ATTR_SUBMOUNT
		}
		return e
	}
	s.ops[fuse.FUSE_LOOKUP] = func(c *call) { c.ok(entry(c.Nodeid, cString(c.args)).AppendTo(nil)) }
	s.ops[fuse.FUSE_MKDIR] = func(c *call) {
		c.ok(entry(c.Nodeid, cString(c.args[fuse.MkdirInSize:])).AppendTo(nil))
	}
	s.ops[fuse.FUSE_READDIRPLUS] = func(c *call) {
		var in fuse.ReadIn
		in.Decode(c.args)
		if in.Offset != 0 {
			c.ok(nil)
			return
		}
		var b []byte
		for i, name := range []string{"a1", "a2"} {
			e := entry(c.Nodeid, name)
			b = fuse.AppendDirent(e.AppendTo(b), &fuse.Dirent{Ino: e.Attr.Ino, Off: uint64(i + 1), Type: syscall.DT_DIR}, name)
		}
		c.ok(b)
	}
	return s
}

func dev(t *testing.T, v *fs.VFS, path string) uint64 {
	t.Helper()
	var a fs.Attr
	if err := v.Stat(fs.Base{}, path, false, &a); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var x fs.Statx
	var st fs.Statfs
	if err := v.Statx(fs.Base{}, path, false, &x, 0x7ff, false); err != nil || x.Dev != a.Dev {
		t.Errorf("%s: statx has device %#x, %v; stat %#x", path, x.Dev, err, a.Dev)
	}
	if _, err := v.Statfs(fs.Base{}, path, &st); err != nil || st.Dev != a.Dev {
		t.Errorf("%s: statfs has device %#x, %v; stat %#x", path, st.Dev, err, a.Dev)
	}
	return a.Dev
}

// TestSubmounts: each mount of the host has a device number, however its files
// were found.
func TestSubmounts(t *testing.T) {
	for _, list := range []bool{false, true} {
		s := newMountedTree("/a1", "/a2", "/a1/a2", "/b1/a2")
		v := fs.New(mountScript(t, s.script, Options{}), fs.MountOptions{})
		if list {
			for _, dir := range []string{"/", "/a1", "/a1/a2", "/a2", "/b1"} {
				if _, err := listVFS(v, dir, 10); err != nil {
					t.Fatal(err)
				}
			}
		}
		groups := [][]string{
			{"/", "/b1", "/b1/a1", "/b1/c1"},
			{"/a1", "/a1/a1", "/a1/a1/c"},
			{"/a2", "/a2/a1", "/a2/a2"},
			{"/a1/a2", "/a1/a2/a1"},
			{"/b1/a2", "/b1/a2/b"},
		}
		seen := map[uint64]string{}
		for _, g := range groups {
			first := dev(t, v, g[0])
			if other := seen[first]; other != "" {
				t.Errorf("listed first: %v: %s and %s have device %#x", list, g[0], other, first)
			}
			seen[first] = g[0]
			for _, path := range g[1:] {
				if d := dev(t, v, path); d != first {
					t.Errorf("listed first: %v: %s has device %#x, %s %#x", list, path, d, g[0], first)
				}
			}
		}
		if err := v.Mkdir(fs.Base{}, "/a1/new", 0o755, 0); err != nil {
			t.Fatal(err)
		}
		if d := dev(t, v, "/a1/new"); d != dev(t, v, "/a1") {
			t.Errorf("what is made in /a1 has device %#x", d)
		}
	}
}

// TestSubmountsAgreed: a mark counts where the server knows that it is
// understood, and where there are marks at all; granting is not needed.
func TestSubmountsAgreed(t *testing.T) {
	for _, c := range []struct {
		minor         uint32
		grant, refuse uint64 // flags
		want          bool
	}{
		{41, grantAll, 0, true},
		{36, grantAll &^ fuse.FUSE_SUBMOUNTS, 0, true},
		{32, 0, 0, true},
		{31, grantAll, 0, false},
		{41, grantAll, fuse.FUSE_SUBMOUNTS, false},
	} {
		s := newMountedTree("/a1")
		s.init.Minor, s.init.Flags = c.minor, uint32(c.grant)
		v := fs.New(mountScript(t, s.script, Options{Without: c.refuse}), fs.MountOptions{})
		if a, b := dev(t, v, "/"), dev(t, v, "/a1"); (a != b) != c.want {
			t.Errorf("%+v: devices %#x and %#x", c, a, b)
		}
	}
}

// TestSubmountForgotten: a mount of the host keeps its device number when all
// of it was forgotten; one that comes in the place of another that is in use
// has its own. There is a bound to what is known again.
func TestSubmountForgotten(t *testing.T) {
	s := newMountedTree("/a1", "/b1/a1")
	f := mountScript(t, s.script, Options{})
	v := fs.New(f, fs.MountOptions{})
	forget := func() {
		for (*f.files.reclaim.Load())(1<<20) > 0 {
		}
		s.ids, s.paths = map[string]uint64{"": fuse.FUSE_ROOT_ID}, map[uint64]string{fuse.FUSE_ROOT_ID: ""}
	}
	a, b := dev(t, v, "/a1/x"), dev(t, v, "/b1/a1/x")
	forget()
	if b2, a2 := dev(t, v, "/b1/a1/x"), dev(t, v, "/a1/x"); a2 != a || b2 != b {
		t.Errorf("devices %#x and %#x, before %#x and %#x", a2, b2, a, b)
	}
	held, err := v.Walk(fs.Base{}, "/a1", false)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Put()
	forget()
	if c := dev(t, v, "/a1"); c == a {
		t.Errorf("another mount at /a1 has device %#x, too", c)
	}
	if held.Dev() != a {
		t.Errorf("what was held has device %#x", held.Dev())
	}
	for i := range 3 * maxSubmounts {
		path := fmt.Sprintf("/m%d", i)
		s.tops[path] = true
		if err := v.Stat(fs.Base{}, path, false, new(fs.Attr)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.table.submounts); n > maxSubmounts {
		t.Errorf("%d mounts are remembered", n)
	}
}

// TestSyncSubmounts: each file system of the server is told to write back.
func TestSyncSubmounts(t *testing.T) {
	s := newMountedTree("/a1", "/a2")
	f := mountScript(t, s.script, Options{})
	v := fs.New(f, fs.MountOptions{})
	for _, path := range []string{"/a1/x", "/a2/x", "/b1"} {
		dev(t, v, path)
	}
	var synced []string
	s.ops[fuse.FUSE_SYNCFS] = func(c *call) {
		synced = append(synced, s.paths[c.Nodeid])
		if strings.HasSuffix(s.paths[c.Nodeid], "a1") {
			c.errno(syscall.EIO)
			return
		}
		c.ok(nil)
	}
	if err := v.Sync(); err != syscall.EIO {
		t.Errorf("%v, want the error of /a1", err)
	}
	slices.Sort(synced)
	if !slices.Equal(synced, []string{"", "/a1", "/a2"}) {
		t.Errorf("SYNCFS of %q", synced)
	}
}
