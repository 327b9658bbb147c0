package kernel

import (
	"strings"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/synth"
	"github.com/yolkos/yolk/kernel/control"
)

// hostReader asks the host for part of a file that it offers, see link.readFile.
type hostReader func(name string, off int64, count int) fileData

// hostNode is what the host offers under a name, if it does: a file, a link or a
// directory. It is asked when somebody looks for the node, and what it answers is
// kept in memory, but for the image.
type hostNode struct {
	synth.Base
	name   string
	read   hostReader
	change func(b []byte) []byte // of what the host has; nil: as it is
	own    string                // what a file has if the host has none; may be empty

	mu    sync.Mutex
	asked bool
	has   fileData
	nodes map[string]*hostNode // of a directory, those that were looked up
}

func newHostNode(f *synth.FS, name string, read hostReader) *hostNode {
	return &hostNode{Base: f.Base(syscall.S_IFREG), name: name, read: read}
}

// imageName is the launcher's name for the file that the machine was booted from.
const imageName = "exe"

func (n *hostNode) isImage() bool { return n.name == imageName }

// load asks the host, if it has not answered yet.
func (n *hostNode) load() fileData {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asked {
		return n.has
	}
	count := control.MaxData
	if n.isImage() {
		count = 0
	}
	d := n.read(n.name, 0, count)
	for d.errno == 0 && d.kind == syscall.S_IFREG && count > 0 && int64(len(d.data)) < d.size {
		more := n.read(n.name, int64(len(d.data)), count)
		if more.errno != 0 || len(more.data) == 0 {
			break // it was cut off meanwhile
		}
		d.data = append(d.data, more.data...)
	}
	if d.errno == 0 && n.change != nil {
		d.data = n.change(d.data)
	}
	if d.errno != 0 && n.own != "" {
		d = fileData{kind: syscall.S_IFREG, data: []byte(n.own)}
	}
	n.asked = d.errno == 0 || d.errno == syscall.ENOENT
	n.has = d
	return d
}

// Exists implements synth.Optional.
func (n *hostNode) Exists() bool { return n.load().errno == 0 }

// Kind implements fs.Kinder.
func (n *hostNode) Kind() uint32 { return n.load().kind }

// Getattr implements fs.Node.
func (n *hostNode) Getattr(a *fs.Attr) error {
	d := n.load()
	_ = n.Base.Getattr(a) // has no error
	a.Mode, a.Size = d.kind|0o644, int64(len(d.data))
	switch {
	case d.kind == syscall.S_IFLNK:
		a.Mode |= 0o777
	case d.kind == syscall.S_IFDIR:
		a.Mode |= 0o755
		a.Size, a.Nlink = 0, 2
	case n.isImage():
		a.Mode |= 0o755
		a.Size = d.size
	}
	a.Blocks = (a.Size + 511) / 512
	return nil
}

// Readlink implements fs.Node.
func (n *hostNode) Readlink() (string, error) {
	d := n.load()
	if d.kind != syscall.S_IFLNK {
		return "", syscall.EINVAL
	}
	return string(d.data), nil
}

// Lookup implements fs.Node.
func (n *hostNode) Lookup(name string) (fs.Entry, error) {
	if n.Kind() != syscall.S_IFDIR {
		return fs.Entry{}, syscall.ENOTDIR
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	child := n.nodes[name]
	if child == nil {
		child = newHostNode(n.FS, n.name+"/"+name, n.read)
		if e := child.load().errno; e != 0 {
			return fs.Entry{}, e
		}
		if n.nodes == nil {
			n.nodes = make(map[string]*hostNode)
		}
		n.nodes[name] = child
	}
	return fs.Entry{Node: child}, nil
}

// Open implements fs.Node.
func (n *hostNode) Open(flags int) (fs.File, error) {
	d := n.load()
	switch {
	case d.errno != 0:
		return nil, d.errno
	case d.kind == syscall.S_IFDIR:
		return synth.OpenDir(n, func(cookie uint64, emit func(*fs.Dirent) bool) error {
			listNames(string(d.data), cookie, emit)
			return nil
		}), nil
	case flags&(syscall.O_ACCMODE|syscall.O_TRUNC) == syscall.O_RDONLY:
		return &openHost{of: n, part: d.data}, nil
	case n.isImage():
		return nil, syscall.ETXTBSY
	}
	return nil, syscall.EROFS
}

// listNames lists the names that the host says are in a directory, each ended by
// NUL, those of directories by a slash before it.
func listNames(list string, cookie uint64, emit func(*fs.Dirent) bool) {
	for next := uint64(1); list != ""; next++ {
		var name string
		name, list, _ = strings.Cut(list, "\x00")
		e := fs.Dirent{Type: syscall.DT_REG, Next: next}
		var isDir bool
		if e.Name, isDir = strings.CutSuffix(name, "/"); isDir {
			e.Type = syscall.DT_DIR
		}
		if next > cookie && validName(e.Name) && !emit(&e) {
			return
		}
	}
}

// validName tells if a name that comes from elsewhere is one.
func validName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= fs.NameMax && !strings.ContainsAny(name, "/\x00")
}

// openHost is an open file of the host. Of the image it keeps the part that was read
// last, for those who read a few bytes at a time.
type openHost struct {
	fs.UnsupportedFile
	of *hostNode

	mu    sync.Mutex
	start int64
	part  []byte
}

// imagePart is how much of the image is read at once, in bytes.
const imagePart = 64 << 10

func (o *openHost) Getattr(a *fs.Attr) error { return o.of.Getattr(a) }

func (o *openHost) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for n < len(p) {
		at := off + int64(n)
		if at < o.start || at-o.start >= int64(len(o.part)) {
			if !o.of.isImage() {
				break
			}
			d := o.of.read(imageName, at, max(imagePart, min(len(p)-n, control.MaxData)))
			if d.errno != 0 && n == 0 {
				return 0, d.errno
			}
			if d.errno != 0 || len(d.data) == 0 {
				break
			}
			o.start, o.part = at, d.data
		}
		n += copy(p[n:], o.part[at-o.start:])
	}
	return n, nil
}
