//go:build tamago

package runtime

import (
	"internal/runtime/sys"
	"unsafe"
)

// A heap dump is made while the world stands still and nobody can serve a
// write to a file. It is kept outside of the heap until the world goes on.

const heapDumpChunkSize = 256 << 10 // bytes

type heapDumpChunk struct {
	_    sys.NotInHeap
	next *heapDumpChunk
	n    uintptr // bytes of data in use
	data [heapDumpChunkSize - 16]byte
}

// heapDump holds a dump. It belongs to whoever has stopped the world.
var heapDump struct {
	first, last *heapDumpChunk
}

// heapDumpWrite writes to a file; nil if nobody can. Package syscall sets it.
//
//go:linkname heapDumpWrite
var heapDumpWrite func(fd uintptr, p []byte)

// keepHeapDump adds to the dump. -1: it is not for the dump, or RAM is short.
func keepHeapDump(fd uintptr, p unsafe.Pointer, n int32) int32 {
	if fd != dumpfd {
		return -1
	}
	for b := unsafe.Slice((*byte)(p), n); len(b) > 0; {
		c := heapDump.last
		if c == nil || c.n == uintptr(len(c.data)) {
			c = (*heapDumpChunk)(sysAlloc(heapDumpChunkSize, &memstats.other_sys, "heap dump"))
			if c == nil {
				return -1
			}
			if heapDump.last == nil {
				heapDump.first = c
			} else {
				heapDump.last.next = c
			}
			heapDump.last = c
		}
		m := copy(c.data[c.n:], b)
		c.n += uintptr(m)
		b = b[m:]
	}
	return n
}

// takeHeapDump returns the dump, before the world goes on.
func takeHeapDump() *heapDumpChunk {
	c := heapDump.first
	heapDump.first, heapDump.last = nil, nil
	return c
}

// write writes the dump that starts with c to fd, and ends it.
func (c *heapDumpChunk) write(fd uintptr) {
	for c != nil {
		next := c.next
		if heapDumpWrite != nil {
			heapDumpWrite(fd, c.data[:c.n])
		}
		sysFree(unsafe.Pointer(c), heapDumpChunkSize, &memstats.other_sys)
		c = next
	}
}
