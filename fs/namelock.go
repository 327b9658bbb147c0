package fs

import (
	"hash/maphash"
	"sync"
)

// nameLocks has a lock for each name in each directory, a few of them the same
// one: whoever holds one takes no other.
type nameLocks [256]sync.RWMutex

var nameSeed = maphash.MakeSeed()

func (d *Dentry) nameLock(name string) *sync.RWMutex {
	l := &d.mnt.vfs.names
	return &l[(maphash.String(nameSeed, name)^d.id)%uint64(len(l))]
}

// lockName locks name in the directory d for a lookup.
func (d *Dentry) lockName(name string) *sync.RWMutex {
	d.dir.RLock()
	l := d.nameLock(name)
	l.RLock()
	return l
}

// unlockName undoes lockName, which returned l.
func (d *Dentry) unlockName(l *sync.RWMutex) {
	l.RUnlock()
	d.dir.RUnlock()
}

// lockChange locks name in the directory d for a change of that name alone.
func (d *Dentry) lockChange(name string) *sync.RWMutex {
	d.dir.RLock()
	l := d.nameLock(name)
	l.Lock()
	d.changing.Add(1)
	d.changes.Add(1)
	return l
}

// unlockChange undoes lockChange, which returned l. The cache knows of the change.
func (d *Dentry) unlockChange(l *sync.RWMutex) {
	d.changing.Add(-1)
	l.Unlock()
	d.dir.RUnlock()
}

// A snapshot is a point in the sequence of changes of a directory's names.
type snapshot struct {
	changes uint32
	quiet   bool
}

// snapshot begins a reading of the directory d, whose dir is held.
func (d *Dentry) snapshot() snapshot {
	s := snapshot{changes: d.changes.Load()}
	s.quiet = d.changing.Load() == 0
	return s
}

// holds tells that no name of d has been changed since s was taken. With d.mu
// held, no change that comes can have reached the cache.
func (s snapshot) holds(d *Dentry) bool { return s.quiet && d.changes.Load() == s.changes }
