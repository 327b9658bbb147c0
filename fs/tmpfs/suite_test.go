package tmpfs_test

import (
	"testing"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/tmpfs"
)

func TestSuite(t *testing.T) {
	fstest.Suite(t, fstest.SuiteConfig{
		New: func(*testing.T) fs.FileSystem { return tmpfs.New(tmpfs.Limits{}) },
	})
}
