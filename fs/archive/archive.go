// Package archive is a tree of files in one piece of memory: the form in which an
// image carries its root. It is laid out once, on the host, and read where it lies:
// what is opened takes no memory but for itself, and a read is one copy.
//
// All numbers are little-endian; offsets and sizes are in bytes and count from the
// start of the archive:
//
//	head     0   8  magic
//	         8   8  size of the whole
//	         16  16 inodes: offset, number of them
//	         32  16 directory entries: offset, number of them
//	         48  16 names: offset, size
//	inode    0   4  mode: S_IFMT and permission bits
//	         4   4  number of names; of a directory 2, and 1 for each directory in it
//	         8   8  user, group
//	         16  12 modification time: seconds since 1970, nanoseconds
//	         32  8  device number (dev_t)
//	         40  16 offset and size of the contents; of a link, its text; of a
//	                directory, number of its first entry and how many it has
//	entry    0   8  offset (in the names) and length of the name
//	         8   4  number of the inode
//
// The first inode is the root. The entries of a directory go by their names, as bytes
// do, and its inode number is its place in the list and 1.
//
// The bytes are foreign: nothing is believed of them beyond their head, and what is
// wrong is an error (ErrBad) where somebody comes by.
package archive

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"sort"
	"strings"
	"syscall"
	"time"
)

const (
	magic      = "YOLKFS01"
	headSize   = 64
	inodeSize  = 64
	direntSize = 16

	nameMax = 255
	pathMax = 4095 // of a link's text
)

// ErrBad says that an archive is not as Write makes it.
const ErrBad = errorText("damaged archive")

type errorText string

func (e errorText) Error() string { return string(e) }

// FS is an archive. It implements fs.FS, fs.ReadDirFS and fs.ReadLinkFS, but for that it
// follows no links: who mounts it does. What Sys returns of a file's information is a
// *syscall.Stat_t.
type FS struct {
	b       []byte
	inodes  []byte
	dirents []byte
	names   []byte
}

// Open returns the archive that lies in b, which nobody writes any more.
func Open(b []byte) (*FS, error) {
	if len(b) < headSize || string(b[:8]) != magic {
		return nil, fmt.Errorf("%w: no head", ErrBad)
	}
	if size := u64(b[8:]); size > uint64(len(b)) {
		return nil, fmt.Errorf("%w: %d bytes, and there are %d", ErrBad, size, len(b))
	}
	f := &FS{b: b[:u64(b[8:])]}
	for i, t := range [...]struct {
		name string
		each uint64
		to   *[]byte
	}{{"inodes", inodeSize, &f.inodes}, {"entries", direntSize, &f.dirents}, {"names", 1, &f.names}} {
		off, n := u64(b[16+16*i:]), u64(b[24+16*i:])
		if off > uint64(len(f.b)) || n > (uint64(len(f.b))-off)/t.each {
			return nil, fmt.Errorf("%w: %d %s at %d of %d bytes", ErrBad, n, t.name, off, len(f.b))
		}
		*t.to = f.b[off:][:n*t.each]
	}
	if root, err := f.inode(0); err != nil || root.mode&syscall.S_IFMT != syscall.S_IFDIR {
		return nil, fmt.Errorf("%w: the root is no directory", ErrBad)
	}
	return f, nil
}

// Size is how many bytes the archive has.
func (f *FS) Size() int64 { return int64(len(f.b)) }

// Files is how many files of all kinds there are.
func (f *FS) Files() int64 { return int64(len(f.inodes) / inodeSize) }

func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// inode is one file.
type inode struct {
	mode, nlink, uid, gid uint32
	sec                   int64
	nsec                  uint32
	rdev                  uint64
	off, size             uint64
	ino                   uint64
}

