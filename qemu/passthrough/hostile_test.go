package passthrough

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// TestBadNames puts what is no name of an entry into every place for one.
func TestBadNames(t *testing.T) {
	for _, o := range []Options{{}, {NoOpenat2: true}} {
		c := sharing(t, o)
		c.host("f", "")
		f := c.lookup(fuse.FUSE_ROOT_ID, "f").Nodeid
		mode := uint32(0o777)
		ops := []struct {
			op   uint32
			body func(name string) []byte
		}{
			{fuse.FUSE_LOOKUP, func(n string) []byte { return cstring(n) }},
			{fuse.FUSE_UNLINK, func(n string) []byte { return cstring(n) }},
			{fuse.FUSE_RMDIR, func(n string) []byte { return cstring(n) }},
			{fuse.FUSE_SYMLINK, func(n string) []byte { return cstring(n, "target") }},
			{fuse.FUSE_MKDIR, func(n string) []byte {
				return append((&fuse.MkdirIn{Mode: mode}).AppendTo(nil), cstring(n)...)
			}},
			{fuse.FUSE_MKNOD, func(n string) []byte {
				return append((&fuse.MknodIn{Mode: unix.S_IFREG | mode}).AppendTo(nil), cstring(n)...)
			}},
			{fuse.FUSE_LINK, func(n string) []byte {
				return append((&fuse.LinkIn{Oldnodeid: f}).AppendTo(nil), cstring(n)...)
			}},
			{fuse.FUSE_CREATE, func(n string) []byte {
				return append((&fuse.CreateIn{Flags: unix.O_RDWR | unix.O_TRUNC, Mode: mode}).AppendTo(nil), cstring(n)...)
			}},
			{fuse.FUSE_RENAME, func(n string) []byte {
				return append((&fuse.RenameIn{Newdir: 1}).AppendTo(nil), cstring("f", n)...)
			}},
			{fuse.FUSE_RENAME, func(n string) []byte {
				return append((&fuse.RenameIn{Newdir: 1}).AppendTo(nil), cstring(n, "g")...)
			}},
			{fuse.FUSE_RENAME2, func(n string) []byte {
				return append((&fuse.Rename2In{Newdir: 1, Flags: unix.RENAME_EXCHANGE}).AppendTo(nil), cstring("f", n)...)
			}},
		}
		names := []string{"", ".", "..", "../secret", "../outside", "f/../../secret", "/", "/etc/passwd", c.base + "/secret", "x/y", "f/",
			"..\x00", "a\x00b", strings.Repeat("x", 256), strings.Repeat("../", 400) + "etc/passwd"}
		for _, op := range ops {
			for _, name := range names {
				e := syscall.EINVAL
				if len(name) == 256 {
					e = syscall.ENAMETOOLONG
				}
				t.Run(fmt.Sprintf("%s/%.20q", fuse.OpName(op.op), name), func(t *testing.T) {
					c.t = t
					c.want(e, op.op, fuse.FUSE_ROOT_ID, op.body(name))
				})
			}
			c.t = t
			unended := op.body("f")
			c.want(syscall.EINVAL, op.op, fuse.FUSE_ROOT_ID, unended[:len(unended)-1])
		}
		c.unharmed()
		if left, _ := os.ReadDir(c.root); len(left) != 1 {
			t.Errorf("in the root: %v", left)
		}
	}
}

