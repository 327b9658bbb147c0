package amd64

import "sync/atomic"

// Pages of anonymous mappings are made when they are touched. The page tables
// alone say so: an entry that is not present tells what a touch does, for a page
// or, in a directory, for all pages below it. So address space that nobody has
// touched costs nothing, however large. Entries are changed by single atomic
// operations, as faults come while they are looked at; a table is freed when no
// CPU can be looking at it any more.
const (
	pteOwn  = 1 << 9  // the page is this mapping's alone, and is freed with the entry
	pteLazy = 1 << 10 // not present: a touch makes the page
	pteRead = 1 << 11 // with either: may be accessed. An own page without it is kept
)

// pteAccess are the bits that say what is allowed.
const pteAccess = pteRead | pteWrite | pteNoExec

// Protections of mmap(2).
const (
	protRead = 1 << iota
	protWrite
	protExec
)

// access gives the bits for a protection. The CPU lets be read what may be
// written or executed.
func access(prot int) uint64 {
	if prot&(protRead|protWrite|protExec) == 0 {
		return 0
	}
	bits := uint64(pteRead)
	if prot&protWrite != 0 {
		bits |= pteWrite
	}
	if prot&protExec == 0 {
		bits |= pteNoExec
	}
	return bits
}

// cover calls f for entries that together are for r, each the largest that lies
// in it; f returns false if the entry has become a table meanwhile. An entry for
// more than r is split, unless there is nothing behind it and make is not set.
// False: there is no memory for the tables.
func (t *pageTables) cover(r Range, make bool, f func(a uint64, shift int, e *uint64) bool) bool {
	for a := r.Start; a < r.End; {
		table, shift := t.root, 39
		for {
			e := &entries(table)[a>>shift&511]
			v := atomic.LoadUint64(e)
			size := uint64(1) << shift
			switch {
			case shift > 12 && v&ptePresent != 0:
				table, shift = uintptr(v&pteAddrMask), shift-9
				continue
			case shift < 39 && a&(size-1) == 0 && r.End-a >= size:
				if !f(a, shift, e) {
					continue
				}
				a += size
			case v == 0 && !make:
				a = a&^(size-1) + size
			default:
				if !t.lower(e, v) {
					return false
				}
				continue
			}
			break
		}
	}
	return true
}

// lower makes a table with 512 entries v in place of the entry e, which was v.
func (t *pageTables) lower(e *uint64, v uint64) bool {
	p := t.take()
	if p == 0 {
		return false
	}
	for i := range entries(p) {
		entries(p)[i] = v
	}
	if !atomic.CompareAndSwapUint64(e, v, uint64(p)|ptePresent|pteWrite) {
		t.free(p)
	}
	return true
}

// change has the entry e be what f makes of it, and returns what it was. ok is
// false if it is a table by now.
func change(e *uint64, shift int, f func(v uint64) uint64) (old uint64, ok bool) {
	for {
		v := atomic.LoadUint64(e)
		if shift > 12 && v&ptePresent != 0 {
			return 0, false
		}
		if atomic.CompareAndSwapUint64(e, v, f(v)) {
			return v, true
		}
	}
}

// stale reports whether a CPU that goes by the entry old lets be done what v does
// not. What it denies by old comes as a fault, before which it forgets old (Intel
// SDM vol. 3, 4.10.4.1), and which touch serves: nobody has to wait for that.
func stale(old, v uint64) bool {
	return old&ptePresent != 0 &&
		(v&ptePresent == 0 || (old^v)&pteAddrMask != 0 || old&^v&pteWrite != 0 || v&^old&pteNoExec != 0)
}

// protect gives the pages of an anonymous mapping in r the access bits, and has
// changed called where a CPU may still allow more.
func (t *pageTables) protect(r Range, bits uint64, changed func(a uint64)) bool {
	return t.cover(r, bits != 0, func(a uint64, shift int, e *uint64) bool {
		become := func(v uint64) uint64 {
			switch {
			case v&pteOwn != 0 && bits != 0:
				return v&^(pteAccess) | bits | ptePresent | pteAccessed
			case v&pteOwn != 0:
				return v &^ (pteAccess | ptePresent)
			case bits != 0:
				return bits | pteLazy
			}
			return 0
		}
		old, ok := change(e, shift, become)
		if ok && stale(old, become(old)) {
			changed(a)
		}
		return ok
	})
}

