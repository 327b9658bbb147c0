package image

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs/archive"
)

// lay makes files: "d/" is a directory, "a => b" a link, "f: text" a file.
func lay(t *testing.T, dir string, layout ...string) string {
	t.Helper()
	for _, line := range layout {
		var err error
		if name, to, ok := strings.Cut(line, " => "); ok {
			err = os.Symlink(to, filepath.Join(dir, name))
		} else if name, ok := strings.CutSuffix(line, "/"); ok {
			err = os.Mkdir(filepath.Join(dir, name), 0o755)
		} else {
			name, text, _ := strings.Cut(line, ": ")
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func packRoot(t *testing.T, r *Root) []byte {
	t.Helper()
	l, err := r.Layout()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func rootOf(t *testing.T, sources ...Source) *Root {
	t.Helper()
	r, err := NewRoot(filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if err := r.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// filesOf is a line for each file in an archive.
func filesOf(t *testing.T, b []byte) string {
	t.Helper()
	f, err := archive.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	err = fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := d.Info()
		if err != nil {
			return err
		}
		st := i.Sys().(*syscall.Stat_t)
		fmt.Fprintf(&list, "%s %v %d:%d %d", name, i.Mode(), st.Uid, st.Gid, i.ModTime().Unix())
		if !i.IsDir() {
			fmt.Fprintf(&list, " links %d", st.Nlink)
		}
		switch {
		case i.Mode().IsRegular():
			data, err := fs.ReadFile(f, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(&list, " %q", data)
		case i.Mode()&fs.ModeSymlink != 0:
			to, err := f.ReadLink(name)
			if err != nil {
				return err
			}
			list.WriteString(" => " + to)
		}
		list.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}

// TestRoot: directories of several sources are merged, files of the later ones win;
// attributes, links and names are kept.
func TestRoot(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	one := lay(t, t.TempDir(), "d/", "d/a: one", "d/b: one", "empty/", "l => d/a", "run: x")
	two := lay(t, t.TempDir(), "b: two", "c: two")
	if err := os.Link(filepath.Join(one, "d/a"), filepath.Join(one, "again")); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{".": 0o700, "run": 0o755 | os.ModeSetuid, "empty": 0o777 | os.ModeSticky} {
		if err := os.Chmod(filepath.Join(one, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(two, 0o750); err != nil {
		t.Fatal(err)
	}
	got := filesOf(t, packRoot(t, rootOf(t, Source{one, "/"}, Source{two, "/d"}, Source{filepath.Join(two, "c"), "/etc/new/name"})))
	want := `. drwx------ 0:0 0
again -rw-r--r-- 0:0 0 links 2 "one"
d drwxr-x--- 0:0 0
d/a -rw-r--r-- 0:0 0 links 2 "one"
d/b -rw-r--r-- 0:0 0 links 1 "two"
d/c -rw-r--r-- 0:0 0 links 1 "two"
empty dtrwxrwxrwx 0:0 0
etc drwxr-xr-x 0:0 0
etc/new drwxr-xr-x 0:0 0
etc/new/name -rw-r--r-- 0:0 0 links 1 "two"
l Lrwxrwxrwx 0:0 0 links 1 => d/a
run urwxr-xr-x 0:0 0 links 1 "x"
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestRootIsReproducible: the same files give the same bytes, in another directory, on
// another day, in another order of making.
func TestRootIsReproducible(t *testing.T) {
	for _, epoch := range []string{"", "1000000000"} {
		t.Setenv("SOURCE_DATE_EPOCH", epoch)
		one := lay(t, t.TempDir(), "d/", "d/a: a", "d/b: b", "c => d", "e/")
		two := lay(t, t.TempDir(), "e/", "c => d", "d/", "d/b: b", "d/a: a")
		old := time.Unix(500_000_000, 0)
		for _, dir := range []string{one, two} {
			if err := os.Chtimes(filepath.Join(dir, "d/a"), old, old); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(filepath.Join(two, "d/b"), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		a, b := packRoot(t, rootOf(t, Source{one, "/"})), packRoot(t, rootOf(t, Source{two, "/"}))
		if !bytes.Equal(a, b) {
			t.Errorf("SOURCE_DATE_EPOCH=%s:\n%sand\n%s", epoch, filesOf(t, a), filesOf(t, b))
		}
		want := "d/a -rw-r--r-- 0:0 0 links"
		if epoch != "" {
			want = "d/a -rw-r--r-- 0:0 500000000 links"
		}
		if !strings.Contains(filesOf(t, a), want) {
			t.Errorf("SOURCE_DATE_EPOCH=%s:\n%swithout %s", epoch, filesOf(t, a), want)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, err := NewRoot(""); err == nil {
		t.Error("SOURCE_DATE_EPOCH=yesterday: no error")
	}
}

// TestRootLeavesOut: what cannot be in an image, and the image itself.
func TestRootLeavesOut(t *testing.T) {
	dir := lay(t, t.TempDir(), "app: an older image", "f: text")
	s, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := NewRoot(filepath.Join(dir, "app"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add(Source{dir, "/"}); err != nil {
		t.Fatal(err)
	}
	got := filesOf(t, packRoot(t, r))
	if strings.Contains(got, "app") || strings.Contains(got, "socket") || !strings.Contains(got, "\nf ") || !strings.Contains(got, "\nfifo p") {
		t.Error(got)
	}
	if len(r.Notes) != 2 {
		t.Errorf("notes: %q", r.Notes)
	}
}

func TestRootErrors(t *testing.T) {
	dir := lay(t, t.TempDir(), "d/", "d/f: f", "f: text")
	other := lay(t, t.TempDir(), "d: a file", "f/")
	for what, sources := range map[string][]Source{
		"nothing":                     {{filepath.Join(dir, "none"), "/"}},
		"a file as the root":          {{filepath.Join(dir, "f"), "/"}},
		"a file over a directory":     {{dir, "/"}, {filepath.Join(other, "d"), "/d"}},
		"files and directories":       {{dir, "/"}, {other, "/"}},
		"a directory below a file":    {{dir, "/"}, {dir, "/f/g"}},
		"a directory in place of one": {{filepath.Join(dir, "f"), "/x"}, {dir, "/x"}},
	} {
		r, err := NewRoot("")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sources {
			if err == nil {
				err = r.Add(s)
			}
		}
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	r := rootOf(t, Source{dir, "/"})
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("longer text"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := r.Layout()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("a file that was changed: %v", err)
	}
}

// TestRootWithoutRemains: what a killed build has left beside the image is not part of a root
// that the image is in.
func TestRootWithoutRemains(t *testing.T) {
	dir := t.TempDir()
	layOut(t, dir, map[string]string{".app.yolk-12/image": "left", "keep": "x"})
	r, err := NewRoot(dir + "/app")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add(Source{Host: dir, Path: "/"}); err != nil {
		t.Fatal(err)
	}
	if n := r.tree.Children; len(n) != 1 || n["keep"] == nil {
		t.Errorf("in the root: %v", n)
	}
}