// TestLinksAreNotFollowed puts links to the outside where a client, or
// somebody on the host, may put them.
func TestLinksAreNotFollowed(t *testing.T) {
	for _, o := range []Options{{}, {NoOpenat2: true}} {
		c := sharing(t, o)
		for name, target := range map[string]string{
			"up": "..", "file": "../secret", "dir": "../outside", "absolute": c.base + "/secret",
			"magic": "/proc/self/cwd", "dangling": "../made",
		} {
			c.must(fuse.FUSE_SYMLINK, 1, cstring(name, target))
			link := c.lookup(1, name)
			if link.Attr.Mode&syscall.S_IFMT != syscall.S_IFLNK || link.Attr.Size != uint64(len(target)) {
				t.Errorf("%s is shown as %+v", name, link.Attr)
			}
			if got := c.must(fuse.FUSE_READLINK, link.Nodeid, nil); string(got) != target {
				t.Errorf("%s reads %q", name, got)
			}
			n := link.Nodeid
			c.want(syscall.ENOTDIR, fuse.FUSE_LOOKUP, n, cstring("secret"))
			c.want(syscall.ELOOP, fuse.FUSE_OPEN, n, (&fuse.OpenIn{}).AppendTo(nil))
			c.want(syscall.ENOTDIR, fuse.FUSE_OPENDIR, n, (&fuse.OpenIn{}).AppendTo(nil))
			c.want(syscall.ENOTDIR, fuse.FUSE_MKDIR, n, append((&fuse.MkdirIn{}).AppendTo(nil), cstring("new")...))
			c.want(syscall.EOPNOTSUPP, fuse.FUSE_SETATTR, n, (&fuse.SetattrIn{Valid: fuse.FATTR_MODE, Mode: 0o777}).AppendTo(nil))
			c.want(syscall.EINVAL, fuse.FUSE_SETATTR, n, (&fuse.SetattrIn{Valid: fuse.FATTR_SIZE}).AppendTo(nil))
			c.want(syscall.ESTALE, fuse.FUSE_CREATE, 1, append((&fuse.CreateIn{Flags: unix.O_RDWR | unix.O_TRUNC}).AppendTo(nil), cstring(name)...))
			// Those that change the link change the link.
			c.must(fuse.FUSE_SETATTR, n, (&fuse.SetattrIn{Valid: fuse.FATTR_ATIME | fuse.FATTR_MTIME, Atime: 5, Mtime: 6}).AppendTo(nil))
			if got := c.lookup(1, name).Attr.Mtime; got != 6 {
				t.Errorf("%s: time %d", name, got)
			}
			c.must(fuse.FUSE_LINK, 1, append((&fuse.LinkIn{Oldnodeid: n}).AppendTo(nil), cstring(name+"2")...))
			if got := c.lookup(1, name+"2"); got.Nodeid != n || got.Attr.Nlink != 2 {
				t.Errorf("the second name of %s is %+v", name, got)
			}
		}
		c.unharmed()
	}
}

// TestForgedIDs names nodes and handles that the client was never given, or
// not any more, or not for that.
func TestForgedIDs(t *testing.T) {
	c := sharing(t, Options{})
	node, fh := c.create(1, "f", unix.O_RDWR, 0o644)
	other, otherFh := c.create(1, "g", unix.O_RDWR, 0o644)
	dirFh := c.open(fuse.FUSE_OPENDIR, 1, 0)
	gone, goneFh := c.create(1, "h", unix.O_RDWR, 0o644)
	c.release(fuse.FUSE_RELEASE, gone, goneFh)
	if body, e := c.raw(c.message(fuse.FUSE_FORGET, gone, (&fuse.ForgetIn{Nlookup: 1}).AppendTo(nil)), 1<<16); body != nil || e != 0 {
		t.Errorf("FORGET is answered: %v", e)
	}
	for _, id := range []uint64{0, gone, 1 << 32, 1<<64 - 1} {
		for op := range uint32(fuse.OpcodeCount) {
			if o := operations[op]; o.do == nil || op == fuse.FUSE_INIT || op == fuse.FUSE_DESTROY || op == fuse.FUSE_INTERRUPT ||
				op == fuse.FUSE_FORGET || op == fuse.FUSE_BATCH_FORGET {
				continue
			}
			for _, names := range [][]byte{nil, cstring("f"), cstring("f", "x")} {
				body := append(make([]byte, operations[op].in), names...)
				if _, e := c.do(op, id, body); e == 0 {
					t.Errorf("%s of node %#x: no error", fuse.OpName(op), id)
				}
			}
		}
	}
	lk := func(fh uint64) []byte { return (&fuse.LkIn{Fh: fh, Lk: fuse.FileLock{End: 1, Type: 1}}).AppendTo(nil) }
	for name, bad := range map[string]struct{ node, fh uint64 }{
		"of another file": {node, otherFh}, "the other way round": {other, fh}, "of a directory": {1, dirFh}, "made up": {node, 1 << 40},
		"released": {gone, goneFh}, "zero": {node, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			for op, body := range map[uint32][]byte{
				fuse.FUSE_READ:            (&fuse.ReadIn{Fh: bad.fh, Size: 10}).AppendTo(nil),
				fuse.FUSE_WRITE:           append((&fuse.WriteIn{Fh: bad.fh, Size: 1}).AppendTo(nil), 'x'),
				fuse.FUSE_FLUSH:           (&fuse.FlushIn{Fh: bad.fh}).AppendTo(nil),
				fuse.FUSE_FSYNC:           (&fuse.FsyncIn{Fh: bad.fh}).AppendTo(nil),
				fuse.FUSE_FALLOCATE:       (&fuse.FallocateIn{Fh: bad.fh, Length: 1}).AppendTo(nil),
				fuse.FUSE_LSEEK:           (&fuse.LseekIn{Fh: bad.fh, Whence: unix.SEEK_DATA}).AppendTo(nil),
				fuse.FUSE_RELEASE:         (&fuse.ReleaseIn{Fh: bad.fh}).AppendTo(nil),
				fuse.FUSE_GETLK:           lk(bad.fh),
				fuse.FUSE_SETLK:           lk(bad.fh),
				fuse.FUSE_SETLKW:          lk(bad.fh),
				fuse.FUSE_COPY_FILE_RANGE: (&fuse.CopyFileRangeIn{FhIn: bad.fh, NodeidOut: other, FhOut: otherFh, Len: 1}).AppendTo(nil),
			} {
				c.want(syscall.EBADF, op, bad.node, body)
			}
			c.want(syscall.EBADF, fuse.FUSE_COPY_FILE_RANGE, node, (&fuse.CopyFileRangeIn{FhIn: fh, NodeidOut: bad.node, FhOut: bad.fh, Len: 1}).AppendTo(nil))
		})
	}
	c.t = t
	for _, op := range []uint32{fuse.FUSE_READDIR, fuse.FUSE_READDIRPLUS} {
		c.want(syscall.EBADF, op, node, (&fuse.ReadIn{Fh: fh, Size: 1000}).AppendTo(nil))
	}
	// The right ones still are.
	c.write(node, fh, 0, "data")
	if got := c.read(node, fh); got != "data" {
		t.Errorf("read %q", got)
	}
}

