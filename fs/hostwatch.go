package fs

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// What is watched in a share is changed on the host, too. Somebody there, the
// launcher, watches the same file for us and passes on what it is told:
//
//   - What is remembered of the file, or of the name, is forgotten.
//   - Those who watch it here are told, unless it was us who changed it: then
//     they have been told when the call ended.
//
// The host does not say who it was. So an event is taken for ours
//
//   - on a name (create, delete, move), if a call of ours has done just that to
//     that name and its event has not come yet;
//   - on the data or attributes of a file, if a request of ours that changes
//     them is under way, or was when the events of it may still be on their way.
//     An event by the name in a directory is of the file that the name leads to,
//     or of one that had it when the event happened, before we removed or moved it.
//
// They are on their way until the launcher has answered a sync that was sent
// after the call had ended: the host queues the event while it serves the
// request, and the launcher empties that queue before it answers. No clock is
// involved, and what is not taken for ours is never lost.
//
// Limits. What the host does to the data of a file while the guest changes the
// same file, or until the sync is answered, a millisecond or so, is told by the
// guest's own event only; what is remembered is forgotten in any case. Events of
// both sides have no order among each other. A call that the server serves by
// other changes than those asked for is told once more.

// Host watches files of shares on the host.
type Host interface {
	// Watch has the host watch the file of f at path, from the root of f, whose
	// inode number is ino, under the number id. It returns when the host does,
	// or why not; EOPNOTSUPP: f is not of the host.
	Watch(id uint32, f FileSystem, path string, ino uint64) error
	// Unwatch ends that. It does not wait.
	Unwatch(id uint32)
	// Sync has HostSynced(n) called once all events have come that there were
	// before. It does not wait.
	Sync(n uint64)
}

// SetHost sets who watches on the host, before anything is watched. Nil: nobody.
func (v *VFS) SetHost(h Host) { v.host.host = h }

// hostWatches are the files that the host watches.
type hostWatches struct {
	host   Host
	lastID atomic.Uint32
	synced atomic.Int64 // the events of all changes that ended before this have come

	mu       sync.Mutex
	nodes    map[uint32]Node // by number
	systems  map[FileSystem]int
	names    map[ownName]own
	left     map[ownName][]leftBy
	lastSync uint64
	sent     int64 // when the sync that is under way was sent; 0: none is
	again    bool  // another one is wanted
}

// ownName is what a call of ours has done to a name.
type ownName struct {
	dir  Node
	name string
	mask uint32
}

// own is how often the event of that has not come, and when it was last done.
type own struct {
	count int
	last  int64
}

// leftBy is the file that had a name before a call of ours took it from it.
type leftBy struct {
	node    Node // without a reference
	at      int64
	removed bool
}

// maxLeft is how many names are known by which the host may still tell of files
// that lost them, and maxLeftBy how many files for each. Beyond, events of ours
// may be told twice.
const (
	maxLeft   = 1024
	maxLeftBy = 64
)

// hostWatch is what the host watches of a watched file.
type hostWatch struct {
	mu    sync.Mutex    // held while it is set up
	id    atomic.Uint32 // 0: nothing
	since atomic.Int64  // what ended before that, no event tells of
	over  bool          // nobody watches it here any more

	dentry atomic.Pointer[Dentry] // without a reference; nil: not in the cache
}

// watchHost has the host watch d's file, f, which is watched here.
func (v *VFS) watchHost(d *Dentry, f *watched) error {
	h := &v.host
	shared, ok := d.mnt.fs.(SharedSystem)
	if h.host == nil || !ok {
		return nil
	}
	f.host.mu.Lock()
	defer f.host.mu.Unlock()
	if f.host.id.Load() != 0 || f.host.over {
		return nil
	}
	var a Attr
	if err := d.node.Getattr(&a); err != nil {
		return err
	}
	path, err := v.Path(d.mnt.root, d)
	if err != nil {
		return nil // removed: no one can change it by a name
	}
	shared.Settle() // so that no event comes of what was closed before
	id := h.lastID.Add(1)
	f.host.since.Store(now())
	f.host.dentry.Store(d)
	h.mu.Lock()
	if h.nodes == nil {
		h.nodes, h.systems = map[uint32]Node{}, map[FileSystem]int{}
		h.names, h.left = map[ownName]own{}, map[ownName][]leftBy{}
	}
	h.nodes[id] = d.node
	if h.systems[d.mnt.fs]++; h.systems[d.mnt.fs] == 1 {
		shared.TellChanges(v.wantSync)
	}
	h.mu.Unlock()
	f.host.id.Store(id)
	if err := h.host.Watch(id, d.mnt.fs, path, a.Ino); err != nil {
		f.host.id.Store(0)
		h.forget(id, d.mnt.fs)
		if err == syscall.EOPNOTSUPP {
			return nil
		}
		return err
	}
	v.wantSync()
	return nil
}

