// Package procfs is the file system at /proc: what the kernel knows of itself,
// as text. Each file is made anew when it is opened, or read once more from its
// beginning, by a function that the kernel registers; this package has those for
// the files of Linux, in their format, given the facts.
package procfs

import (
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

const magic = 0x9fa0 // PROC_SUPER_MAGIC of linux/magic.h

// FS is the file system.
type FS struct {
	*synth.FS
	network []networkFile
}

// New makes an empty one.
func New() *FS { return &FS{FS: synth.New("proc", magic)} }

// RegisterOnUse has register called, which fills the file system, when it is first
// looked at.
func (f *FS) RegisterOnUse(register func()) { f.Dir().FillOnUse(register) }

// Register adds a file, "uptime" or "yolk/virtio", whose contents are what
// text appends to b. It replaces a file of that name.
func (f *FS) Register(name string, text func(b []byte) []byte) {
	f.Dir().Add(name, f.NewText(text))
}

// RegisterLine adds a file of one line that does not change.
func (f *FS) RegisterLine(name, text string) { f.Register(name, Line(text)) }

// RegisterSetting adds a file that may be written as well; set gets what is
// written, without the newline at its end.
func (f *FS) RegisterSetting(name string, text func(b []byte) []byte, set func(text string) error) {
	f.Dir().Add(name, f.NewSetting(text, set))
}

// RegisterLink adds a symbolic link.
func (f *FS) RegisterLink(name, target string) { f.Dir().Add(name, f.NewLink(target)) }

// RegisterNode adds a node that f.Base has numbered.
func (f *FS) RegisterNode(name string, n fs.Node) { f.Dir().Add(name, n) }
