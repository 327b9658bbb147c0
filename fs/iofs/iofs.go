// Package iofs is a file system of the VFS over a file system of Go's io/fs: an
// archive in the image, an embed.FS, a zip file, a directory. It cannot be written.
//
// The io/fs.FS is taken to stay as it is: what was found, or not found, holds for
// ever, attributes are asked for once. Links are followed by the VFS, so it has to be an
// fs.ReadLinkFS to have any. Where FileInfo.Sys is a *syscall.Stat_t, it tells owner,
// inode number, names and times; else files belong to root, have one name, and
// the inode number is made of the path, so that it is the same at each boot.
package iofs

import (
	"errors"
	"io/fs"
	"strings"
	"sync"
	"syscall"

	vfs "github.com/yolkos/yolk/fs"
)

// Options say how a file system shows.
type Options struct {
	Type  string // as in /proc/mounts; default: iofs
	Magic uint32 // statfs's f_type
	Bytes int64  // statfs's size of it all; 0: unknown
	Files int64
	// Note is told, once each, of errors that are none of a system's: callers see EIO. Nil: nobody is.
	Note func(error)
}

// FS is an io/fs.FS, ready to be mounted.
type FS struct {
	fsys fs.FS
	o    Options
	root *node

	mu    sync.Mutex
	nodes map[key]*node // that have references
	told  map[string]bool
}

// New makes a file system of fsys, whose root has to be a directory.
func New(fsys fs.FS, o Options) (*FS, error) {
	if o.Type == "" {
		o.Type = "iofs"
	}
	f := &FS{fsys: fsys, o: o, nodes: map[key]*node{}}
	n, err := f.find(".")
	if err != nil {
		return nil, err
	}
	if n.attr.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		return nil, syscall.ENOTDIR
	}
	f.root = n
	return f, nil
}

// Type implements fs.FileSystem, like the methods that follow.
func (f *FS) Type() string { return f.o.Type }

func (f *FS) Root() vfs.Node {
	f.root.Ref()
	return f.root
}

func (f *FS) Sync() error  { return nil }
func (f *FS) Close() error { return nil }

func (f *FS) Statfs(s *vfs.Statfs) error {
	*s = vfs.Statfs{
		Type: f.o.Magic, Bsize: blockSize, Frsize: blockSize, Blocks: uint64(f.o.Bytes+blockSize-1) / blockSize,
		Files: uint64(f.o.Files), NameLen: vfs.NameMax,
	}
	return nil
}

// blockSize is what attributes tell as the size of blocks, in bytes.
const blockSize = 4096

// ReadOnly reports that the file system takes no changes.
func (f *FS) ReadOnly() bool { return true }

// key is what makes two names one file: its numbers where it has several names, else
// its path.
type key struct {
	name     string
	dev, ino uint64
}

// find returns the node at a path as of io/fs, with a reference.
func (f *FS) find(name string) (*node, error) {
	info, err := fs.Lstat(f.fsys, name)
	if err != nil {
		return nil, f.errno(err)
	}
	n := &node{fs: f, name: name, key: key{name: name}, attr: attributes(name, info), refs: 1}
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && st.Nlink > 1 && !info.IsDir() {
		n.key = key{dev: st.Dev, ino: st.Ino}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.nodes[n.key]; old != nil {
		old.refs++
		return old, nil
	}
	f.nodes[n.key] = n
	return n, nil
}

// maxTold is how many errors are told to Note.
const maxTold = 16

// errno is the number of an error of io/fs. One that has none is told.
func (f *FS) errno(err error) error {
	var e syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid): // the latter: no name as io/fs has them
		return syscall.ENOENT
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES
	}
	if f.o.Note != nil {
		text := err.Error()
		f.mu.Lock()
		tell := !f.told[text] && len(f.told) < maxTold
		if tell {
			if f.told == nil {
				f.told = map[string]bool{}
			}
			f.told[text] = true
		}
		f.mu.Unlock()
		if tell {
			f.o.Note(err)
		}
	}
	return syscall.EIO
}

// join is the path of a name in a directory.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// attributes are what stat tells of a file.
func attributes(name string, info fs.FileInfo) vfs.Attr {
	t := vfs.Time{Sec: info.ModTime().Unix(), Nsec: uint32(info.ModTime().Nanosecond())}
	a := vfs.Attr{
		Ino: inodeOf(name), Mode: modeOf(info.Mode()), Nlink: 1, Size: info.Size(), Blocks: (info.Size() + 511) / 512,
		Blksize: blockSize, Atime: t, Mtime: t, Ctime: t,
	}
	if info.ModTime().IsZero() {
		a.Atime, a.Mtime, a.Ctime = vfs.Time{}, vfs.Time{}, vfs.Time{}
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		a.Ino, a.Nlink, a.Uid, a.Gid, a.Rdev = st.Ino, uint32(st.Nlink), st.Uid, st.Gid, st.Rdev
		a.Mode, a.Blocks = st.Mode, st.Blocks
		a.Atime, a.Ctime = timeOf(st.Atim), timeOf(st.Ctim)
	}
	return a
}