// discard takes the pages of an anonymous mapping in r away: a touch makes new
// ones. It calls taken with what the entries were that had one.
func (t *pageTables) discard(r Range, taken func(a, old uint64)) {
	t.cover(r, false, func(a uint64, shift int, e *uint64) bool {
		old, ok := change(e, shift, func(v uint64) uint64 {
			switch {
			case v&pteOwn == 0:
				return v
			case v&pteRead != 0:
				return v&pteAccess | pteLazy
			}
			return 0
		})
		if old&pteOwn != 0 {
			taken(a, old)
		}
		return ok
	})
}

// clear takes away all that is in r, and calls taken with what the entries were
// that had a page. False: tables would be needed, and there is no memory for them.
func (t *pageTables) clear(r Range, taken func(a, old uint64)) bool {
	return t.cover(r, false, func(a uint64, shift int, e *uint64) bool {
		old, ok := change(e, shift, func(uint64) uint64 { return 0 })
		if old&(ptePresent|pteOwn) != 0 {
			taken(a, old)
		}
		return ok
	})
}

// prune takes the tables away that are for nothing but addresses in r, where
// clear has been. It calls free for each, with an address that was below it.
func (t *pageTables) prune(r Range, free func(a uint64, table uintptr)) {
	for shift := 21; shift <= 30; shift += 9 {
		size := uint64(1) << shift
		for a := (r.Start + size - 1) &^ (size - 1); a < r.End && r.End-a >= size; {
			table, level := t.root, 39
			for level > shift {
				e := entries(table)[a>>level&511]
				if e&ptePresent == 0 {
					break
				}
				table, level = uintptr(e&pteAddrMask), level-9
			}
			if level > shift {
				a = a&^(1<<level-1) + 1<<level
				continue
			}
			if old := atomic.SwapUint64(&entries(table)[a>>shift&511], 0); old&ptePresent != 0 {
				free(a, uintptr(old&pteAddrMask))
			}
			a += size
		}
	}
}

// kept calls f for the entries in r with a page of an anonymous mapping.
func (t *pageTables) kept(r Range, f func(a uint64, e *uint64)) {
	t.cover(r, false, func(a uint64, shift int, e *uint64) bool {
		v := atomic.LoadUint64(e)
		if shift > 12 {
			return v&ptePresent == 0
		}
		if v&pteOwn != 0 {
			f(a, e)
		}
		return true
	})
}

// What a touch comes to.
type touched int

const (
	touchDenied touched = iota // it may not be
	touchServed                // what it wants is there
	touchWants                 // a page
	touchPage                  // the page was put there
	touchTable                 // the page has become a table: go on
)

// touch serves an access that has faulted, which wants the access bits (pteRead,
// with pteWrite; fetch: to execute), with page, a zeroed one, if there is need of
// it (0: there is none yet). No table is freed while it runs.
func (t *pageTables) touch(a, bits uint64, fetch bool, page uintptr) touched {
	table, shift := t.root, 39
	var e *uint64
	var v uint64
	for {
		e = &entries(table)[a>>shift&511]
		v = atomic.LoadUint64(e)
		if v&ptePresent == 0 || shift == 12 {
			break
		}
		table, shift = uintptr(v&pteAddrMask), shift-9
	}
	allowed := v&bits&(pteRead|pteWrite) == bits && (!fetch || v&pteNoExec == 0)
	switch {
	case !allowed || v&(ptePresent|pteLazy) == 0:
		return touchDenied
	case v&ptePresent != 0:
		return touchServed // meanwhile, by another CPU
	case page == 0:
		return touchWants
	case shift > 12:
		for i := range entries(page) {
			entries(page)[i] = v
		}
		if atomic.CompareAndSwapUint64(e, v, uint64(page)|ptePresent|pteWrite) {
			return touchTable
		}
		*entries(page) = [512]uint64{}
		return touchWants // look again
	case atomic.CompareAndSwapUint64(e, v, uint64(page)|v&pteAccess|ptePresent|pteOwn|pteAccessed):
		return touchPage
	}
	return touchWants
}

// reach returns how many bytes of r, from its start on, may be read, or with write,
// written: at once or by a touch. No table is freed while it runs.
func (t *pageTables) reach(r Range, write bool) uint64 {
	a := r.Start
	for a < r.End {
		shift := 39
		v := atomic.LoadUint64(&entries(t.root)[a>>shift&511])
		for shift > 12 && v&ptePresent != 0 && v&pteLarge == 0 {
			shift -= 9
			v = atomic.LoadUint64(&entries(uintptr(v & pteAddrMask))[a>>shift&511])
		}
		if v&ptePresent == 0 && v&(pteLazy|pteRead) != pteLazy|pteRead || write && v&pteWrite == 0 {
			break
		}
		a = (a>>shift + 1) << shift
	}
	return min(a, r.End) - r.Start
}
