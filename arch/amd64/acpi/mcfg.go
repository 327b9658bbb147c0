package acpi

import "encoding/binary"

// ECAM is where the configuration space of the first PCI segment lies in memory
// (PCI Firmware Specification 3.0, 4.1.2).
type ECAM struct {
	Base  uint64 // of bus 0; 0: there is none
	Buses int
}

const (
	mcfgEntries = 44
	mcfgSize    = 16
)

func (t *Tables) readECAM(b []byte, addr uint64) {
	if len(b) < mcfgEntries {
		t.problem(Problem{"MCFG", addr, "length", uint64(len(b)), "too short for its entries"})
		return
	}
	for e := b[mcfgEntries:]; len(e) >= mcfgSize; e = e[mcfgSize:] {
		base := binary.LittleEndian.Uint64(e)
		segment, first, last := binary.LittleEndian.Uint16(e[8:]), e[10], e[11]
		if segment != 0 || first != 0 {
			continue // the kernel knows of one host bridge
		}
		if base == 0 || base%(1<<20) != 0 || base >= 1<<46 {
			t.problem(Problem{"MCFG", addr, "base address", base, "no place for the configuration space; it is left out"})
			continue
		}
		t.ECAM = ECAM{base, int(last) + 1}
		return
	}
}
