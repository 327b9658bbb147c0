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

// hostFile is a file that the host may have, or a link. It is asked for when
// somebody looks for it, and kept in memory.
type hostFile struct {
	synth.Base
	name   string
	read   hostReader
	change func(b []byte) []byte // of what the host has; nil: as it is
	own    string                // what there is if the host has none; may be empty

	mu    sync.Mutex
	asked bool
	has   fileData
}

// load asks the host, if it has not answered yet.
func (f *hostFile) load() fileData {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked {
		return f.has
	}
	d := f.read(f.name, 0, control.MaxData)
	for d.errno == 0 && d.kind == syscall.S_IFREG && int64(len(d.data)) < d.size {
		more := f.read(f.name, int64(len(d.data)), control.MaxData)
		if more.errno != 0 || len(more.data) == 0 {
			break // it was cut off meanwhile
		}
		d.data = append(d.data, more.data...)
	}
	if d.errno == 0 && f.change != nil {
		d.data = f.change(d.data)
	}
	if d.errno != 0 && f.own != "" {
		d = fileData{kind: syscall.S_IFREG, data: []byte(f.own)}
	}
	f.asked = d.errno == 0 || d.errno == syscall.ENOENT
	f.has = d
	return d
}

// Exists implements synth.Optional.
func (f *hostFile) Exists() bool {
	d := f.load()
	return d.errno == 0 && d.kind != syscall.S_IFDIR
}

// Kind implements fs.Kinder.
func (f *hostFile) Kind() uint32 { return f.load().kind }

// Getattr implements fs.Node.
func (f *hostFile) Getattr(a *fs.Attr) error {
	d := f.load()
	_ = f.Base.Getattr(a) // has no error
	a.Mode = d.kind | 0o644
	if d.kind == syscall.S_IFLNK {
		a.Mode |= 0o777
	}
	a.Size = int64(len(d.data))
	a.Blocks = (a.Size + 511) / 512
	return nil
}

// Readlink implements fs.Node.
func (f *hostFile) Readlink() (string, error) {
	d := f.load()
	if d.kind != syscall.S_IFLNK {
		return "", syscall.EINVAL
	}
	return string(d.data), nil
}

// Open implements fs.Node.
func (f *hostFile) Open(flags int) (fs.File, error) {
	if flags&(syscall.O_ACCMODE|syscall.O_TRUNC) != syscall.O_RDONLY {
		return nil, syscall.EROFS
	}
	return &openHostFile{of: f, data: f.load().data}, nil
}

type openHostFile struct {
	fs.UnsupportedFile
	of   fs.Node
	data []byte
}

func (f *openHostFile) Getattr(a *fs.Attr) error { return f.of.Getattr(a) }

func (f *openHostFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	if off >= int64(len(f.data)) {
		return 0, nil
	}
	return copy(p, f.data[off:]), nil
}

// hostDir is a directory of the host, with all that is in it.
type hostDir struct {
	synth.Base
	name string
	read hostReader

	mu    sync.Mutex
	nodes map[string]fs.Node
}

func newHostDir(f *synth.FS, name string, read hostReader) *hostDir {
	return &hostDir{Base: f.Base(syscall.S_IFDIR | 0o755), name: name, read: read, nodes: make(map[string]fs.Node)}
}

// Exists implements synth.Optional.
func (d *hostDir) Exists() bool { return d.read(d.name, 0, 0).kind == syscall.S_IFDIR }

// Getattr implements fs.Node.
func (d *hostDir) Getattr(a *fs.Attr) error {
	err := d.Base.Getattr(a)
	a.Nlink = 2
	return err
}

// Lookup implements fs.Node. What was found once is kept.
func (d *hostDir) Lookup(name string) (fs.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.nodes[name]; n != nil {
		return fs.Entry{Node: n}, nil
	}
	path := d.name + "/" + name
	switch h := d.read(path, 0, 0); {
	case h.errno != 0:
		return fs.Entry{}, h.errno
	case h.kind == syscall.S_IFDIR:
		d.nodes[name] = newHostDir(d.FS, path, d.read)
	default:
		d.nodes[name] = &hostFile{Base: d.FS.Base(syscall.S_IFREG | 0o644), name: path, read: d.read}
	}
	return fs.Entry{Node: d.nodes[name]}, nil
}

// Open implements fs.Node.
func (d *hostDir) Open(int) (fs.File, error) {
	names := strings.Split(string(d.read(d.name, 0, 0).data), "\x00")
	names = names[:len(names)-1] // behind the last NUL
	return synth.OpenDir(d, func(cookie uint64, emit func(*fs.Dirent) bool) error {
		for ; cookie < uint64(len(names)); cookie++ {
			name, isDir := strings.CutSuffix(names[cookie], "/")
			e := fs.Dirent{Name: name, Type: syscall.DT_REG, Next: cookie + 1}
			if isDir {
				e.Type = syscall.DT_DIR
			}
			if !validName(name) {
				continue
			}
			if !emit(&e) {
				break
			}
		}
		return nil
	}), nil
}

// validName tells if a name that the host says is one.
func validName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= fs.NameMax && !strings.ContainsAny(name, "/\x00")
}

// image is the file that the machine was booted from. It is not kept in memory.
type image struct {
	synth.Base
	read hostReader
	has  func() fileData // what the host says of it, with no data
}

func newImage(f *synth.FS, read hostReader) *image {
	i := &image{Base: f.Base(syscall.S_IFREG | 0o755), read: read}
	i.has = sync.OnceValue(func() fileData { return read(imageName, 0, 0) })
	return i
}

// Exists implements synth.Optional.
func (i *image) Exists() bool { return i.has().errno == 0 }

const imageName = "exe"

// Getattr implements fs.Node.
func (i *image) Getattr(a *fs.Attr) error {
	err := i.Base.Getattr(a)
	a.Size = i.has().size
	a.Blocks = (a.Size + 511) / 512
	return err
}

// Open implements fs.Node.
func (i *image) Open(flags int) (fs.File, error) {
	if flags&(syscall.O_ACCMODE|syscall.O_TRUNC) != syscall.O_RDONLY {
		return nil, syscall.ETXTBSY
	}
	return &openImage{of: i}, nil
}

// openImage keeps the part that was read last, for those who read a few bytes at a
// time.
type openImage struct {
	fs.UnsupportedFile
	of *image

	mu    sync.Mutex
	start int64
	part  []byte
}

// imagePart is how much is read at once, in bytes.
const imagePart = 64 << 10

func (o *openImage) Getattr(a *fs.Attr) error { return o.of.Getattr(a) }

func (o *openImage) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, syscall.EINVAL
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for n < len(p) {
		at := off + int64(n)
		if at < o.start || at >= o.start+int64(len(o.part)) {
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
