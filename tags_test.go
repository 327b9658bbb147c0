package yolk

import (
	"go/build/constraint"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGuestFilesSaySo: a file whose name says that it is of the guest says so by a line
// go:build as well. The host's go command knows no GOOS of that name, and would build it:
// a test that is to try what a kernel of ours allows would do it to the host.
func TestGuestFilesSaySo(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), "_") || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return fs.SkipDir // of which the go command builds nothing here
		case d.IsDir() || filepath.Ext(path) != ".go" || !slices.Contains(strings.Split(strings.TrimSuffix(d.Name(), ".go"), "_")[1:], "tamago"):
			return nil
		}
		seen++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "package ") {
				break
			}
			if !constraint.IsGoBuild(line) {
				continue
			}
			x, err := constraint.Parse(line)
			if err != nil {
				return err
			}
			if x.Eval(func(tag string) bool { return tag != "tamago" }) {
				t.Errorf("%s: %s holds on the host", path, strings.TrimSpace(line))
			}
			return nil
		}
		t.Errorf("%s: no line go:build keeps it from the host; begin it with //go:build tamago", path)
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d files: %v", seen, err)
	}
}