// TestLengths sends every operation with every length of body and of room for
// the reply, and with headers that tell of other lengths.
func TestLengths(t *testing.T) {
	c := sharing(t, Options{})
	node, fh := c.create(1, "f", unix.O_RDWR, 0o644)
	for op := range uint32(fuse.OpcodeCount + 3) {
		for n := range 130 {
			body := make([]byte, n)
			if n > 8 {
				copy(body, []byte{byte(fh)})
			}
			for _, room := range []int{0, 1, 15, 16, 17, 40, 119, 120, 144, 200, 5000} {
				c.raw(c.message(op, node, body), room)
			}
			if op == fuse.FUSE_INIT || op == fuse.FUSE_DESTROY {
				c.start()
				node, fh = c.create(1, "f", unix.O_RDWR, 0o644)
			}
		}
	}
	msg := func(change func(h *fuse.InHeader)) []byte {
		h := fuse.InHeader{Len: fuse.InHeaderSize + 2, Opcode: fuse.FUSE_LOOKUP, Unique: 2, Nodeid: 1}
		change(&h)
		return append(h.AppendTo(nil), "f\x00"...)
	}
	for name, change := range map[string]func(h *fuse.InHeader){
		"longer than it is":              func(h *fuse.InHeader) { h.Len++ },
		"much longer":                    func(h *fuse.InHeader) { h.Len = 1<<32 - 1 },
		"shorter than its header":        func(h *fuse.InHeader) { h.Len = fuse.InHeaderSize - 1 },
		"of no length":                   func(h *fuse.InHeader) { h.Len = 0 },
		"cut in its name":                func(h *fuse.InHeader) { h.Len-- },
		"with extensions longer than it": func(h *fuse.InHeader) { h.TotalExtlen = 1<<16 - 1 },
	} {
		if _, e := c.raw(msg(change), 1000); e != syscall.EINVAL {
			t.Errorf("%s: %v", name, e)
		}
	}
	if _, e := c.raw(msg(func(*fuse.InHeader) {}), 1000); e != 0 {
		t.Errorf("as it should be: %v", e)
	}
	for n := range fuse.InHeaderSize {
		if _, e := c.raw(make([]byte, n), 1000); e != syscall.EINVAL {
			t.Fatalf("%d bytes: %v", n, e)
		}
	}
	// Numbers beyond what Linux has.
	in := fuse.ReadIn{Fh: fh, Offset: 1 << 63, Size: 1}
	c.want(syscall.EINVAL, fuse.FUSE_READ, node, in.AppendTo(nil))
	c.want(syscall.EINVAL, fuse.FUSE_READ, node, (&fuse.ReadIn{Fh: fh, Size: 1<<32 - 1}).AppendTo(nil))
	c.want(syscall.EINVAL, fuse.FUSE_WRITE, node, append((&fuse.WriteIn{Fh: fh, Size: 2}).AppendTo(nil), 'x'))
	c.want(syscall.EINVAL, fuse.FUSE_SETATTR, node, (&fuse.SetattrIn{Valid: fuse.FATTR_SIZE, Size: 1 << 63}).AppendTo(nil))
	c.want(syscall.EINVAL, fuse.FUSE_SETATTR, node, (&fuse.SetattrIn{Valid: fuse.FATTR_MTIME, Mtimensec: 1e9}).AppendTo(nil))
	dir := c.open(fuse.FUSE_OPENDIR, 1, 0)
	c.want(syscall.EINVAL, fuse.FUSE_READDIR, 1, (&fuse.ReadIn{Fh: dir, Offset: 1 << 63, Size: 100}).AppendTo(nil))
}

