package fs

import "sync"

// DefaultCacheSize is how many dentries a VFS keeps that nobody uses, at least.
const DefaultCacheSize = 16384

// cache holds the dentries of a VFS, in use or not, and evicts those not in
// use when there are too many. It gives every one a second chance: use sets a
// mark only, so that a hit in the cache takes no common lock.
type cache struct {
	mu    sync.Mutex
	head  Dentry // of a ring, oldest first
	count int
	limit int
}

func (c *cache) init() {
	c.head.prev, c.head.next = &c.head, &c.head
	c.limit = DefaultCacheSize
}

// SetCacheSize sets how many dentries the VFS may hold before it evicts
// unused ones.
func (v *VFS) SetCacheSize(n int) {
	v.cache.mu.Lock()
	v.cache.limit = n
	v.cache.mu.Unlock()
}

// CacheSize tells how many dentries the VFS holds.
func (v *VFS) CacheSize() int {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	return v.cache.count
}

func (c *cache) push(d *Dentry) {
	d.prev, d.next = c.head.prev, &c.head
	d.prev.next, d.next.prev = d, d
	c.count++
}

func (c *cache) unlink(d *Dentry) {
	if d.next == nil {
		return
	}
	d.prev.next, d.next.prev = d.next, d.prev
	d.prev, d.next = nil, nil
	c.count--
}

// scan bounds the work of one add.
const scan = 64

// add takes in d, which the caller holds, and evicts what there is too much.
func (c *cache) add(d *Dentry) {
	c.mu.Lock()
	c.push(d)
	for range scan {
		if c.count <= c.limit {
			break
		}
		old := c.head.next
		c.unlink(old)
		if old.used.Swap(false) || old.refs.Load() != 0 {
			c.push(old)
			continue
		}
		c.mu.Unlock()
		evicted := old.evict()
		c.mu.Lock()
		// A dentry that was freed meanwhile must not come back.
		if !evicted && old.refs.Load() >= 0 {
			c.push(old)
		}
	}
	c.mu.Unlock()
}

func (c *cache) remove(d *Dentry) {
	c.mu.Lock()
	c.unlink(d)
	c.mu.Unlock()
}

// evict frees d if it has no references.
func (d *Dentry) evict() bool {
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
			delete(p.children, d.name)
			d.dead.Store(true)
		}
		p.mu.Unlock()
		if ok {
			d.free()
		}
		return ok
	}
}

// prune evicts everything below d that has no references.
func (d *Dentry) prune() {
	d.mu.Lock()
	list := make([]*Dentry, 0, len(d.children))
	for _, c := range d.children {
		c.refs.Add(1)
		list = append(list, c)
	}
	d.mu.Unlock()
	for _, c := range list {
		c.prune()
		c.Put()
		c.evict()
	}
}
