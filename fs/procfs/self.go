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

// fdNode is fd/n, a link, or fdinfo/n, a text. It is a value: whoever looks n up
// gets the same node.
type fdNode struct {
	fs.Unsupported
	fs   *FS
	p    Process
	n    int
	info bool
}

// descriptors is fd, or fdinfo.
func (f *FS) descriptors(p Process, info bool) fs.Node {
	return f.NewNumbered(0o500, p.Descriptors, func(n int) fs.Node {
		_, at := p.Descriptor(n)
		if at == nil {
			return nil
		}
		at.Put()
		return fdNode{fs: f, p: p, n: n, info: info}
	})
}

func (d fdNode) Kind() uint32 {
	if d.info {
		return syscall.S_IFREG
	}
	return syscall.S_IFLNK
}

// Getattr shows by the permission bits of the link, as Linux does, how the file was
// opened.
func (d fdNode) Getattr(a *fs.Attr) error {
	if d.info {
		return synth.Base{FS: d.fs.FS, Ino: fdinfoIno + uint64(d.n), Mode: syscall.S_IFREG | 0o400}.Getattr(a)
	}
	mode := uint32(syscall.S_IFLNK)
	flags, _, _, _ := d.p.DescriptorState(d.n)
	if flags&syscall.O_ACCMODE != syscall.O_WRONLY {
		mode |= 0o500
	}
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		mode |= 0o300
	}
	err := synth.Base{FS: d.fs.FS, Ino: fdIno + uint64(d.n), Mode: mode}.Getattr(a)
	a.Size = 64
	return err
}

func (d fdNode) Readlink() (string, error) {
	if d.info {
		return "", syscall.EINVAL
	}
	return linkText(d.p.Descriptor(d.n))
}

func (d fdNode) Jump() (*fs.Dentry, error) { return linkPlace(d.p.Descriptor(d.n)) }

// Open is for fdinfo; nobody opens a link.
func (d fdNode) Open(flags int) (fs.File, error) { return d.fs.NewText(d.text).Open(flags) }

func (d fdNode) text(b []byte) []byte {
	flags, pos, lines, ok := d.p.DescriptorState(d.n)
	_, at := d.p.Descriptor(d.n)
	if !ok || at == nil {
		return b
	}
	defer at.Put()
	var a fs.Attr
	_ = at.Getattr(&a) // without it there is no inode number
	b = expand(b, "pos:\t@\nflags:\t0@\nmnt_id:\t@\nino:\t@\n", strconv.FormatInt(pos, 10), strconv.FormatInt(int64(flags), 8),
		decimal(uint64(at.Mount().ID())), decimal(a.Ino))
	return append(b, lines...)
}
