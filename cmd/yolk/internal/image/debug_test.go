package image

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A program's own packages are not optimized, and the user's flags have the last word.
func TestUnoptimized(t *testing.T) {
	for _, tt := range []struct{ flags, goflags, patterns, want []string }{
		{[]string{"-x"}, nil, []string{"a.org/x/..."}, []string{"-gcflags=-N -l", "-gcflags=a.org/x/...=-N -l", "-x"}},
		{[]string{"-gcflags=-S"}, []string{"-gcflags=-m"}, nil, []string{"-gcflags=-N -l", "-gcflags=-S"}},
		{[]string{"-x"}, []string{"-v", "-gcflags=all=-m"}, nil, []string{"-gcflags=-N -l", "-gcflags=all=-m", "-x"}},
	} {
		if got := unoptimized(tt.flags, tt.goflags, tt.patterns); !slices.Equal(got, tt.want) {
			t.Errorf("%q, %q: %q, want %q", tt.flags, tt.goflags, got, tt.want)
		}
	}
}

func TestOwnPackages(t *testing.T) {
	for _, tt := range []struct {
		name string
		pkg  pkg
		ws   workspace
		want []string
	}{
		{"module", pkg{ImportPath: "a.org/x/cmd", Module: &module{Path: "a.org/x"}}, workspace{file: "go.work", modules: []string{"a.org/x"}}, []string{"a.org/x/..."}},
		{"workspace", pkg{Module: &module{Path: "a.org/y"}}, workspace{file: "go.work", modules: []string{"a.org/x", "a.org/y"}}, []string{"a.org/x/...", "a.org/y/..."}},
		{"another's", pkg{Module: &module{Path: "b.org/z"}}, workspace{file: "go.work", modules: []string{"a.org/x"}}, []string{"a.org/x/...", "b.org/z/..."}},
		{"files", pkg{ImportPath: "command-line-arguments"}, workspace{file: "go.work"}, nil},
		{"kernel's module", pkg{ImportPath: modulePath + "/cmd/demo", Module: &module{Path: modulePath}}, workspace{}, []string{modulePath + "/cmd/demo/..."}},
	} {
		if got := ownPackages(tt.pkg, &tt.ws); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What an image has for debuggers is found, and no file is an error.
func TestSymbols(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flags         string
		dwarf, script bool
	}{{"", true, true}, {"-w", false, false}, {"-s -w", false, false}} {
		file := filepath.Join(dir, "program")
		cmd := exec.Command("go", "build", "-o", file, "-ldflags="+tt.flags, "main.go")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dwarf, script := Symbols(bytes.NewReader(data))
		if dwarf != tt.dwarf || strings.HasSuffix(script, "/src/runtime/runtime-gdb.py") != tt.script || !tt.script && script != "" {
			t.Errorf("linked with %q: DWARF %t, script %q", tt.flags, dwarf, script)
		}
		if dwarf, script := Symbols(bytes.NewReader(data[:100])); dwarf || script != "" {
			t.Errorf("cut short: DWARF %t, script %q", dwarf, script)
		}
	}
}
