package procfs

import (
	"strconv"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
)

// jump is a link to a place of the process.
type jump struct {
	synth.Base
	to func() (string, *fs.Dentry)
}

func (f *FS) newJump(to func() (string, *fs.Dentry)) *jump {
	return &jump{f.Base(syscall.S_IFLNK | 0o777), to}
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

// Where the inode numbers of descriptors begin, in fd and fdinfo.
const (
	fdIno     = 1 << 32
	fdinfoIno = 2 << 32
)

// fdLink is fd/n. It is a value: whoever looks n up gets the same node.
type fdLink struct {
	fs.Unsupported
	fs *FS
	p  Process
	n  int
}

func (l fdLink) Kind() uint32 { return syscall.S_IFLNK }

// Getattr shows by the permission bits, as Linux does, how the file was opened.
func (l fdLink) Getattr(a *fs.Attr) error {
	mode := uint32(syscall.S_IFLNK)
	flags, _, _, _ := l.p.DescriptorState(l.n)
	if flags&syscall.O_ACCMODE != syscall.O_WRONLY {
		mode |= 0o500
	}
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		mode |= 0o300
	}
	err := synth.Base{FS: l.fs.FS, Ino: fdIno + uint64(l.n), Mode: mode}.Getattr(a)
	a.Size = 64
	return err
}

func (l fdLink) Readlink() (string, error) { return linkText(l.p.Descriptor(l.n)) }

func (l fdLink) Jump() (*fs.Dentry, error) { return linkPlace(l.p.Descriptor(l.n)) }

// fdInfo is fdinfo/n, a value as well.
type fdInfo struct {
	fs.Unsupported
	fs *FS
	p  Process
	n  int
}

func (i fdInfo) Kind() uint32 { return syscall.S_IFREG }

func (i fdInfo) Getattr(a *fs.Attr) error {
	return synth.Base{FS: i.fs.FS, Ino: fdinfoIno + uint64(i.n), Mode: syscall.S_IFREG | 0o400}.Getattr(a)
}

func (i fdInfo) Open(flags int) (fs.File, error) { return i.fs.NewText(i.text).Open(flags) }

func (i fdInfo) text(b []byte) []byte {
	flags, pos, lines, ok := i.p.DescriptorState(i.n)
	_, at := i.p.Descriptor(i.n)
	if !ok || at == nil {
		return b
	}
	defer at.Put()
	var a fs.Attr
	_ = at.Getattr(&a) // without it there is no inode number
	b = strconv.AppendInt(append(b, "pos:\t"...), pos, 10)
	b = strconv.AppendInt(append(b, "\nflags:\t0"...), int64(flags), 8)
	b = strconv.AppendUint(append(b, "\nmnt_id:\t"...), uint64(at.Mount().ID()), 10)
	b = strconv.AppendUint(append(b, "\nino:\t"...), a.Ino, 10)
	return append(append(b, '\n'), lines...)
}