// unwatchHost ends the watch of the host of f, which nobody watches here any
// more.
func (v *VFS) unwatchHost(f *watched, system FileSystem) {
	h := &v.host
	if h.host == nil {
		return
	}
	f.host.mu.Lock()
	defer f.host.mu.Unlock()
	f.host.over = true
	if id := f.host.id.Swap(0); id != 0 {
		h.forget(id, system)
		h.host.Unwatch(id)
	}
}

// forget forgets the watch id of a file of f.
func (h *hostWatches) forget(id uint32, f FileSystem) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.nodes[id]; !ok {
		return
	}
	delete(h.nodes, id)
	if h.systems[f]--; h.systems[f] == 0 {
		delete(h.systems, f)
		f.(SharedSystem).TellChanges(nil)
	}
}

// of returns the file of watch id with a reference, its dentry with one if the
// cache has it, and since when the host watches it. The node is nil if there is
// no such watch.
func (v *VFS) ofHost(id uint32) (n Node, d *Dentry, since int64) {
	v.host.mu.Lock()
	n = v.host.nodes[id]
	v.host.mu.Unlock()
	if n == nil {
		return nil, nil, 0
	}
	s := &v.watches
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.m[n]
	if f == nil {
		return nil, nil, 0
	}
	n.Ref()
	if d = f.host.dentry.Load(); d != nil && !d.tryRef() {
		d = nil
	}
	return n, d, f.host.since.Load()
}

// tryRef adds a reference unless d has been freed.
func (d *Dentry) tryRef() bool {
	for {
		n := d.refs.Load()
		if n < 0 {
			return false
		}
		if d.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// cachedAgain notes that d has come into the cache, and uncached that it has
// left it.
func (d *Dentry) cachedAgain() {
	if f := d.mnt.vfs.watches.of(d.node); f != nil {
		f.host.dentry.Store(d)
	}
}

func (d *Dentry) uncached() {
	if f := d.mnt.vfs.watches.of(d.node); f != nil {
		f.host.dentry.CompareAndSwap(d, nil)
	}
}

// ownChange notes, where the host watches the directory p, that a call of ours
// has done mask to name. The name, or all of p, is locked.
func (p *Dentry) ownChange(mask uint32, name string) {
	v := p.mnt.vfs
	if v.host.host == nil {
		return
	}
	f := v.watches.of(p.node)
	if f == nil {
		return
	}
	if f.host.id.Load() == 0 {
		return
	}
	key := ownName{p.node, strings.Clone(name), mask}
	h := &v.host
	h.mu.Lock()
	h.names[key] = own{h.names[key].count + 1, now()}
	h.mu.Unlock()
	v.wantSync()
}

// beginChange notes a call of ours that changes d's file by way of its names, until
// the result is called. D may be nil.
func (d *Dentry) beginChange() (done func()) {
	if d != nil && d.mnt.vfs.watching() {
		if s, ok := d.node.(SharedNode); ok {
			return s.Changing()
		}
	}
	return func() {}
}

// leftName notes, where the host watches the directory p, that a call of ours has
// taken name in it from the file n: events that are on their way have that name.
// Removed: the server may have n open by it, for as long as it likes.
func (p *Dentry) leftName(name string, n Node, removed bool) {
	v := p.mnt.vfs
	if v.host.host == nil {
		return
	}
	f := v.watches.of(p.node)
	if f == nil || f.host.id.Load() == 0 {
		return
	}
	h := &v.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.left) >= maxLeft {
		for key := range h.left {
			delete(h.left, key)
			break
		}
	}
	key := ownName{p.node, strings.Clone(name), 0}
	list := h.left[key]
	if len(list) >= maxLeftBy {
		list = slices.Delete(list, 0, 1)
	}
	h.left[key] = append(list, leftBy{n, now(), removed})
}

// wantSync has a sync sent, or another one once that under way is answered.
func (v *VFS) wantSync() {
	h := &v.host
	h.mu.Lock()
	if h.sent != 0 || len(h.nodes) == 0 {
		h.again = true
		h.mu.Unlock()
		return
	}
	h.lastSync++
	n := h.lastSync
	h.sent, h.again = now(), false
	h.mu.Unlock()
	h.host.Sync(n)
}

// syncPause is between the answer to a sync and the next one, while calls of ours
// go on changing what the host watches.
const syncPause = time.Millisecond

// HostSynced is the answer to Sync(n).
func (v *VFS) HostSynced(n uint64) {
	h := &v.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if n != h.lastSync || h.sent == 0 {
		return
	}
	h.synced.Store(h.sent)
	for key, o := range h.names {
		if o.last < h.sent {
			delete(h.names, key)
		}
	}
	for key, list := range h.left {
		last := list[len(list)-1]
		list = slices.DeleteFunc(list, func(l leftBy) bool {
			return l.at < h.sent && (!l.removed || l != last)
		})
		if h.left[key] = list; len(list) == 0 {
			delete(h.left, key)
		}
	}
	h.sent = 0
	if h.again {
		time.AfterFunc(syncPause, v.wantSync)
	}
}
