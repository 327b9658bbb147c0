package main

import (
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestList: what the command carries can be read, and holds together.
func TestList(t *testing.T) {
	l, err := readList()
	if err != nil {
		t.Fatal(err)
	}
	if len(l.programs) < 40 || len(l.suites) < 25 {
		t.Errorf("%d programs and %d suites", len(l.programs), len(l.suites))
	}
	names := map[string]bool{}
	for _, it := range l.items() {
		name, _, _ := strings.Cut(it.title(), "@")
		if names[name] {
			t.Errorf("%s is listed twice", name)
		}
		names[name] = true
	}
	for _, p := range l.programs {
		if path.Base(p.name) != p.name {
			t.Errorf("%s: no name for an image", p.name)
		}
		made := []string{"/dev/null"}
		for _, f := range p.files {
			made = append(made, f.name)
		}
		for i, s := range p.steps {
			if s.stdout != "" {
				made = append(made, s.stdout)
			}
			if s.stdin != "" && !slices.Contains(made, s.stdin) {
				t.Errorf("%s: run %d reads %s, which is not there", p.name, i+1, s.stdin)
			}
		}
	}
	for _, r := range l.reasons {
		if !names[r.item] {
			t.Errorf("reasons.txt: no item %s", r.item)
		}
	}
}

func TestParseProgram(t *testing.T) {
	p, err := parseProgram("x", []byte(`# a comment
does things
module example.com/m@v1.2.3
package example.com/m/cmd/x
memory 512M
limit 3m
env A=b c
mask time
mask /x+y/
volatile *.db
run -a 'b c' "" d"e f" <in >out/put
fail -
-- a/in.txt --
# not a comment

-- not a file
-- src/x.go --
`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.steps, []step{{args: []string{"-a", "b c", "", "de f"}, stdin: "in", stdout: "out/put"}, {fails: true}}; !reflect.DeepEqual(got, want) {
		t.Errorf("steps %+v, want %+v", got, want)
	}
	if want := []file{{"a/in.txt", []byte("# not a comment\n\n-- not a file\n")}, {name: "src/x.go"}}; !reflect.DeepEqual(p.files, want) {
		t.Errorf("files %q, want %q", p.files, want)
	}
	if p.memory != "512M" || p.limit.Minutes() != 3 || !slices.Equal(p.env, []string{"A=b c"}) || len(p.masks) != len(masks["time"])+1 {
		t.Errorf("got %+v", p)
	}
	for text, want := range map[string]string{
		"does x":                     "want lines",
		"does x\nmodule m@v1\nrun x": "src/main.go",
		"does x\nmodule m@v1\nrun x\npackage m\n-- src/main.go --": "src/main.go",
		"module m":     "PATH@VERSION",
		"run 'x":       "open at the end",
		"nonsense x":   "no such line",
		"mask nothing": "/REGEXP/",
		"mask /(/":     "missing closing",
		"limit soon":   "duration",
		"volatile [":   "syntax error",
		"does":         "nothing follows",
	} {
		if _, err := parseProgram("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestParseSuite(t *testing.T) {
	s, err := parseSuite(`example.com/m@v1 ./a ./b/... -short -skip 'A|B' memory:2G env:A=b:c limit:90s`)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"-short", "-skip", "A|B"}; !slices.Equal(s.flags, want) || !slices.Equal(s.packages, []string{"./a", "./b/..."}) || s.memory != "2G" || s.limit.Seconds() != 90 || !slices.Equal(s.env, []string{"A=b:c"}) {
		t.Errorf("got %+v", s)
	}
	if s, err = parseSuite("example.com/m@v1 -short"); err != nil || !slices.Equal(s.flags, []string{"-short"}) || !slices.Equal(s.packages, []string{"./..."}) {
		t.Errorf("got %+v, %v", s, err)
	}
	if _, err := parseSuite("example.com/m"); err == nil {
		t.Error("no version, and no error")
	}
	if _, err := parseSuite("example.com/m@v1 env:A"); err == nil {
		t.Error("a variable without a value, and no error")
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"tree", "tree", true}, {"tree", "trees", false}, {"*", "", true},
		{".pkg.*", ".pkg.TestA", true}, {".pkg.*", ".pk.TestA", false}, {"*.TestA", "./b.TestA", true},
		{"a*b*c", "aXbYc", true}, {"a*b*c", "aXcYb", false}, {"ab*ba", "aba", false}, {"a*b*a", "aba", true},
	} {
		if got := like(c.pattern, c.name); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.name, got)
		}
	}
}
