package overlay

import (
	"github.com/yolkos/yolk/fs"
)

// Held tells how many lower nodes are in memory, and how many files the upper file system
// has, but for its root and those that stand for files without attributes.
func (f *FS) Held() (nodes int, files uint64) {
	f.table.Lock()
	defer f.table.Unlock()
	var s fs.Statfs
	f.upper.Statfs(&s)
	return len(f.nodes), s.Files - s.Ffree - 1 - uint64(len(f.blank))
}
