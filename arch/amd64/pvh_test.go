package amd64

import (
	"cmp"
	"runtime"
	"slices"
	"testing"
	"unsafe"
)

const image = bootAreaEnd

func TestMemoryMap(t *testing.T) {
	const limit = 1 << 38
	for _, c := range []struct {
		name    string
		entries []memEntry
		main    Range
		extra   []Range
		total   uint64
	}{
		{"microvm 3.5 GiB",
			[]memEntry{{0, 0x9fc00, 1, 0}, {0x9fc00, 0x400, 2, 0}, {0x100000, 0xbff00000, 1, 0}, {0x100000000, 0x20000000, 1, 0}},
			Range{0x200000, 0xc0000000}, []Range{{0x100000000, 0x120000000}}, 0x9fc00 + 0xbff00000 + 0x20000000},
		{"unaligned ends", []memEntry{{0x100000, 0x3fe0123, 1, 0}}, Range{0x200000, 0x40e0000}, nil, 0x3fe0123},
		{"overlap is dropped", []memEntry{{0x100000, 0x1000000, 1, 0}, {0x800000, 0x1000000, 1, 0}}, Range{0x200000, 0x1100000}, nil, 0x2000000},
		{"wraps around", []memEntry{{0x100000, 0x1000000, 1, 0}, {1 << 63, 1 << 63, 1, 0}, {^uint64(0) - 10, 100, 1, 0}}, Range{0x200000, 0x1100000}, nil, 0x1000000},
		{"beyond the limit", []memEntry{{0x100000, 0x1000000, 1, 0}, {limit - 0x1000, 0x5000, 1, 0}, {limit, 0x1000, 1, 0}}, Range{0x200000, 0x1100000}, []Range{{limit - 0x1000, limit}}, 0x1000000 + 0x1000},
		{"image not in RAM", []memEntry{{0x4000000, 0x1000000, 1, 0}}, Range{}, []Range{{0x4000000, 0x5000000}}, 0x1000000},
	} {
		var m memoryMap
		for _, e := range c.entries {
			m.add(e, image, limit)
		}
		if sum := m.total + m.beyond; c.name == "beyond the limit" && sum != 0x1000000+0x6000 {
			t.Errorf("%s: %#x bytes in all", c.name, sum)
		}
		if m.main != c.main || m.total != c.total || m.n != len(c.extra) {
			t.Errorf("%s: %#x, extra %#x, total %#x; want %#x, %#x, %#x", c.name, m.main, m.extra[:m.n], m.total, c.main, c.extra, c.total)
			continue
		}
		for i, r := range c.extra {
			if m.extra[i] != r {
				t.Errorf("%s: extra %#x, want %#x", c.name, m.extra[i], r)
			}
		}
	}
}

func TestFreshMemory(t *testing.T) {
	const end = 0x512345
	for _, c := range []struct {
		name string
		m    memoryMap
		want [maxRanges]Range
	}{
		{"256 MiB", memoryMap{main: Range{0x200000, 0xffe0000}}, [maxRanges]Range{{end, 0xfbe0000}}},
		{"6 GiB", memoryMap{main: Range{0x200000, 0x80000000}, extra: [7]Range{{1 << 32, 6 << 30}}, n: 1},
			[maxRanges]Range{{end, 0x7fc00000}, {1 << 32, 6 << 30}}},
		{"in two below 4 GiB", memoryMap{main: Range{0x200000, 0x1000000}, extra: [7]Range{{0x2000000, 0x4000000}}, n: 1},
			[maxRanges]Range{{end, 0x1000000}, {0x2000000, 0x3c00000}}},
		{"less than the firmware's room", memoryMap{main: Range{0x200000, 0x600000}}, [maxRanges]Range{}},
		{"none", memoryMap{}, [maxRanges]Range{}},
	} {
		if got := c.m.fresh(end); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
	}
}

func TestReadStartInfo(t *testing.T) {
	table := []memEntry{{0, 0xa0000, 1, 0}, {0x100000, 0x7f00000, 1, 0}, {0xfe000000, 0x1000, 2, 0}}
	good := startInfo{magic: pvhMagic, version: 1, memmap: uint64(uintptr(unsafe.Pointer(&table[0]))), memEntries: 3}
	for _, c := range []struct {
		name   string
		change func(*startInfo)
		ok     bool
	}{
		{"good", func(*startInfo) {}, true},
		{"magic", func(s *startInfo) { s.magic++ }, false},
		{"version without a map", func(s *startInfo) { s.version = 0 }, false},
		{"no map", func(s *startInfo) { s.memmap = 0 }, false},
		{"no entries", func(s *startInfo) { s.memEntries = 0 }, false},
		{"map without the image", func(s *startInfo) { s.memEntries = 1 }, false},
	} {
		info := good
		c.change(&info)
		var m memoryMap
		if _, ok := m.readStartInfo(uintptr(unsafe.Pointer(&info)), image, 1<<38); ok != c.ok {
			t.Errorf("%s: ok %v", c.name, ok)
		}
		runtime.KeepAlive(&info)
	}
	var m memoryMap
	if _, ok := m.readStartInfo(0, image, 1<<38); ok {
		t.Error("no start info at all")
	}
	runtime.KeepAlive(table)
}

func TestModule(t *testing.T) {
	const end = 0x512345
	low, high := Range{0x200000, 0x4000000}, Range{1 << 32, 1 << 33}
	for _, c := range []struct {
		name   string
		module Range
		ok     bool
		main   Range
		extra  []Range
	}{
		{"in the midst", Range{0x1000010, 0x1001fff}, true, Range{0x200000, 0x1000000}, []Range{high, {0x1002000, 0x4000000}}},
		{"at the end", Range{0x3fff000, 0x4000000}, true, Range{0x200000, 0x3fff000}, []Range{high}},
		{"in the image", Range{0x512000, 0x514000}, false, low, []Range{high}},
		{"below it", Range{0x1000, 0x2000}, false, low, []Range{high}},
		{"across the end", Range{0x3fff000, 0x4000001}, false, low, []Range{high}},
		{"empty", Range{0x1000000, 0x1000000}, false, low, []Range{high}},
		{"wraps around", Range{^uint64(0) - 4, 8}, false, low, []Range{high}},
		{"to the end of everything", Range{0x1000000, ^uint64(0)}, false, low, []Range{high}},
		{"above 4 GiB", Range{1 << 32, 1<<32 + 1}, false, low, []Range{high}},
	} {
		m := memoryMap{main: low, extra: [maxRanges - 1]Range{high}, n: 1}
		if ok := m.reserve(c.module, end); ok != c.ok || m.main != c.main || !slices.Equal(m.extra[:m.n], c.extra) {
			t.Errorf("%s: %v, %#x, extra %#x", c.name, ok, m.main, m.extra[:m.n])
		}
		if m.lowEnd() != 0x4000000 {
			t.Errorf("%s: low RAM ends at %#x", c.name, m.lowEnd())
		}
	}
}

// TestFirmwareMap: UEFI firmware leaves RAM in many pieces, with its own between them. The
// one with the image counts from there on, and of the others the largest.
func TestFirmwareMap(t *testing.T) {
	const image = 0x1000000
	var m memoryMap
	for _, r := range []Range{{0, 0xa0000}, {0x100000, 0x806000}, {0x808000, 0x810000}, {0x900000, 0xea8a000}, {0xeb8c000, 0xf4ec000}, {0xfe00000, 0xfeec000},
		{0xff00000, 0xff01000}, {0xff10000, 0xff12000}, {0xff20000, 0xff23000}, {0xff30000, 0xff34000}, {1 << 32, 1 << 33}} {
		m.add(memEntry{r.Start, r.Size(), memRAM, 0}, image, 1<<38)
	}
	want := []Range{{0x200000, 0x806000}, {0x808000, 0x810000}, {0x900000, image}, {0xeb8c000, 0xf4ec000}, {0xfe00000, 0xfeec000}, {1 << 32, 1 << 33}, {0xff30000, 0xff34000}}
	slices.SortFunc(m.extra[:], func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	slices.SortFunc(want, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	if m.main != (Range{image, 0xea8a000}) || !slices.Equal(m.extra[:m.n], want) {
		t.Errorf("%#x, extra %#x, want %#x", m.main, m.extra[:m.n], want)
	}
}

// FuzzMemoryMap adds foreign entries; the ranges that come of them are whole
// pages, inside the limit and apart from each other.
func FuzzMemoryMap(f *testing.F) {
	f.Add(uint64(0x100000), uint64(0x7f00000), uint64(0x100000000), uint64(0x40000000), uint64(5), uint64(1<<63))
	f.Add(uint64(0x100000), uint64(0x706000), uint64(0x900000), uint64(0xe18a000), uint64(7), uint64(1<<63))
	f.Fuzz(func(t *testing.T, a, as, b, bs, c, cs uint64) {
		var m memoryMap
		image := uintptr(image)
		if c&2 != 0 {
			image = 0x1000000
		}
		for _, e := range []memEntry{{a, as, 1, 0}, {b, bs, 1, 0}, {c, cs, 1, 0}} {
			m.add(e, image, 1<<38)
		}
		m.reserve(Range{c, c + as}, uint64(image))
		ranges := append([]Range{m.main}, m.extra[:m.n]...)
		for i, r := range ranges {
			if r == (Range{}) {
				continue
			}
			if r.Start >= r.End || r.Start%pageSize != 0 || r.End%pageSize != 0 || r.End > 1<<38 || r.Start < bootAreaEnd {
				t.Fatalf("range %#x", r)
			}
			for _, s := range ranges[i+1:] {
				if r.overlaps(s) {
					t.Fatalf("%#x overlaps %#x", r, s)
				}
			}
		}
	})
}
