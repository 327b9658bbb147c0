package fs_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

func mem() *tmpfs.FS { return tmpfs.New(tmpfs.Limits{}) }

func mount(t testing.TB, v *fs.VFS, at string, f fs.FileSystem, o fs.MountOptions) {
	t.Helper()
	if err := v.Mount(fs.Base{}, at, f, o); err != nil {
		t.Fatalf("mounting on %s: %v", at, err)
	}
}

func TestMounts(t *testing.T) {
	v := tree(t, "a/", "a/hidden", "a/b/", "d/", "f", "l => a")
	mount(t, v, "l", mem(), fs.MountOptions{Source: "one"})
	if s := list(t, v, "a"); s != "" {
		t.Errorf("a mount shows %q", s)
	}
	lay(t, v, "a/x/", "a/x/f: text")
	mount(t, v, "a/x", mem(), fs.MountOptions{Source: "two"})
	lay(t, v, "a/x/y/")
	mount(t, v, "a/x", mem(), fs.MountOptions{Source: "three", ReadOnly: true})

	if s := path(v, fs.Base{}, "a/x/../../f", true); s != "/f" {
		t.Errorf("out of two mounts: %s", s)
	}
	var got []string
	for _, m := range v.Mounts() {
		got = append(got, m.String())
	}
	want := "tmpfs on / type tmpfs (rw), one on /a type tmpfs (rw), two on /a/x type tmpfs (rw), three on /a/x type tmpfs (ro)"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("mount table:\n%s\nwant\n%s", s, want)
	}

	var root, one, two fs.Attr
	v.Stat(fs.Base{}, "f", true, &root)
	v.Stat(fs.Base{}, "a", true, &one)
	v.Stat(fs.Base{}, "a/x", true, &two)
	if root.Dev == one.Dev || one.Dev == two.Dev || root.Dev == 0 {
		t.Errorf("device numbers %d, %d, %d", root.Dev, one.Dev, two.Dev)
	}

	for what, err := range map[string]error{
		"unmount what has mounts in it": v.Unmount(fs.Base{}, "/a"),
		"unmount the root":              v.Unmount(fs.Base{}, "/"),
		"mount on the root":             v.Mount(fs.Base{}, "/", mem(), fs.MountOptions{}),
		"remove a mount point":          v.Rmdir(fs.Base{}, "/a/x"),
		"rename a mount point":          v.Rename(fs.Base{}, "/a/x", fs.Base{}, "/a/y", 0),
		"rename what has one below":     v.Rename(fs.Base{}, "/a", fs.Base{}, "/b", 0),
		"rename over a mount point":     v.Rename(fs.Base{}, "/d", fs.Base{}, "/a", 0),
	} {
		if err != syscall.EBUSY {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, c := range map[string]struct{ got, want error }{
		"unmount no mount":    {v.Unmount(fs.Base{}, "/f"), syscall.EINVAL},
		"mount on a file":     {v.Mount(fs.Base{}, "/f", mem(), fs.MountOptions{}), syscall.ENOTDIR},
		"mount on nothing":    {v.Mount(fs.Base{}, "/none", mem(), fs.MountOptions{}), syscall.ENOENT},
		"mount in nothing":    {v.Mount(fs.Base{}, "/none/x", mem(), fs.MountOptions{Bare: true}), syscall.ENOENT},
		"rename across":       {v.Rename(fs.Base{}, "/f", fs.Base{}, "/a/f", 0), syscall.EXDEV},
		"link across":         {v.Link(fs.Base{}, "/f", fs.Base{}, "/a/f", false), syscall.EXDEV},
		"make, read-only":     {v.Mkdir(fs.Base{}, "/a/x/d", 0o755, 0), syscall.EROFS},
		"create, read-only":   {write(v, "/a/x/f", ""), syscall.EROFS},
		"exists, read-only":   {v.Mkdir(fs.Base{}, "/a/x", 0o755, 0), syscall.EEXIST},
		"chmod, read-only":    {v.Setattr(fs.Base{}, "/a/x", true, &fs.SetAttr{Valid: fs.SetMode}), syscall.EROFS},
		"absent, read-only":   {v.Unlink(fs.Base{}, "/a/x/none"), syscall.EROFS},
		"rename, read-only":   {v.Rename(fs.Base{}, "/a/x/none", fs.Base{}, "/a/x/y", 0), syscall.EROFS},
		"unlink a mount":      {v.Unlink(fs.Base{}, "/a"), syscall.EISDIR},
		"file over a mount":   {v.Rename(fs.Base{}, "/f", fs.Base{}, "/a", 0), syscall.EISDIR},
		"mount over a file":   {v.Rename(fs.Base{}, "/a", fs.Base{}, "/f", 0), syscall.ENOTDIR},
		"access W, read-only": {v.Access(fs.Base{}, "/a/x", true, fs.AccessWrite), syscall.EROFS},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}

	busy := dir(t, v, "/a/x")
	busy.Ref()
	if err := v.Unmount(fs.Base{}, "/a/x"); err != syscall.EBUSY {
		t.Errorf("unmount what is in use: %v", err)
	}
	busy.Put()
}

func TestUnmount(t *testing.T) {
	v := tree(t, "a/", "a/below: b")
	h := newHost(fs.Forever)
	h.at(t, "d/", "d/f: x")
	mount(t, v, "a", h, fs.MountOptions{})
	if s := read(v, "a/d/f"); s != "x" {
		t.Fatal(s)
	}
	f, d, err := v.Open(fs.Base{}, "a/d/f", syscall.O_RDONLY, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Unmount(fs.Base{}, "a"); err != syscall.EBUSY {
		t.Errorf("with a file open: %v", err)
	}
	f.Release()
	d.Put()
	if err := v.Unmount(fs.Base{}, "a"); err != nil {
		t.Fatal(err)
	}
	if s := read(v, "a/below"); s != "b" {
		t.Errorf("after unmount: %s", s)
	}
	if err := v.Rename(fs.Base{}, "a", fs.Base{}, "z", 0); err != nil {
		t.Errorf("the mount point is still busy: %v", err)
	}
}

func TestBareMountPoints(t *testing.T) {
	v := tree(t, "file: text", "dir/", "dir/x")
	for _, name := range []string{"new", "file", "dir"} {
		f := mem()
		mount(t, v, name, f, fs.MountOptions{Bare: true})
		lay(t, v, name+"/in: "+name)
	}
	if s := list(t, v, "/"); s != "dir file new" {
		t.Errorf("the root lists %q", s)
	}
	if s := read(v, "file/in"); s != "file" {
		t.Errorf("file/in: %s", s)
	}
	for what, err := range map[string]error{
		"mkdir": v.Mkdir(fs.Base{}, "new", 0o755, 0),
		"open":  write(v, "new", ""),
	} {
		if err != syscall.EEXIST && err != syscall.EISDIR {
			t.Errorf("%s over a bare mount point: %v", what, err)
		}
	}
	if err := v.Rmdir(fs.Base{}, "new"); err != syscall.EBUSY {
		t.Errorf("rmdir of a bare mount point: %v", err)
	}
	// What is below can be renamed into view only when nothing is mounted.
	for _, name := range []string{"new", "file"} {
		if err := v.Unmount(fs.Base{}, name); err != nil {
			t.Errorf("unmount %s: %v", name, err)
		}
	}
	if s := list(t, v, "/"); s != "dir file" {
		t.Errorf("after unmount the root lists %q", s)
	}
	if s := read(v, "file"); s != "text" {
		t.Errorf("after unmount: %s", s)
	}
}

// TestReadDirInPieces reads a directory with mount points an entry at a time,
// each time from the cookie alone, while entries come and go.
func TestReadDirInPieces(t *testing.T) {
	v := tree(t, "a", "b", "c/", "e", "g")
	for _, name := range []string{"c", "d", "e"} {
		mount(t, v, name, mem(), fs.MountOptions{Bare: true})
	}
	f, d, err := v.Open(fs.Base{}, "/", syscall.O_RDONLY, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Put()
	defer f.Release()
	var names []string
	seen := make(map[uint64]bool)
	cookie := uint64(0)
	for {
		n := 0
		err := v.ReadDir(d, f, cookie, func(e *fs.Dirent) bool {
			if n++; n > 1 {
				return false
			}
			names = append(names, e.Name)
			cookie = e.Next
			if e.Ino == 0 || e.Next == 0 || seen[e.Next] {
				t.Errorf("%s: inode %d, cookie %#x", e.Name, e.Ino, e.Next)
			}
			seen[e.Next] = true
			if _, is := map[string]bool{"c": true, "d": true, "e": true}[e.Name]; is && e.Type != syscall.DT_DIR {
				t.Errorf("mount point %s has type %d", e.Name, e.Type)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		if len(names) == 3 { // "a" has been read
			if err := v.Unlink(fs.Base{}, "a"); err != nil {
				t.Fatal(err)
			}
			lay(t, v, "h")
		}
	}
	if s := strings.Join(names, " "); s != ". .. a b c g h d e" {
		t.Errorf("read %q", s)
	}
}

// closing tells when it is closed.
type closing struct {
	*tmpfs.FS
	name   string
	closed *[]string
}

func (c closing) Close() error {
	*c.closed = append(*c.closed, c.name)
	return c.FS.Close()
}

// TestDetach: what is detached is out of the tree at once, with what is mounted
// below it, and is closed when it is used no longer.
func TestDetach(t *testing.T) {
	v := tree(t, "a/", "a/old", "z/")
	var closed []string
	one, two := closing{mem(), "one", &closed}, closing{mem(), "two", &closed}
	mount(t, v, "a", one, fs.MountOptions{})
	lay(t, v, "a/b/", "a/f: text")
	mount(t, v, "a/b", two, fs.MountOptions{})
	lay(t, v, "a/b/c/")
	used, err := v.Walk(fs.Base{}, "a/b/c", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.UnmountWith(fs.Base{}, "a/b/c", fs.UnmountOptions{Detach: true}); err != syscall.EINVAL {
		t.Errorf("what is no mount: %v", err)
	}
	if err := v.UnmountWith(fs.Base{}, "a", fs.UnmountOptions{Detach: true}); err != nil {
		t.Fatal(err)
	}
	if s := list(t, v, "a"); s != "old" {
		t.Errorf("under what is detached: %q", s)
	}
	if n := len(v.Mounts()); n != 1 {
		t.Errorf("%d mounts", n)
	}
	if err := v.Unlink(fs.Base{}, "/a/old"); err != nil {
		t.Fatal(err)
	}
	if err := v.Rmdir(fs.Base{}, "/a"); err != nil {
		t.Errorf("removing what was a mount point: %v", err)
	}
	if len(closed) > 0 {
		t.Errorf("closed in use: %v", closed)
	}
	if err := v.UnmountWith(fs.Base{Dir: used}, ".", fs.UnmountOptions{Detach: true}); err != syscall.EINVAL {
		t.Errorf("a directory of it: %v", err)
	}
	var a fs.Attr
	if err := used.Getattr(&a); err != nil {
		t.Errorf("what is in use: %v", err)
	}
	used.Put()
	v.CloseDetached()
	if s := strings.Join(closed, " "); s != "two one" {
		t.Errorf("closed: %q", s)
	}
	mount(t, v, "z", closing{mem(), "three", &closed}, fs.MountOptions{})
	if err := v.UnmountWith(fs.Base{}, "z", fs.UnmountOptions{Detach: true}); err != nil || len(closed) != 3 {
		t.Errorf("detaching what nobody uses: %v, closed: %v", err, closed)
	}
}
