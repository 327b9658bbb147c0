// Package procfs is the file system at /proc: what the kernel knows of itself,
// as text. Each file is made anew when it is opened, by a function that the
// kernel registers; this package has those for the files of Linux, in their
// format, given the facts.
package procfs

import (
	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

const magic = 0x9fa0 // PROC_SUPER_MAGIC of linux/magic.h

// FS is the file system.
type FS struct {
	*synth.FS
}

// New makes an empty one.
func New() *FS { return &FS{synth.New("proc", magic)} }

// Register adds a file, "uptime" or "yolk/virtio", whose contents are what
// text appends to b. It replaces a file of that name.
func (f *FS) Register(name string, text func(b []byte) []byte) {
	f.Dir().Add(name, f.NewText(text))
}

// RegisterLink adds a symbolic link.
func (f *FS) RegisterLink(name, target string) { f.Dir().Add(name, f.NewLink(target)) }

// Process is what /proc/self shows.
type Process interface {
	// Descriptors lists the open descriptors.
	Descriptors() []int
	// Descriptor tells what fd is: the text of its link, and its place with a
	// reference. nil: it is not open.
	Descriptor(fd int) (text string, at *fs.Dentry)
	// WorkingDir and RootDir are places with a reference, and their paths.
	WorkingDir() (string, *fs.Dentry)
	RootDir() (string, *fs.Dentry)
}

// RegisterSelf adds self, and a link to it with the number of the process.
func (f *FS) RegisterSelf(p Process, pid string, args, env func() []string) {
	self := f.Dir()
	self.Add("self/fd", f.NewNumbered(0o500, p.Descriptors, func(n int) fs.Node {
		_, at := p.Descriptor(n)
		if at == nil {
			return nil
		}
		at.Put()
		return fdLink{fs: f, p: p, n: n}
	}))
	self.Add("self/cwd", f.newJump(p.WorkingDir))
	self.Add("self/root", f.newJump(p.RootDir))
	self.Add("self/cmdline", f.NewText(zeroEnded(args)))
	self.Add("self/environ", f.NewText(zeroEnded(env)))
	self.Add("thread-self", f.NewLink("self"))
	if pid != "" {
		self.Add(pid, f.NewLink("self"))
	}
}

func zeroEnded(list func() []string) func(b []byte) []byte {
	return func(b []byte) []byte {
		for _, s := range list() {
			b = append(append(b, s...), 0)
		}
		return b
	}
}
