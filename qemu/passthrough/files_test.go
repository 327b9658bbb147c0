package passthrough

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestAppend has the host append to a file that the client appends to: the
// offset that the client believes in counts for nothing.
func TestAppend(t *testing.T) {
	c := sharing(t, Options{})
	n, fh := c.create(1, "log", unix.O_WRONLY|unix.O_APPEND, 0o644)
	again := c.open(fuse.FUSE_OPEN, n, unix.O_WRONLY|unix.O_APPEND)
	f, err := os.OpenFile(filepath.Join(c.root, "log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 3 {
		f.WriteString("host ")
		c.write(n, fh, 0, "guest ")
		c.write(n, again, 3, "again ")
	}
	if b, _ := os.ReadFile(f.Name()); string(b) != strings.Repeat("host guest again ", 3) {
		t.Errorf("the file holds %q", b)
	}
}

// TestModes makes things with modes that umasks and rights may spoil.
func TestModes(t *testing.T) {
	c := sharing(t, Options{})
	for _, mode := range []uint32{0, 0o1, 0o400, 0o644, 0o777, 0o1777, 0o4755, 0o6711} {
		name := fmt.Sprintf("f%o", mode)
		n, fh := c.create(1, name, unix.O_RDWR, mode)
		c.write(n, fh, 0, "x") // whatever the mode
		c.must(fuse.FUSE_MKDIR, 1, append((&fuse.MkdirIn{Mode: mode & 0o1777}).AppendTo(nil), cstring("d"+name)...))
		c.must(fuse.FUSE_MKNOD, 1, append((&fuse.MknodIn{Mode: unix.S_IFREG | mode}).AppendTo(nil), cstring("n"+name)...))
		want := mode
		if os.Getuid() != 0 {
			want &^= 0o6000 // a write takes them
		}
		if got := c.lookup(1, name).Attr.Mode; got != unix.S_IFREG|want {
			t.Errorf("created with %o: %o", mode, got)
		}
		if got := c.lookup(1, "n"+name).Attr.Mode; got != unix.S_IFREG|mode {
			t.Errorf("node made with %o: %o", mode, got)
		}
		if got := c.lookup(1, "d"+name).Attr.Mode; got != unix.S_IFDIR|mode&0o1777 {
			t.Errorf("directory made with %o: %o", mode&0o1777, got)
		}
		c.must(fuse.FUSE_SETATTR, n, (&fuse.SetattrIn{Valid: fuse.FATTR_MODE, Mode: unix.S_IFREG | mode}).AppendTo(nil))
		if got := c.lookup(1, name).Attr.Mode; got != unix.S_IFREG|mode {
			t.Errorf("changed to %o: %o", mode, got)
		}
	}
}

// TestOwners has other users make files: theirs, and those of the directory's
// group where that is set.
func TestOwners(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only the superuser can act for others")
	}
	c := sharing(t, Options{})
	os.Chmod(c.root, 0o777)
	os.Mkdir(filepath.Join(c.root, "group"), 0o777)
	os.Chown(filepath.Join(c.root, "group"), 0, 4242)
	os.Chmod(filepath.Join(c.root, "group"), os.ModeSetgid|0o777)
	os.Mkdir(filepath.Join(c.root, "closed"), 0o755)
	dir, closed := c.lookup(1, "group").Nodeid, c.lookup(1, "closed").Nodeid
	mkdir := func(name string) []byte { return append((&fuse.MkdirIn{Mode: 0o755}).AppendTo(nil), cstring(name)...) }
	c.uid = 1234
	c.create(1, "f", unix.O_RDWR, 0o600)
	c.must(fuse.FUSE_MKDIR, 1, mkdir("d"))
	c.must(fuse.FUSE_SYMLINK, 1, cstring("l", "x"))
	c.create(dir, "g", unix.O_RDWR, 0o600)
	c.must(fuse.FUSE_MKDIR, dir, mkdir("gd"))
	c.want(syscall.EACCES, fuse.FUSE_MKDIR, closed, mkdir("no"))
	for _, want := range []struct {
		dir  uint64
		name string
		gid  uint32
		mode uint32
	}{
		{1, "f", 1234, unix.S_IFREG | 0o600}, {1, "d", 1234, unix.S_IFDIR | 0o755}, {1, "l", 1234, unix.S_IFLNK | 0o777},
		{dir, "g", 4242, unix.S_IFREG | 0o600}, {dir, "gd", 4242, unix.S_IFDIR | unix.S_ISGID | 0o755},
	} {
		if a := c.lookup(want.dir, want.name).Attr; a.Uid != 1234 || a.Gid != want.gid || a.Mode != want.mode {
			t.Errorf("%s is %d:%d %o, want 1234:%d %o", want.name, a.Uid, a.Gid, a.Mode, want.gid, want.mode)
		}
	}
	c.uid = 1<<32 - 1 // which means "leave it" to setfsuid(2)
	c.want(syscall.EINVAL, fuse.FUSE_MKDIR, 1, mkdir("nobody"))
	c.uid = 0
	c.must(fuse.FUSE_MKDIR, 1, mkdir("root"))
	if a := c.lookup(1, "root").Attr; a.Uid != 0 || a.Gid != 0 {
		t.Errorf("the server has stayed %d:%d", a.Uid, a.Gid)
	}
}

