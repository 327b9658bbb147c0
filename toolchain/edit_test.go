package toolchain

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestEdits(t *testing.T) {
	const body = "\npackage p\n"
	for _, tt := range []struct {
		name string
		edit Edit
		src  string
		want string // the result, or "error: " and a part of it
	}{
		{"widen", Widen{File: "a.go"}, "// Copyright\n\n//go:build js || wasip1\n" + body,
			"// Copyright\n\n//go:build js || wasip1 || tamago\n" + body},
		{"widen and", Widen{File: "a.go"}, "//go:build linux && amd64\n" + body, "//go:build (linux && amd64) || tamago\n" + body},
		{"widen below a block comment", Widen{File: "a.s"}, "/*\n//go:build x\n*/\n//go:build unix\nTEXT", "/*\n//go:build x\n*/\n//go:build unix || tamago\nTEXT"},
		{"widen true", Widen{File: "a.go"}, "//go:build !windows\n" + body, "error: builds it already"},
		{"widen true for the processor", Widen{File: "a.go"}, "//go:build amd64 && gc && go1.20\n" + body, "error: builds it already"},
		{"widen nothing", Widen{File: "a.go"}, "package p\n//go:build js\n", "error: no //go:build line"},
		{"widen a named file", Widen{File: "a_linux_test.go"}, "//go:build !x\n" + body, "error: limits it to linux"},
		{"widen another processor", Widen{File: "a_arm64.s"}, "//go:build js\n" + body, "error: limits it to arm64"},
		{"widen bad line", Widen{File: "a.go"}, "//go:build (js\n" + body, "error: "},
		{"narrow", Narrow{File: "a.go"}, "//go:build !windows || js\n" + body, "//go:build (!windows || js) && !tamago\n" + body},
		{"narrow a file without line", Narrow{File: "a_linux_x.go"}, "// Copyright\n\npackage p\n", "//go:build !tamago\n\n// Copyright\n\npackage p\n"},
		{"narrow false", Narrow{File: "a.go"}, "//go:build unix\n" + body, "error: does not build it"},
		{"narrow a named file", Narrow{File: "a_windows.go"}, body, "error: limits it to windows"},
		{"replace", Replace{File: "a.go", Old: "p\n", New: "q\n"}, body, "\npackage q\n"},
		{"replace two", Replace{File: "a.go", Old: "b", New: "", Count: 2}, "abcb", "ac"},
		{"replace count", Replace{File: "a.go", Old: "b", New: "c"}, "abcb", "error: occurs 2 times, expected 1"},
		{"replace any", Replace{File: "a.go", Old: "b", New: "", Count: Any}, "abcb", "ac"},
		{"replace any, gone", Replace{File: "a.go", Old: "z", Count: Any}, "abcb", "error: does not occur"},
		{"replace gone", Replace{File: "a.go", Old: "z", New: "c"}, "abcb", "error: occurs 0 times"},
		{"replace empty", Replace{File: "a.go"}, "abcb", "error: nothing to look for"},
		{"take", Take{File: "a_linux.go"}, "// Copyright\n" + body, "//go:build tamago\n\n// Copyright\n" + body},
		{"take for a processor", Take{File: "a/b_linux_amd64.go"}, "//go:build amd64 && linux\n" + body, "//go:build amd64 && tamago\n" + body},
		{"take one of two", Take{File: "a_linux.go"}, "//go:build linux || freebsd\n" + body, "//go:build tamago || freebsd\n" + body},
		{"take what names no system", Take{File: "a_linux.go"}, "//go:build amd64 || arm64\n" + body, "//go:build tamago && (amd64 || arm64)\n" + body},
		{"take another processor's", Take{File: "a_linux.go"}, "//go:build linux && arm64\n" + body, "error: would not build it"},
		{"take with cgo", Take{File: "a_linux.go"}, "//go:build cgo\n" + body, "error: would not build it"},
		{"take what is not limited", Take{File: "a_unix.go"}, "//go:build unix\n" + body, "error: does not limit it to linux"},
		{"take bad line", Take{File: "a_linux.go"}, "//go:build (linux\n" + body, "error: "},
		{"remove", Remove{File: "a.go", Names: []string{"f", "g"}}, "package p\n\n// f is.\nfunc f() {\n\tg()\n}\n\n//go:nosplit\nfunc g()\n\nfunc h() {}\n",
			"package p\n\n\n\n\n\nfunc h() {}\n"},
		{"remove a method", Remove{File: "a.go", Names: []string{"m"}}, "package p\n\nfunc (t *T) m() {}\n\ntype T int\n", "package p\n\n\n\ntype T int\n"},
		{"remove a type", Remove{File: "a.go", Names: []string{"T"}}, "package p\n\n// T is.\ntype T struct{ a int }\n\nvar T2 int\n", "package p\n\n\n\nvar T2 int\n"},
		{"remove of a group", Remove{File: "a.go", Names: []string{"b"}}, "package p\n\nvar (\n\ta int\n\t// b is.\n\tb int\n\tc int\n)\n", "package p\n\nvar (\n\ta int\n\t\n\tc int\n)\n"},
		{"remove one of several in a line", Remove{File: "a.go", Names: []string{"b"}}, "package p\n\nvar a, b int\n", "error: does not declare b"},
		{"remove what is local", Remove{File: "a.go", Names: []string{"b"}}, "package p\n\nfunc f() { var b int }\n", "error: does not declare b"},
		{"remove gone", Remove{File: "a.go", Names: []string{"f", "g", "h"}}, "package p\n\nfunc g() {}\n", "error: does not declare f, h"},
		{"remove of what is no Go", Remove{File: "a.go", Names: []string{"f"}}, "package\n", "error: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.edit.apply([]byte(tt.src))
			if part, ok := strings.CutPrefix(tt.want, "error: "); ok {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Fatalf("got %q, error %v, want error with %q", got, err, part)
				}
				return
			}
			if err != nil || string(got) != tt.want {
				t.Fatalf("got %q, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestTaken tells where Take lays a file: nothing may limit it to another target.
func TestTaken(t *testing.T) {
	for file, want := range map[string]string{
		"src/os/stat_linux.go":         "src/os/stat_tamago.go",
		"src/syscall/z_linux_amd64.go": "src/syscall/z_tamago_amd64.go",
		"src/syscall/x_linux_test.go":  "src/syscall/x_tamago_test.go",
		"src/a_linux/b_linux.go":       "src/a_linux/b_tamago.go",
	} {
		got := Take{File: file}.path()
		if got != want || nameLimit(got) != "" {
			t.Errorf("%s becomes %s, limited to %q, want %s", file, got, nameLimit(got), want)
		}
	}
}

// TestReleases: an edit for some releases is left out for the others.
func TestReleases(t *testing.T) {
	s := fakeStock(t)
	c := fakeContents()
	c.edits = []Edit{
		Before{"go1.27", Replace{File: "src/os/other.go", Old: "package os\n", New: "package os // old\n"}},
		Since{"go1.27", Replace{File: "src/os/other.go", Old: "package os\n", New: "package os // new\n"}},
		Since{"go1.28", Replace{File: "src/os/none.go", Old: "package os\n"}},
	}
	for version, want := range map[string]string{
		"go1.26.8": "package os // old\n", "go1.27rc1": "package os // new\n", "go1.27.0": "package os // new\n", "go1.27.11": "package os // new\n",
	} {
		for _, name := range []string{"VERSION", "src/internal/buildcfg/zbootstrap.go"} {
			file := filepath.Join(s.Root, name)
			write(t, file, strings.ReplaceAll(read(t, file), s.Version, version), 0o644)
		}
		s.Version = version
		files, err := c.render(s, version+"-yolk.test")
		if got := string(files["src/os/other.go"]); err != nil || got != want {
			t.Errorf("%s: %q, %v", version, got, err)
		}
	}
}