// inode reads the inode of a number.
func (f *FS) inode(i uint32) (n inode, err error) {
	if int64(i) >= f.Files() {
		return n, fmt.Errorf("%w: inode %d of %d", ErrBad, i, f.Files())
	}
	b := f.inodes[int(i)*inodeSize:][:inodeSize]
	n = inode{
		mode: u32(b), nlink: u32(b[4:]), uid: u32(b[8:]), gid: u32(b[12:]),
		sec: int64(u64(b[16:])), nsec: u32(b[24:]), rdev: u64(b[32:]), off: u64(b[40:]), size: u64(b[48:]), ino: uint64(i) + 1,
	}
	limit, each := uint64(len(f.b)), "contents"
	switch n.mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		limit, each = uint64(len(f.dirents)/direntSize), "entries"
	case syscall.S_IFLNK:
		if n.size > pathMax {
			return n, fmt.Errorf("%w: inode %d: a link of %d bytes", ErrBad, i, n.size)
		}
	}
	if n.off > limit || n.size > limit-n.off {
		return n, fmt.Errorf("%w: inode %d: %d %s at %d of %d", ErrBad, i, n.size, each, n.off, limit)
	}
	if n.nsec >= 1e9 {
		return n, fmt.Errorf("%w: inode %d: %d nanoseconds", ErrBad, i, n.nsec)
	}
	return n, nil
}

// entry returns the name and the inode's number of a directory entry.
func (f *FS) entry(i uint64) (name []byte, ino uint32, err error) {
	b := f.dirents[i*direntSize:][:direntSize] // of an inode that was looked at
	off, n := uint64(u32(b)), uint64(u32(b[4:]))
	if off > uint64(len(f.names)) || n > uint64(len(f.names))-off || n == 0 || n > nameMax {
		return nil, 0, fmt.Errorf("%w: entry %d: a name of %d bytes at %d of %d", ErrBad, i, n, off, len(f.names))
	}
	return f.names[off:][:n], u32(b[8:]), nil
}

// walk finds the inode at a path as of io/fs.
func (f *FS) walk(path string) (inode, error) {
	n, err := f.inode(0)
	if path == "." {
		return n, err
	}
	for rest := path; err == nil && rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if n.mode&syscall.S_IFMT != syscall.S_IFDIR {
			return n, syscall.ENOTDIR
		}
		n, err = f.lookup(&n, name)
	}
	if err == nil && path == "" {
		err = fs.ErrInvalid
	}
	return n, err
}

// lookup finds a name in a directory.
func (f *FS) lookup(dir *inode, name string) (n inode, err error) {
	i := sort.Search(int(dir.size), func(i int) bool {
		got, _, e := f.entry(dir.off + uint64(i))
		if e != nil {
			err = e
		}
		return string(got) >= name
	})
	if err != nil {
		return n, err
	}
	if uint64(i) == dir.size {
		return n, fs.ErrNotExist
	}
	got, ino, err := f.entry(dir.off + uint64(i))
	if err != nil {
		return n, err
	}
	if string(got) != name {
		return n, fs.ErrNotExist
	}
	return f.inode(ino)
}

// contents are the bytes of a file or link.
func (f *FS) contents(n *inode) []byte { return f.b[n.off:][:n.size:n.size] }

// Open implements fs.FS.
func (f *FS) Open(name string) (fs.File, error) {
	n, err := f.walk(name)
	if err == nil && n.mode&syscall.S_IFMT != syscall.S_IFREG && n.mode&syscall.S_IFMT != syscall.S_IFDIR {
		err = syscall.ENXIO
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	i := info{base(name), n}
	if i.IsDir() {
		return &directory{f: f, info: i}, nil
	}
	return &file{info: i, data: f.contents(&n)}, nil
}

// Lstat implements fs.ReadLinkFS.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	n, err := f.walk(name)
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return info{base(name), n}, nil
}

// ReadLink implements fs.ReadLinkFS.
func (f *FS) ReadLink(name string) (string, error) {
	n, err := f.walk(name)
	if err == nil && n.mode&syscall.S_IFMT != syscall.S_IFLNK {
		err = fs.ErrInvalid
	}
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(f.contents(&n)), nil
}

