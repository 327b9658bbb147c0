package amd64

// Bits of a page-table entry (Intel SDM vol. 3, 4.5).
const (
	ptePresent  = 1 << 0
	pteWrite    = 1 << 1
	pteNoCache  = 1<<3 | 1<<4 // PWT, PCD: uncached with the PAT of power-on
	pteAccessed = 1 << 5
	pteDirty    = 1 << 6
	pteLarge    = 1 << 7 // in a page directory: 2 MiB
	pteNoExec   = 1 << 63
	pteAddrMask = 0x000ffffffffff000
)

const largePage = 2 << 20

// pageTables builds identity mappings, in 2 MiB pages where it can. New tables
// come from the end of a range of RAM, downwards.
type pageTables struct {
	root uintptr // address of the PML4, which is identity-mapped as all tables are
	ram  *Range  // tables are taken from its end
	// more gives further RAM once that is used up; nil: there is none.
	more func() Range
	// free takes a table back.
	free func(table uintptr)
}

func entries(table uintptr) *[512]uint64 { return at[[512]uint64](table) }

// take returns a zeroed page for a table.
func (t *pageTables) take() uintptr {
	if t.ram.Size() < pageSize {
		if t.more == nil {
			return 0
		}
		if *t.ram = t.more(); t.ram.Size() < pageSize {
			return 0
		}
	}
	t.ram.End -= pageSize
	p := uintptr(t.ram.End)
	*entries(p) = [512]uint64{}
	return p
}

// next returns the table that e points to, made if it is not there.
func (t *pageTables) next(e *uint64) uintptr {
	if *e&ptePresent == 0 {
		p := t.take()
		if p == 0 {
			return 0
		}
		*e = uint64(p) | ptePresent | pteWrite
	}
	return uintptr(*e & pteAddrMask)
}

// directory returns the page directory for address a, nil if memory for tables is
// short.
func (t *pageTables) directory(a uint64) *[512]uint64 {
	pdpt := t.next(&entries(t.root)[a>>39&511])
	if pdpt == 0 {
		return nil
	}
	pd := t.next(&entries(pdpt)[a>>30&511])
	if pd == 0 {
		return nil
	}
	return entries(pd)
}

// page returns the entry of the page at a, nil if memory for tables is short.
func (t *pageTables) page(a uint64) *uint64 {
	pd := t.directory(a)
	if pd == nil {
		return nil
	}
	e := &pd[a>>21&511]
	if !t.split(e, a) {
		return nil
	}
	return &entries(uintptr(*e & pteAddrMask))[a>>12&511]
}

// present calls f for the entries of the pages in r that are there, in order.
// There are no large ones.
func (t *pageTables) present(r Range, f func(a uint64, e *uint64)) {
	for a := r.Start; a < r.End; {
		table, shift := t.root, 39
		for ; shift > 12; shift -= 9 {
			e := entries(table)[a>>shift&511]
			if e&ptePresent == 0 {
				break
			}
			table = uintptr(e & pteAddrMask)
		}
		if shift > 12 {
			a = (a>>shift + 1) << shift // behind what has no table
			continue
		}
		end := min(r.End, (a>>21+1)<<21) // behind what the table is for
		for ; a < end; a += pageSize {
			if e := &entries(table)[a>>12&511]; *e&ptePresent != 0 {
				f(a, e)
			}
		}
	}
}

// mapRange maps r, rounded to whole pages of 4 KiB, onto itself with the bits
// flags; without ptePresent it unmaps. It splits and makes 2 MiB pages as
// needed and reports whether there was memory for the tables.
func (t *pageTables) mapRange(r Range, flags uint64) bool {
	a := r.Start &^ (pageSize - 1)
	end := (r.End + pageSize - 1) &^ (pageSize - 1)
	for a < end {
		pd := t.directory(a)
		if pd == nil {
			return false
		}
		// As much as this directory has, in large pages and then in the small ones of
		// one table: a boot maps thousands.
		if a%largePage == 0 && end-a >= largePage {
			a = fill(pd, a, end, 21, flags|pteLarge)
			continue
		}
		e := &pd[a>>21&511]
		if !t.split(e, a) {
			return false
		}
		a = fill(entries(uintptr(*e&pteAddrMask)), a, end, 12, flags)
	}
	return true
}

// fill has the entries of a table from a on, up to the end of the table or to the last
// whole page of 1<<shift bytes before end, map their addresses onto themselves, or
// nothing if flags lack ptePresent. It returns the address that follows.
func fill(table *[512]uint64, a, end uint64, shift uint, flags uint64) uint64 {
	first := a >> shift & 511
	last := min(first+(end-a)>>shift, 512)
	size := uint64(1) << shift
	for i := range table[first:last] {
		e := a | flags
		if flags&ptePresent == 0 {
			e = 0
		}
		table[first:last][i] = e
		a += size
	}
	return a
}

// mapPage maps the page at address a, of 4 KiB, to the one at the physical address
// phys with the bits flags. It reports whether there was memory for the tables.
func (t *pageTables) mapPage(a, phys, flags uint64) bool {
	e := t.page(a)
	if e != nil {
		*e = phys | flags
	}
	return e != nil
}

// lookup returns the physical address that a is mapped to, and how many bytes from
// there on its page has, 0 if none is mapped.
func (t *pageTables) lookup(a uint64) (phys, n uint64) {
	table := t.root
	for shift := 39; shift >= 12; shift -= 9 {
		e := entries(table)[a>>shift&511]
		if e&ptePresent == 0 {
			return 0, 0
		}
		if shift == 12 || e&pteLarge != 0 {
			size := uint64(1) << shift
			return e&pteAddrMask&^(size-1) | a&(size-1), size - a&(size-1)
		}
		table = uintptr(e & pteAddrMask)
	}
	return 0, 0
}

// split makes the 2 MiB entry e, which covers a, one that points to a table of
// 4 KiB pages with the same bits.
func (t *pageTables) split(e *uint64, a uint64) bool {
	if *e&ptePresent != 0 && *e&pteLarge == 0 {
		return true
	}
	p := t.take()
	if p == 0 {
		return false
	}
	if *e&ptePresent != 0 {
		base := a &^ (largePage - 1)
		flags := *e &^ (pteAddrMask | pteLarge)
		fill(entries(p), base, base+largePage, 12, flags)
	}
	*e = uint64(p) | ptePresent | pteWrite
	return true
}