func timeOf(t syscall.Timespec) vfs.Time { return vfs.Time{Sec: t.Sec, Nsec: uint32(t.Nsec)} }

// inodeOf makes an inode number of a path (FNV-1a, 64 bits).
func inodeOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return max(h, 1)
}

// modeOf is the st_mode of a file.
func modeOf(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	for _, x := range [...]struct {
		is  fs.FileMode
		bit uint32
	}{{fs.ModeSetuid, syscall.S_ISUID}, {fs.ModeSetgid, syscall.S_ISGID}, {fs.ModeSticky, syscall.S_ISVTX}} {
		if m&x.is != 0 {
			mode |= x.bit
		}
	}
	switch {
	case m.IsDir():
		return mode | syscall.S_IFDIR
	case m&fs.ModeSymlink != 0:
		return mode | syscall.S_IFLNK
	case m&fs.ModeNamedPipe != 0:
		return mode | syscall.S_IFIFO
	case m&fs.ModeSocket != 0:
		return mode | syscall.S_IFSOCK
	case m&fs.ModeCharDevice != 0:
		return mode | syscall.S_IFCHR
	case m&fs.ModeDevice != 0:
		return mode | syscall.S_IFBLK
	}
	return mode | syscall.S_IFREG
}

// node is a file of any kind. What is known of it never changes.
type node struct {
	readOnly
	fs   *FS
	key  key
	name string // the first of its paths that was found
	attr vfs.Attr
	refs int // under fs.mu
}

func (n *node) Kind() uint32 { return n.attr.Mode & syscall.S_IFMT }

func (n *node) Ref() {
	n.fs.mu.Lock()
	n.refs++
	n.fs.mu.Unlock()
}

func (n *node) Unref() {
	n.fs.mu.Lock()
	defer n.fs.mu.Unlock()
	if n.refs--; n.refs == 0 {
		delete(n.fs.nodes, n.key)
	}
}

func (n *node) Getattr(a *vfs.Attr) error {
	*a = n.attr
	return nil
}

func (n *node) Lookup(name string) (vfs.Entry, error) {
	if n.Kind() != syscall.S_IFDIR {
		return vfs.Entry{}, syscall.ENOTDIR
	}
	c, err := n.fs.find(join(n.name, name))
	switch err {
	case nil:
		return vfs.Entry{Node: c, Valid: vfs.Forever}, nil
	case syscall.ENOENT:
		return vfs.Entry{Valid: vfs.Forever}, nil
	}
	return vfs.Entry{}, err
}

func (n *node) Readlink() (string, error) {
	if n.Kind() != syscall.S_IFLNK {
		return "", syscall.EINVAL
	}
	text, err := fs.ReadLink(n.fs.fsys, n.name)
	return text, n.fs.errno(err)
}

func (n *node) Open(flags int) (vfs.File, error) {
	writes := flags&syscall.O_ACCMODE != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0
	switch n.Kind() {
	case syscall.S_IFDIR:
		if writes {
			return nil, syscall.EISDIR
		}
		n.Ref()
		return &openDir{node: n}, nil
	case syscall.S_IFREG:
		if writes {
			return nil, syscall.EROFS
		}
		return n.openFile()
	case syscall.S_IFLNK:
		return nil, syscall.ELOOP
	}
	return nil, syscall.ENXIO
}

// openDir is an open directory.
type openDir struct {
	readOnlyFile
	*node
	once sync.Once
	list []fs.DirEntry // by their names
	err  error
}

func (d *openDir) Getattr(a *vfs.Attr) error { return d.node.Getattr(a) }

func (d *openDir) Setattr(*vfs.SetAttr, *vfs.Attr) error { return syscall.EROFS }

func (d *openDir) ReadAt([]byte, int64) (int, error) { return 0, syscall.EISDIR }

func (d *openDir) Release() { d.Unref() }

// ReadDir lists by names, which is an order that every open directory has: a cookie
// is the number of entries up to it.
func (d *openDir) ReadDir(cookie uint64, emit func(*vfs.Dirent) bool) error {
	d.once.Do(func() {
		d.list, d.err = fs.ReadDir(d.fs.fsys, d.name)
	})
	if d.err != nil {
		return d.fs.errno(d.err)
	}
	for ; cookie < uint64(len(d.list)); cookie++ {
		e := d.list[cookie]
		if strings.ContainsAny(e.Name(), "/\x00") || len(e.Name()) > vfs.NameMax {
			continue // nobody could ask for it
		}
		info, err := e.Info()
		if err != nil {
			return d.fs.errno(err)
		}
		a := attributes(join(d.name, e.Name()), info)
		if !emit(&vfs.Dirent{Name: e.Name(), Ino: a.Ino, Type: uint8(a.Mode >> 12 & 15), Next: cookie + 1}) {
			break
		}
	}
	return nil
}