// ReadDir implements fs.ReadDirFS.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.walk(name)
	if err == nil && n.mode&syscall.S_IFMT != syscall.S_IFDIR {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return f.list(&n, 0, n.size)
}

// list reads entries of a directory.
func (f *FS) list(dir *inode, from, to uint64) ([]fs.DirEntry, error) {
	list := make([]fs.DirEntry, 0, to-from)
	for i := from; i < to; i++ {
		name, ino, err := f.entry(dir.off + i)
		if err != nil {
			return list, err
		}
		if s := string(name); s == "." || s == ".." || strings.ContainsAny(s, "/\x00") {
			return list, fmt.Errorf("%w: entry %d: the name %q", ErrBad, dir.off+i, s)
		}
		n, err := f.inode(ino)
		if err != nil {
			return list, err
		}
		list = append(list, fs.FileInfoToDirEntry(info{string(name), n}))
	}
	return list, nil
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// file is an open file.
type file struct {
	info
	data []byte
	at   int // of Read
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, int64(f.at))
	f.at += n
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Close() error { return nil }

// directory is an open directory.
type directory struct {
	f *FS
	info
	at uint64
}

func (d *directory) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *directory) Read([]byte) (int, error)   { return 0, syscall.EISDIR }
func (d *directory) Close() error               { return nil }

// ReadDir implements fs.ReadDirFile.
func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	to := d.n.size
	if n > 0 {
		to = min(to, d.at+uint64(n))
	}
	list, err := d.f.list(&d.n, d.at, to)
	d.at += uint64(len(list))
	if n > 0 && len(list) == 0 && err == nil {
		err = io.EOF
	}
	return list, err
}

// info is what is told of a file.
type info struct {
	name string
	n    inode
}

func (i info) Name() string       { return i.name }
func (i info) IsDir() bool        { return i.n.mode&syscall.S_IFMT == syscall.S_IFDIR }
func (i info) ModTime() time.Time { return time.Unix(i.n.sec, int64(i.n.nsec)) }

// Size is as Linux has it: of a directory, something that grows with it.
func (i info) Size() int64 {
	if i.IsDir() {
		return int64(i.n.size) * direntSize
	}
	return int64(i.n.size)
}

func (i info) Mode() fs.FileMode {
	m := fs.FileMode(i.n.mode & 0o777)
	for _, x := range [...]struct {
		bit uint32
		is  fs.FileMode
	}{{syscall.S_ISUID, fs.ModeSetuid}, {syscall.S_ISGID, fs.ModeSetgid}, {syscall.S_ISVTX, fs.ModeSticky}} {
		if i.n.mode&x.bit != 0 {
			m |= x.is
		}
	}
	switch i.n.mode & syscall.S_IFMT {
	case syscall.S_IFREG:
	case syscall.S_IFDIR:
		m |= fs.ModeDir
	case syscall.S_IFLNK:
		m |= fs.ModeSymlink
	case syscall.S_IFIFO:
		m |= fs.ModeNamedPipe
	case syscall.S_IFSOCK:
		m |= fs.ModeSocket
	case syscall.S_IFBLK:
		m |= fs.ModeDevice
	case syscall.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	default:
		m |= fs.ModeIrregular
	}
	return m
}

func (i info) Sys() any {
	t := syscall.Timespec{Sec: i.n.sec, Nsec: int64(i.n.nsec)}
	return &syscall.Stat_t{
		Ino: i.n.ino, Mode: i.n.mode, Nlink: uint64(i.n.nlink), Uid: i.n.uid, Gid: i.n.gid, Rdev: i.n.rdev,
		Size: i.Size(), Blksize: 4096, Blocks: (int64(i.n.size) + 511) / 512, Atim: t, Mtim: t, Ctim: t,
	}
}
