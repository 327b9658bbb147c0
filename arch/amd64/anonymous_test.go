package amd64

import (
	"math/rand/v2"
	"testing"
)

// TestAnonymous plays on tables with a model: what each page may be touched for, and
// which it has.
func TestAnonymous(t *testing.T) {
	const (
		base   = 1<<46 + 7*largePage
		pages  = 4 * 512 // of 2 MiB each
		tables = 64
	)
	p := newTables(t, tables+pages+8)
	var free []uintptr
	inUse := 0
	take := func() uintptr {
		inUse++
		if n := len(free); n > 0 {
			page := free[n-1]
			free = free[:n-1]
			*entries(page) = [512]uint64{}
			return page
		}
		p.ram.End -= pageSize
		return uintptr(p.ram.End)
	}
	give := func(page uintptr) {
		inUse--
		free = append(free, page)
	}
	m := &pageTables{root: p.root, ram: new(Range), free: give, more: func() Range {
		page := uint64(take())
		return Range{page, page + pageSize}
	}}
	type state struct {
		prot int
		page uintptr
	}
	var model [pages]state
	r := rand.New(rand.NewPCG(1, 0))
	rangeOf := func() (int, int, Range) {
		first := r.IntN(pages)
		last := first + 1 + r.IntN(pages-first)
		if r.IntN(3) == 0 {
			last = first + 1 + r.IntN(min(5, pages-first))
		}
		return first, last, Range{base + uint64(first)*pageSize, base + uint64(last)*pageSize}
	}
	number := func(a uint64) int { return int(a-base) / pageSize }
	for step := range 3000 {
		first, last, in := rangeOf()
		switch k := r.IntN(10); {
		case k < 3:
			prot := []int{0, protRead, protRead | protWrite, protRead | protExec}[r.IntN(4)]
			told := map[int]bool{}
			if !m.protect(in, access(prot), func(a uint64) { told[number(a)] = true }) {
				t.Fatal("no tables")
			}
			for i := first; i < last; i++ {
				if old := model[i]; told[i] != (old.page != 0 && old.prot&^prot != 0) {
					t.Fatalf("step %d: CPUs forget page %d: %t; protection %d was %d", step, i, told[i], prot, old.prot)
				}
				model[i].prot = prot
			}
		case k < 5:
			drop := func(a, old uint64) {
				i := number(a)
				if page := uintptr(old & pteAddrMask); i < first || i >= last || model[i].page != page {
					t.Fatalf("step %d: page %d has %#x, want %#x", step, i, page, model[i].page)
				} else {
					give(page)
				}
				model[i].page = 0
			}
			if k == 3 {
				m.discard(in, drop)
			} else {
				m.clear(in, drop)
				m.prune(in, func(a uint64, table uintptr) {
					if a < in.Start || a >= in.End {
						t.Fatalf("step %d: a table for %#x", step, a)
					}
					give(table)
				})
				for i := first; i < last; i++ {
					model[i].prot = 0
				}
			}
			for i := first; i < last; i++ {
				if model[i].page != 0 {
					t.Fatalf("step %d: page %d is left", step, i)
				}
			}
		default:
			a := base + uint64(first)*pageSize + uint64(r.IntN(pageSize))
			bits, fetch := uint64(pteRead), false
			prot := protRead
			switch r.IntN(3) {
			case 1:
				bits, prot = bits|pteWrite, protWrite
			case 2:
				fetch, prot = true, protExec
			}
			page := uintptr(0)
			for done := false; !done; {
				switch got := m.touch(a, bits, fetch, page); got {
				case touchWants:
					if page == 0 {
						page = take()
					}
				case touchTable:
					page = 0
				case touchPage:
					model[first].page, page, done = page, 0, true
				default:
					if allowed := model[first].prot&prot != 0; allowed != (got == touchServed) {
						t.Fatalf("step %d: touch of page %d with protection %d: %d", step, first, model[first].prot, got)
					}
					done = true
				}
			}
			if page != 0 {
				give(page)
			}
			if model[first].prot&prot != 0 && model[first].page == 0 {
				t.Fatalf("step %d: page %d was not made", step, first)
			}
		}
		if step%50 == 0 {
			for i, s := range model {
				phys, flags, ok := p.translate(base + uint64(i)*pageSize)
				if got, want := m.reach(Range{base + uint64(i)*pageSize + 1, base + uint64(i+1)*pageSize}, step%100 == 0), s.prot&protRead != 0 && (step%100 != 0 || s.prot&protWrite != 0); want != (got == pageSize-1) || !want && got != 0 {
					t.Fatalf("step %d: %d bytes of page %d may be accessed, %+v", step, got, i, s)
				}
				if want := s.page != 0 && s.prot != 0; ok != want || ok && (uintptr(phys) != s.page || flags&pteAccess != access(s.prot)) {
					t.Fatalf("step %d: page %d is %#x %#x %t, want %+v", step, i, phys, flags, ok, s)
				}
			}
		}
	}
	all := Range{base &^ (1<<30 - 1), base&^(1<<30-1) + 1<<30}
	m.clear(all, func(_, old uint64) { give(uintptr(old & pteAddrMask)) })
	m.prune(all, func(_ uint64, table uintptr) { give(table) })
	if inUse != 1 { // the table below the root
		t.Errorf("%d pages are left", inUse)
	}
}