// TestRemoved does to a removed file and a removed directory what needs no name.
func TestRemoved(t *testing.T) {
	c := sharing(t, Options{})
	f, fh := c.create(1, "f", unix.O_RDWR, 0o644)
	c.must(fuse.FUSE_MKDIR, 1, append((&fuse.MkdirIn{Mode: 0o755}).AppendTo(nil), cstring("d")...))
	d := c.lookup(1, "d").Nodeid
	dh := c.open(fuse.FUSE_OPENDIR, d, 0)
	c.must(fuse.FUSE_UNLINK, 1, cstring("f"))
	c.must(fuse.FUSE_RMDIR, 1, cstring("d"))
	attr := func(n uint64) fuse.Attr {
		var out fuse.AttrOut
		out.Decode(c.must(fuse.FUSE_GETATTR, n, make([]byte, fuse.GetattrInSize)))
		return out.Attr
	}
	setxattr := append((&fuse.SetxattrIn{Size: 5}).AppendTo(nil), "user.x\x00value"...)
	getxattr := append((&fuse.GetxattrIn{Size: 100}).AppendTo(nil), "user.x\x00"...)
	for _, n := range []uint64{f, d} {
		if a := attr(n); a.Nlink != 0 {
			t.Errorf("node %d has %d links", n, a.Nlink)
		}
		in := fuse.SetattrIn{Valid: fuse.FATTR_MODE | fuse.FATTR_MTIME | fuse.FATTR_UID, Mode: 0o700, Mtime: 7, Uid: uint32(os.Getuid())}
		c.must(fuse.FUSE_SETATTR, n, in.AppendTo(nil))
		if a := attr(n); a.Mode&0o7777 != 0o700 || a.Mtime != 7 {
			t.Errorf("node %d: %+v", n, a)
		}
		if _, e := c.do(fuse.FUSE_SETXATTR, n, setxattr); e == syscall.EOPNOTSUPP {
			t.Log("no extended attributes here")
		} else if got := c.must(fuse.FUSE_GETXATTR, n, getxattr); e != 0 || string(got) != "value" {
			t.Errorf("node %d: attribute %q, %v", n, got, e)
		}
	}
	c.write(f, fh, 2, "data")
	c.must(fuse.FUSE_SETATTR, f, (&fuse.SetattrIn{Valid: fuse.FATTR_SIZE, Size: 4}).AppendTo(nil))
	if got := c.read(f, fh); got != "\x00\x00da" {
		t.Errorf("read %q", got)
	}
	if more := c.open(fuse.FUSE_OPEN, f, unix.O_RDONLY); c.read(f, more) != "\x00\x00da" {
		t.Error("opened again, it reads otherwise")
	}
	c.must(fuse.FUSE_FSYNCDIR, d, (&fuse.FsyncIn{Fh: dh}).AppendTo(nil))
	c.want(syscall.ENOENT, fuse.FUSE_LOOKUP, d, cstring("x"))
	c.want(syscall.ENOENT, fuse.FUSE_MKDIR, d, append((&fuse.MkdirIn{}).AppendTo(nil), cstring("x")...))
}

