package virtio

import (
	"fmt"
	"slices"
	"sync"
)

// Arena is a Memory over one contiguous range of physical memory. Its own books
// are kept outside of that range, so no device can damage them. It is safe for
// concurrent use and never panics.
type Arena struct {
	mem  []byte
	phys uint64
	virt uintptr

	identity []Range // memory outside, whose virtual is its physical address

	// Walk, if not nil, finds out about other memory at a virtual address what Phys
	// returns about b. It is set before the Arena is used.
	Walk func(addr uintptr, n int) (phys uint64, run int)

	mu    sync.Mutex
	free  []extent       // sorted by offset, none touching the next
	sizes map[uint32]int // offset → size of what is allocated
	inUse int
	peak  int
	wrong int
}

// Range is the memory from Start up to, not including, End.
type Range struct{ Start, End uint64 }

type extent struct{ off, size int }

// arenaUnit is what sizes are rounded up to, in bytes.
const arenaUnit = 16

// NewArena manages mem, at most 4 GiB, which lies contiguously at physical
// address phys and never moves. Memory inside one of the identity ranges is
// devices' to reach too, at its virtual address.
func NewArena(mem []byte, phys uint64, identity ...Range) (*Arena, error) {
	virt := address(mem)
	if len(mem) == 0 || uint64(len(mem)) > 1<<32 || phys+uint64(len(mem)) < phys {
		return nil, fmt.Errorf("DMA arena of %d bytes at %#x: want 1 byte to 4 GiB below the end of the address space", len(mem), phys)
	}
	if (uint64(virt)^phys)%arenaUnit != 0 {
		return nil, fmt.Errorf("DMA arena at virtual %#x, physical %#x: differ in alignment", virt, phys)
	}
	skip := int(-phys % arenaUnit)
	a := &Arena{mem: mem, phys: phys, virt: virt, identity: identity, sizes: make(map[uint32]int)}
	if size := (len(mem) - skip) &^ (arenaUnit - 1); size > 0 {
		a.free = []extent{{skip, size}}
	}
	return a, nil
}

// Alloc implements Memory, first fit.
func (a *Arena) Alloc(size, align int) ([]byte, error) {
	if size <= 0 || align <= 0 || align&(align-1) != 0 {
		return nil, fmt.Errorf("DMA allocation of %d bytes aligned to %d: %w", size, align, ErrNoMemory)
	}
	if size > len(a.mem) || align > len(a.mem) {
		return nil, a.exhausted(size, align)
	}
	need := roundUp(size, arenaUnit)
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, f := range a.free {
		pad := int(-(a.phys + uint64(f.off)) & uint64(align-1))
		if pad+need > f.size {
			continue
		}
		off := f.off + pad
		rest := extent{off + need, f.size - pad - need}
		switch {
		case pad > 0 && rest.size > 0:
			a.free[i].size = pad
			a.free = slices.Insert(a.free, i+1, rest)
		case pad > 0:
			a.free[i].size = pad
		case rest.size > 0:
			a.free[i] = rest
		default:
			a.free = slices.Delete(a.free, i, i+1)
		}
		a.sizes[uint32(off)] = need
		a.inUse += need
		a.peak = max(a.peak, a.inUse)
		b := a.mem[off : off+size : off+size]
		clear(b)
		return b, nil
	}
	return nil, a.exhausted(size, align)
}

func (a *Arena) exhausted(size, align int) error {
	return fmt.Errorf("DMA allocation of %d bytes aligned to %d in an arena of %d: %w", size, align, len(a.mem), ErrNoMemory)
}

// Free implements Memory. What was not allocated, or is free already, is left
// alone and counted.
func (a *Arena) Free(b []byte) {
	off, ok := a.offset(b[:cap(b)])
	a.mu.Lock()
	defer a.mu.Unlock()
	size := 0
	if ok {
		size = a.sizes[uint32(off)]
	}
	if size == 0 {
		a.wrong++
		return
	}
	delete(a.sizes, uint32(off))
	a.inUse -= size
	i, _ := slices.BinarySearchFunc(a.free, off, func(f extent, off int) int { return f.off - off })
	before := i > 0 && a.free[i-1].off+a.free[i-1].size == off
	after := i < len(a.free) && off+size == a.free[i].off
	switch {
	case before && after:
		a.free[i-1].size += size + a.free[i].size
		a.free = slices.Delete(a.free, i, i+1)
	case before:
		a.free[i-1].size += size
	case after:
		a.free[i] = extent{off, size + a.free[i].size}
	default:
		a.free = slices.Insert(a.free, i, extent{off, size})
	}
}

// offset is where b, not empty, lies in the arena.
func (a *Arena) offset(b []byte) (int, bool) {
	at := address(b)
	if len(b) == 0 || at < a.virt || at-a.virt > uintptr(len(a.mem)) || len(b) > len(a.mem)-int(at-a.virt) {
		return 0, false
	}
	return int(at - a.virt), true
}

// Phys implements Memory.
func (a *Arena) Phys(b []byte) (addr uint64, n int) {
	if off, ok := a.offset(b); ok {
		return a.phys + uint64(off), len(b)
	}
	if len(b) == 0 {
		return 0, 0
	}
	at := uint64(address(b))
	for _, r := range a.identity {
		if at >= r.Start && at < r.End {
			return at, int(min(uint64(len(b)), r.End-at))
		}
	}
	if a.Walk != nil {
		addr, n = a.Walk(uintptr(at), len(b))
		return addr, min(max(n, 0), len(b))
	}
	return 0, 0
}

// ArenaStats are an Arena's figures in bytes; Wrong counts frees of what was
// not allocated.
type ArenaStats struct{ Size, InUse, Peak, Wrong int }

// Stats returns the figures.
func (a *Arena) Stats() ArenaStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return ArenaStats{len(a.mem), a.inUse, a.peak, a.wrong}
}
