//go:build tamago

package amd64

import (
	"github.com/yolkos/yolk/arch/amd64/acpi"
	"github.com/yolkos/yolk/arch/amd64/reg"
)

// Registers of an I/O APIC (82093AA, 3.0), reached by an index and a window.
const (
	ioapicIndex  = 0x00
	ioapicWindow = 0x10

	ioapicVersion = 0x01 // bits 23:16: number of the last line
	ioapicTable   = 0x10 // two registers a line

	// Bits of a line's lower register.
	ioapicActiveLow = 1 << 13
)

// ioapic is an I/O APIC. Its registers are used by one goroutine at a time.
type ioapic struct {
	base uintptr
	gsi  int // of its first line
	n    int // lines
}

// Where I/O APICs are in a machine that has no tables: that of a PC, and the second
// one of a microvm, for its virtio devices.
var usualIOAPICs = []acpi.IOAPIC{{Addr: 0xfec00000}, {Addr: 0xfec10000, Base: 24}}

// findIOAPICs returns the I/O APICs that answer.
func findIOAPICs() (chips []ioapic) {
	list := firmware.Processors.IOAPICs()
	if len(list) == 0 {
		list = usualIOAPICs
	}
	for _, c := range list {
		a := uint64(c.Addr)
		if MapDevice(Range{a, a + pageSize}) != nil {
			continue // in RAM
		}
		io := ioapic{base: uintptr(a), gsi: int(c.Base)}
		if v := io.read(ioapicVersion); v != ^uint32(0) {
			io.n = int(v>>16&0xff) + 1
			chips = append(chips, io)
		}
	}
	return chips
}

func (io *ioapic) read(r uint32) uint32 {
	reg.Write32(io.base+ioapicIndex, r)
	return reg.Read32(io.base + ioapicWindow)
}

func (io *ioapic) write(r, v uint32) {
	reg.Write32(io.base+ioapicIndex, r)
	reg.Write32(io.base+ioapicWindow, v)
}

// has reports whether a line is this chip's.
func (io *ioapic) has(gsi int) bool { return gsi >= io.gsi && gsi < io.gsi+io.n }

// enable has an edge of a line raise a vector on the CPU with a local APIC's ID.
func (io *ioapic) enable(gsi int, vector uint8, id uint32, activeLow bool) {
	r := ioapicTable + 2*uint32(gsi-io.gsi)
	low := uint32(vector)
	if activeLow {
		low |= ioapicActiveLow
	}
	io.write(r+1, id<<24)
	io.write(r, low)
}
