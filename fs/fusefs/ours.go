package fusefs

import (
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
)

// Where the host tells what is changed in a share, by whomever, the changes of
// this machine come back. So for each file it is noted when calls of ours change
// it: from before the request is sent until its reply is taken. Nothing is noted
// while nobody is told.

// ours is what is noted of a node.
type ours struct {
	changing, closing atomic.Int32 // under way
	changed, closed   atomic.Int64 // when the last one ended, as fs.Now
}

var (
	_ fs.SharedNode   = (*node)(nil)
	_ fs.SharedSystem = (*FS)(nil)
)

// TellChanges implements fs.SharedSystem.
func (f *FS) TellChanges(told func()) {
	if told == nil {
		f.told.Store(nil)
		return
	}
	f.told.Store(&told)
}

// ourChange begins a change of n and returns what ends it; nil if nobody is told.
func (n *node) ourChange() *ours {
	if n.fs.told.Load() == nil {
		return nil
	}
	o := n.oursOf()
	o.changing.Add(1)
	return o
}

// end ends what ourChange began.
func (o *ours) end(f *FS) {
	if o == nil {
		return
	}
	o.changed.Store(fs.Now())
	o.changing.Add(-1)
	f.tellChange()
}

// ourClose is ourChange for the release of a handle.
func (n *node) ourClose() *ours {
	if n.fs.told.Load() == nil {
		return nil
	}
	o := n.oursOf()
	o.closing.Add(1)
	return o
}

// endClose ends what ourClose began.
func (o *ours) endClose(f *FS) {
	if o == nil {
		return
	}
	o.closed.Store(fs.Now())
	o.closing.Add(-1)
	f.tellChange()
}

func (n *node) oursOf() *ours {
	if o := n.ours.Load(); o != nil {
		return o
	}
	n.ours.CompareAndSwap(nil, new(ours))
	return n.ours.Load()
}

func (f *FS) tellChange() {
	if told := f.told.Load(); told != nil {
		(*told)()
	}
}

// Changing implements fs.SharedNode.
func (n *node) Changing() (done func()) {
	o := n.ourChange()
	if o == nil {
		return func() {}
	}
	return func() { o.end(n.fs) }
}

// Changed implements fs.SharedNode.
func (n *node) Changed() (underWay bool, last int64) { return n.ours.Load().state(false) }

// Closed implements fs.SharedNode.
func (n *node) Closed() (underWay bool, last int64) { return n.ours.Load().state(true) }

// state tells of changes, or releases. What is under way is looked at first:
// its end is noted before it is none any more.
func (o *ours) state(closes bool) (underWay bool, last int64) {
	switch {
	case o == nil:
		return false, 0
	case closes:
		underWay = o.closing.Load() > 0
		return underWay, o.closed.Load()
	}
	underWay = o.changing.Load() > 0
	return underWay, o.changed.Load()
}

// Outdated implements fs.SharedNode.
func (n *node) Outdated() {
	n.changedHere(dirtyAll)
	n.dropData()
}

// Settle implements fs.SharedSystem.
func (f *FS) Settle() { f.releases.settle() }

// AllOutdated implements fs.SharedSystem.
func (f *FS) AllOutdated() {
	t := &f.table
	t.mu.Lock()
	nodes := make([]*node, 0, len(t.m))
	for _, n := range t.m {
		n.refs.Add(1)
		nodes = append(nodes, n)
	}
	t.mu.Unlock()
	for _, n := range nodes {
		n.Outdated()
		n.Unref()
	}
}

// writes reports whether h was opened for writing, which the host notes when it
// is closed.
func (h *handle) writes() bool { return h.flags&syscall.O_ACCMODE != syscall.O_RDONLY && !h.dir }
