package image

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a program lacks is said in one sentence.
func TestExplain(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	const (
		mod   = "module example.com/m\n\ngo 1.24\n"
		onlyC = "package c\n\nimport \"C\"\n\nfunc F() {}\n"
	)
	for _, tt := range []struct {
		name  string
		files map[string]string
		args  []string
		want  []string // parts of the error
		not   string
		lines int
	}{
		{
			name: "no go.mod", files: map[string]string{"prog/main.go": plain}, args: []string{"./prog"},
			want: []string{"prog: no go.mod here", "go mod init prog", "name the .go files"}, lines: 1,
		},
		{name: "no go.mod and no files", files: map[string]string{"x/y": ""}, args: []string{"./x"}, want: []string{"no Go files in"}, lines: 1},
		{
			name: "no go.mod for an import path", args: []string{"example.com/prog"},
			want: []string{"no go.mod here says which version", "example.com/prog@latest"}, lines: 1,
		},
		{
			name: "newer Go", files: map[string]string{"go.mod": "module example.com/m\n\ngo 1.99\n", "main.go": plain},
			want: []string{"/go.mod wants Go 1.99, and Yolk builds with Go 1.26.8 to 1.27.4: lower"}, lines: 1,
		},
		{
			name:  "newer Go in a workspace",
			files: map[string]string{"go.work": "go 1.99.1\n\nuse ./p\n", "p/go.mod": mod, "p/main.go": plain}, args: []string{"./p"},
			want: []string{"/go.work wants Go 1.99.1, and Yolk builds with Go 1.26.8 to 1.27.4"}, lines: 1,
		},
		{
			name: "newer Go in a replacement",
			files: map[string]string{
				"go.mod":     mod + "\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ./lib\n",
				"lib/go.mod": "module example.com/lib\n\ngo 1.99\n", "lib/lib.go": libGo, "main.go": mainGo,
			},
			want: []string{"wants Go 1.99, and Yolk builds with Go 1.26.8"}, lines: 1,
		},
		{
			name:  "cgo in main alone",
			files: map[string]string{"go.mod": mod, "main.go": "package main\n\nimport \"C\"\n\nfunc main() {}\n"},
			want:  []string{"example.com/m uses cgo, and the guest has no C"}, lines: 1,
		},
		{
			name:  "cgo in a part of main",
			files: map[string]string{"go.mod": mod, "c.go": "package main\n\nimport \"C\"\n\nfunc f() {}\n", "main.go": "package main\n\nfunc main() { f() }\n"},
			want:  []string{"example.com/m uses cgo, and the guest has no C", "main.go:3:15: undefined: f"},
		},
		{
			name:  "cgo in a package",
			files: map[string]string{"go.mod": mod, "c/c.go": onlyC, "main.go": "package main\n\nimport \"example.com/m/c\"\n\nfunc main() { c.F() }\n"},
			want:  []string{"example.com/m/c uses cgo, and the guest has no C"}, lines: 1,
		},
		{
			name: "cgo that is not to blame",
			files: map[string]string{
				"go.mod": mod, "c/c.go": onlyC, "c/other.go": "//go:build !cgo\n\npackage c\n\nfunc F() {}\n",
				"main.go": "package main\n\nimport \"example.com/m/c\"\n\nfunc main() { c.F(); nothing() }\n",
			},
			want: []string{"undefined: nothing"}, not: "cgo",
		},
		{
			name: "an error in another directory", files: map[string]string{"go.mod": mod, "a/b/main.go": "package main\n\nfunc main() { nothing() }\n"},
			args: []string{"./a/b"}, want: []string{"./a/b/main.go:3:15: undefined: nothing"},
		},
		{
			name: "a file of tests", files: map[string]string{"go.mod": mod, "a_test.go": plain}, args: []string{"a_test.go"},
			want: []string{"a_test.go: a file of tests is no program: yolk test"}, lines: 1,
		},
		{
			name: "one beside a program", files: map[string]string{"go.mod": mod, "main.go": plain, "a_test.go": "package main\n"},
			args: []string{"main.go", "a_test.go"}, want: []string{"a_test.go: a file of tests is no program: yolk test"}, lines: 1,
		},
		{
			name: "nothing but tests", files: map[string]string{"go.mod": mod, "t/a_test.go": "package main\n"}, args: []string{"./t"},
			want: []string{"example.com/m/t: no Go files but those of tests in ", "/t: yolk test runs them"}, lines: 1,
		},
		{
			name:  "tests beside files for others",
			files: map[string]string{"go.mod": mod, "a_test.go": "package main\n", "a_windows.go": plain, "b.go": "//go:build ignore\n\n" + plain},
			want:  []string{"example.com/m: build constraints exclude all Go files in ", ": a_windows.go, b.go"}, lines: 1,
		},
		{name: "no such directory", args: []string{"./none"}, want: []string{"./none: no such file"}, lines: 1},
		{name: "no such file", args: []string{"none.go"}, want: []string{"none.go: no such file"}, lines: 1},
		{name: "a file of another kind", files: map[string]string{"text": ""}, args: []string{"./text"}, want: []string{"./text: neither a directory nor a .go file"}, lines: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, tree := hosted(t), t.TempDir()
			b.Toolchain.Version = "go1.26.8-yolk.test"
			// The target has no cgo.
			b.Toolchain.Go = withoutCgo(t, b.Toolchain.Go)
			layOut(t, tree, tt.files)
			t.Chdir(tree)
			p, err := b.Program(context.Background(), tt.args)
			if err == nil {
				err = p.Build(context.Background(), filepath.Join(b.Scratch, "image"))
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in the error", want)
				}
			}
			if tt.not != "" && strings.Contains(err.Error(), tt.not) || tt.lines != 0 && strings.Count(err.Error(), "\n") >= tt.lines {
				t.Errorf("too much is said")
			}
			if t.Failed() {
				t.Logf("error: %v", err)
			}
		})
	}
}

