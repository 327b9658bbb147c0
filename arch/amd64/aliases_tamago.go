//go:build tamago

package amd64

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"syscall"
)

// Addresses from aliasStart to aliasEnd, which are nobody's else: devices lie
// below them (MapDevice), the window of GrowTLB above.
const (
	aliasStart = 1 << 46
	aliasEnd   = 3 << 45
)

var (
	aliasNext uint64 = aliasStart // the first address that was never used
	// aliasFree are ranges that were given back, by the power of two that is
	// their length. Tables, once made, stay.
	aliasFree [64][]uint64
)

// Aliases are addresses at which pages of the heap appear a further time: what
// mmap returns. It implements syscalls.Memory; its pages are ordinary memory of
// the program, which lies at its own addresses all the time. Nothing but the
// tables knows of an alias: the collector does not look behind it, devices
// cannot be given it.
type Aliases struct{}

// Pages returns n zeroed pages.
func (Aliases) Pages(n int) []byte {
	b := make([]byte, n*pageSize)
	if address(b)%pageSize == 0 {
		return b
	}
	b = make([]byte, (n+1)*pageSize)
	skip := -int(address(b)) & (pageSize - 1)
	return b[skip:][:n*pageSize]
}

// Reserve returns length bytes of addresses with nothing behind them. ENOMEM:
// they are used up.
func (Aliases) Reserve(length int) ([]byte, error) {
	if length <= 0 || length > aliasEnd-aliasStart {
		return nil, syscall.ENOMEM
	}
	class := aliasClass(length)
	mapLock.Lock()
	defer mapLock.Unlock()
	free := &aliasFree[class]
	var a uint64
	if n := len(*free); n > 0 {
		a = (*free)[n-1]
		*free = (*free)[:n-1]
	} else if a = aliasNext; aliasEnd-a < 1<<class {
		return nil, syscall.ENOMEM
	} else {
		aliasNext += 1 << class
	}
	return sliceAt[byte](uintptr(a), length), nil
}

// aliasClass is the power of two of the range for length bytes. There is a page
// behind each at which nothing is mapped.
func aliasClass(length int) int { return max(13, bits.Len(uint(length+pageSize-1))) }

// Release gives back what Reserve has returned, with nothing mapped there.
func (Aliases) Release(b []byte) {
	mapLock.Lock()
	defer mapLock.Unlock()
	class := aliasClass(len(b))
	aliasFree[class] = append(aliasFree[class], uint64(address(b)))
}

// aliasRange is where b lies.
func aliasRange(b []byte) Range {
	start := uint64(address(b))
	r := Range{start, start + uint64(len(b)+pageSize-1)&^(pageSize-1)}
	if r.Start%pageSize != 0 || r.Start < aliasStart || r.End > aliasEnd {
		panic(fmt.Sprintf("amd64: %#x-%#x are no addresses of Reserve", r.Start, r.End))
	}
	return r
}

// Map puts pages at b, one each.
func (Aliases) Map(b []byte, pages []*[pageSize]byte, write bool) error {
	r := aliasRange(b)
	mapLock.Lock()
	defer mapLock.Unlock()
	defer flushTLB()
	flags := uint64(ptePresent | pteAccessed | pteNoExec)
	if write {
		flags |= pteWrite
	}
	for i, p := range pages {
		a := r.Start + uint64(i)*pageSize
		if a >= r.End {
			break
		}
		e := tables.page(a)
		if e == nil {
			return syscall.ENOMEM
		}
		physical, _ := tables.lookup(uint64(address(p[:])))
		for {
			old := atomic.LoadUint64(e)
			entry := physical | flags
			if old&ptePresent != 0 && old&pteAddrMask == physical {
				entry |= old & pteDirty
			}
			if !atomic.CompareAndSwapUint64(e, old, entry) {
				continue // the CPU has set a bit
			}
			if old&ptePresent != 0 {
				flushLater(a)
			}
			break
		}
	}
	return nil
}

// Unmap takes away what is at b, and calls stored for the pages that were
// written.
func (Aliases) Unmap(b []byte, stored func(page int)) { takeAliases(b, ^uint64(0), stored) }

// Stored calls stored for the pages that were written, and with clear forgets
// that they were.
func (Aliases) Stored(b []byte, clear bool, stored func(page int)) {
	if clear {
		takeAliases(b, pteDirty, stored)
		return
	}
	r := aliasRange(b)
	mapLock.Lock()
	defer mapLock.Unlock()
	tables.present(r, func(a uint64, e *uint64) {
		if atomic.LoadUint64(e)&pteDirty != 0 {
			stored(int((a - r.Start) / pageSize))
		}
	})
}

// takeAliases takes bits from the entries at b that have any of them, and calls
// stored for those that were dirty, once no CPU writes by them any more without
// setting the bit again.
func takeAliases(b []byte, bits uint64, stored func(page int)) {
	r := aliasRange(b)
	var list []int
	mapLock.Lock()
	tables.present(r, func(a uint64, e *uint64) {
		old := atomic.LoadUint64(e)
		if old&bits == 0 {
			return
		}
		old = atomic.AndUint64(e, ^bits)
		flushLater(a)
		if old&pteDirty != 0 {
			list = append(list, int((a-r.Start)/pageSize))
		}
	})
	flushTLB()
	mapLock.Unlock()
	for _, i := range list {
		stored(i)
	}
}
