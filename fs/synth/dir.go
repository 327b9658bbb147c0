package synth

import (
	"sort"
	"strings"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Dir is a directory to which the program adds nodes; none is ever taken away.
type Dir struct {
	Base
	fill  func()
	once  sync.Once
	mu    sync.RWMutex
	nodes map[string]fs.Node
	names []string // in the order of adding: cookie n is behind the nth
}

// NewDir makes a directory that is in no other yet.
func (f *FS) NewDir(mode uint32) *Dir {
	return &Dir{Base: f.Base(syscall.S_IFDIR | mode&0o7777), nodes: make(map[string]fs.Node)}
}

// FillOnUse has fill, which adds the nodes, called when the directory is first
// looked at: a boot in which nobody does so is spared of it. It is set before the
// directory is in use.
func (d *Dir) FillOnUse(fill func()) { d.fill = fill }

func (d *Dir) use() {
	if d.fill != nil {
		d.once.Do(d.fill)
	}
}

// Add puts n at path, whose directories are made if they are not there. What
// was there is replaced.
func (d *Dir) Add(path string, n fs.Node) {
	first, rest, deeper := strings.Cut(path, "/")
	d.mu.Lock()
	defer d.mu.Unlock()
	old, found := d.nodes[first]
	if !found {
		d.names = append(d.names, first)
	}
	if !deeper {
		d.nodes[first] = n
		return
	}
	sub, ok := old.(*Dir)
	if !ok {
		sub = d.FS.NewDir(0o555)
		d.nodes[first] = sub
	}
	sub.Add(rest, n)
}

// Has tells if there is a node of that name in d itself.
func (d *Dir) Has(name string) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.nodes[name] != nil
}

// Getattr implements fs.Node.
func (d *Dir) Getattr(a *fs.Attr) error {
	d.use()
	d.Base.Getattr(a)
	d.mu.RLock()
	defer d.mu.RUnlock()
	a.Nlink = 2
	for _, n := range d.nodes {
		if _, ok := n.(*Dir); ok {
			a.Nlink++
		}
	}
	return nil
}

// Lookup implements fs.Node.
func (d *Dir) Lookup(name string) (fs.Entry, error) {
	d.use()
	d.mu.RLock()
	n := d.nodes[name]
	d.mu.RUnlock()
	if !exists(n) {
		return fs.Entry{}, syscall.ENOENT
	}
	return fs.Entry{Node: n}, nil
}

// Optional is a node that may turn out not to be there.
type Optional interface {
	Exists() bool
}

func exists(n fs.Node) bool {
	o, ok := n.(Optional)
	return n != nil && (!ok || o.Exists())
}

// Open implements fs.Node.
func (d *Dir) Open(flags int) (fs.File, error) {
	d.use()
	return OpenDir(d, func(cookie uint64, emit func(*fs.Dirent) bool) error {
		return d.list(cookie, emit)
	}), nil
}

func (d *Dir) list(cookie uint64, emit func(*fs.Dirent) bool) error {
	d.mu.RLock()
	names := d.names
	d.mu.RUnlock()
	for ; cookie < uint64(len(names)); cookie++ {
		name := names[cookie]
		d.mu.RLock()
		n := d.nodes[name]
		d.mu.RUnlock()
		if exists(n) && !emit(direntOf(name, n, cookie+1)) {
			break
		}
	}
	return nil
}

func direntOf(name string, n fs.Node, next uint64) *fs.Dirent {
	var a fs.Attr
	n.Getattr(&a)
	return &fs.Dirent{Name: name, Ino: a.Ino, Type: uint8(a.Mode >> 12 & 15), Next: next}
}

// Numbered is a directory whose entries are numbers: /proc/self/fd.
type Numbered struct {
	Base
	List func() []int        // in any order
	Node func(n int) fs.Node // nil: there is none
}

// NewNumbered makes such a directory.
func (f *FS) NewNumbered(mode uint32, list func() []int, node func(n int) fs.Node) *Numbered {
	return &Numbered{f.Base(syscall.S_IFDIR | mode&0o7777), list, node}
}

// Lookup implements fs.Node.
func (d *Numbered) Lookup(name string) (fs.Entry, error) {
	i, ok := number(name)
	if !ok {
		return fs.Entry{}, syscall.ENOENT
	}
	n := d.Node(i)
	if n == nil {
		return fs.Entry{}, syscall.ENOENT
	}
	return fs.Entry{Node: n}, nil
}

// number reads a number as it is written without leading zeros or signs.
func number(s string) (n int, ok bool) {
	if s == "" || len(s) > 9 || s[0] == '0' && s != "0" {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// Open implements fs.Node.
func (d *Numbered) Open(flags int) (fs.File, error) {
	return OpenDir(d, func(cookie uint64, emit func(*fs.Dirent) bool) error {
		list := d.List()
		sort.Ints(list)
		for _, i := range list {
			if uint64(i) < cookie {
				continue
			}
			n := d.Node(i)
			if n != nil && !emit(direntOf(digits(i), n, uint64(i)+1)) {
				break
			}
		}
		return nil
	}), nil
}

func digits(n int) string {
	var b [20]byte
	at := len(b)
	for {
		at--
		b[at] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[at:])
		}
	}
}

// OpenDir makes the open directory of n from a function as of fs.File.ReadDir.
func OpenDir(n fs.Node, read func(cookie uint64, emit func(*fs.Dirent) bool) error) fs.File {
	return &openDir{node: n, read: read}
}

type openDir struct {
	fs.UnsupportedFile
	node fs.Node
	read func(cookie uint64, emit func(*fs.Dirent) bool) error
}

func (d *openDir) Getattr(a *fs.Attr) error { return d.node.Getattr(a) }

func (d *openDir) ReadAt([]byte, int64) (int, error) { return 0, syscall.EISDIR }

func (d *openDir) ReadDir(cookie uint64, emit func(*fs.Dirent) bool) error {
	return d.read(cookie, emit)
}
