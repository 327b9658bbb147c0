package fusefs

import (
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// nodeTable maps nodeids to the nodes that are in use. One (nodeid,
// generation) is one *node as long as anyone holds a reference.
type nodeTable struct {
	mu sync.Mutex
	m  map[uint64]*node

	submounts    map[submountKey]submount
	lastSubmount uint32
}

// node is a file of the server. It implements fs.Node.
type node struct {
	fs      *FS
	id, gen uint64
	typ     uint32 // S_IFMT part of the mode
	mount   uint32 // the submount that the file lies in; 0: none
	refs    atomic.Int64
	stale   atomic.Bool   // the server gave (id, gen) or its type to another file
	renames atomic.Uint32 // how often a call of ours has changed names in this directory
	listed  atomic.Int64  // when the names in this directory were last listed, without attributes; 0: never
	mapped  atomic.Bool   // for writing, into the device's window
	locked  atomic.Bool   // POSIX locks were taken: FLUSH drops them
	io      sync.RWMutex
	data    atomic.Pointer[fileData] // nil: none is kept
	ours    atomic.Pointer[ours]     // nil: nothing was noted

	// Under fs.table.mu.
	lookups uint64 // to give back with FORGET
	gone    bool   // out of the table for good
	top     bool   // the root of its submount

	mu sync.Mutex
	attrCache
	gift   bool   // READDIRPLUS has brought attr, and nobody has used it
	linked bool   // link is known
	link   string // target of a symbolic link, FUSE_CACHE_SYMLINKS
}

var (
	_ fs.Node     = (*node)(nil)
	_ fs.Kinder   = (*node)(nil)
	_ fs.Unreffer = (*FS)(nil)
)

func newNode(f *FS, id, gen uint64, typ uint32) *node {
	n := &node{fs: f, id: id, gen: gen, typ: typ}
	n.refs.Store(1)
	return n
}

// mark is the moment before a request: what a reply tells is true at that
// time or later, and counts for less than changes made since.
type mark struct {
	time    int64
	version uint64
}

func (f *FS) mark() mark { return mark{f.now(), f.attrVersion.Load()} }

// intern returns the node of the entry called name in n, which the server has
// just counted, with a reference for the caller. If the entry is not to be
// used, the count is given back.
func (dir *node) intern(op uint32, name string, e *fuse.EntryOut, m mark) (*node, error) {
	f := dir.fs
	if field, value := badEntry(e); field != "" {
		f.forget(fuse.ForgetOne{Nodeid: e.Nodeid, Nlookup: 1})
		return nil, f.badReply(op, field, value, "is not valid in an entry")
	}
	typ := e.Attr.Mode & syscall.S_IFMT
	t := &f.table
	t.mu.Lock()
	n := t.m[e.Nodeid]
	if n != nil && (n.gen != e.Generation || n.typ != typ) {
		n.stale.Store(true)
		n = nil
	}
	if n == nil {
		n = newNode(f, e.Nodeid, e.Generation, typ)
		n.mount = dir.mount
		if e.Attr.Flags&fuse.FUSE_ATTR_SUBMOUNT != 0 && f.session.submounts {
			n.mount, n.top = f.submount(dir, name, e), true
		}
		t.m[e.Nodeid] = n
		f.files.nodes.Add(1)
	} else {
		n.refs.Add(1)
	}
	n.lookups++
	t.mu.Unlock()
	valid := lifetime(e.AttrValid, e.AttrValidNsec)
	if op == fuse.FUSE_LINK {
		n.learnChange(&e.Attr, valid, m)
	} else {
		n.learn(&e.Attr, valid, m)
	}
	return n, nil
}

// badEntry names the field that makes an entry useless, if there is one.
func badEntry(e *fuse.EntryOut) (field string, value uint64) {
	switch {
	case e.Nodeid == 0 || e.Nodeid == fuse.FUSE_ROOT_ID:
		return "nodeid", e.Nodeid
	case !validType(e.Attr.Mode):
		return "mode", uint64(e.Attr.Mode)
	case e.Attr.Size > math.MaxInt64:
		return "size", e.Attr.Size
	}
	return "", 0
}

func validType(mode uint32) bool {
	switch mode & syscall.S_IFMT {
	case syscall.S_IFREG, syscall.S_IFDIR, syscall.S_IFLNK, syscall.S_IFCHR,
		syscall.S_IFBLK, syscall.S_IFIFO, syscall.S_IFSOCK:
		return true
	}
	return false
}

// entry turns the answer of an operation that finds or makes name in dir into
// an fs.Entry. Only LOOKUP may answer with a negative entry.
func (dir *node) entry(op uint32, name string, e *fuse.EntryOut, m mark) (fs.Entry, error) {
	f := dir.fs
	valid := f.left(m, lifetime(e.EntryValid, e.EntryValidNsec))
	if e.Nodeid == 0 && op == fuse.FUSE_LOOKUP {
		return fs.Entry{Valid: valid}, nil
	}
	n, err := dir.intern(op, name, e, m)
	if err != nil {
		return fs.Entry{}, err
	}
	return fs.Entry{Node: n, Valid: valid}, nil
}

// callEntry sends r and returns the entry called name in dir that it answers
// with.
func (dir *node) callEntry(r *request, name string) (fs.Entry, error) {
	f := dir.fs
	m := f.mark()
	body, err := f.call(r, fuse.EntryOutSize)
	if err != nil {
		return fs.Entry{}, err
	}
	var e fuse.EntryOut
	if e.Decode(body) != nil {
		return fs.Entry{}, syscall.EIO
	}
	return dir.entry(r.op, name, &e, m)
}

// Kind implements fs.Kinder.
func (n *node) Kind() uint32 { return n.typ }

// Ref implements fs.Node.
func (n *node) Ref() { n.refs.Add(1) }

// Unref implements fs.Node. The last one forgets the node.
func (n *node) Unref() {
	if lookups := n.unref(); lookups > 0 {
		n.fs.forget(fuse.ForgetOne{Nodeid: n.id, Nlookup: lookups})
	}
}

// UnrefAll implements fs.Unreffer.
func (f *FS) UnrefAll(nodes []fs.Node) {
	list := make([]fuse.ForgetOne, 0, len(nodes))
	for _, x := range nodes {
		n := x.(*node)
		if lookups := n.unref(); lookups > 0 {
			list = append(list, fuse.ForgetOne{Nodeid: n.id, Nlookup: lookups})
		}
	}
	f.forget(list...)
}

// unref gives a reference back and returns, after the last one, how many
// lookups are to be forgotten.
func (n *node) unref() (lookups uint64) {
	left := n.refs.Add(-1)
	if left > 0 {
		return 0
	}
	if left < 0 {
		panic("fusefs: Unref of a node without references")
	}
	f := n.fs
	t := &f.table
	t.mu.Lock()
	// Meanwhile an entry may have brought the node back.
	if n.refs.Load() != 0 || n.gone || n == f.root {
		t.mu.Unlock()
		return 0
	}
	n.gone = true
	if t.m[n.id] == n {
		delete(t.m, n.id)
	}
	lookups = n.lookups
	t.mu.Unlock()
	f.files.nodes.Add(-1)
	f.files.forgot.Add(1)
	n.dropData()
	return lookups
}

// usable returns ESTALE for a node whose id now belongs to another file.
func (n *node) usable() error {
	if n.stale.Load() {
		return syscall.ESTALE
	}
	return nil
}

// lifetime converts a time on the wire; longer than 292 years is Forever.
func lifetime(sec uint64, nsec uint32) time.Duration {
	if sec >= math.MaxInt64/uint64(time.Second) {
		return fs.Forever
	}
	return time.Duration(sec)*time.Second + time.Duration(min(nsec, 999999999))
}

// deadline is when a lifetime that began at m ends.
func deadline(m mark, d time.Duration) int64 {
	if int64(d) > math.MaxInt64-m.time {
		return math.MaxInt64
	}
	return m.time + int64(d)
}

// left is how much of a lifetime that began at m is left.
func (f *FS) left(m mark, d time.Duration) time.Duration {
	if d == 0 || d == fs.Forever {
		return d
	}
	return time.Duration(max(deadline(m, d)-f.now(), 0))
}
