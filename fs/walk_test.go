package fs_test

import (
	"strings"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

func tree(t testing.TB, layout ...string) *fs.VFS {
	v := fs.New(tmpfs.New(tmpfs.Limits{}), fs.MountOptions{})
	lay(t, v, layout...)
	return v
}

const (
	noent       = "[no such file or directory]"
	notdir      = "[not a directory]"
	loop        = "[too many levels of symbolic links]"
	nametoolong = "[file name too long]"
	inval       = "[invalid argument]"
)

func TestWalk(t *testing.T) {
	v := tree(t, "d/", "d/e/", "d/e/f", "g", "abs => /d/e", "rel => d/e", "d/up => ../g", "d/e/sib => f",
		"chain => rel", "slashed => d/", "none => nowhere", "self => self", "dot => .", "file => g",
		"d/rooted => /../../g", "d/e/far => ../../d/e/../e/f", "\xff\xfe/", "\xff\xfe/a b\n")
	for _, c := range []struct {
		path, want string
		nofollow   string // what a walk that does not follow the last link finds; "" if the same
	}{
		{"/", "/", ""},
		{"//", "/", ""},
		{".", "/", ""},
		{"", noent, ""},
		{"/..", "/", ""},
		{"../../d", "/d", ""},
		{"d//e///f", "/d/e/f", ""},
		{"d/./e/../e/f", "/d/e/f", ""},
		{"d/e/", "/d/e", ""},
		{"d/e//", "/d/e", ""},
		{"d/e/.", "/d/e", ""},
		{"d/e/..", "/d", ""},
		{"g/", notdir, ""},
		{"g/.", notdir, ""},
		{"g/..", notdir, ""},
		{"g/x", notdir, ""},
		{"none/x", noent, ""},
		{"x", noent, ""},
		{"x/", noent, ""},
		{"x/..", noent, ""},
		{"abs", "/d/e", "/abs"},
		{"abs/", "/d/e", "/d/e"},
		{"abs/f", "/d/e/f", ""},
		{"rel/f", "/d/e/f", ""},
		{"abs/..", "/d", ""},
		{"chain", "/d/e", "/chain"},
		{"chain/sib", "/d/e/f", "/d/e/sib"},
		{"d/up", "/g", "/d/up"},
		{"d/up/", notdir, notdir},
		{"slashed", "/d", "/slashed"},
		{"none", noent, "/none"},
		{"none/", noent, noent},
		{"self", loop, "/self"},
		{"self/x", loop, ""},
		{"dot/dot/dot/g", "/g", ""},
		{"file", "/g", "/file"},
		{"file/", notdir, notdir},
		{"d/rooted", "/g", "/d/rooted"},
		{"d/e/far", "/d/e/f", "/d/e/far"},
		{"\xff\xfe/a b\n", "/\xff\xfe/a b\n", ""},
		{"a\x00b", inval, ""},
		{strings.Repeat("n", 255), noent, ""},
		{strings.Repeat("n", 256), nametoolong, ""},
		{"d/" + strings.Repeat("n", 256) + "/x", nametoolong, ""},
		{strings.Repeat("/", 4095), "/", ""},
		{strings.Repeat("/", 4096), nametoolong, ""},
	} {
		if got := path(v, fs.Base{}, c.path, true); got != c.want {
			t.Errorf("%.40q: %s, want %s", c.path, got, c.want)
		}
		want := c.nofollow
		if want == "" {
			want = c.want
		}
		if got := path(v, fs.Base{}, c.path, false); got != want {
			t.Errorf("%.40q without following: %s, want %s", c.path, got, want)
		}
	}
}

func TestLinksInOneWalk(t *testing.T) {
	v := tree(t, "end", "l0 => end")
	for i := 1; i < 41; i++ {
		lay(t, v, "l"+itoa(i)+" => l"+itoa(i-1))
	}
	if got := path(v, fs.Base{}, "l39", true); got != "/end" {
		t.Errorf("40 links: %s", got)
	}
	if got := path(v, fs.Base{}, "l40", true); got != loop {
		t.Errorf("41 links: %s", got)
	}
}

func TestBase(t *testing.T) {
	v := tree(t, "jail/", "jail/d/", "jail/d/f", "jail/out => ../../x", "jail/abs => /d/f", "x", "f")
	jail, d, f := dir(t, v, "/jail"), dir(t, v, "/jail/d"), dir(t, v, "/f")
	for _, c := range []struct {
		base       fs.Base
		path, want string
	}{
		{fs.Base{Dir: d}, "f", "/jail/d/f"},
		{fs.Base{Dir: d}, "..", "/jail"},
		{fs.Base{Dir: d}, "/f", "/f"},
		{fs.Base{Dir: d}, "../../x", "/x"},
		{fs.Base{Root: jail, Dir: d}, "../../../d", "/jail/d"},
		{fs.Base{Root: jail, Dir: d}, "../out", noent},
		{fs.Base{Root: jail, Dir: jail}, "abs", "/jail/d/f"},
		{fs.Base{Root: jail}, "/d/f", "/jail/d/f"},
		{fs.Base{Dir: f}, "x", notdir},
		{fs.Base{Dir: f}, ".", notdir},
		{fs.Base{Dir: f}, "/x", "/x"},
	} {
		if got := path(v, c.base, c.path, true); got != c.want {
			t.Errorf("%q: %s, want %s", c.path, got, c.want)
		}
	}
	if p, err := v.Path(jail, d); p != "/d" || err != nil {
		t.Errorf("path in the jail: %q, %v", p, err)
	}
	if _, err := v.Path(d, jail); err == nil {
		t.Error("a path leads from a directory to its parent")
	}
}

func TestPathFollowsRenames(t *testing.T) {
	v := tree(t, "a/", "a/b/", "a/b/c/", "z/")
	c := dir(t, v, "a/b/c")
	check := func(want string) {
		t.Helper()
		p, err := v.Path(nil, c)
		if err != nil {
			p = "[" + err.Error() + "]"
		}
		if p != want {
			t.Errorf("path %s, want %s", p, want)
		}
	}
	check("/a/b/c")
	rename := func(from, to string) {
		t.Helper()
		if err := v.Rename(fs.Base{}, from, fs.Base{}, to, 0); err != nil {
			t.Fatal(err)
		}
	}
	rename("a/b", "z/"+strings.Repeat("long", 60))
	check("/z/" + strings.Repeat("long", 60) + "/c")
	rename("z", "y")
	rename("y/"+strings.Repeat("long", 60), "b")
	check("/b/c")
	if err := v.Rmdir(fs.Base{}, "b/c"); err != nil {
		t.Fatal(err)
	}
	check(noent)
	if got := path(v, fs.Base{Dir: c}, "..", true); got != "/b" {
		t.Errorf("the parent of a removed directory: %s", got)
	}
	if err := v.Mkdir(fs.Base{Dir: c}, "x", 0o755, 0); err == nil {
		t.Error("a directory was made in one that is removed")
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// FuzzWalk compares the walk with a simple model of it.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{"d/e/f", "/..//d/./up/", "loop/x", "d/e/link/../f", "\x00", "abs/abs2", strings.Repeat("d/../", 900)} {
		f.Add(s)
	}
	v := tree(f, "d/", "d/e/", "d/e/f", "abs => /d/e", "d/e/link => ../../abs/", "loop => d/../loop", "g", "d/up => ../g")
	m := model{"/": "d", "/d": "d", "/d/e": "d", "/d/e/f": "f", "/abs": "l/d/e", "/d/e/link": "l../../abs/", "/loop": "ld/../loop", "/g": "f", "/d/up": "l../g"}
	f.Fuzz(func(t *testing.T, p string) {
		for _, follow := range []bool{true, false} {
			if got, want := path(v, fs.Base{}, p, follow), m.walk(p, follow); got != want {
				t.Errorf("%q, follow %v: %s, want %s", p, follow, got, want)
			}
		}
	})
}

// model is a tree by its paths: "d" for a directory, "f" a file, "lTEXT" a link.
type model map[string]string

func (m model) walk(p string, follow bool) string {
	switch {
	case p == "":
		return noent
	case len(p) >= 4096:
		return nametoolong
	case strings.Contains(p, "\x00"):
		return inval
	}
	at, links := "", 0
	todo := strings.Split(p, "/")
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = at[:max(0, strings.LastIndex(at, "/"))]
			continue
		}
		if len(name) > 255 {
			return nametoolong
		}
		next := at + "/" + name
		kind := m[next]
		if kind == "" {
			return noent
		}
		if text, ok := strings.CutPrefix(kind, "l"); ok && (follow || len(todo) > 0) {
			if links++; links > 40 {
				return loop
			}
			if text[0] == '/' {
				at = ""
			}
			todo = append(strings.Split(text, "/"), todo...)
			continue
		}
		at = next
		if kind == "f" && len(todo) > 0 {
			return notdir
		}
	}
	if at == "" {
		return "/"
	}
	return at
}
