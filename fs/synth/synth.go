// Package synth has the parts that file systems without storage are made of:
// directories filled by the program, links, and files whose contents a
// function makes at each open.
package synth

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
)

// FS is a file system of such nodes.
type FS struct {
	typ   string
	magic uint32
	time  fs.Time // of all files: when the file system was made
	ino   atomic.Uint64
	root  *Dir
}

// New makes a file system with an empty root. Magic is statfs's f_type.
func New(typ string, magic uint32) *FS {
	t := time.Now()
	f := &FS{typ: typ, magic: magic, time: fs.Time{Sec: t.Unix(), Nsec: uint32(t.Nanosecond())}}
	f.root = f.NewDir(0o555)
	return f
}

// Dir is the root.
func (f *FS) Dir() *Dir { return f.root }

// Type implements fs.FileSystem, like the methods that follow.
func (f *FS) Type() string { return f.typ }

func (f *FS) Root() fs.Node { return f.root }

func (f *FS) Statfs(s *fs.Statfs) error {
	*s = fs.Statfs{Type: f.magic, Bsize: 4096, Frsize: 4096, NameLen: fs.NameMax}
	return nil
}

func (f *FS) Sync() error { return nil }

func (f *FS) Close() error { return nil }

// Base is what all nodes have. It is embedded in nodes of other packages.
type Base struct {
	fs.Unsupported
	FS   *FS
	Ino  uint64
	Mode uint32 // type and permission bits
	Rdev uint64
}

// Base makes the common part of a new node.
func (f *FS) Base(mode uint32) Base {
	return Base{FS: f, Ino: f.ino.Add(1), Mode: mode}
}

// Kind implements fs.Kinder.
func (b Base) Kind() uint32 { return b.Mode & syscall.S_IFMT }

// Getattr implements fs.Node.
func (b Base) Getattr(a *fs.Attr) error {
	*a = fs.Attr{Ino: b.Ino, Mode: b.Mode, Nlink: 1, Rdev: b.Rdev, Blksize: 4096,
		Atime: b.FS.time, Mtime: b.FS.time, Ctime: b.FS.time}
	return nil
}

// Link is a symbolic link with a text that does not change.
type Link struct {
	Base
	Text string
}

// NewLink makes a link.
func (f *FS) NewLink(text string) *Link {
	return &Link{f.Base(syscall.S_IFLNK | 0o777), text}
}

// Readlink implements fs.Node.
func (l *Link) Readlink() (string, error) { return l.Text, nil }

// Text is a file that gives what a function made when it was opened.
type Text struct {
	Base
	make func(b []byte) []byte
	set  func(text string) error // nil: the file is read-only
}

// NewText makes a file whose contents make appends to b.
func (f *FS) NewText(make func(b []byte) []byte) *Text {
	return &Text{Base: f.Base(syscall.S_IFREG | 0o444), make: make}
}

// NewSetting makes a file that takes what is written, in one piece, as well: set
// gets it without the newline at its end.
func (f *FS) NewSetting(make func(b []byte) []byte, set func(text string) error) *Text {
	return &Text{f.Base(syscall.S_IFREG | 0o644), make, set}
}

// maxSetting is how many bytes a setting may have.
const maxSetting = 4096

// Open implements fs.Node.
func (t *Text) Open(flags int) (fs.File, error) {
	if t.set == nil && (flags&syscall.O_ACCMODE != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0) {
		return nil, syscall.EACCES
	}
	return &snapshot{of: t, text: t.make(nil)}, nil
}

// Setattr implements fs.Node: a truncation is how many programs begin to write a
// setting, and does nothing to it.
func (t *Text) Setattr(s *fs.SetAttr, a *fs.Attr) error {
	if t.set == nil || s.Valid != fs.SetSize {
		return syscall.EPERM
	}
	return t.Getattr(a)
}

// snapshot is an open Text. As on Linux, who reads it from its beginning once more
// gets what holds by then; whoever goes on reading, the rest of what there was.
type snapshot struct {
	fs.UnsupportedFile
	of *Text

	mu   sync.Mutex
	text []byte
	read bool // from the beginning
}

func (s *snapshot) Getattr(a *fs.Attr) error { return s.of.Getattr(a) }

func (s *snapshot) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if off == 0 {
		if s.read {
			s.text = s.of.make(s.text[:0])
		}
		s.read = true
	}
	if off >= int64(len(s.text)) {
		return 0, nil
	}
	return copy(p, s.text[off:]), nil
}

// WriteAt gives the setting all that one write has, wherever it stands, as
// Linux's sysctls and files of processes do.
func (s *snapshot) WriteAt(p []byte, off int64) (int, int64, error) {
	if s.of.set == nil || len(p) > maxSetting {
		return 0, 0, syscall.EINVAL
	}
	if err := s.of.set(strings.TrimSuffix(string(p), "\n")); err != nil {
		return 0, 0, err
	}
	return len(p), off + int64(len(p)), nil
}

// SeekFrom implements fs.SeekFile as the files of Linux's procfs do: there is no
// end to count from, and there are no holes.
func (s *snapshot) SeekFrom(pos, off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		off += pos // neither is negative if the sum does not overflow
	default:
		return 0, syscall.EINVAL
	}
	if off < 0 {
		return 0, syscall.EINVAL
	}
	return off, nil
}
