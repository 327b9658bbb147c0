package fstest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"strings"
	"syscall"
	"testing"

	"github.com/yolkos/yolk/fs/archive"
)

// File is a file of a tree that tests start from.
type File struct {
	Path     string // from the root, without a slash before it
	Mode     uint32 // S_IFMT and permission bits
	Uid, Gid uint32
	Mtime    int64  // seconds since 1970
	Text     string // contents, or a link's text
	Same     string // the path of a file before it, of which this is another name
}

// Sample makes a tree of files of all kinds, with the names that Random plays with.
// If plain is set, there is nothing in it that io/fs knows nothing of: owners, names of
// the same file.
func Sample(seed uint64, plain bool) []File {
	r := rand.New(rand.NewPCG(seed, 1))
	files := []File{
		{Path: "d", Mode: syscall.S_IFDIR | 0o755, Mtime: 11},
		{Path: "e", Mode: syscall.S_IFDIR | 0o700, Mtime: 12},
		{Path: "e/f", Mode: syscall.S_IFDIR | 0o2755, Mtime: 13}, // stays empty
	}
	dirs := []string{"", "d", "e"}
	var regular []string
	have := map[string]bool{"d": true, "e": true, "e/f": true, "f": true}
	for i := range 60 {
		dir := dirs[r.IntN(len(dirs))]
		names := fileNames
		isDir := r.IntN(4) == 0
		if isDir {
			names = dirNames
		}
		f := File{Path: path.Join(dir, names[r.IntN(len(names))]), Mtime: int64(100 + i)}
		if have[f.Path] || strings.Count(f.Path, "/") > 4 {
			continue
		}
		have[f.Path] = true
		if !plain && r.IntN(3) == 0 {
			f.Uid, f.Gid = uint32(r.IntN(3)), uint32(r.IntN(3000))
		}
		perm := []uint32{0o644, 0o600, 0o755, 0o444, 0o4755, 0o1777}[r.IntN(6)]
		switch kind := r.IntN(10); {
		case isDir:
			f.Mode = syscall.S_IFDIR | perm | 0o500
			dirs = append(dirs, f.Path)
		case kind == 0 && !plain:
			f.Mode = syscall.S_IFIFO | 0o600
		case kind < 3:
			f.Mode = syscall.S_IFLNK | 0o777
			f.Text = []string{"a", "../d", "/e/f", "none", "l", "d/../a"}[r.IntN(6)]
		case kind < 5 && !plain && len(regular) > 0:
			f.Same = regular[r.IntN(len(regular))]
		default:
			f.Mode = syscall.S_IFREG | perm
			size := []int{0, 1, 4095, 4096, 4097, 70_000, r.IntN(300)}[r.IntN(7)]
			f.Text = strings.Repeat(fmt.Sprint(i), size)[:size]
			regular = append(regular, f.Path)
		}
		files = append(files, f)
	}
	return files
}

// Grow makes the files on a system.
func Grow(t testing.TB, s Sys, files []File) {
	t.Helper()
	old := s.Umask(0)
	defer s.Umask(old)
	ok := func(f File, what string, e syscall.Errno) {
		if e != 0 {
			t.Fatalf("%s %s: %v", what, f.Path, e)
		}
	}
	for _, f := range files {
		switch {
		case f.Same != "":
			ok(f, "link", s.Linkat(cwd, "/"+f.Same, cwd, "/"+f.Path, 0))
			continue
		case f.Mode&syscall.S_IFMT == syscall.S_IFDIR:
			ok(f, "mkdir", s.Mkdirat(cwd, "/"+f.Path, 0o700))
		case f.Mode&syscall.S_IFMT == syscall.S_IFLNK:
			ok(f, "symlink", s.Symlinkat(f.Text, cwd, "/"+f.Path))
		default:
			ok(f, "mknod", s.Mknodat(cwd, "/"+f.Path, f.Mode, 0))
		}
		if f.Mode&syscall.S_IFMT == syscall.S_IFREG && f.Text != "" {
			fd, e := s.Openat(cwd, "/"+f.Path, syscall.O_WRONLY, 0)
			ok(f, "open", e)
			n, e := s.Write(fd, []byte(f.Text))
			ok(f, "write", e)
			ok(f, "close", s.Close(fd))
			if n != len(f.Text) {
				t.Fatalf("%s: wrote %d bytes of %d", f.Path, n, len(f.Text))
			}
		}
		ok(f, "chown", s.Fchownat(cwd, "/"+f.Path, int(f.Uid), int(f.Gid), nofollow))
		if f.Mode&syscall.S_IFMT != syscall.S_IFLNK {
			ok(f, "chmod", s.Fchmodat(cwd, "/"+f.Path, f.Mode&0o7777, 0))
		}
	}
	for i := len(files) - 1; i >= 0; i-- { // directories after what is in them
		if f := files[i]; f.Same == "" {
			ts := [2]syscall.Timespec{{Sec: f.Mtime}, {Sec: f.Mtime}}
			ok(f, "utimensat", s.Utimensat(cwd, "/"+f.Path, &ts, nofollow))
		}
	}
	root := [2]syscall.Timespec{{}, {}}
	ok(File{}, "utimensat /", s.Utimensat(cwd, "/", &root, 0))
}

// Pack makes an archive of the files.
func Pack(t testing.TB, files []File) *archive.FS {
	t.Helper()
	root := &archive.Node{Mode: syscall.S_IFDIR | 0o755, Children: map[string]*archive.Node{}}
	nodes := map[string]*archive.Node{".": root}
	for _, f := range files {
		n := nodes[f.Same]
		if n == nil {
			n = &archive.Node{Mode: f.Mode, Uid: f.Uid, Gid: f.Gid, Sec: f.Mtime, Children: map[string]*archive.Node{}}
			switch f.Mode & syscall.S_IFMT {
			case syscall.S_IFLNK:
				n.Target = f.Text
			case syscall.S_IFREG:
				n.Size = int64(len(f.Text))
				n.Contents = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(f.Text)), nil }
			}
		}
		nodes[f.Path] = n
		nodes[path.Dir(f.Path)].Children[path.Base(f.Path)] = n
	}
	l, err := archive.NewLayout(root)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() != int(l.Size()) {
		t.Fatalf("an archive of %d bytes, laid out for %d", b.Len(), l.Size())
	}
	a, err := archive.Open(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// RemoveAll empties the root of a system, whose working directory it is.
func RemoveAll(t testing.TB, s Sys) {
	t.Helper()
	w := newWorld(s)
	said := w.removeAll("/")
	if names := w.names(cwd, "/"); names != "[. 4 .. 4]ok" {
		t.Fatalf("removing all: %s\nthere are %s", said, names)
	}
}
