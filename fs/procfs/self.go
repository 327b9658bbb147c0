package procfs

import (
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

const linkMode = syscall.S_IFLNK | 0o777

// jump is a link to a place of the process.
type jump struct {
	synth.Base
	to func() (string, *fs.Dentry)
}

func (f *FS) newJump(to func() (string, *fs.Dentry)) *jump {
	return &jump{f.Base(linkMode), to}
}

// Readlink implements fs.Node.
func (j *jump) Readlink() (string, error) { return linkText(j.to()) }

// Jump implements fs.Jumper.
func (j *jump) Jump() (*fs.Dentry, error) { return linkPlace(j.to()) }

func linkText(text string, at *fs.Dentry) (string, error) {
	if at == nil {
		return "", syscall.ENOENT
	}
	at.Put()
	return text, nil
}

func linkPlace(_ string, at *fs.Dentry) (*fs.Dentry, error) {
	if at == nil {
		return nil, syscall.ENOENT
	}
	return at, nil
}

// fdIno is where the inode numbers of descriptors begin.
const fdIno = 1 << 32

// fdLink is self/fd/n. It is a value: whoever looks n up gets the same node.
type fdLink struct {
	fs.Unsupported
	fs *FS
	p  Process
	n  int
}

func (l fdLink) Kind() uint32 { return syscall.S_IFLNK }

func (l fdLink) Getattr(a *fs.Attr) error {
	return synth.Base{FS: l.fs.FS, Ino: fdIno + uint64(l.n), Mode: linkMode}.Getattr(a)
}

func (l fdLink) Readlink() (string, error) { return linkText(l.p.Descriptor(l.n)) }

func (l fdLink) Jump() (*fs.Dentry, error) { return linkPlace(l.p.Descriptor(l.n)) }
