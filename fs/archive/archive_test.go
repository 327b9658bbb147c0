package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	gofstest "testing/fstest"
)

func dir(mode uint32) *Node {
	return &Node{Mode: syscall.S_IFDIR | mode, Children: map[string]*Node{}}
}

func text(s string) *Node {
	return &Node{Mode: syscall.S_IFREG | 0o644, Size: int64(len(s)), Contents: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(s)), nil
	}}
}

func pack(t testing.TB, root *Node) []byte {
	t.Helper()
	l, err := NewLayout(root)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	if uint64(b.Len()) != l.Size() {
		t.Fatalf("%d bytes, laid out for %d", b.Len(), l.Size())
	}
	return b.Bytes()
}

func tree() *Node {
	root := dir(0o755)
	d := dir(0o1777)
	d.Uid, d.Gid, d.Sec, d.Nsec = 1, 2, -3, 4
	f := text("two names")
	root.Children["d"], d.Children["f"], root.Children["g"] = d, f, f
	d.Children["empty"] = dir(0o700)
	d.Children["none"] = text("")
	d.Children["large"] = text(strings.Repeat("large", 20_000))
	root.Children["\xff odd\nname"] = text("odd")
	root.Children["null"] = &Node{Mode: syscall.S_IFCHR | 0o666, Rdev: 0x103}
	root.Children["fifo"] = &Node{Mode: syscall.S_IFIFO | 0o600}
	root.Children["link"] = &Node{Mode: syscall.S_IFLNK | 0o777, Target: "d/f"}
	return root
}

// TestFields: each field of a file is told as it was put in.
func TestFields(t *testing.T) {
	b := pack(t, tree())
	if !bytes.Equal(b, pack(t, tree())) {
		t.Error("the same tree gives other bytes")
	}
	f, err := Open(append(b, "behind it"...))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	err = fs.WalkDir(f, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := f.Lstat(path)
		if err != nil {
			return err
		}
		st := i.Sys().(*syscall.Stat_t)
		line := fmt.Sprintf("%q %v %o owner %d:%d nlink %d size %d time %d.%d rdev %#x", path, i.Mode(), st.Mode, st.Uid, st.Gid, st.Nlink, i.Size(), st.Mtim.Sec, st.Mtim.Nsec, st.Rdev)
		if i.Mode().IsRegular() {
			data, err := fs.ReadFile(f, path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %.10q", data)
		}
		if i.Mode()&fs.ModeSymlink != 0 {
			to, err := f.ReadLink(path)
			if err != nil {
				return err
			}
			line += " " + to
		}
		got += line + "\n"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `"." drwxr-xr-x 40755 owner 0:0 nlink 3 size 96 time 0.0 rdev 0x0
"d" dtrwxrwxrwx 41777 owner 1:2 nlink 3 size 64 time -3.4 rdev 0x0
"d/empty" drwx------ 40700 owner 0:0 nlink 2 size 0 time 0.0 rdev 0x0
"d/f" -rw-r--r-- 100644 owner 0:0 nlink 2 size 9 time 0.0 rdev 0x0 "two names"
"d/large" -rw-r--r-- 100644 owner 0:0 nlink 1 size 100000 time 0.0 rdev 0x0 "largelarge"
"d/none" -rw-r--r-- 100644 owner 0:0 nlink 1 size 0 time 0.0 rdev 0x0 ""
"fifo" prw------- 10600 owner 0:0 nlink 1 size 0 time 0.0 rdev 0x0
"g" -rw-r--r-- 100644 owner 0:0 nlink 2 size 9 time 0.0 rdev 0x0 "two names"
"link" Lrwxrwxrwx 120777 owner 0:0 nlink 1 size 3 time 0.0 rdev 0x0 d/f
"null" Dcrw-rw-rw- 20666 owner 0:0 nlink 1 size 0 time 0.0 rdev 0x103
"\xff odd\nname" -rw-r--r-- 100644 owner 0:0 nlink 1 size 3 time 0.0 rdev 0x0 "odd"
`
	if got != want {
		t.Errorf("the tree is\n%swant\n%s", got, want)
	}
	a, _ := f.Lstat("d/f")
	c, _ := f.Lstat("g")
	if a.Sys().(*syscall.Stat_t).Ino != c.Sys().(*syscall.Stat_t).Ino {
		t.Error("two names of a file have other numbers")
	}
}

// TestFS runs the tests of io/fs on it.
func TestFS(t *testing.T) {
	root := dir(0o755)
	root.Children["d"] = dir(0o755)
	root.Children["d"].Children["f"] = text("text")
	root.Children["g"] = text("more")
	f, err := Open(pack(t, root))
	if err != nil {
		t.Fatal(err)
	}
	if err := gofstest.TestFS(f, "d/f", "g"); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]error{
		"none": fs.ErrNotExist, "d/none": fs.ErrNotExist, "g/x": syscall.ENOTDIR, "d/": nil, "": fs.ErrInvalid,
	} {
		if _, err := f.Lstat(path); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", path, err, want)
		}
	}
}

