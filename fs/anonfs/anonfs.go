// Package anonfs has the files that no name leads to and that are not pipes:
// those of eventfd(2), timerfd_create(2), signalfd(2) and epoll(7).
package anonfs

import (
	"encoding/binary"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// FS is the file system that such files lie in. All of them are one node to it,
// as on Linux, whatever their number.
type FS struct{}

const (
	magic = 0x09041934 // ANON_INODE_FS_MAGIC of linux/magic.h
	ino   = 1
)

// Type implements fs.FileSystem, like the methods that follow.
func (FS) Type() string  { return "anon_inodefs" }
func (FS) Root() fs.Node { return nil }
func (FS) Sync() error   { return nil }
func (FS) Close() error  { return nil }

func (FS) Statfs(s *fs.Statfs) error {
	*s = fs.Statfs{Type: magic, Bsize: 4096, Frsize: 4096, NameLen: fs.NameMax}
	return nil
}

// Node is the node of a file; its name says of what kind that is: "[eventfd]".
type Node struct {
	fs.Unsupported
	Name string
}

// Kind implements fs.Kinder: there is no type for them.
func (Node) Kind() uint32 { return 0 }

// Label implements fs.Labeler.
func (n Node) Label() string { return "anon_inode:" + n.Name }

// Setattr implements fs.Node.
func (Node) Setattr(*fs.SetAttr, *fs.Attr) error { return syscall.EOPNOTSUPP }

// Getattr implements fs.Node.
func (Node) Getattr(a *fs.Attr) error {
	*a = fs.Attr{Ino: ino, Mode: 0o600, Nlink: 1, Blksize: 4096}
	return nil
}

// instant is what a file can do without waiting; EAGAIN: nothing.
type instant interface {
	fs.PollFile
	readNow(p []byte) (int, error)
	writeNow(p []byte) (int, error)
}

// file is what all files here have in common.
type file struct{ fs.UnsupportedFile }

// Getattr implements fs.File, like Setattr.
func (file) Getattr(a *fs.Attr) error            { return Node{}.Getattr(a) }
func (file) Setattr(*fs.SetAttr, *fs.Attr) error { return syscall.EOPNOTSUPP }

// SeekFrom implements fs.SeekFile: wherever it leads, that is 0.
func (file) SeekFrom(_, _ int64, _ int) (int64, error) { return 0, nil }

// stream makes an fs.Interruptible of an instant.
type stream struct {
	file
	do instant
}

// Read implements fs.Stream, like Write.
func (s *stream) Read(p []byte) (int, error)  { return s.ReadUntil(p, nil) }
func (s *stream) Write(p []byte) (int, error) { return s.WriteUntil(p, nil) }

// ReadUntil implements fs.Interruptible, like WriteUntil.
func (s *stream) ReadUntil(p []byte, end <-chan struct{}) (int, error) {
	return until(s.do, s.do.readNow, fs.PollIn, p, end)
}

func (s *stream) WriteUntil(p []byte, end <-chan struct{}) (int, error) {
	return until(s.do, s.do.writeNow, fs.PollOut, p, end)
}

func until(f fs.PollFile, do func([]byte) (int, error), events uint32, p []byte, end <-chan struct{}) (n int, err error) {
	err = fs.Await(f, events, end, 0, func() (err error) {
		n, err = do(p)
		return err
	})
	return n, err
}

// reads is embedded by files that cannot be written.
type reads struct{}

func (reads) writeNow([]byte) (int, error) { return 0, syscall.EINVAL }

// putCount answers a read with a number of 8 bytes.
func putCount(p []byte, n uint64) (int, error) {
	binary.NativeEndian.PutUint64(p, n)
	return 8, nil
}