// withoutCgo wraps a go command so that cgo is off unless it is asked for.
func withoutCgo(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	layOut(t, dir, map[string]string{"go": "#!/bin/sh\nexport CGO_ENABLED=${CGO_ENABLED:-0}\nexec '" + name + "' \"$@\"\n"})
	if err := os.Chmod(dir+"/go", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CGO_ENABLED", "")
	return dir + "/go"
}

func TestSeenFrom(t *testing.T) {
	t.Chdir(t.TempDir())
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const text = "# m\n./a.go:1:2: x\n../b/c.go:3:4: y\nvet: ./d.go:5:6: z\n\tinside ./e.go:1\n/abs/f.go:7:8\n"
	for dir, want := range map[string]string{
		wd:         text,
		wd + "/in": "# m\n./in/a.go:1:2: x\n./b/c.go:3:4: y\nvet: ./in/d.go:5:6: z\n\tinside ./e.go:1\n/abs/f.go:7:8\n",
		"/far/in":  "# m\n/far/in/a.go:1:2: x\n/far/b/c.go:3:4: y\nvet: /far/in/d.go:5:6: z\n\tinside ./e.go:1\n/abs/f.go:7:8\n",
	} {
		if got := seenFrom(dir, text); got != want {
			t.Errorf("from %s: %q, want %q", dir, got, want)
		}
	}
}

// TestWithCure: a full disk, or a full quota, is said with what to do, and nothing else is.
func TestWithCure(t *testing.T) {
	for text, cured := range map[string]bool{
		"math: write /c/yolk/tmp/run-1/b049/importcfg: no space left on device": true,
		"copying a.out: write /out/app: disk quota exceeded":                    true,
		"./main.go:3:1: undefined: x":                                           false,
		"":                                                                      false,
	} {
		got := withCure(text)
		if added, ok := strings.CutPrefix(got, text); !ok || (added != "") != cured || cured && !strings.Contains(added, "free some space there") {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