// TestManyFiles has 100,000 files in one directory, and a deep one.
func TestManyFiles(t *testing.T) {
	root := dir(0o755)
	for i := range 100_000 {
		root.Children[fmt.Sprint("file", i)] = text(fmt.Sprint(i))
	}
	deep, path := root, "."
	for range 500 {
		next := dir(0o755)
		deep.Children["d"], deep = next, next
		path += "/d"
	}
	f, err := Open(pack(t, root))
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.ReadDir(".")
	if err != nil || len(list) != 100_001 || f.Files() != 100_501 {
		t.Errorf("%d entries, %d files, %v", len(list), f.Files(), err)
	}
	for _, i := range []int{0, 1, 99_999, 12_345} {
		if data, err := fs.ReadFile(f, fmt.Sprint("file", i)); string(data) != fmt.Sprint(i) {
			t.Errorf("file %d: %q, %v", i, data, err)
		}
	}
	if i, err := f.Lstat(path[2:]); err != nil || !i.IsDir() {
		t.Errorf("500 directories deep: %v", err)
	}
}

func TestLayoutErrors(t *testing.T) {
	cycle := dir(0o755)
	cycle.Children["d"] = cycle
	for what, root := range map[string]*Node{
		"a file": text(""), "a directory in itself": cycle,
		"slash": {Mode: syscall.S_IFDIR, Children: map[string]*Node{"a/b": text("")}},
		"dots":  {Mode: syscall.S_IFDIR, Children: map[string]*Node{"..": text("")}},
		"empty": {Mode: syscall.S_IFDIR, Children: map[string]*Node{"": text("")}},
		"long":  {Mode: syscall.S_IFDIR, Children: map[string]*Node{strings.Repeat("n", 256): text("")}},
		"link":  {Mode: syscall.S_IFDIR, Children: map[string]*Node{"l": {Mode: syscall.S_IFLNK, Target: strings.Repeat("n", 4096)}}},
	} {
		if _, err := NewLayout(root); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	short := text("text")
	short.Size = 5
	root := dir(0o755)
	root.Children["f"] = short
	l, err := NewLayout(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(io.Discard); err == nil {
		t.Error("a file that has become shorter: no error")
	}
}

// look asks for everything that an archive has, as far as it goes.
func look(f *FS) {
	buf := make([]byte, 1000)
	seen := 0
	var walk func(path string, depth int)
	walk = func(path string, depth int) {
		if seen++; seen > 2000 || depth > 10 {
			return // a directory may be in itself
		}
		i, err := f.Lstat(path)
		if err != nil {
			return
		}
		i.Sys()
		i.Mode()
		i.ModTime()
		f.ReadLink(path)
		if o, err := f.Open(path); err == nil {
			o.Read(buf)
			if r, ok := o.(io.ReaderAt); ok {
				r.ReadAt(buf, i.Size()-1)
				r.ReadAt(buf, i.Size())
			}
			o.Close()
		}
		f.Lstat(path + "/none")
		list, _ := f.ReadDir(path)
		for _, e := range list {
			e.Info()
			if path == "." {
				walk(e.Name(), depth+1)
			} else {
				walk(path+"/"+e.Name(), depth+1)
			}
		}
	}
	walk(".", 0)
}

// TestDamaged: no change of any byte is more than an error.
func TestDamaged(t *testing.T) {
	good := pack(t, tree())
	r := rand.New(rand.NewPCG(1, 2))
	tables := 2000 // bytes, in which head, inodes, entries and names lie
	for range 5_000 {
		b := bytes.Clone(good[:min(len(good), 4096)])
		for range 1 + r.IntN(4) {
			b[r.IntN(min(tables, len(b)))] = []byte{0, 1, 0x7f, 0x80, 0xff, byte(r.Uint32())}[r.IntN(6)]
		}
		if r.IntN(4) == 0 {
			b = b[:r.IntN(len(b)+1)]
		} else {
			b = append(b, good[min(len(good), 4096):]...)
		}
		if f, err := Open(b); err == nil {
			look(f)
		} else if !errors.Is(err, ErrBad) {
			t.Fatal(err)
		}
	}
}

// FuzzArchive does the same to archives of the fuzzer's.
func FuzzArchive(f *testing.F) {
	small := dir(0o755)
	small.Children["d"] = dir(0o755)
	small.Children["d"].Children["f"] = text("text")
	small.Children["l"] = &Node{Mode: syscall.S_IFLNK, Target: "d"}
	f.Add(pack(f, small))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := Open(b); err == nil {
			look(a)
		}
	})
}
