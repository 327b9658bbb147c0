package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func whats(found []difference) (names []string) {
	for _, d := range found {
		names = append(names, d.what)
	}
	return names
}

// TestCompare: each thing that is compared is found, and by itself.
func TestCompare(t *testing.T) {
	p := &program{ignored: []string{"cache"}, volatiles: []string{"*.db"}}
	var err error
	if p.masks, err = maskNamed("port"); err != nil {
		t.Fatal(err)
	}
	linux := func() *record {
		return &record{
			Steps: []outcome{{"on localhost:1234\n", "", 0}, {"", "no\n", 1}},
			Tree: map[string]entry{
				"a":       {Mode: 0o644, Size: 1, Sum: "1", Text: "x"},
				"d":       {Mode: fs.ModeDir | 0o755},
				"l":       {Mode: fs.ModeSymlink | 0o777, Target: "a"},
				"x.db":    {Mode: 0o600, Size: 1, Sum: "1"},
				"cache":   {Mode: fs.ModeDir | 0o755},
				"cache/f": {Mode: 0o644, Sum: "1"},
			},
		}
	}
	for _, c := range []struct {
		change func(*record)
		want   []string
		text   string
	}{
		{func(r *record) {}, nil, ""},
		{func(r *record) { r.Steps[0].Stdout = "on localhost:99\n" }, nil, ""},
		{func(r *record) { r.Steps[0].Stdout = "at localhost:1234\n" }, []string{"1.stdout"}, "line 1"},
		{func(r *record) { r.Steps[0].Stdout += "more\n" }, []string{"1.stdout"}, "more"},
		{func(r *record) { r.Steps[1].Stderr = "" }, []string{"2.stderr"}, "no"},
		{func(r *record) { r.Steps[1].Status = 2 }, []string{"2.status"}, "1 on Linux, 2 in the guest"},
		{func(r *record) { r.Tree["a"] = entry{Mode: 0o644, Size: 1, Sum: "2", Text: "y"} }, []string{"tree"}, `a: line 1: "x"`},
		{func(r *record) { r.Tree["a"] = entry{Mode: 0o644, Size: 1, Sum: "2"} }, []string{"tree"}, "other contents"},
		{func(r *record) { r.Tree["a"] = entry{Mode: 0o600, Size: 1, Sum: "1", Text: "x"} }, []string{"tree"}, "-rw-r--r--"},
		{func(r *record) { r.Tree["l"] = entry{Mode: fs.ModeSymlink | 0o777, Target: "b"} }, []string{"tree"}, "leads to"},
		{func(r *record) { delete(r.Tree, "d") }, []string{"tree"}, "d is on Linux only"},
		{func(r *record) { r.Tree["new"] = entry{} }, []string{"tree"}, "new is in the guest only"},
		{func(r *record) { r.Tree["x.db"] = entry{Mode: 0o600, Size: 2, Sum: "2"} }, nil, ""},
		{func(r *record) { delete(r.Tree, "x.db") }, []string{"tree"}, "x.db"},
		{func(r *record) { delete(r.Tree, "cache/f") }, nil, ""},
		{func(r *record) { r.Failure = "build: it is so" }, []string{"build"}, "it is so"},
		{func(r *record) { r.Failure = "run 1 did not end" }, []string{"end"}, "run 1"},
	} {
		guest := linux()
		c.change(guest)
		found := compare(p, linux(), guest)
		if !slices.Equal(whats(found), c.want) || len(found) > 0 && !strings.Contains(found[0].text, c.text) {
			t.Errorf("got %v, want %v with %q", found, c.want, c.text)
		}
	}
}

// TestMasks: each mask takes out what it is for, and leaves numbers alone that
// a program has computed.
func TestMasks(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"time", "at 2026-11-27T13:14:59.25Z: x", "at …: x"},
		{"time", "2026/11/27 13:14:59 x", "… x"},
		{"time", "Fri Nov 27 13:03:37 UTC 2026", "…"},
		{"time", "10:20 12-13-14", "10:20 12-13-14"},
		{"duration", "took 1.5ms, 3m4s", "took…,…"},
		{"duration", "5 files in 12 ms", "5 files in…"},
		{"duration", "( 65ms) (123ms) padded", "(…) (…) padded"},
		{"duration", "a  5 snow", "a  5 snow"},
		{"port", "http://127.0.0.1:43210/x", "http://…/x"},
		{"pid", "[123] pid 99", "… …"},
		{"temp", "open /tmp/go-build12/x: no", "open …: no"},
		{"address", "at 0xc000012340", "at …"},
		{"seconds", "1700000000 12345", "… 12345"},
		{"/a+/", "caab", "c…b"},
	} {
		m, err := maskNamed(c.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := masked(c.text, m); got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.name, c.text, got, c.want)
		}
	}
}

// TestSnapshot: a tree that is laid is described as it is.
func TestSnapshot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	files := []file{{"a/b.txt", []byte("text\n")}, {"bin", []byte{0, 1}}}
	for range 2 { // the second lays it anew
		if err := lay(dir, files); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("bin", filepath.Join(dir, "l")); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := snapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b := tree["a/b.txt"]; b.Text != "text\n" || b.Size != 5 || b.Sum == "" {
		t.Errorf("a/b.txt: %+v", b)
	}
	if b := tree["bin"]; b.Text != "" || b.Size != 2 || b.Sum == tree["a/b.txt"].Sum {
		t.Errorf("bin: %+v", b)
	}
	if tree["l"].Target != "bin" || !tree["a"].Mode.IsDir() || len(tree) != 4 {
		t.Errorf("got %+v", tree)
	}
	for _, name := range []string{"../x", "/x"} {
		if err := lay(dir, []file{{name: name}}); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}