// TestTmpfile makes a file without a name, and gives it one.
func TestTmpfile(t *testing.T) {
	c := sharing(t, Options{})
	in := fuse.CreateIn{Flags: unix.O_RDWR, Mode: unix.S_IFREG | 0o640}
	body, e := c.do(fuse.FUSE_TMPFILE, 1, append(in.AppendTo(nil), cstring("/")...))
	if e == syscall.EOPNOTSUPP {
		t.Skip("the file system of this directory has no O_TMPFILE")
	}
	var entry fuse.EntryOut
	var o fuse.OpenOut
	if e != 0 || entry.Decode(body) != nil || o.Decode(body[fuse.EntryOutSize:]) != nil {
		t.Fatal(e)
	}
	c.write(entry.Nodeid, o.Fh, 0, "nameless")
	if left, _ := os.ReadDir(c.root); len(left) != 0 || entry.Attr.Nlink != 0 || entry.Attr.Mode != unix.S_IFREG|0o640 {
		t.Errorf("%v, %+v", left, entry.Attr)
	}
	c.must(fuse.FUSE_LINK, 1, append((&fuse.LinkIn{Oldnodeid: entry.Nodeid}).AppendTo(nil), cstring("name")...))
	if b, err := os.ReadFile(filepath.Join(c.root, "name")); string(b) != "nameless" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestCopyAndHoles has the host copy for the client, and find data and holes.
func TestCopyAndHoles(t *testing.T) {
	c := sharing(t, Options{})
	a, ah := c.create(1, "a", unix.O_RDWR, 0o644)
	b, bh := c.create(1, "b", unix.O_RDWR, 0o644)
	c.write(a, ah, 1<<20, "far away")
	in := fuse.CopyFileRangeIn{FhIn: ah, OffIn: 1<<20 + 4, NodeidOut: b, FhOut: bh, OffOut: 2, Len: 1 << 62}
	var w fuse.WriteOut
	w.Decode(c.must(fuse.FUSE_COPY_FILE_RANGE, a, in.AppendTo(nil)))
	if got := c.read(b, bh); w.Size != 4 || got != "\x00\x00away" {
		t.Errorf("%d bytes copied: %q", w.Size, got)
	}
	in.Flags = 1
	c.want(syscall.EINVAL, fuse.FUSE_COPY_FILE_RANGE, a, in.AppendTo(nil))
	var l fuse.LseekOut
	l.Decode(c.must(fuse.FUSE_LSEEK, a, (&fuse.LseekIn{Fh: ah, Whence: unix.SEEK_HOLE, Offset: 1 << 20}).AppendTo(nil)))
	if l.Offset != 1<<20+8 {
		t.Errorf("a hole at %d", l.Offset)
	}
	c.want(syscall.ENXIO, fuse.FUSE_LSEEK, a, (&fuse.LseekIn{Fh: ah, Whence: unix.SEEK_DATA, Offset: 1 << 30}).AppendTo(nil))
	c.want(syscall.EINVAL, fuse.FUSE_LSEEK, a, (&fuse.LseekIn{Fh: ah, Whence: unix.SEEK_SET}).AppendTo(nil))
}

// TestSubmounts mounts another file system below the root.
func TestSubmounts(t *testing.T) {
	c := sharing(t, Options{})
	dir := filepath.Join(c.root, "sub")
	os.Mkdir(dir, 0o755)
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mount: ", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	os.Mkdir(filepath.Join(dir, "below"), 0o755)
	os.Mkdir(filepath.Join(c.root, "beside"), 0o755)
	sub := c.lookup(1, "sub")
	below, beside := c.lookup(sub.Nodeid, "below"), c.lookup(1, "beside")
	for name, e := range map[string]struct {
		entry fuse.EntryOut
		want  uint32
	}{"sub": {sub, fuse.FUSE_ATTR_SUBMOUNT}, "below": {below, 0}, "beside": {beside, 0}} {
		if e.entry.Attr.Flags != e.want {
			t.Errorf("%s has flags %#x, want %#x", name, e.entry.Attr.Flags, e.want)
		}
	}
	c.must(fuse.FUSE_INIT, 0, (&fuse.InitIn{Major: 7, Minor: 41}).AppendTo(nil)) // without FUSE_SUBMOUNTS
	if e := c.lookup(1, "sub"); e.Attr.Flags != 0 {
		t.Errorf("flags %#x that were not asked for", e.Attr.Flags)
	}
}

// TestLongPath goes deeper than a path can be long.
func TestLongPath(t *testing.T) {
	c := sharing(t, Options{})
	dir := uint64(1)
	name := strings.Repeat("n", 200)
	for range 60 {
		c.must(fuse.FUSE_MKDIR, dir, append((&fuse.MkdirIn{Mode: 0o755}).AppendTo(nil), cstring(name)...))
		dir = c.lookup(dir, name).Nodeid
	}
	n, fh := c.create(dir, "deep", unix.O_RDWR, 0o644)
	c.write(n, fh, 0, "deep")
	if got := c.read(n, c.open(fuse.FUSE_OPEN, n, unix.O_RDONLY)); got != "deep" {
		t.Errorf("read %q", got)
	}
	c.must(fuse.FUSE_SETATTR, n, (&fuse.SetattrIn{Valid: fuse.FATTR_MODE, Mode: 0o600}).AppendTo(nil))
}

// listAll lists a directory by requests of a size, and counts the names.
func (c *client) listAll(op uint32, fh uint64, size uint32) map[string]int {
	c.t.Helper()
	names := map[string]int{}
	for at := uint64(0); ; {
		b := c.must(op, 1, (&fuse.ReadIn{Fh: fh, Offset: at, Size: size}).AppendTo(nil))
		if len(b) == 0 {
			return names
		}
		for len(b) > 0 {
			var d fuse.Dirent
			var e fuse.EntryOut
			var name []byte
			var n int
			var err error
			if op == fuse.FUSE_READDIR {
				d, name, n, err = fuse.ParseDirent(b)
			} else {
				d, name, n, err = fuse.ParseDirentplus(b, &e)
			}
			if err != nil {
				c.t.Fatal(err)
			}
			if e.Nodeid != 0 {
				if e.Attr.Ino != d.Ino || string(name) == "." || string(name) == ".." {
					c.t.Errorf("%s: %+v with %+v", name, d, e)
				}
				c.do(fuse.FUSE_FORGET, e.Nodeid, (&fuse.ForgetIn{Nlookup: 1}).AppendTo(nil))
			}
			names[string(name)]++
			at, b = d.Off, b[n:]
		}
	}
}

// TestListing lists names of all lengths with room for one, some, and all,
// while others come and go: those that nobody touches are there once.
func TestListing(t *testing.T) {
	c := sharing(t, Options{})
	stay := []string{".", ".."}
	for i := range 600 {
		name := fmt.Sprintf("%d%s", i, strings.Repeat("x", i%250))
		c.host(name, "")
		stay = append(stay, name)
	}
	stop := make(chan struct{})
	var host sync.WaitGroup
	host.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := filepath.Join(c.root, fmt.Sprint("going", i%50))
			os.WriteFile(name, nil, 0o644)
			os.Remove(name)
		}
	})
	defer host.Wait()
	defer close(stop)
	for _, op := range []uint32{fuse.FUSE_READDIR, fuse.FUSE_READDIRPLUS} {
		for _, size := range []uint32{416, 1000, 4096, 1 << 17, 1<<32 - 1} {
			fh := c.open(fuse.FUSE_OPENDIR, 1, 0)
			for range 3 { // from the start again
				names := c.listAll(op, fh, size)
				for _, name := range stay {
					if names[name] != 1 {
						t.Errorf("%s in pieces of %d: %.20s is there %d times", fuse.OpName(op), size, name, names[name])
					}
				}
			}
			c.release(fuse.FUSE_RELEASEDIR, 1, fh)
		}
		fh := c.open(fuse.FUSE_OPENDIR, 1, 0)
		c.want(syscall.EINVAL, op, 1, (&fuse.ReadIn{Fh: fh, Size: 10}).AppendTo(nil))
	}
}

