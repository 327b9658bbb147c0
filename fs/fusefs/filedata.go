package fusefs

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// fileData is what is kept of a node's data. It is never ahead of the server:
// writes go through. Blocks leave it when
//
//   - the server's attributes tell of another size, mtime or ctime (learn),
//   - a call of ours has changed the bytes (wroteData, dropData),
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
	short   []int64 // of blocks that may be shorter than blockSize
	writers int     // writes under way
	writes  uint64  // begun so far

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
	d := &fileData{pages: &n.fs.pages, blocks: map[int64]*block{}}
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
	d.short = d.short[:0]
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

// writing notes that a write begins. The token is for wroteData.
func (n *node) writing() (token uint64) {
	d := n.data.Load()
	if d == nil {
		return 0
	}
	d.mu.Lock()
	d.writers++
	d.writes++
	token = d.writes
	d.mu.Unlock()
	return token
}

// wroteData notes that a write, begun with token, of p at off has ended; done
// bytes were written. Blocks follow if nothing else was written meanwhile, else
// they go. With appending the place is not known for sure.
func (n *node) wroteData(token uint64, p []byte, off int64, done int, appending bool) {
	d := n.data.Load()
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	exact := token != 0 && d.writers == 1 && d.writes == token && done == len(p) && !appending
	if token != 0 {
		d.writers--
	}
	if len(d.blocks) == 0 || len(p) == 0 {
		return
	}
	end := off + int64(len(p))
	if appending {
		d.lengthen(math.MaxInt64)
	} else {
		d.lengthen(end)
	}
	for i := off >> blockShift; i <= (end-1)>>blockShift; i++ {
		b := d.blocks[i]
		switch at := i << blockShift; {
		case b == nil:
		case !exact || !b.ready:
			d.kill(b)
		case at < off:
			copy(b.buf[min(off-at, int64(len(b.buf))):], p)
		default:
			copy(b.buf, p[at-off:])
		}
	}
}

// lengthen drops blocks that end before end because the file did. d.mu is held.
func (d *fileData) lengthen(end int64) {
	kept := d.short[:0]
	for _, i := range d.short {
		b := d.blocks[i]
		switch {
		case b == nil:
		case !b.ready || len(b.buf) < blockSize && i<<blockShift+int64(len(b.buf)) < end:
			d.kill(b)
		default:
			kept = append(kept, i)
		}
	}
	d.short = kept
}
