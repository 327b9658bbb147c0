package iofs_test

import (
	"os"
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fstest"
)

// TestDirFS runs it on a directory of this machine.
func TestDirFS(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the files belong to several users")
	}
	fstest.ReadOnlySuite(t, fstest.ReadOnlyConfig{Steps: 2000, New: func(t *testing.T, files []fstest.File) fs.FileSystem {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		fstest.GrowIn(t, dir, files)
		return mount(t, os.DirFS(dir))
	}})
}
