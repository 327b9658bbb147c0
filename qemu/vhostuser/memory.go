package vhostuser

import (
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// region is a part of the guest's memory, mapped here.
type region struct {
	guest  uint64 // guest-physical address of the first byte
	front  uint64 // the front-end's address of the same byte
	mapped []byte // the mapping, which may start before the region
	data   []byte // the region
}

// memory is all memory of the guest that the front-end has told of. It does
// not change: a new table makes a new memory.
type memory struct{ regions []region }

// add maps a region of fd's file.
func (m *memory) add(fd int, guest, size, front, offset uint64) error {
	switch {
	case size == 0 || size > math.MaxInt64 || offset > math.MaxInt64-size:
		return fmt.Errorf("memory region of %#x bytes at offset %#x", size, offset)
	case guest+size < guest || front+size < front:
		return fmt.Errorf("memory region of %#x bytes at %#x wraps around", size, guest)
	}
	// The offset need not be at a page, nor be one of a huge page.
	mapped, err := unix.Mmap(fd, 0, int(offset+size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map a memory region of %#x bytes: %w", size, err)
	}
	m.regions = append(m.regions, region{guest: guest, front: front, mapped: mapped, data: mapped[offset:]})
	return nil
}

// close unmaps the memory, which nobody may use any more.
func (m *memory) close() {
	for _, r := range m.regions {
		_ = unix.Munmap(r.mapped) // nothing that could be done
	}
}

// guest appends to parts the size bytes at a guest-physical address, of which
// regions that follow one another hold a piece each. It reports whether all
// of them are memory.
func (m *memory) guest(parts [][]byte, addr uint64, size uint32) ([][]byte, bool) {
	left := uint64(size)
next:
	for left > 0 {
		for i := range m.regions {
			r := &m.regions[i]
			if off := addr - r.guest; off < uint64(len(r.data)) {
				n := min(left, uint64(len(r.data))-off)
				parts = append(parts, r.data[off:off+n:off+n])
				addr, left = addr+n, left-n
				continue next
			}
		}
		return parts, false
	}
	return parts, true
}

// front returns the size bytes at an address of the front-end, which lie in
// one region, or nil.
func (m *memory) front(addr, size uint64) []byte {
	for i := range m.regions {
		r := &m.regions[i]
		if off := addr - r.front; off < uint64(len(r.data)) && size <= uint64(len(r.data))-off {
			return r.data[off : off+size : off+size]
		}
	}
	return nil
}

// The rings are memory that the guest changes at the same time. Its indices
// are read and written whole and in order with all else, by atomic operations
// on the aligned four bytes around them; mappings start at pages, so that
// these lie in the ring's region.

// load16 reads the two bytes at b[i:], of which the guest has the address even.
func load16(b []byte, i int) uint16 {
	p := unsafe.Pointer(&b[i])
	over := uintptr(p) & 2
	word := atomic.LoadUint32((*uint32)(unsafe.Add(p, -int(over))))
	return uint16(word >> (8 * over))
}

// store32 writes the four bytes at b[i:], whose address is a multiple of four.
func store32(b []byte, i int, v uint32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&b[i])), v)
}

// aligned reports whether b starts at a multiple of n bytes.
func aligned(b []byte, n uintptr) bool { return uintptr(unsafe.Pointer(&b[0]))%n == 0 }

// store16 writes the two bytes at b[i:], whose address is even. What is next to
// them is the guest's, so that it is no atomic operation; the one behind it
// keeps later loads from being done before.
func store16(b []byte, i int, v uint16) {
	*(*uint16)(unsafe.Pointer(&b[i])) = v
	var fence atomic.Uint32
	fence.Swap(1)
}
