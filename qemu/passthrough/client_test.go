package passthrough

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func TestMain(m *testing.M) {
	unix.Umask(0) // as the process that serves has it
	if os.Getenv(userEnv) != "" {
		os.Exit(asUser(os.Getenv(userEnv)))
	}
	os.Exit(m.Run())
}

// client sends messages by hand.
type client struct {
	t      testing.TB
	s      *Server
	base   string // the root is a directory in it
	root   string
	unique uint64
	uid    uint32
}

// sharing is a server of an empty directory, beside which there is a secret.
func sharing(t testing.TB, o Options) *client {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, base: base, root: filepath.Join(base, "root")}
	for _, dir := range []string{c.root, filepath.Join(base, "outside")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c.host("../secret", "secret")
	c.host("../outside/secret", "secret")
	if c.s, err = New(c.root, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.s.Close)
	c.start()
	return c
}

func (c *client) start() {
	c.t.Helper()
	flags := uint64(granted)
	in := fuse.InitIn{Major: 7, Minor: 41, Flags: uint32(flags), Flags2: uint32(flags >> 32)}
	c.must(fuse.FUSE_INIT, 0, in.AppendTo(nil))
}

// host writes a file as somebody on the host does.
func (c *client) host(name, data string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.root, name), []byte(data), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// unharmed checks that what is beside the root is what it was.
func (c *client) unharmed() {
	c.t.Helper()
	var found []string
	filepath.WalkDir(c.base, func(path string, d os.DirEntry, err error) error {
		name := strings.TrimPrefix(path, c.base)
		if name == "/root" {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			c.t.Error(err)
			return nil
		}
		if name != "" {
			found = append(found, name+" "+info.Mode().String())
		}
		if strings.HasSuffix(name, "secret") {
			if b, err := os.ReadFile(path); string(b) != "secret" {
				c.t.Errorf("%s holds %q (%v)", name, b, err)
			}
		}
		return nil
	})
	const want = "/outside drwxr-xr-x, /outside/secret -rw-r--r--, /secret -rw-r--r--"
	if got := strings.Join(found, ", "); got != want {
		c.t.Errorf("beside the root: %s; want %s", got, want)
	}
}

// message puts a header before a body.
func (c *client) message(op uint32, node uint64, body []byte) []byte {
	c.unique += 2
	h := fuse.InHeader{Len: uint32(fuse.InHeaderSize + len(body)), Opcode: op, Unique: c.unique, Nodeid: node, Uid: c.uid, Gid: c.uid}
	return append(h.AppendTo(nil), body...)
}

// raw has the server do a message, checks that the reply is one, and returns
// it.
func (c *client) raw(msg []byte, room int) (body []byte, e syscall.Errno) {
	c.t.Helper()
	out := make([]byte, room)
	// In pieces, as it may come.
	half := min(len(msg), 40)
	n := c.s.Handle([][]byte{msg[:half], msg[half:]}, [][]byte{out[:min(room, 16)], out[min(room, 16):]}, func() {})
	if n == 0 {
		return nil, 0
	}
	var h fuse.OutHeader
	if n > room || h.Decode(out[:n]) != nil || int(h.Len) != n || h.Error > 0 || h.Error < -511 || h.Error != 0 && n != fuse.OutHeaderSize {
		c.t.Fatalf("reply of %d bytes in %d: %+v", n, room, h)
	}
	return out[fuse.OutHeaderSize:n], syscall.Errno(-h.Error)
}

func (c *client) do(op uint32, node uint64, body []byte) ([]byte, syscall.Errno) {
	c.t.Helper()
	return c.raw(c.message(op, node, body), 1<<16)
}

func (c *client) must(op uint32, node uint64, body []byte) []byte {
	c.t.Helper()
	b, e := c.do(op, node, body)
	if e != 0 {
		c.t.Fatalf("%s: %v", fuse.OpName(op), e)
	}
	return b
}

// want has a request fail.
func (c *client) want(e syscall.Errno, op uint32, node uint64, body []byte) {
	c.t.Helper()
	if _, got := c.do(op, node, body); got != e {
		c.t.Errorf("%s: %v, want %v", fuse.OpName(op), got, e)
	}
}

func cstring(names ...string) (b []byte) {
	for _, n := range names {
		b = append(append(b, n...), 0)
	}
	return b
}

func (c *client) lookup(dir uint64, name string) fuse.EntryOut {
	c.t.Helper()
	var e fuse.EntryOut
	if err := e.Decode(c.must(fuse.FUSE_LOOKUP, dir, cstring(name))); err != nil {
		c.t.Fatal(err)
	}
	return e
}

func (c *client) create(dir uint64, name string, flags, mode uint32) (node, fh uint64) {
	c.t.Helper()
	in := fuse.CreateIn{Flags: flags, Mode: unix.S_IFREG | mode}
	body := c.must(fuse.FUSE_CREATE, dir, append(in.AppendTo(nil), cstring(name)...))
	var e fuse.EntryOut
	var o fuse.OpenOut
	if e.Decode(body) != nil || o.Decode(body[fuse.EntryOutSize:]) != nil {
		c.t.Fatal("short reply")
	}
	return e.Nodeid, o.Fh
}

func (c *client) open(op uint32, node uint64, flags uint32) (fh uint64) {
	c.t.Helper()
	var o fuse.OpenOut
	if err := o.Decode(c.must(op, node, (&fuse.OpenIn{Flags: flags}).AppendTo(nil))); err != nil {
		c.t.Fatal(err)
	}
	return o.Fh
}

func (c *client) write(node, fh, off uint64, data string) {
	c.t.Helper()
	in := fuse.WriteIn{Fh: fh, Offset: off, Size: uint32(len(data))}
	c.must(fuse.FUSE_WRITE, node, append(in.AppendTo(nil), data...))
}

func (c *client) read(node, fh uint64) string {
	c.t.Helper()
	return string(c.must(fuse.FUSE_READ, node, (&fuse.ReadIn{Fh: fh, Size: 4096}).AppendTo(nil)))
}

func (c *client) release(op uint32, node, fh uint64) {
	c.t.Helper()
	c.must(op, node, (&fuse.ReleaseIn{Fh: fh}).AppendTo(nil))
}
