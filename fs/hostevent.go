package fs

import (
	"strings"
	"syscall"
)

const (
	nameEvents = InCreate | InDelete | InMovedFrom | InMovedTo
	fileEvents = InModify | InAttrib | InCloseWrite
)

// HostEvent takes an event of inotify that the host has for the watch id: mask,
// cookie and name as there. The events of one host come from one goroutine, in
// their order.
func (v *VFS) HostEvent(id, mask, cookie uint32, name string) {
	n, d, since := v.ofHost(id)
	if n == nil {
		return // it has ended meanwhile
	}
	defer n.Unref()
	if d != nil {
		defer d.Put()
	}
	switch {
	case name == "":
		v.hostSelf(id, n, d, mask, since)
	case !isDots(name) && len(name) <= NameMax && strings.IndexByte(name, '/') < 0:
		e := Event{Mask: mask, Name: name}
		if cookie != 0 {
			e.Cookie = cookie | hostCookie
		}
		v.hostEntry(n, d, &e, since)
	}
}

// hostEntry is for an event of a name in the directory n, which is at d if the
// cache has it.
func (v *VFS) hostEntry(n Node, d *Dentry, e *Event, since int64) {
	var c *Dentry
	if d != nil {
		// Calls of ours that change the name are over, and noted.
		defer d.unlockChange(d.lockChange(e.Name))
		if c = d.cached(e.Name); c != nil {
			defer c.Put()
		}
	}
	ours := false
	switch {
	case e.Mask&nameEvents != 0:
		if ours = v.host.takeName(n, e.Mask, e.Name); !ours {
			outdated(n)
			v.outdatedName(d, c, e.Mask)
		}
	case e.Mask&fileEvents != 0:
		known := c != nil && c.node != nil
		if known {
			ours = v.ours(c.node, e.Mask, since)
			outdated(c.node)
		}
		for _, file := range v.host.leftBy(n, e.Name, !known) {
			ours = ours || v.ours(file, e.Mask, since)
			outdated(file)
		}
	default:
		return
	}
	if !ours {
		v.tell(n, e)
	}
}

// outdatedName is for a name in d of which the host tells that it has been made,
// removed or moved. C is what the cache has of it, nil: nothing.
func (v *VFS) outdatedName(d, c *Dentry, mask uint32) {
	if c == nil {
		return
	}
	c.expires.Store(0)
	if c.node == nil {
		return
	}
	outdated(c.node)
	// Of a directory that the server has open the host says no more.
	if mask&InDelete != 0 && c.isDir() && v.watches.of(c.node) != nil {
		v.hostUnlinked(c.node, c)
	}
}

// nameless tells that n has no name left.
func nameless(n Node) bool {
	a := attrs.Get().(*Attr)
	defer attrs.Put(a)
	err := n.Getattr(a)
	return err == syscall.ENOENT || err == syscall.ESTALE || err == nil && a.Nlink == 0
}

func outdated(n Node) {
	if s, ok := n.(SharedNode); ok {
		s.Outdated()
	}
}

// hostSelf is for an event of the file n itself, which is at d if the cache has it.
func (v *VFS) hostSelf(id uint32, n Node, d *Dentry, mask uint32, since int64) {
	if mask&InIgnored != 0 {
		v.hostEnded(id, n)
		return
	}
	ours := v.ours(n, mask, since)
	outdated(n)
	if ours {
		return
	}
	if mask&(fileEvents|InMoveSelf) != 0 {
		v.tell(n, &Event{Mask: mask})
	}
	// While the server has the file open, the host says only that it has one
	// name less.
	if mask&(InAttrib|InDeleteSelf) != 0 {
		v.hostUnlinked(n, d)
	}
}

// hostUnlinked ends the watches of n, which has lost a name on the host, if it
// was the last one, once nobody uses it here. It is at d if the cache has it.
func (v *VFS) hostUnlinked(n Node, d *Dentry) {
	switch {
	case !nameless(n) || d != nil && d.pins.Load() > 0:
	case d == nil:
		v.tellLast(n, InDeleteSelf)
	default:
		v.tree.RLock()
		p, name := d.parent.Load(), d.name
		v.tree.RUnlock()
		if p == nil {
			return // the root of a share
		}
		d.removed.Store(true)
		p.unhash(name, d)
	}
}

// hostEnded notes that the host does not watch n any more.
func (v *VFS) hostEnded(id uint32, n Node) {
	s := &v.watches
	s.mu.RLock()
	f := s.m[n]
	var system FileSystem
	if f != nil {
		system = f.list[0].fs
	}
	s.mu.RUnlock()
	if f != nil && f.host.id.CompareAndSwap(id, 0) {
		v.host.forget(id, system)
	}
}

// ours tells if an event of the host, with mask, is to be taken for that of a
// request of ours that changes n. Since is when the host began to watch.
func (v *VFS) ours(n Node, mask uint32, since int64) bool {
	s, ok := n.(SharedNode)
	if !ok {
		return false
	}
	settled := max(v.host.synced.Load(), since)
	look := s.Changed
	if mask&InCloseWrite != 0 {
		look = s.Closed
	}
	underWay, last := look()
	return underWay || last >= settled && last > 0
}

// takeName tells if a call of ours has done mask to name in dir, and takes that
// for told.
func (h *hostWatches) takeName(dir Node, mask uint32, name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := ownName{dir, name, mask}
	o := h.names[key]
	if o.count == 0 {
		return false
	}
	if o.count--; o.count == 0 {
		delete(h.names, key)
	} else {
		h.names[key] = o
	}
	return true
}

// leftBy returns the files from which calls of ours have taken name in dir while
// events may have been on their way; long: also the last one that we removed, as
// the server may have that open by the name.
func (h *hostWatches) leftBy(dir Node, name string, long bool) (files []Node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.left[ownName{dir, name, 0}] {
		if long || l.at >= h.synced.Load() {
			files = append(files, l.node)
		}
	}
	return files
}

// HostLost says that events of the host are missing: all that is remembered of
// the shares in which something is watched is forgotten, and who watches is told
// (IN_Q_OVERFLOW).
func (v *VFS) HostLost() {
	h := &v.host
	h.mu.Lock()
	clear(h.names)
	clear(h.left)
	h.sent, h.lastSync = 0, h.lastSync+1 // no answer may come
	var systems []FileSystem
	for f := range h.systems {
		systems = append(systems, f)
	}
	h.mu.Unlock()
	for _, m := range v.allMounts() {
		for _, f := range systems {
			if m.fs == f {
				m.root.expireAll()
				f.(SharedSystem).AllOutdated()
			}
		}
	}
	s := &v.watches
	s.mu.RLock()
	for _, f := range s.m {
		for _, w := range f.list {
			if f.host.id.Load() != 0 {
				w.owner.Lost()
			}
		}
	}
	s.mu.RUnlock()
	v.wantSync()
}

// expireAll has every name below d asked for again.
func (d *Dentry) expireAll() {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, c := range d.children {
		c.expires.Store(0)
		c.expireAll()
	}
}
