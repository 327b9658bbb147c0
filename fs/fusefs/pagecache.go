package fusefs

import (
	"sync"
	"sync/atomic"
)

// blockSize is the unit in which file data is kept, in bytes.
const (
	blockShift = 16
	blockSize  = 1 << blockShift
)

// DefaultCacheSize is how much file data an FS keeps if Options say nothing.
const DefaultCacheSize = 8 << 20

// maxSpare is how many buffers of evicted blocks are kept for the next ones.
const maxSpare = 16

// pageCache bounds the file data of all nodes together. It gives every block
// a second chance: a hit sets a mark only, without a common lock.
type pageCache struct {
	mu    sync.Mutex
	limit int64 // bytes; 0 for no cache
	bytes int64 // of all blocks, those being read included
	head  block // of the ring of blocks that are ready, oldest first
	spare [][]byte
}

// block is bytes of a file, or the room for them while they are being read.
type block struct {
	data  *fileData
	index int64 // in units of blockSize

	// Under data.mu.
	buf    []byte // as long as what is valid, once ready
	fill   *fill  // who reads it
	ready  bool
	dead   bool  // not in data.blocks any more
	filled int64 // when it was asked for, on the clock of FS.now

	used       atomic.Bool // since the cache last looked
	prev, next *block      // under pageCache.mu
}

func (c *pageCache) init(limit int64) {
	c.head.prev, c.head.next = &c.head, &c.head
	c.limit = limit
}

// alloc returns size bytes with anything in them, or nil if the cache is full
// of blocks that are being read. No lock of a fileData is held.
func (c *pageCache) alloc(size int) []byte {
	c.mu.Lock()
	for c.bytes+int64(size) > c.limit {
		b := c.victim()
		c.mu.Unlock()
		if b == nil {
			return nil
		}
		b.data.evict(b)
		c.mu.Lock()
	}
	c.bytes += int64(size)
	if last := len(c.spare) - 1; size == blockSize && last >= 0 {
		buf := c.spare[last]
		c.spare = c.spare[:last]
		c.mu.Unlock()
		return buf
	}
	c.mu.Unlock()
	return make([]byte, size)
}

// victim takes the oldest block that was not used lately out of the ring. c.mu
// is held.
func (c *pageCache) victim() *block {
	for range 64 {
		b := c.head.next
		if b == &c.head {
			return nil
		}
		c.unlink(b)
		if !b.used.Swap(false) {
			return b
		}
		c.link(b)
	}
	b := c.head.next
	c.unlink(b)
	return b
}

func (c *pageCache) link(b *block) {
	b.prev, b.next = c.head.prev, &c.head
	b.prev.next, b.next.prev = b, b
}

func (c *pageCache) unlink(b *block) {
	b.prev.next, b.next.prev = b.next, b.prev
	b.prev, b.next = nil, nil
}

// add makes a block that has become ready known.
func (c *pageCache) add(b *block) {
	c.mu.Lock()
	c.link(b)
	c.mu.Unlock()
}

// free takes the buffer of b, which nobody uses any more.
func (c *pageCache) free(b *block) {
	buf := b.buf[:cap(b.buf)]
	b.buf = nil
	c.mu.Lock()
	if b.next != nil {
		c.unlink(b)
	}
	c.release(buf)
	c.mu.Unlock()
}

// release gives back what alloc returned. c.mu is held.
func (c *pageCache) release(buf []byte) {
	c.bytes -= int64(len(buf))
	if len(buf) == blockSize && len(c.spare) < maxSpare {
		c.spare = append(c.spare, buf)
	}
}

// CacheStats tells how much file data is kept, and how much may be, in bytes.
func (f *FS) CacheStats() (used, limit int64) {
	f.pages.mu.Lock()
	defer f.pages.mu.Unlock()
	return f.pages.bytes, f.pages.limit
}
