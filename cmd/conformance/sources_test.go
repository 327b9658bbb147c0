package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestSources(t *testing.T) {
	dir := t.TempDir()
	s := &sources{stock: filepath.Join(dir, "stock"), port: filepath.Join(dir, "port")}
	for name, text := range map[string]string{
		"stock/src/a/b/x_test.go":       "//go:build linux\n\npackage b\n\nfunc TestX(t *testing.T) {}\n",
		"port/src/a/b/x_test.go":        "//go:build (linux) || tamago\n\npackage b\n\nfunc TestX(t *testing.T) {}\n",
		"stock/src/a/b/y_test.go":       "package b\n\nfunc TestY(t *testing.T) {}\n",
		"port/src/a/b/y_test.go":        "package b\n\nfunc TestY(t *testing.T) { edited() }\n",
		"stock/src/a/b/z_linux_test.go": "package b\n\nfunc TestZ(t *testing.T) {}\n",
		"port/src/a/b/z_linux_test.go":  "package b\n\nfunc TestZ(t *testing.T) {}\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		test, file string
		built      bool
	}{
		{"TestX", "x_test.go", true},
		{"TestY", "y_test.go", true},
		{"TestZ", "z_linux_test.go", false},
		{"TestNone", "", true},
	} {
		file, built, err := s.testFile("a/b", c.test)
		if file != c.file || built != c.built || err != nil {
			t.Errorf("%s: got %q, %v, %v", c.test, file, built, err)
		}
	}
	edited, err := s.edited("a/b")
	if want := []string{"a/b/y_test.go"}; !slices.Equal(edited, want) || err != nil {
		t.Errorf("edited: got %q, %v, want %q", edited, err, want)
	}
	if err := os.Remove(filepath.Join(s.port, "src/a/b/y_test.go")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.edited("a/b"); err == nil {
		t.Error("a test file that is missing in the port is no error")
	}
}
