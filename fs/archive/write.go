package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"syscall"
)

// Node is a file that goes into an archive. One that stands at several places is one
// file with several names.
type Node struct {
	Mode     uint32 // S_IFMT and permission bits
	Uid, Gid uint32
	Sec      int64 // modification time, since 1970
	Nsec     uint32
	Rdev     uint64 // of devices
	Target   string // of symbolic links

	Size     int64                         // of regular files, in bytes
	Contents func() (io.ReadCloser, error) // of regular files with a Size; called by Write

	Children map[string]*Node // of directories
}

// IsDir tells if n is a directory.
func (n *Node) IsDir() bool { return n.Mode&syscall.S_IFMT == syscall.S_IFDIR }

// Layout is where everything of a tree goes in its archive.
type Layout struct {
	size    uint64
	order   []*Node
	inodes  map[*Node]*laid
	dirents []dirent
	names   []byte
}

// laid is what is known of a Node that has its place.
type laid struct {
	number    uint32
	nlink     uint32
	off, size uint64
}

type dirent struct{ off, length, inode uint32 }

// Contents of fileAlign bytes and more begin at a page, so that they could be mapped.
const (
	fileAlign = 64 << 10
	pageSize  = 4096
	align     = 16
)

// NewLayout lays a tree out. The same tree always gives the same bytes.
func NewLayout(root *Node) (*Layout, error) {
	l := &Layout{inodes: map[*Node]*laid{}}
	if !root.IsDir() {
		return nil, errors.New("the root of an archive is a directory")
	}
	if err := l.number(root, "."); err != nil {
		return nil, err
	}
	l.inodes[root].nlink++ // ".."
	for _, n := range l.order {
		l.list(n)
	}
	l.size = headSize + uint64(len(l.order))*inodeSize + uint64(len(l.dirents))*direntSize + uint64(len(l.names))
	if len(l.names) > 1<<32-1 {
		return nil, fmt.Errorf("%d bytes of names; 4 GiB are the most", len(l.names))
	}
	for _, n := range l.order {
		x := l.inodes[n]
		switch n.Mode & syscall.S_IFMT {
		case syscall.S_IFREG:
			x.size = uint64(n.Size)
		case syscall.S_IFLNK:
			x.size = uint64(len(n.Target))
		default:
			continue
		}
		a := uint64(align)
		if x.size >= fileAlign {
			a = pageSize
		}
		x.off = (l.size + a - 1) &^ (a - 1)
		l.size = x.off + x.size
	}
	return l, nil
}

// number gives n and what is below it their numbers.
func (l *Layout) number(n *Node, path string) error {
	if x := l.inodes[n]; x != nil {
		if n.IsDir() {
			return fmt.Errorf("%s: a directory with two names", path)
		}
		x.nlink++
		return nil
	}
	if len(l.order) == 1<<32-1 || n.Size < 0 || len(n.Target) > pathMax || n.Nsec >= 1e9 {
		return fmt.Errorf("%s: cannot be put into an archive: %d bytes, a link of %d, file %d", path, n.Size, len(n.Target), len(l.order))
	}
	l.inodes[n] = &laid{number: uint32(len(l.order)), nlink: 1}
	l.order = append(l.order, n)
	for _, name := range sorted(n) {
		if name == "" || name == "." || name == ".." || len(name) > nameMax || strings.ContainsAny(name, "/\x00") {
			return fmt.Errorf("%s: the name %q", path, name)
		}
		if err := l.number(n.Children[name], path+"/"+name); err != nil {
			return err
		}
		if n.Children[name].IsDir() {
			l.inodes[n].nlink++
		}
	}
	return nil
}

// list makes the entries of a directory.
func (l *Layout) list(n *Node) {
	if !n.IsDir() {
		return
	}
	x := l.inodes[n]
	if x.number != 0 {
		x.nlink++ // "."
	}
	x.off, x.size = uint64(len(l.dirents)), uint64(len(n.Children))
	for _, name := range sorted(n) {
		l.dirents = append(l.dirents, dirent{uint32(len(l.names)), uint32(len(name)), l.inodes[n.Children[name]].number})
		l.names = append(l.names, name...)
	}
}

func sorted(n *Node) []string { return slices.Sorted(maps.Keys(n.Children)) }

// Size is how many bytes the archive has.
func (l *Layout) Size() uint64 { return l.size }

// Files is how many files there are in it.
func (l *Layout) Files() int { return len(l.order) }

// Write writes the archive.
func (l *Layout) Write(w io.Writer) error {
	b := []byte(magic)
	inodes := uint64(headSize)
	dirents := inodes + uint64(len(l.order))*inodeSize
	names := dirents + uint64(len(l.dirents))*direntSize
	for _, v := range []uint64{l.size, inodes, uint64(len(l.order)), dirents, uint64(len(l.dirents)), names, uint64(len(l.names))} {
		b = put64(b, v)
	}
	for _, n := range l.order {
		x := l.inodes[n]
		for _, v := range []uint32{n.Mode, x.nlink, n.Uid, n.Gid} {
			b = put32(b, v)
		}
		b = put32(put32(put64(b, uint64(n.Sec)), n.Nsec), 0)
		b = put64(put64(put64(put64(b, n.Rdev), x.off), x.size), 0)
	}
	for _, d := range l.dirents {
		b = put32(put32(put32(put32(b, d.off), d.length), d.inode), 0)
	}
	if _, err := w.Write(append(b, l.names...)); err != nil {
		return err
	}
	at := names + uint64(len(l.names))
	for _, n := range l.order {
		x := l.inodes[n]
		kind := n.Mode & syscall.S_IFMT
		if kind != syscall.S_IFREG && kind != syscall.S_IFLNK {
			continue
		}
		if _, err := w.Write(make([]byte, x.off-at)); err != nil {
			return err
		}
		at = x.off + x.size
		if kind == syscall.S_IFLNK {
			if _, err := io.WriteString(w, n.Target); err != nil {
				return err
			}
		} else if n.Size > 0 {
			if err := n.copy(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// copy writes the contents of a file.
func (n *Node) copy(w io.Writer) error {
	r, err := n.Contents()
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.Copy(w, io.LimitReader(r, n.Size))
	if err == nil && got < n.Size {
		err = fmt.Errorf("%d bytes are left of %d that there were: it was changed meanwhile", got, n.Size)
	}
	return err
}

func put32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func put64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }
