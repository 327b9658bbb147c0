package amd64

import (
	"slices"
	"testing"
	"unsafe"
)

// newTables returns page tables in memory of the test's own: any address can be
// mapped, and tables lie at their own addresses as in the machine.
func newTables(t *testing.T, pages int) *pageTables {
	t.Helper()
	mem := make([]byte, (pages+2)*pageSize)
	start := (uint64(uintptr(unsafe.Pointer(&mem[0]))) + pageSize - 1) &^ (pageSize - 1)
	t.Cleanup(func() { mem[0] = 0 }) // alive until then
	return &pageTables{root: uintptr(start), ram: &Range{start + pageSize, start + uint64(1+pages)*pageSize}}
}

// translate walks the tables as the CPU does.
func (p *pageTables) translate(a uint64) (phys, flags uint64, ok bool) {
	table := p.root
	for shift := 39; shift >= 12; shift -= 9 {
		e := entries(table)[a>>shift&511]
		if e&ptePresent == 0 {
			return 0, 0, false
		}
		if shift == 12 || e&pteLarge != 0 {
			mask := uint64(1)<<shift - 1
			return e&pteAddrMask&^mask | a&mask, e &^ (pteAddrMask | pteLarge), true
		}
		table = uintptr(e & pteAddrMask)
	}
	panic("unreachable")
}

func TestMapRange(t *testing.T) {
	const rw, rx, ro = ptePresent | pteWrite | pteNoExec, ptePresent, ptePresent | pteNoExec
	p := newTables(t, 64)
	for _, m := range []struct {
		r     Range
		flags uint64
	}{
		{Range{0, 1 << 30}, rw},
		{Range{0x201000, 0x345000}, rx},
		{Range{0x345000, 0x5a2123}, ro},
		{Range{0, pageSize}, 0},
		{Range{5 << 30, 6<<30 + 0x3000}, rw | pteNoCache},
		{Range{0x600000, 0x800000}, 0},
	} {
		if !p.mapRange(m.r, m.flags) {
			t.Fatalf("no tables for %#x", m.r)
		}
	}
	for _, c := range []struct {
		a, flags uint64 // flags 0: not mapped
	}{
		{0, 0}, {0xfff, 0}, {0x1000, rw}, {0x200fff, rw}, {0x201000, rx}, {0x344fff, rx}, {0x345000, ro},
		{0x5a2fff, ro}, {0x5a3000, rw}, {0x5fffff, rw}, {0x600000, 0}, {0x7fffff, 0}, {0x800000, rw},
		{1<<30 - 1, rw}, {1 << 30, 0}, {5 << 30, rw | pteNoCache}, {6<<30 + 0x2fff, rw | pteNoCache}, {6<<30 + 0x3000, 0},
	} {
		phys, flags, ok := p.translate(c.a)
		if ok != (c.flags != 0) || ok && (phys != c.a || flags != c.flags) {
			t.Errorf("%#x → %#x flags %#x mapped %v, want flags %#x", c.a, phys, flags, ok, c.flags)
		}
	}
}

func TestMapRangeWithoutMemory(t *testing.T) {
	p := newTables(t, 2) // enough for one large page, not for its parts
	if !p.mapRange(Range{0, largePage}, ptePresent) {
		t.Fatal("two tables are enough for a large page")
	}
	if p.mapRange(Range{0, pageSize}, 0) {
		t.Error("a large page was split without memory for the parts")
	}
	if _, _, ok := p.translate(0); !ok {
		t.Error("the large page was lost")
	}
}

// Once the RAM at hand is used up tables come from more.
func TestMoreTables(t *testing.T) {
	p, other := newTables(t, 1), newTables(t, 8)
	if p.mapRange(Range{4 << 30, 5 << 30}, ptePresent) {
		t.Fatal("a directory in no memory")
	}
	asked := 0
	p.more = func() Range {
		asked++
		return *other.ram
	}
	if !p.mapRange(Range{1 << 40, 1<<40 + pageSize}, ptePresent) || asked != 1 {
		t.Fatalf("not mapped, asked %d times", asked)
	}
	if phys, _, ok := p.translate(1<<40 + 5); !ok || phys != 1<<40+5 {
		t.Errorf("%#x, %t", phys, ok)
	}
}

// mapPage leads addresses to memory elsewhere, and lookup follows it as the CPU does.
func TestMapPage(t *testing.T) {
	const flags = ptePresent | pteWrite | pteNoExec
	p := newTables(t, 16)
	if !p.mapRange(Range{2 << 20, 8 << 20}, flags) {
		t.Fatal("no tables")
	}
	const above = 5 << 30
	for i, phys := range []uint64{0x7000000, 0x203000, 0x204000} {
		if !p.mapPage(above+uint64(i)*pageSize, phys, flags) {
			t.Fatal("no tables")
		}
	}
	for _, tt := range []struct{ a, phys, n uint64 }{
		{above, 0x7000000, pageSize},
		{above + 5, 0x7000005, pageSize - 5},
		{above + 2*pageSize - 1, 0x203fff, 1},
		{above + 2*pageSize, 0x204000, pageSize},
		{above + 3*pageSize, 0, 0},
		{0x400123, 0x400123, largePage - 0x123},
		{1 << 20, 0, 0},
		{1 << 45, 0, 0},
	} {
		if phys, n := p.lookup(tt.a); phys != tt.phys || n != tt.n {
			t.Errorf("%#x: %d bytes at %#x, want %d at %#x", tt.a, n, phys, tt.n, tt.phys)
		}
		if phys, bits, ok := p.translate(tt.a); ok != (tt.n > 0) || ok && (phys != tt.phys || bits != flags) {
			t.Errorf("%#x: the CPU finds %#x with %#x, %v", tt.a, phys, bits, ok)
		}
	}
}

// Tables come from wherever more finds memory, until there is none.
func TestTablesRunOut(t *testing.T) {
	p := newTables(t, 8)
	pages := *p.ram
	p.ram = new(Range)
	p.more = func() Range {
		if pages.Size() == 0 {
			return Range{}
		}
		pages.End -= pageSize
		return Range{pages.End, pages.End + pageSize}
	}
	mapped := uint64(0)
	for p.mapPage(mapped<<30, 0x1000, ptePresent) {
		mapped++
	}
	if mapped != 3 { // a table for all, two for each
		t.Errorf("%d pages were mapped with 8 tables, want 3", mapped)
	}
	if phys, n := p.lookup(0); phys != 0x1000 || n != pageSize {
		t.Errorf("the first page leads to %d bytes at %#x", n, phys)
	}
}

// TestPages: single pages, and a walk that leaves out what has no tables.
func TestPages(t *testing.T) {
	p := newTables(t, 64)
	want := []uint64{aliasBase, aliasBase + 5*pageSize, aliasBase + 1<<21, aliasBase + 3<<30, aliasBase + 7<<39 - pageSize}
	for _, a := range want {
		e := p.page(a)
		if e == nil {
			t.Fatalf("no entry for %#x", a)
		}
		*e = a>>12<<12&0xffff000 | ptePresent
	}
	*p.page(aliasBase + pageSize) = 0x5000 // not there
	for _, r := range []Range{{aliasBase, aliasBase + 64<<39}, {want[0], want[4] + pageSize}} {
		var got []uint64
		p.present(r, func(a uint64, e *uint64) {
			if *e&pteAddrMask != a&0xffff000 {
				t.Errorf("%#x leads to %#x", a, *e)
			}
			got = append(got, a)
		})
		if !slices.Equal(got, want) {
			t.Errorf("in %#x there are %#x, want %#x", r, got, want)
		}
	}
	n := 0
	p.present(Range{want[0] + pageSize, want[4]}, func(uint64, *uint64) { n++ })
	if n != 3 {
		t.Errorf("%d pages between the first and the last, want 3", n)
	}
	if small := newTables(t, 2); small.page(aliasBase) != nil {
		t.Error("a page without memory for its tables")
	}
}

const aliasBase = 1 << 46
