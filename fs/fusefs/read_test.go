package fusefs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"syscall"
	"testing"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

func TestReadFile(t *testing.T) {
	for _, size := range []int{0, 1, 4096, 128<<10 - 1, 128 << 10, 128<<10 + 1, 3 << 20} {
		for _, maxWrite := range []int{128 << 10, 1 << 20} {
			t.Run(fmt.Sprint(size, "/", maxWrite), func(t *testing.T) {
				dir := t.TempDir()
				want := randomBytes(size)
				write(t, dir+"/f", want)
				f, _ := loopback(t, dir, serverOptions{maxWrite: maxWrite}, Options{})
				root := f.Root()
				n := lookup(t, root, "f")
				if got := readAll(t, n); !bytes.Equal(got, want) {
					t.Errorf("read %d bytes that differ from the %d written", len(got), len(want))
				}
				n.Unref()
				root.Unref()
			})
		}
	}
}

func TestReadAtPositions(t *testing.T) {
	dir := t.TempDir()
	want := randomBytes(300000)
	write(t, dir+"/f", want)
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()
	n := lookup(t, root, "f")
	defer n.Unref()
	file, err := n.Open(os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Release()
	for _, c := range []struct{ off, n, want int }{
		{0, 10, 10}, {299990, 100, 10}, {300000, 10, 0}, {1 << 40, 10, 0}, {5, 290000, 290000}, {7, 0, 0},
	} {
		buf := make([]byte, c.n)
		k, err := file.ReadAt(buf, int64(c.off))
		if err != nil || k != c.want {
			t.Errorf("ReadAt(%d bytes, %d) = %d, %v; want %d", c.n, c.off, k, err, c.want)
		}
		if k > 0 && !bytes.Equal(buf[:k], want[c.off:c.off+k]) {
			t.Errorf("ReadAt(%d bytes, %d): wrong data", c.n, c.off)
		}
	}
	if _, err := file.ReadAt(make([]byte, 1), -1); err != syscall.EINVAL {
		t.Errorf("ReadAt at -1: %v, want EINVAL", err)
	}
	if _, err := file.ReadAt(make([]byte, 10), 1<<63-5); err != nil && err != syscall.EINVAL {
		t.Errorf("ReadAt at the last offset: %v", err)
	}
	if err := file.ReadDir(0, nil); err != syscall.ENOTDIR {
		t.Errorf("ReadDir of a file: %v, want ENOTDIR", err)
	}
}

func TestLookupAndAttr(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/f", []byte("hello"))
	mtime := time.Unix(1700000000, 123456789)
	os.Chtimes(dir+"/f", mtime.Add(time.Hour), mtime)
	os.Chmod(dir+"/f", 0o640)
	os.Symlink("some/where", dir+"/link")
	odd := "na\xffme with \n bytes"
	os.Mkdir(filepath.Join(dir, odd), 0o700)
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	root := f.Root()
	defer root.Unref()

	n := lookup(t, root, "f")
	if again := lookup(t, root, "f"); again != n {
		t.Error("two lookups of one file gave two nodes")
	} else {
		again.Unref()
	}
	var a fs.Attr
	if err := n.Getattr(&a); err != nil {
		t.Fatal(err)
	}
	var st syscall.Stat_t
	syscall.Stat(dir+"/f", &st)
	want := fs.Attr{Ino: st.Ino, Mode: st.Mode, Nlink: 1, Uid: st.Uid, Gid: st.Gid, Size: 5,
		Blocks: st.Blocks, Blksize: uint32(st.Blksize),
		Atime: fs.Time{Sec: 1700003600, Nsec: 123456789}, Mtime: fs.Time{Sec: 1700000000, Nsec: 123456789},
		Ctime: fs.Time{Sec: st.Ctim.Sec, Nsec: uint32(st.Ctim.Nsec)}}
	if a != want {
		t.Errorf("Getattr:\n got %+v\nwant %+v", a, want)
	}
	n.Unref()

	n = lookup(t, root, "link")
	if s, err := n.Readlink(); s != "some/where" || err != nil {
		t.Errorf("Readlink = %q, %v", s, err)
	}
	if _, err := n.Open(os.O_RDONLY); err != syscall.ELOOP {
		t.Errorf("Open of a link: %v, want ELOOP", err)
	}
	n.Unref()
	n = lookup(t, root, odd)
	if _, err := n.Readlink(); err != syscall.EINVAL {
		t.Errorf("Readlink of a directory: %v, want EINVAL", err)
	}
	n.Unref()

	for name, want := range map[string]error{
		"none": syscall.ENOENT, "": syscall.ENOENT, ".": syscall.EINVAL, "..": syscall.EINVAL,
		"a/b": syscall.EINVAL, "a\x00": syscall.EINVAL,
		string(make([]byte, 256)): syscall.ENAMETOOLONG,
	} {
		e, err := root.Lookup(name)
		if name == "none" && err == nil && e.Node == nil {
			continue // a negative entry
		}
		if err != want {
			t.Errorf("Lookup(%q): %v, want %v", name, err, want)
		}
	}
}

func TestStatfs(t *testing.T) {
	dir := t.TempDir()
	f, _ := loopback(t, dir, serverOptions{}, Options{})
	var s fs.Statfs
	if err := f.Statfs(&s); err != nil {
		t.Fatal(err)
	}
	var want syscall.Statfs_t
	syscall.Statfs(dir, &want)
	if s.Blocks != want.Blocks || s.Bsize != uint32(want.Bsize) || s.Files != want.Files || s.NameLen != uint32(want.Namelen) {
		t.Errorf("Statfs = %+v, host %+v", s, want)
	}
	if f.Type() != "virtiofs" {
		t.Errorf("Type = %q", f.Type())
	}
}

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 3000 {
		name := fmt.Sprintf("file-with-a-name-%d", i)
		want = append(want, name)
		write(t, filepath.Join(dir, name), nil)
	}
	sort.Strings(want)
	os.Mkdir(dir+"/empty", 0o755)
	want = append([]string{"empty"}, want...)
	for _, c := range []struct {
		name string
		o    serverOptions
		opts Options
	}{
		{"plus", serverOptions{}, Options{}},
		{"auto", serverOptions{caps: gofuse.CAP_READDIRPLUS_AUTO}, Options{}},
		{"plain", serverOptions{}, Options{Without: fuse.FUSE_DO_READDIRPLUS}},
		{"valid", serverOptions{valid: time.Hour}, Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ctr := loopback(t, dir, c.o, c.opts)
			root := f.Root()
			defer root.Unref()
			for _, step := range []int{1 << 30, 1000, 7} {
				got := list(t, root, step)
				sort.Strings(got)
				if !slices.Equal(got, want) {
					t.Errorf("steps of %d: %d names, want %d", step, len(got), len(want))
				}
			}
			n := lookup(t, root, "empty")
			if got := list(t, n, 10); len(got) != 0 {
				t.Errorf("empty directory lists %q", got)
			}
			n.Unref()
			plus, plain := ctr.number(fuse.FUSE_READDIRPLUS), ctr.number(fuse.FUSE_READDIR)
			if c.name == "plain" && plus != 0 || c.name == "plus" && plain != 0 || c.name == "auto" && (plus == 0 || plain == 0) {
				t.Errorf("%d READDIRPLUS, %d READDIR", plus, plain)
			}
		})
	}
}
