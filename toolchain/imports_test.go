package toolchain

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestImports runs the tests of what the go command's package imports has more, by
// the machine's Go: what they test needs nothing of the go command's.
func TestImports(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{
		"coherent.go":      "_files/src/cmd/go/internal/imports/coherent.go",
		"coherent_test.go": "testdata/imports/coherent_test.go",
	} {
		text, err := os.ReadFile(filepath.FromSlash(from))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module imports\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	test := exec.Command("go", "test", ".")
	test.Dir = dir
	test.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := test.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
