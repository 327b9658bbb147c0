package pci

import (
	"cmp"
	"slices"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Addresses. Firmware may have assigned all, some or none. On the root bus a
// register that has an address keeps it. What is behind a bridge is kept as it
// is if all of it has addresses, and is laid out anew otherwise, together with
// the bridge's windows.

// largeBAR is the size, in bytes, above which a 64-bit prefetchable register is
// better off above 4 GiB.
const largeBAR = 64 << 20

// insaneBAR is more than any register may ask for.
const insaneBAR = 1 << 46

const (
	bridgeUnit   = 1 << 20 // granularity of a bridge's memory windows
	windowClosed = 0x0000fff0
)

// item is something to be placed: a register, or all behind a bridge.
type item struct {
	size, align uint64
	large       bool // may lie above 4 GiB
	put         func(addr uint64)
	fail        func()
}

func (b *Bus) assign() {
	low, high := window{Range: b.p.Window32}, window{Range: b.p.Window64}
	if e, ok := b.space.(*ecam); ok {
		low.reserve(e.base, uint64(e.n)<<20)
		high.reserve(e.base, uint64(e.n)<<20)
	}
	var items []item
	keep := func(addr, size uint64) {
		low.reserve(addr, size)
		high.reserve(addr, size)
	}
	for _, f := range b.functions {
		if f.parent != nil {
			continue
		}
		for i := range f.BARs {
			bar := &f.BARs[i]
			if bar.IO {
				continue
			}
			if f.assigned(*bar) {
				keep(bar.Addr, bar.Size)
			} else {
				items = append(items, f.item(bar))
			}
		}
		if !f.bridge {
			continue
		}
		if f.settled() {
			for _, r := range f.windows() {
				keep(r.Start, r.End-r.Start)
				f.Write16(regCommand, f.Read16(regCommand)|commandMaster)
			}
			continue
		}
		for _, large := range []bool{false, true} {
			if it, ok := f.behind(large); ok {
				items = append(items, it)
			}
		}
	}
	// The largest first wastes nothing, since all are aligned to their size.
	slices.SortStableFunc(items, func(x, y item) int { return cmp.Compare(y.align, x.align) })
	for _, it := range items {
		addr, ok := uint64(0), false
		if it.large {
			addr, ok = high.alloc(it.size, it.align)
		}
		if !ok {
			addr, ok = low.alloc(it.size, it.align)
		}
		if ok {
			it.put(addr)
		} else {
			it.fail()
		}
	}
}

// assigned says whether firmware gave a register an address.
func (f *Function) assigned(b BAR) bool {
	if b.Addr == 0 || b.Size > insaneBAR || b.Addr+b.Size < b.Addr {
		return false
	}
	in := func(r virtio.Range) bool { return b.Addr >= r.Start && b.Addr+b.Size <= r.End }
	return f.Read16(regCommand)&commandMemory != 0 || in(f.bus.p.Window32) || in(f.bus.p.Window64)
}

// settled says whether everything behind a bridge has an address, inside the
// windows of the bridge.
func (f *Function) settled() bool {
	windows := f.windows()
	for _, c := range f.children {
		for _, b := range c.BARs {
			if b.IO {
				continue
			}
			inside := slices.ContainsFunc(windows, func(r virtio.Range) bool {
				return b.Addr >= r.Start && b.Addr+b.Size <= r.End && b.Addr+b.Size >= b.Addr
			})
			if !c.assigned(b) || !inside {
				return false
			}
		}
		if c.bridge && !c.settled() {
			return false
		}
	}
	return true
}

// windows are the memory ranges that a bridge passes on.
func (f *Function) windows() []virtio.Range {
	var rs []virtio.Range
	add := func(base, limit uint64) {
		if base <= limit {
			rs = append(rs, virtio.Range{Start: base, End: limit + bridgeUnit})
		}
	}
	if f.Read16(regCommand)&commandMemory == 0 {
		return nil
	}
	v := f.Read32(regMemBase)
	add(uint64(v&0xfff0)<<16, uint64(v>>16&0xfff0)<<16)
	v = f.Read32(regPrefBase)
	base, limit := uint64(v&0xfff0)<<16, uint64(v>>16&0xfff0)<<16
	if f.pref64 {
		base |= uint64(f.Read32(regPrefHigh)) << 32
		limit |= uint64(f.Read32(regPrefHigh+4)) << 32
	}
	add(base, limit)
	return rs
}

// item is a register to be placed.
func (f *Function) item(b *BAR) item {
	return item{
		size: b.Size, align: b.Size, large: f.large(*b),
		put: func(addr uint64) {
			command := f.Read16(regCommand) // a bridge may be in use
			f.Write16(regCommand, command&^commandMemory)
			f.setBAR(b, addr)
			f.Write16(regCommand, command)
		},
		fail: func() {
			f.Write16(regCommand, f.Read16(regCommand)&^commandMemory)
			f.setBAR(b, 0)
			f.bus.log("pci %v: BAR %d of %d bytes finds no free address", f.Addr, b.Index, b.Size)
		},
	}
}

// large says whether a register is to lie above 4 GiB, which all bridges before
// it must be able to pass on.
func (f *Function) large(b BAR) bool {
	w := f.bus.p.Window64
	if !b.Is64 || b.Size <= largeBAR || w.Start >= w.End {
		return false
	}
	for p := f.parent; p != nil; p = p.parent {
		if !p.pref64 || !b.Prefetch {
			return false
		}
	}
	return true
}

// behind is everything behind a bridge that goes through one of its two windows,
// as one item: the plain one, or the prefetchable one for what is large.
func (f *Function) behind(large bool) (item, bool) {
	var inner []item
	for _, c := range f.children {
		for i := range c.BARs {
			b := &c.BARs[i]
			if b.IO || c.large(*b) != large {
				continue
			}
			if it := c.item(b); b.Size > insaneBAR {
				it.fail()
			} else {
				inner = append(inner, it)
			}
		}
		if c.bridge {
			if it, ok := c.behind(large); ok {
				inner = append(inner, it)
			}
		}
	}
	if len(inner) == 0 {
		f.setWindow(large, 0, 0)
		return item{}, false
	}
	slices.SortStableFunc(inner, func(x, y item) int { return cmp.Compare(y.align, x.align) })
	whole := item{align: max(inner[0].align, bridgeUnit), large: large}
	offsets := make([]uint64, len(inner))
	for i, it := range inner {
		at := (whole.size + it.align - 1) &^ (it.align - 1)
		offsets[i] = at
		// Too much stays too much, whatever is added.
		whole.size = min(at+it.size, 2*insaneBAR)
	}
	whole.size = (whole.size + bridgeUnit - 1) &^ (bridgeUnit - 1)
	whole.put = func(addr uint64) {
		f.setWindow(large, addr, whole.size)
		for i, it := range inner {
			it.put(addr + offsets[i])
		}
	}
	whole.fail = func() {
		f.setWindow(large, 0, 0)
		for _, it := range inner {
			it.fail()
		}
	}
	return whole, true
}

// setWindow sets what a bridge passes on; size 0 closes the window.
func (f *Function) setWindow(pref bool, addr, size uint64) {
	v, high, limitHigh := uint32(windowClosed), uint32(0), uint32(0)
	if size > 0 {
		last := addr + size - 1
		v = uint32(addr)>>16&0xfff0 | uint32(last)&0xfff00000
		high, limitHigh = uint32(addr>>32), uint32(last>>32)
	}
	if !pref {
		f.Write32(regMemBase, v)
	} else {
		f.Write32(regPrefBase, v)
		if f.pref64 {
			f.Write32(regPrefHigh, high)
			f.Write32(regPrefHigh+4, limitHigh)
		}
	}
	f.Write16(regCommand, f.Read16(regCommand)|commandMemory|commandMaster)
}

// window is a range of addresses to give away.
type window struct {
	virtio.Range
	used []virtio.Range // sorted by Start
}

func (w *window) reserve(addr, size uint64) {
	r := virtio.Range{Start: addr, End: addr + size}
	if r.End <= r.Start || r.End <= w.Start || r.Start >= w.End {
		return
	}
	i, _ := slices.BinarySearchFunc(w.used, r, func(x, y virtio.Range) int { return cmp.Compare(x.Start, y.Start) })
	w.used = slices.Insert(w.used, i, r)
}

// alloc takes the first free range. Address 0 means unassigned and is never
// given away.
func (w *window) alloc(size, align uint64) (uint64, bool) {
	if size == 0 || size > insaneBAR || align > insaneBAR {
		return 0, false
	}
	up := func(x uint64) uint64 { return (x + align - 1) &^ (align - 1) }
	at := up(max(w.Start, 1))
	for _, u := range w.used {
		if at+size <= u.Start {
			break
		}
		if u.End > at {
			at = up(u.End)
		}
	}
	if at < w.Start || at+size < at || at+size > w.End {
		return 0, false
	}
	w.reserve(at, size)
	return at, true
}
