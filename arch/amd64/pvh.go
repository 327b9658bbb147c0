package amd64

import "unsafe"

// startInfo is hvm_start_info of the PVH boot protocol (Xen,
// public/arch-x86/hvm/start_info.h), version 1.
type startInfo struct {
	magic      uint32 // pvhMagic
	version    uint32
	flags      uint32
	modules    uint32
	modlist    uint64
	cmdline    uint64 // NUL-terminated
	rsdp       uint64
	memmap     uint64
	memEntries uint32
	_          uint32
}

// memEntry is hvm_memmap_table_entry.
type memEntry struct {
	addr, size uint64 // bytes
	kind       uint32 // E820 type
	_          uint32
}

// module is hvm_modlist_entry.
type module struct {
	addr, size uint64 // bytes
	cmdline    uint64
	_          uint64
}

const (
	pvhMagic = 0x336ec578
	memRAM   = 1
)

// Range is a range of physical addresses.
type Range struct{ Start, End uint64 }

// Size returns the length in bytes.
func (r Range) Size() uint64 { return r.End - r.Start }

// pages is r in whole pages.
func (r Range) pages() Range {
	return Range{r.Start &^ (pageSize - 1), (r.End + pageSize - 1) &^ (pageSize - 1)}
}

// maxRanges bounds the memory map. UEFI firmware leaves more pieces of RAM than that:
// the smallest are dropped.
const maxRanges = 8

// memoryMap is the RAM of the machine from bootAreaEnd on: main begins with the
// image, extra is the rest.
type memoryMap struct {
	main  Range
	extra [maxRanges - 1]Range
	n     int    // used entries of extra
	total uint64 // bytes of RAM, including what lies below

	beyond uint64 // bytes of RAM that the heap has no addresses for

	module Range // the boot loader's module; extra and main have none of its pages
}

// add takes an entry of the boot loader's map. Foreign numbers: an entry that
// wraps around, overlaps what is there or lies beyond limit is cut or dropped.
func (m *memoryMap) add(e memEntry, image uintptr, limit uint64) {
	end := e.addr + e.size
	if e.kind != memRAM || end < e.addr {
		return
	}
	m.total += min(end, limit) - min(e.addr, limit)
	m.beyond += end - max(e.addr, min(end, limit))
	r := Range{max(e.addr, bootAreaEnd), min(end, limit)}
	r.Start = (r.Start + pageSize - 1) &^ (pageSize - 1)
	r.End &^= pageSize - 1
	if r.Start >= r.End || r.overlaps(m.main) {
		return
	}
	for _, x := range m.extra[:m.n] {
		if r.overlaps(x) {
			return
		}
	}
	if start := uint64(image); r.Start <= start && start < r.End {
		m.main = Range{start, r.End}
		r.End = start
	}
	m.addExtra(r)
}

// addExtra adds a range to extra, in the place of a smaller one if there is no other.
func (m *memoryMap) addExtra(r Range) {
	if r.Size() == 0 {
		return
	}
	if m.n < len(m.extra) {
		m.extra[m.n] = r
		m.n++
		return
	}
	least := &m.extra[0]
	for i := range m.extra {
		if m.extra[i].Size() < least.Size() {
			least = &m.extra[i]
		}
	}
	if least.Size() < r.Size() {
		*least = r
	}
}

// lowEnd is the end of the RAM below 4 GiB.
func (m *memoryMap) lowEnd() uint64 {
	end := m.main.End
	for _, r := range m.extra[:m.n] {
		if r.End <= 1<<32 {
			end = max(end, r.End)
		}
	}
	if m.module.End <= 1<<32 {
		end = max(end, m.module.End)
	}
	return end
}

// reserve takes the module at r out of the RAM, in whole pages. It returns false if r
// does not lie in one piece of RAM between end and 4 GiB.
func (m *memoryMap) reserve(r Range, end uint64) bool {
	pages := Range{r.Start &^ (pageSize - 1), (r.End + pageSize - 1) &^ (pageSize - 1)}
	if r.Start >= r.End || pages.End < r.End || pages.End > 1<<32 || pages.Start < end {
		return false
	}
	for i := -1; i < m.n; i++ {
		x := &m.main
		if i >= 0 {
			x = &m.extra[i]
		}
		if pages.Start < x.Start || pages.End > x.End {
			continue
		}
		behind := Range{pages.End, x.End}
		x.End = pages.Start
		switch {
		case behind.Size() == 0:
		case x.Size() == 0:
			*x = behind
		default:
			m.addExtra(behind)
		}
		m.module = r
		return true
	}
	return false
}

// readModule reads where the boot loader's first module lies, and reserves it. A
// loader may have none.
func (m *memoryMap) readModule(info *startInfo, end uint64) {
	if info.modules == 0 || info.modlist == 0 || info.modlist >= 1<<32-pageSize {
		return
	}
	e := at[module](uintptr(info.modlist))
	m.reserve(Range{e.addr, e.addr + e.size}, end)
}

// firmwareRoom is how much of the end of the RAM below 4 GiB the firmware may have
// used: SeaBIOS takes what it wants for itself and for a while from there, less than
// 1 MiB.
const firmwareRoom = 4 << 20

// fresh returns the ranges that QEMU has made zero and that neither its firmware nor
// the image, which ends at end, has touched.
func (m *memoryMap) fresh(end uint64) (fresh [maxRanges]Range) {
	top := m.lowEnd()
	top -= min(top, firmwareRoom)
	fresh[0] = m.main
	copy(fresh[1:], m.extra[:m.n])
	for i := range fresh {
		r := &fresh[i]
		if r.End <= 1<<32 {
			r.Start, r.End = max(r.Start, end), min(r.End, top)
		}
		if r.Start >= r.End {
			*r = Range{}
		}
	}
	return fresh
}

func (r Range) overlaps(x Range) bool { return r.Start < x.End && x.Start < r.End }

// readStartInfo reads the memory map at address p, below 4 GiB. It returns
// false if there is none that holds the image.
func (m *memoryMap) readStartInfo(p uintptr, image uintptr, limit uint64) (*startInfo, bool) {
	info := at[startInfo](p)
	if p == 0 || info.magic != pvhMagic || info.version < 1 || info.memmap == 0 {
		return nil, false
	}
	table := uintptr(info.memmap)
	for i := uintptr(0); i < min(uintptr(info.memEntries), 128); i++ {
		m.add(*at[memEntry](table + i*unsafe.Sizeof(memEntry{})), image, limit)
	}
	return info, m.main.End != 0
}