// openFiles counts the descriptors of this process.
func openFiles(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestFlood has a client take all that it can get: nodes, handles, owners of
// locks, interrupts. It ends at Options.Files, and all comes back.
func TestFlood(t *testing.T) {
	const limit = 100
	before := openFiles(t)
	c := sharing(t, Options{Files: limit})
	for i := range 3 * limit {
		c.host(fmt.Sprint("f", i), "")
	}
	full := func(what string) {
		t.Helper()
		if got := c.s.files.Load(); got != limit {
			t.Errorf("%s: %d descriptors held, want %d", what, got, limit)
		}
		if n := openFiles(t) - before; n > limit+16 {
			t.Errorf("%s: %d descriptors", what, n)
		}
	}
	empty := func(what string) {
		t.Helper()
		c.must(fuse.FUSE_DESTROY, 0, nil)
		if got := c.s.files.Load(); got != 0 || len(c.s.nodes) != 1 || len(c.s.inodes) != 1 || len(c.s.handles) != 0 {
			t.Errorf("%s: %d descriptors, %d nodes and %d handles are left", what, got, len(c.s.nodes), len(c.s.handles))
		}
		if n := openFiles(t) - before; n > 16 {
			t.Errorf("%s: %d descriptors are left", what, n)
		}
		c.start()
	}
	fails := func(op uint32, node uint64, body []byte) (e syscall.Errno) {
		for range 3 * limit {
			if _, e = c.do(op, node, body); e != 0 {
				break
			}
		}
		return e
	}

	var refused int
	for i := range 3 * limit {
		if _, e := c.do(fuse.FUSE_LOOKUP, 1, cstring(fmt.Sprint("f", i))); e == syscall.EMFILE {
			refused++
		}
	}
	if refused != 2*limit {
		t.Errorf("%d lookups refused, want %d", refused, 2*limit)
	}
	full("lookups")
	empty("lookups")

	dir := c.open(fuse.FUSE_OPENDIR, 1, 0)
	listed := 0
	for at := uint64(0); ; {
		b := c.must(fuse.FUSE_READDIRPLUS, 1, (&fuse.ReadIn{Fh: dir, Offset: at, Size: 1 << 15}).AppendTo(nil))
		if len(b) == 0 {
			break
		}
		for len(b) > 0 {
			var e fuse.EntryOut
			d, _, n, err := fuse.ParseDirentplus(b, &e)
			if err != nil {
				t.Fatal(err)
			}
			at, b = d.Off, b[n:]
			listed++
		}
	}
	if listed != 3*limit+2 {
		t.Errorf("%d names listed, though not all were looked up: want %d", listed, 3*limit+2)
	}
	full("listing")
	empty("listing")

	f := c.lookup(1, "f1").Nodeid
	if e := fails(fuse.FUSE_OPEN, f, (&fuse.OpenIn{}).AppendTo(nil)); e != syscall.EMFILE {
		t.Errorf("opens end with %v", e)
	}
	full("opens")
	empty("opens")
	if e := fails(fuse.FUSE_OPENDIR, 1, (&fuse.OpenIn{}).AppendTo(nil)); e != syscall.EMFILE {
		t.Errorf("opens of directories end with %v", e)
	}
	full("opens of directories")
	empty("opens of directories")

	f, fh := c.create(1, "f1", unix.O_RDWR, 0o644)
	var e syscall.Errno
	for owner := range uint64(3 * limit) {
		in := fuse.LkIn{Fh: fh, Owner: owner, Lk: fuse.FileLock{Start: owner, End: owner, Type: unix.F_WRLCK}}
		if _, e = c.do(fuse.FUSE_SETLK, f, in.AppendTo(nil)); e != 0 {
			break
		}
	}
	if e != syscall.ENOLCK {
		t.Errorf("locks end with %v", e)
	}
	full("locks")
	empty("locks")

	for i := range uint64(10_000) {
		c.do(fuse.FUSE_INTERRUPT, 0, (&fuse.InterruptIn{Unique: i}).AppendTo(nil))
	}
	if n := len(c.s.waits.early); n > maxEarly || cap(c.s.waits.early) > 4*maxEarly {
		t.Errorf("%d interrupts are kept", n)
	}

	// Lookups of one file take one descriptor, and are counted.
	for range 1000 {
		c.lookup(1, "f2")
	}
	f = c.lookup(1, "f2").Nodeid
	c.do(fuse.FUSE_FORGET, f, (&fuse.ForgetIn{Nlookup: 1000}).AppendTo(nil))
	c.must(fuse.FUSE_GETATTR, f, make([]byte, fuse.GetattrInSize))
	one := (&fuse.ForgetOne{Nodeid: f, Nlookup: 1 << 63}).AppendTo(nil)
	c.do(fuse.FUSE_BATCH_FORGET, 0, append((&fuse.BatchForgetIn{Count: 1<<32 - 1}).AppendTo(nil), one...))
	c.want(syscall.ESTALE, fuse.FUSE_GETATTR, f, make([]byte, fuse.GetattrInSize))
	c.do(fuse.FUSE_FORGET, 1, (&fuse.ForgetIn{Nlookup: 1 << 63}).AppendTo(nil))
	c.lookup(1, "f2") // the root stays
}

// TestSpecialFiles has a client make device nodes, FIFOs and sockets, and open
// them, as if it had not made them itself.
func TestSpecialFiles(t *testing.T) {
	c := sharing(t, Options{})
	for name, mode := range map[string]uint32{"fifo": unix.S_IFIFO, "socket": unix.S_IFSOCK, "null": unix.S_IFCHR, "disk": unix.S_IFBLK} {
		in := fuse.MknodIn{Mode: mode | 0o666, Rdev: rdev(1, 3)}
		_, e := c.do(fuse.FUSE_MKNOD, 1, append(in.AppendTo(nil), cstring(name)...))
		if e == syscall.EPERM && os.Getuid() != 0 {
			continue // devices
		}
		if e != 0 {
			t.Errorf("%s: %v", name, e)
			continue
		}
		n := c.lookup(1, name)
		if n.Attr.Mode != mode|0o666 || mode == unix.S_IFCHR && n.Attr.Rdev != 1<<8+3 {
			t.Errorf("%s: %+v", name, n.Attr)
		}
		for _, flags := range []uint32{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR | unix.O_NONBLOCK, unix.O_PATH} {
			c.want(syscall.ENXIO, fuse.FUSE_OPEN, n.Nodeid, (&fuse.OpenIn{Flags: flags}).AppendTo(nil))
		}
		c.want(syscall.ESTALE, fuse.FUSE_CREATE, 1, append((&fuse.CreateIn{Flags: unix.O_RDWR}).AppendTo(nil), cstring(name)...))
		c.want(syscall.EINVAL, fuse.FUSE_SETATTR, n.Nodeid, (&fuse.SetattrIn{Valid: fuse.FATTR_SIZE}).AppendTo(nil))
	}
}

// TestRootIsTheTop asks what is above the root.
func TestRootIsTheTop(t *testing.T) {
	c := sharing(t, Options{})
	var st, up unix.Stat_t
	if unix.Stat(c.root, &st) != nil || unix.Stat(filepath.Dir(c.root), &up) != nil {
		t.Fatal("stat")
	}
	fh := c.open(fuse.FUSE_OPENDIR, 1, 0)
	for b := c.must(fuse.FUSE_READDIR, 1, (&fuse.ReadIn{Fh: fh, Size: 1000}).AppendTo(nil)); len(b) > 0; {
		d, name, n, err := fuse.ParseDirent(b)
		if err != nil {
			t.Fatal(err)
		}
		if b = b[n:]; d.Ino != st.Ino {
			t.Errorf("%s is inode %d, want that of the root, %d (above it is %d)", name, d.Ino, st.Ino, up.Ino)
		}
	}
}
