package docs_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unshown are packages whose parts cannot be used alone, with the reason.
var unshown = map[string]string{
	"arch/amd64/goos": "stands in for runtime/goos and is nothing by itself",
}

// TestPackages: each package says what it is, as pkg.go.dev shows it, and each that others
// can import has an Example that is run: one with an Output. Of a package for guests alone
// the file has the tag tamago, and yolk test runs it.
func TestPackages(t *testing.T) {
	dirs := 0
	err := filepath.WalkDir(top, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(top, dir)
		if err != nil {
			return err
		}
		base := d.Name()
		if rel != "." && (base == "testdata" || base == "bin" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
			return fs.SkipDir
		}
		if mod, _ := filepath.Glob(filepath.Join(dir, "go.mod")); rel != "." && len(mod) > 0 {
			return fs.SkipDir // a module of its own
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		var files, tests []*ast.File
		for _, name := range names {
			f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			if strings.HasSuffix(name, "_test.go") {
				tests = append(tests, f)
			} else {
				files = append(files, f)
			}
		}
		if len(files) == 0 {
			return nil
		}
		dirs++
		checkPackage(t, filepath.ToSlash(rel), files, tests)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if dirs < 90 {
		t.Errorf("%d packages found", dirs)
	}
}

func checkPackage(t *testing.T, rel string, files, tests []*ast.File) {
	t.Helper()
	name := files[0].Name.Name
	comments := 0
	for _, f := range files {
		text := f.Doc.Text()
		if text == "" {
			continue
		}
		comments++
		want := "Package " + name + " "
		if name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(text, want) && !(name == "main" && strings.HasPrefix(text, "Program ")) {
			t.Errorf("%s: the package comment begins with %.30q, want %q", rel, text, want)
		}
		if s := doc.Synopsis(text); !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, ":") {
			t.Errorf("%s: the first sentence of the package comment has no end: %q", rel, s)
		}
	}
	if comments != 1 {
		t.Errorf("%s: %d files have a package comment, want one", rel, comments)
	}
	if name == "main" || slices.Contains(strings.Split(rel, "/"), "internal") || !exports(files) {
		return
	}
	shown := false
	for _, e := range doc.Examples(tests...) {
		shown = shown || e.Output != "" || e.EmptyOutput
	}
	switch reason := unshown[rel]; {
	case !shown && reason == "":
		t.Errorf("%s has no Example: write one, with an Output, into %s/example_test.go", rel, rel)
	case shown && reason != "":
		t.Errorf("%s has an Example: take it out of unshown in docs/packages_test.go", rel)
	}
}

// exports reports whether files have something for others.
func exports(files []*ast.File) bool {
	for _, f := range files {
		if ast.FileExports(f) {
			return true
		}
	}
	return false
}
