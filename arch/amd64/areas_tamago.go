//go:build tamago

package amd64

import "runtime"

// Area is a part of the physical address space with a use.
type Area struct {
	Range
	Name string // as in Linux's /proc/iomem, where that has a name for it
}

// Areas returns what is known of the address space: the RAM, parts of it, and the
// registers of the interrupt controllers. An area may lie in another one.
func Areas() []Area {
	_, codeEnd := textPages()
	_, dataEnd := runtime.DataRegion()
	list := []Area{
		{Range{bootArea, bootAreaEnd}, "Boot area"},
		{Range{imageStart, memory.main.End}, "System RAM"},
		{Range{imageStart, codeEnd}, "Kernel code"},
		{Range{codeEnd, imageData}, "Kernel rodata"},
		{Range{imageData, (dataEnd + pageSize - 1) &^ (pageSize - 1)}, "Kernel data"},
		{Range{lapicBase, lapicBase + pageSize}, "Local APIC"},
	}
	if parts.Size() > 0 {
		list = append(list, Area{parts, "Carried by the image"})
	}
	if deviceMemory.Size() > 0 {
		list = append(list, Area{deviceMemory, "Rings of devices"})
	}
	for _, r := range memory.extra[:memory.n] {
		list = append(list, Area{r, "System RAM"})
	}
	lines.Lock()
	defer lines.Unlock()
	for _, c := range ioapics() {
		a := uint64(c.base)
		list = append(list, Area{Range{a, a + pageSize}, "IOAPIC"})
	}
	return list
}
