package fs

import (
	"sync"
	"sync/atomic"
)

// DefaultCacheSize is how many names a VFS holds if nobody says otherwise.
const DefaultCacheSize = 16384

// cache counts the dentries of a VFS and evicts those that nobody uses when
// there are too many. It gives every one a second chance: use sets a mark
// only, so that a hit in the cache takes no common lock.
//
// The ring has the dentries without references, oldest first. One that gets
// a reference stays in it until the cache comes by; then it is out until the
// last reference is given back. So what is in use for long costs nothing.
type cache struct {
	held    atomic.Int64 // dentries, in use or not
	limit   atomic.Int64
	evicted atomic.Uint64 // so far

	mu   sync.Mutex
	head Dentry // of the ring
	ring int    // dentries in it
}

const (
	// batch is how many dentries are evicted at once: their file system may
	// let go of many nodes with less effort than of each.
	batch = 64
	// scan is how many dentries are looked at to find a batch.
	scan = 4 * batch
)

func (c *cache) init() {
	c.head.prev, c.head.next = &c.head, &c.head
	c.limit.Store(DefaultCacheSize)
}

// SetCacheSize sets how many dentries the VFS may hold before it evicts
// unused ones. Where more than three quarters are in use, a quarter of n
// unused ones may come on top.
func (v *VFS) SetCacheSize(n int) { v.cache.limit.Store(int64(n)) }

// CacheStats tells how many dentries the VFS holds and may hold, and how many
// it has evicted.
func (v *VFS) CacheStats() (held, limit int, evicted uint64) {
	c := &v.cache
	return int(c.held.Load()), int(c.limit.Load()), c.evicted.Load()
}

func (c *cache) push(d *Dentry) {
	d.prev, d.next = c.head.prev, &c.head
	d.prev.next, d.next.prev = d, d
	d.listed.Store(true)
	c.ring++
}

func (c *cache) unlink(d *Dentry) {
	if d.next == nil {
		return
	}
	d.prev.next, d.next.prev = d.next, d.prev
	d.prev, d.next = nil, nil
	d.listed.Store(false)
	c.ring--
}

// keep takes in d, whose last reference was given back.
func (c *cache) keep(d *Dentry) {
	c.mu.Lock()
	// Freed meanwhile, it must not come back.
	if d.next == nil && d.refs.Load() >= 0 {
		c.push(d)
	}
	c.mu.Unlock()
}

func (c *cache) remove(d *Dentry) {
	c.held.Add(-1)
	c.mu.Lock()
	c.unlink(d)
	c.mu.Unlock()
}

// trim evicts a batch if there is too much. No lock of a Dentry but dir is held.
func (c *cache) trim() {
	limit := c.limit.Load()
	if c.held.Load() <= limit {
		return
	}
	c.mu.Lock()
	room := c.ring - int(limit/4)
	c.mu.Unlock()
	if room > 0 {
		c.shrink(min(room, batch), nil)
	}
}

// reclaim evicts n unused dentries of f, or all that there are, and returns how
// many.
func (c *cache) reclaim(n int, f FileSystem) (done int) {
	c.mu.Lock()
	passes := c.ring/batch + 1
	c.mu.Unlock()
	for ; done < n && passes > 0; passes-- {
		done += c.shrink(min(n-done, batch), f)
	}
	return done
}

// shrink looks at some of the oldest dentries of the ring, evicts up to n
// unused ones of f, of any file system if f is nil, and returns how many.
func (c *cache) shrink(n int, f FileSystem) int {
	var old [batch]*Dentry
	found := 0
	c.mu.Lock()
	for i := 0; i < scan && found < n && c.ring > 0; i++ {
		d := c.head.next
		c.unlink(d)
		switch {
		case d.refs.Load() != 0:
			// Put brings it back; one that gave the last reference back
			// before it saw the mark changed is seen here.
		case f != nil && d.mnt.fs != f:
			c.push(d)
		case d.used.Swap(false) && i < scan-n:
			c.push(d)
		default:
			old[found] = d
			found++
		}
	}
	c.mu.Unlock()
	var b unrefs
	done := 0
	for _, d := range old[:found] {
		if d.evict(&b) {
			done++
		}
	}
	b.flush()
	c.evicted.Add(uint64(done))
	return done
}

// evict frees d if it has no references.
func (d *Dentry) evict(b *unrefs) bool {
	for {
		p := d.parent.Load()
		p.mu.Lock()
		if d.parent.Load() != p {
			p.mu.Unlock()
			continue
		}
		// Nobody finds d while p.mu is held, and nobody renames what has no references.
		ok := !d.dead.Load() && d.refs.Load() == 0 && p.children[d.name] == d
		if ok {
			if delete(p.children, d.name); len(p.children) == 0 {
				p.children = nil // a map keeps the room that it once had
			}
			d.dead.Store(true)
		}
		p.mu.Unlock()
		if ok {
			d.free(b)
		}
		return ok
	}
}

// prune evicts everything below d that has no references.
func (d *Dentry) prune() {
	d.mu.RLock()
	n := len(d.children)
	d.mu.RUnlock()
	if n > 0 {
		var b unrefs
		d.pruneTo(&b)
		b.flush()
	}
}

func (d *Dentry) pruneTo(b *unrefs) {
	d.mu.Lock()
	list := make([]*Dentry, 0, len(d.children))
	for _, c := range d.children {
		c.refs.Add(1)
		list = append(list, c)
	}
	d.mu.Unlock()
	for _, c := range list {
		c.pruneTo(b)
		c.put(b)
		c.evict(b)
	}
}

// unrefs collects references on nodes of one file system at a time, to be
// given back together.
type unrefs struct {
	fs    FileSystem
	nodes [batch]Node
	n     int
}

func (b *unrefs) add(f FileSystem, n Node) {
	if b.n == batch || b.n > 0 && b.fs != f {
		b.flush()
	}
	b.fs = f
	b.nodes[b.n] = n
	b.n++
}

func (b *unrefs) flush() {
	nodes := b.nodes[:b.n]
	b.n = 0
	if u, ok := b.fs.(Unreffer); ok {
		u.UnrefAll(nodes)
		return
	}
	for _, n := range nodes {
		n.Unref()
	}
}
