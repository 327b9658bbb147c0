package fs

import (
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Dentry is one name in one directory, as the VFS remembers it: of a file, of
// a name known not to exist (negative), or of a mount point that the file
// system below knows nothing of (see Mount). It is what a path leads to, and
// it follows renames.
//
// A reference keeps its node alive. Children hold one on their parent, mounts
// on their mount point. A dentry without references stays in the cache until
// it is evicted, or goes at once when its name is gone (dead).
//
// Lock order, outermost first:
//
//	VFS.mounts    mount table
//	Dentry.dir    the entries of a directory; exclusively to change several at
//	              once (Rename, of two directories in the order of their ids)
//	VFS.names     one entry of a directory whose dir is held shared: shared by
//	              lookups, exclusively by whatever changes it
//	VFS.tree      parent and name of every dentry
//	Dentry.mu     children and mounted; a parent's before its child's
//	cache.mu
//
// Only Dentry.dir and VFS.names are held while a file system is called. Reads of a
// directory hold dir alone, shared: what they find goes into the cache if no entry
// has been changed meanwhile (snapshot).
type Dentry struct {
	id   uint64
	mnt  *Mount
	node Node   // never changes; nil if negative or a bare mount point
	kind uint32 // S_IFMT bits of the node; S_IFDIR for a bare mount point

	changes  atomic.Uint32 // of single names in it, begun so far
	changing atomic.Int32  // of these, under way
	nameless bool          // it never had a name; its parent is the root of its mount

	parent atomic.Pointer[Dentry] // nil in the root of a mount; written under VFS.tree
	name   string                 // under VFS.tree

	refs    atomic.Int32 // gone once it is freed
	expires atomic.Int64 // as now()
	dead    atomic.Bool  // no longer in parent.children
	removed atomic.Bool  // its name was removed, or it never had one
	used    atomic.Bool  // since the cache last looked
	listed  atomic.Bool  // in the cache's ring; written under cache.mu
	pins    atomic.Int32 // mounts on it and below it in its file system

	dir      sync.RWMutex
	mu       sync.RWMutex
	children map[string]*Dentry
	mounted  atomic.Pointer[Mount] // written under mu

	prev, next *Dentry // in the cache's ring, under cache.mu
}

// gone is the reference count of a freed dentry: low enough that no stray
// reference brings it back to 0.
const gone = -1 << 30

// Node is the file of d, without a reference of its own; nil if d has none.
func (d *Dentry) Node() Node { return d.node }

// Mount is the mount that d lies in.
func (d *Dentry) Mount() *Mount { return d.mnt }

// Kind is the type of the file: S_IFDIR, S_IFREG, ...
func (d *Dentry) Kind() uint32 { return d.kind }

// Ref adds a reference for a holder of one.
func (d *Dentry) Ref() { d.refs.Add(1) }

// hold adds a reference for who has none, unless d is gone, or about to.
func (d *Dentry) hold() bool {
	for {
		n := d.refs.Load()
		if n < 0 {
			return false
		}
		if d.refs.CompareAndSwap(n, n+1) {
			break
		}
	}
	if d.dead.Load() {
		d.Put()
		return false
	}
	return true
}

// use marks d as used since the cache last looked.
func (d *Dentry) use() {
	if !d.used.Load() {
		d.used.Store(true)
	}
}

// Put gives a reference back. No lock of a Dentry but dir is held.
func (d *Dentry) Put() {
	if d.put(nil) {
		d.mnt.vfs.cache.trim()
	}
}

// put is Put without the eviction of what there is too much; it tells if
// there is one unused dentry more. The references of what it frees go to b
// if that is not nil.
func (d *Dentry) put(b *unrefs) (more bool) {
	if d.refs.Add(-1) != 0 {
		return false
	}
	if d.dead.Load() {
		d.free(b)
		return false
	}
	return d.keep()
}

// keep has the cache take in d, which has no references, if it has not yet.
func (d *Dentry) keep() bool {
	if d.listed.Load() {
		return false
	}
	d.mnt.vfs.cache.keep(d)
	return true
}

// free lets go of a dead dentry that has no references, and of those ancestors
// that only it had kept. Whoever turns the count from 0 to gone does it, once.
func (d *Dentry) free(b *unrefs) {
	for d.refs.CompareAndSwap(0, gone) {
		if d.mnt.vfs.watching() && d.node != nil {
			d.uncached()
			if d.removed.Load() {
				d.notifyGone()
			}
		}
		p := d.parent.Load()
		switch {
		case d.node == nil:
		case b != nil:
			b.add(d.mnt.fs, d.node)
		default:
			d.node.Unref()
		}
		d.mnt.vfs.cache.remove(d)
		if p == nil || p.refs.Add(-1) != 0 {
			return
		}
		if !p.dead.Load() {
			p.keep()
			return
		}
		d = p
	}
}

// bury marks d, which has just left its parent's children, as dead. What the
// cache has below it is of no use any more, so the file system may forget it.
func (d *Dentry) bury() {
	d.dead.Store(true)
	if d.isDir() {
		d.prune()
	}
	if d.refs.Load() == 0 {
		d.free(nil)
	}
}

func (d *Dentry) isDir() bool { return d.kind == syscall.S_IFDIR }

// cached returns the child called name with a reference, or nil.
func (d *Dentry) cached(name string) *Dentry {
	d.mu.RLock()
	c := d.children[name]
	if c != nil {
		c.refs.Add(1)
	}
	d.mu.RUnlock()
	if c != nil {
		c.use()
	}
	return c
}

func (d *Dentry) renew(e Entry) {
	if e.Valid == Forever {
		d.expires.Store(int64(Forever))
		return
	}
	d.expires.Store(now() + max(0, min(int64(e.Valid), int64(Forever)/2)))
}

// insert makes e the entry of name in p, in place of what the cache knew, and
// returns its dentry with a reference. It takes over e's reference, and name, which
// is no part of what a program has given. name is locked, or all of p.
func (v *VFS) insert(p *Dentry, name string, e Entry) (*Dentry, error) {
	return v.insertOf(p.mnt, nil, p, name, true, e)
}

// insertSince is insert for what was learned after the snapshot s, with p.dir
// held: nil instead of a dentry if entries of p have been changed since.
func (v *VFS) insertSince(s *snapshot, p *Dentry, name string, e Entry) (*Dentry, error) {
	return v.insertOf(p.mnt, s, p, name, false, e)
}

// insertOf is insertSince for an entry of the mount m: p's, or the fallback. There
// may be no snapshot. It keeps a copy of name unless it may have it.
func (v *VFS) insertOf(m *Mount, s *snapshot, p *Dentry, name string, have bool, e Entry) (*Dentry, error) {
	var kind uint32
	if k, ok := e.Node.(Kinder); ok {
		kind = k.Kind() & syscall.S_IFMT
	} else if e.Node != nil {
		if c := p.cached(name); c != nil { // nobody need be asked
			if c.keeps(e) {
				return c, nil
			}
			c.Put()
		}
		var err error
		if kind, err = kindOf(e.Node); err != nil {
			e.Node.Unref()
			return nil, err
		}
	}
	p.mu.Lock()
	if s != nil && !s.holds(p) {
		p.mu.Unlock()
		v.drop(e)
		return nil, nil
	}
	old := p.children[name]
	if old != nil && old.keeps(e) {
		old.refs.Add(1)
		p.mu.Unlock()
		old.use()
		return old, nil
	}
	if !have {
		name = strings.Clone(name)
	}
	d := v.newDentry(m, p, name, e.Node, kind)
	d.renew(e)
	p.setChild(d)
	p.mu.Unlock()
	if v.watching() && d.node != nil {
		d.cachedAgain()
	}
	if old != nil {
		old.bury()
	}
	v.cache.trim()
	return d, nil
}

// keeps tells if d already stands for e or cannot be replaced, and then takes
// over e's lifetime and reference.
func (d *Dentry) keeps(e Entry) bool {
	same := d.node == e.Node
	if !same && d.pins.Load() == 0 {
		return false
	}
	if same {
		d.renew(e)
	}
	if e.Node != nil {
		e.Node.Unref()
	}
	return true
}

// newDentry makes a dentry with one reference, and one on its parent.
func (v *VFS) newDentry(m *Mount, p *Dentry, name string, n Node, kind uint32) *Dentry {
	d := &Dentry{id: v.lastID.Add(1), mnt: m, name: name, node: n, kind: kind}
	d.refs.Store(1)
	v.cache.held.Add(1)
	if p != nil {
		p.refs.Add(1)
		d.parent.Store(p)
	}
	return d
}

// setChild puts d among p's children; p.mu is held.
func (p *Dentry) setChild(d *Dentry) {
	if p.children == nil {
		p.children = make(map[string]*Dentry)
	}
	p.children[d.name] = d
}

// unhash takes c out of p's children, if it is there, and marks it as dead.
func (p *Dentry) unhash(name string, c *Dentry) {
	p.mu.Lock()
	found := p.children[name] == c
	if found {
		delete(p.children, name)
	}
	p.mu.Unlock()
	if found {
		c.bury()
	}
}

// Kinder is implemented by Nodes that know their type, the S_IFMT bits,
// without asking anybody. Other nodes are asked for all their attributes when
// they are first found.
type Kinder interface {
	Kind() uint32
}

func kindOf(n Node) (uint32, error) {
	if k, ok := n.(Kinder); ok {
		return k.Kind() & syscall.S_IFMT, nil
	}
	a := attrs.Get().(*Attr)
	defer attrs.Put(a)
	err := n.Getattr(a)
	return a.Mode & syscall.S_IFMT, err
}

// attrs saves an allocation where an Attr is needed for a moment.
var attrs = sync.Pool{New: func() any { return new(Attr) }}
