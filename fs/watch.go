package fs

import (
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// Events of inotify(7): the IN_ constants of linux/inotify.h.
const (
	InAccess       = 0x1
	InModify       = 0x2
	InAttrib       = 0x4
	InCloseWrite   = 0x8
	InCloseNowrite = 0x10
	InOpen         = 0x20
	InMovedFrom    = 0x40
	InMovedTo      = 0x80
	InCreate       = 0x100
	InDelete       = 0x200
	InDeleteSelf   = 0x400
	InMoveSelf     = 0x800
	InUnmount      = 0x2000
	InQOverflow    = 0x4000
	InIgnored      = 0x8000
	InIsDir        = 0x40000000
)

// Event is something that has happened to a file that is watched, or to an
// entry of a directory that is.
type Event struct {
	Mask     uint32 // In constants
	Cookie   uint32 // what the two events of a rename have in common, else 0
	Name     string // of the entry; empty: the file itself
	Unlinked bool   // by way of an open file whose name has been removed
}

// Watcher is told of the events of files. Its methods do not block and call
// nothing of the VFS; they may be called with locks of directories held.
type Watcher interface {
	// Notify is told of an event, whatever its mask. With over set, the watch
	// ends.
	Notify(w *Watch, e *Event) (over bool)
	// Ended is told that w has ended with its file.
	Ended(w *Watch)
	// Lost is told that events of any of its watches may have been missed.
	Lost()
}

// Watch has a Watcher told what happens to a file, by whatever name or
// descriptor, and to the entries of a directory. It keeps the Node, not a
// name, so that it does not keep the file system mounted.
type Watch struct {
	owner Watcher
	node  Node // with a reference
	fs    FileSystem
}

// Node is the file that is watched.
func (w *Watch) Node() Node { return w.node }

// hostCookie is the bit that cookies of the host have, and those of here not.
const hostCookie = 1 << 31

// watches are what is watched in a VFS.
type watches struct {
	files  atomic.Int32 // how many are watched: who changes a file looks at this first
	cookie atomic.Uint32

	mu sync.RWMutex
	m  map[Node]*watched
}

// watched is a file that somebody watches.
type watched struct {
	list []*Watch // not empty
	host hostWatch
}

// Watch begins to watch the file of d. The caller ends it with Unwatch, also
// after its Watcher was told of its end.
func (v *VFS) Watch(d *Dentry, owner Watcher) (*Watch, error) {
	if d.node == nil {
		return nil, syscall.ENOENT
	}
	d.node.Ref()
	w := &Watch{owner: owner, node: d.node, fs: d.mnt.fs}
	f := v.watches.add(w)
	if err := v.watchHost(d, f); err != nil {
		v.Unwatch(w)
		return nil, err
	}
	return w, nil
}

// add enters w and returns what there is of its file.
func (s *watches) add(w *Watch) *watched {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.m[w.node]
	if f == nil {
		if s.m == nil {
			s.m = make(map[Node]*watched)
		}
		f = &watched{}
		s.m[w.node] = f
		s.files.Add(1)
	}
	f.list = append(f.list, w)
	return f
}

// Unwatch ends w, if it has not ended.
func (v *VFS) Unwatch(w *Watch) {
	s := &v.watches
	s.mu.Lock()
	f := s.m[w.node]
	i := -1
	if f != nil {
		i = slices.Index(f.list, w)
	}
	last := i >= 0 && len(f.list) == 1
	switch {
	case last:
		s.drop(w.node)
	case i >= 0:
		f.list = slices.Delete(f.list, i, i+1)
	}
	s.mu.Unlock()
	if last {
		v.unwatchHost(f, w.fs)
	}
	if i >= 0 {
		w.node.Unref()
	}
}

// drop forgets a file that nobody watches any more; s.mu is held.
func (s *watches) drop(n Node) {
	delete(s.m, n)
	s.files.Add(-1)
}

// of returns what there is of n, nil if it is not watched.
func (s *watches) of(n Node) *watched {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m[n]
}

// tell tells those who watch n of an event.
func (v *VFS) tell(n Node, e *Event) {
	s := &v.watches
	var over []*Watch
	s.mu.RLock()
	if f := s.m[n]; f != nil {
		for _, w := range f.list {
			if w.owner.Notify(w, e) {
				over = append(over, w)
			}
		}
	}
	s.mu.RUnlock()
	for _, w := range over {
		v.Unwatch(w)
	}
}

// tellLast tells those who watch n, last of all, of an event that ends it.
func (v *VFS) tellLast(n Node, mask uint32) {
	s := &v.watches
	s.mu.Lock()
	f := s.m[n]
	if f != nil {
		s.drop(n)
	}
	s.mu.Unlock()
	if f == nil {
		return
	}
	v.unwatchHost(f, f.list[0].fs)
	for _, w := range f.list {
		w.owner.Notify(w, &Event{Mask: mask})
		w.owner.Ended(w)
		n.Unref()
	}
}

// watching tells if anything is watched.
func (v *VFS) watching() bool { return v.watches.files.Load() != 0 }

// Notify tells those who watch the file of d, or the directory that it is in,
// of an event by way of an open file: InOpen, InAccess, InModify, InCloseWrite
// or InCloseNowrite. It costs nothing where nobody watches anything.
func (d *Dentry) Notify(mask uint32) {
	if d.mnt.vfs.watching() {
		d.notify(mask, true)
	}
}

// NotifyAttrib is Notify for a change of what belongs to the file, not to its
// data: InAttrib.
func (d *Dentry) NotifyAttrib() {
	if d.mnt.vfs.watching() {
		d.notify(InAttrib, false)
	}
}

// notify tells those who watch the directory of d first, then those who watch
// d itself.
func (d *Dentry) notify(mask uint32, open bool) {
	v := d.mnt.vfs
	if d.isDir() {
		mask |= InIsDir
	}
	e := Event{Mask: mask, Unlinked: open && d.removed.Load()}
	v.tree.RLock()
	p, name := d.parent.Load(), d.name
	v.tree.RUnlock()
	if p != nil && !d.nameless {
		e.Name = name
		v.tell(p.node, &e)
		e.Name = ""
	}
	v.tell(d.node, &e)
}

// notifySelf tells those who watch the file of d only.
func (d *Dentry) notifySelf(mask uint32) {
	if v := d.mnt.vfs; v.watching() {
		if mask == InAttrib && d.isDir() {
			mask |= InIsDir
		}
		v.tell(d.node, &Event{Mask: mask})
	}
}

// notifyName tells those who watch the directory p of what has become of a name
// in it, which d has or had.
func (p *Dentry) notifyName(mask uint32, name string, d *Dentry, cookie uint32) {
	v := p.mnt.vfs
	if !v.watching() {
		return
	}
	if d.isDir() {
		mask |= InIsDir
	}
	p.ownChange(mask, name)
	if mask&(InDelete|InMovedFrom) != 0 {
		p.leftName(name, d.node, mask&InDelete != 0)
	}
	v.tell(p.node, &Event{Mask: mask, Cookie: cookie, Name: name})
}

// notifySet tells of a change of attributes as fsnotify_change of Linux does:
// a time that is set alone counts as the access or the change that it stands for.
func (d *Dentry) notifySet(valid uint32) {
	if !d.mnt.vfs.watching() {
		return
	}
	var mask uint32
	if valid&(SetMode|SetUid|SetGid) != 0 {
		mask |= InAttrib
	}
	if valid&SetSize != 0 {
		mask |= InModify
	}
	atime, mtime := valid&(SetAtime|SetAtimeNow) != 0, valid&(SetMtime|SetMtimeNow) != 0
	switch {
	case atime && mtime:
		mask |= InAttrib
	case atime:
		mask |= InAccess
	case mtime:
		mask |= InModify
	}
	if mask != 0 {
		d.notify(mask, false)
	}
}

// notifyMade tells that name in p has been made, d; link: for a file that there
// was before.
func (p *Dentry) notifyMade(name string, d *Dentry, link bool) {
	if link {
		d.notifySelf(InAttrib)
	}
	p.notifyName(InCreate, name, d, 0)
}

// notifyOpen tells that d was opened.
func (d *Dentry) notifyOpen(flags int) {
	if flags&oPath != 0 {
		return
	}
	d.Notify(InOpen)
	if flags&syscall.O_TRUNC != 0 && d.kind == syscall.S_IFREG {
		d.Notify(InModify)
	}
}

// notifyMoved tells of a rename of d, from a name in p to one in q. Over is the
// file that had the new name, nil if there was none.
func (v *VFS) notifyMoved(p *Dentry, from string, q *Dentry, to string, d, over *Dentry) {
	if !v.watching() {
		return
	}
	cookie := v.watches.cookie.Add(1) &^ hostCookie
	p.notifyName(InMovedFrom, from, d, cookie)
	q.notifyName(InMovedTo, to, d, cookie)
	if over != nil {
		q.leftName(to, over.node, true)
		over.notifySelf(InAttrib)
	}
	d.notifySelf(InMoveSelf)
}

// notifyGone tells those who watch the file of d, which has lost a name and now
// its last user by that name, that the file is gone, if it has no other name.
func (d *Dentry) notifyGone() {
	v := d.mnt.vfs
	if v.watches.of(d.node) == nil {
		return
	}
	if !d.isDir() {
		a := attrs.Get().(*Attr)
		defer attrs.Put(a)
		if err := d.node.Getattr(a); err == nil && a.Nlink > 0 {
			return
		}
	}
	v.tellLast(d.node, InDeleteSelf)
}

// unwatch ends all watches of files of f, which is being unmounted.
func (v *VFS) unwatch(f FileSystem) {
	if !v.watching() {
		return
	}
	var nodes []Node
	s := &v.watches
	s.mu.RLock()
	for n, x := range s.m {
		if x.list[0].fs == f {
			nodes = append(nodes, n)
		}
	}
	s.mu.RUnlock()
	for _, n := range nodes {
		v.tellLast(n, InUnmount)
	}
}