// TestSession tells what INIT agrees on, and what ends with it.
func TestSession(t *testing.T) {
	c := sharing(t, Options{})
	n, _ := c.create(1, "f", unix.O_RDWR, 0o644)
	var out fuse.InitOut
	offer := uint64(fuse.FUSE_BIG_WRITES | fuse.FUSE_WRITEBACK_CACHE | fuse.FUSE_DONT_MASK)
	out.Decode(c.must(fuse.FUSE_INIT, 0, (&fuse.InitIn{Major: 7, Minor: 31, Flags: uint32(offer)}).AppendTo(nil)))
	if out.Major != 7 || out.Minor != 31 || out.Flags != fuse.FUSE_BIG_WRITES || out.MaxWrite != maxWrite {
		t.Errorf("%+v", out)
	}
	c.want(syscall.ESTALE, fuse.FUSE_GETATTR, n, make([]byte, fuse.GetattrInSize))
	out = fuse.InitOut{}
	out.Decode(c.must(fuse.FUSE_INIT, 0, (&fuse.InitIn{Major: 8}).AppendTo(nil)))
	if out.Major != 7 {
		t.Errorf("to a newer client: %+v", out)
	}
	c.want(syscall.EPROTO, fuse.FUSE_INIT, 0, (&fuse.InitIn{Major: 7, Minor: 8}).AppendTo(nil))
	c.must(fuse.FUSE_DESTROY, 0, nil)
	c.want(syscall.EIO, fuse.FUSE_LOOKUP, 1, cstring("f"))
	c.start()
	c.lookup(1, "f")
}
