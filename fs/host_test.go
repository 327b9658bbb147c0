package fs_test

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
)

// host is a file system that changes behind the back of the VFS, as a host's
// does: entries have the lifetime valid, lookups and references are counted,
// and nodes can be made stale.
type host struct {
	fs.FileSystem
	mu      sync.Mutex
	valid   time.Duration
	nodes   map[fs.Node]*hostNode
	lookups int
	stale   map[fs.Node]int // how many more calls fail
	closed  bool
}

func newHost(valid time.Duration) *host {
	return &host{FileSystem: tmpfs.New(tmpfs.Limits{}), valid: valid, nodes: make(map[fs.Node]*hostNode), stale: make(map[fs.Node]int)}
}

func (h *host) Type() string { return "hostfs" }

func (h *host) Root() fs.Node { return h.wrap(h.FileSystem.Root()) }

func (h *host) Close() error {
	h.closed = true
	return nil
}

// hostNode has the methods of the tmpfs node, with the host's view of entries.
type hostNode struct {
	fs.Node
	h    *host
	refs int
}

// wrap takes over the reference on n.
func (h *host) wrap(n fs.Node) *hostNode {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.nodes[n]
	if w == nil {
		w = &hostNode{Node: n, h: h}
		h.nodes[n] = w
	} else {
		n.Unref()
	}
	w.refs++
	return w
}

func (h *host) entry(e fs.Entry, err error) (fs.Entry, error) {
	if err != nil {
		return e, err
	}
	if e.Node != nil {
		e.Node = h.wrap(e.Node)
	}
	e.Valid = h.valid
	return e, nil
}

func (n *hostNode) Ref() {
	n.h.mu.Lock()
	n.refs++
	n.h.mu.Unlock()
}

func (n *hostNode) Unref() {
	n.h.mu.Lock()
	defer n.h.mu.Unlock()
	if n.refs--; n.refs == 0 {
		delete(n.h.nodes, n.Node)
		n.Node.Unref()
	}
	if n.refs < 0 {
		panic("a reference was given back twice")
	}
}

// fail tells if a call on n is to fail with ESTALE.
func (n *hostNode) fail() bool {
	n.h.mu.Lock()
	defer n.h.mu.Unlock()
	if n.h.stale[n.Node] == 0 {
		return false
	}
	n.h.stale[n.Node]--
	return true
}

func (n *hostNode) Getattr(a *fs.Attr) error {
	if n.fail() {
		return syscall.ESTALE
	}
	return n.Node.Getattr(a)
}

func (n *hostNode) Lookup(name string) (fs.Entry, error) {
	n.h.mu.Lock()
	n.h.lookups++
	n.h.mu.Unlock()
	if n.fail() {
		return fs.Entry{}, syscall.ESTALE
	}
	return n.h.entry(n.Node.Lookup(name))
}

func (n *hostNode) Mkdir(name string, mode, umask uint32) (fs.Entry, error) {
	return n.h.entry(n.Node.Mkdir(name, mode, umask))
}

func (n *hostNode) Mknod(name string, mode, umask, rdev uint32) (fs.Entry, error) {
	return n.h.entry(n.Node.Mknod(name, mode, umask, rdev))
}

func (n *hostNode) Symlink(name, target string) (fs.Entry, error) {
	return n.h.entry(n.Node.Symlink(name, target))
}

func (n *hostNode) Create(name string, flags int, mode, umask uint32) (fs.Entry, fs.File, error) {
	e, f, err := n.Node.Create(name, flags, mode, umask)
	e, err = n.h.entry(e, err)
	return e, f, err
}

func (n *hostNode) Link(name string, target fs.Node) (fs.Entry, error) {
	return n.h.entry(n.Node.Link(name, under(target)))
}

func (n *hostNode) Rename(name string, dir fs.Node, newName string, flags uint32) error {
	return n.Node.Rename(name, under(dir), newName, flags)
}

// under is the tmpfs node of n.
func under(n fs.Node) fs.Node {
	if t, ok := n.(tellingNode); ok {
		return t.Node
	}
	return n.(*hostNode).Node
}

// at makes the layout below h's root, without the VFS: "d/" is a directory,
// "a => b" a link to b, anything else an empty file. Parents come first.
func (h *host) at(t testing.TB, layout ...string) {
	t.Helper()
	v := fs.New(h.FileSystem, fs.MountOptions{})
	lay(t, v, layout...)
}

// counted fails the test if references are left on nodes other than the root.
func (h *host) counted(t testing.TB) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.nodes {
		if n.refs != 0 && len(h.nodes) > 1 {
			t.Errorf("%d references left on a node", n.refs)
		}
	}
}
