package fusefs

import (
	"sync"
	"sync/atomic"
	"time"
)

// fileData is what is kept of a node's data. It is never ahead of the server:
// writes go through. Blocks leave it when
//
//   - the server's attributes tell of another size, mtime or ctime (learn),
//   - a call of ours changes the bytes (change.go),
//   - the file is opened, unless the server says that they may stay,
//   - others need the room.
//
// They are used only as long as the server's lifetime for the attributes runs,
// after which these are asked for first.
type fileData struct {
	pages *pageCache

	// Shared by those who copy from blocks, exclusive for those who change
	// them. No request is under way meanwhile.
	mu      sync.RWMutex
	blocks  map[int64]*block
	changes []span // under way
	lastID  uint64 // of them

	// When blocks are to go that are too young to be told from their
	// successors, on the clock of FS.now; 0 if there are none.
	racyEnd atomic.Int64
}

// racyTime is the coarsest step in which mtime and ctime of a host's files
// advance. A change in the same step as the one before leaves them as they are.
const racyTime = int64(20 * time.Millisecond)

// kept returns the data of n, which it makes if there is none.
func (n *node) kept() *fileData {
	if d := n.data.Load(); d != nil {
		return d
	}
	d := &fileData{pages: &n.fs.pages}
	if n.data.CompareAndSwap(nil, d) {
		return d
	}
	return n.data.Load()
}

// kill takes b out. Whoever reads it now has the buffer until it is read.
// d.mu is held.
func (d *fileData) kill(b *block) {
	b.dead = true
	delete(d.blocks, b.index)
	if b.ready {
		d.pages.free(b)
	}
}

func (d *fileData) evict(b *block) {
	d.mu.Lock()
	if !b.dead {
		d.kill(b)
	}
	d.mu.Unlock()
}

// dropData drops all data of n.
func (n *node) dropData() {
	d := n.data.Load()
	if d == nil {
		return
	}
	d.mu.Lock()
	for _, b := range d.blocks {
		d.kill(b)
	}
	d.racyEnd.Store(0)
	d.mu.Unlock()
}

// dropRacy drops blocks asked for before limit, when their own lifetime is
// over: the attributes may be as they were, but would be so as well had the
// file changed right behind the change that they tell of.
func (d *fileData) dropRacy(limit int64) {
	d.mu.Lock()
	for _, b := range d.blocks {
		if b.ready && b.filled < limit {
			d.kill(b)
		}
	}
	d.racyEnd.Store(0)
	d.mu.Unlock()
}
