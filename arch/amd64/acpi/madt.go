package acpi

import "encoding/binary"

// Processors is what the MADT says (5.2.12): the processors that can be started,
// and how interrupts get to them.
type Processors struct {
	ids   [maxProcessors]uint32
	count int

	chips     [maxChips]IOAPIC
	chipCount int

	overrides [maxOverrides]Override
	nOverride int
}

// IOAPIC is an I/O APIC.
type IOAPIC struct {
	Addr uint32
	Base uint32 // number of the global system interrupt of its first line
}

// Override is a line of the ISA bus that is not the global system interrupt of its
// number.
type Override struct {
	Source uint8
	GSI    uint32
	Flags  uint16
}

// More of either than any machine has for which the kernel has cores and vectors.
const (
	maxProcessors = 256
	maxChips      = 16
	maxOverrides  = 16
)

// IDs returns the IDs of the processors' local APICs.
func (p *Processors) IDs() []uint32 { return p.ids[:p.count] }

// IOAPICs returns the I/O APICs.
func (p *Processors) IOAPICs() []IOAPIC { return p.chips[:p.chipCount] }

// Overrides returns what is not as on the ISA bus.
func (p *Processors) Overrides() []Override { return p.overrides[:p.nOverride] }

// Line returns the global system interrupt of a line of the ISA bus.
func (p *Processors) Line(isa int) int {
	for _, o := range p.Overrides() {
		if int(o.Source) == isa {
			return int(o.GSI)
		}
	}
	return isa
}

// ActiveLow reports whether a global system interrupt is one of those that are active
// when they are low (table 5.26).
func (p *Processors) ActiveLow(gsi int) bool {
	for _, o := range p.Overrides() {
		if int(o.GSI) == gsi {
			return o.Flags&3 == 3
		}
	}
	return false
}

// Types of entries (table 5.21).
const (
	madtLocalAPIC   = 0
	madtIOAPIC      = 1
	madtOverride    = 2
	madtLocalX2APIC = 9

	madtEntries = 44 // offset of the first one
	madtEnabled = 1 << 0
	// maxLine is more than a global system interrupt can be.
	maxLine = 1 << 16
)

// madtSizes are the lengths of the entries, in bytes.
var madtSizes = [...]uint8{madtLocalAPIC: 8, madtIOAPIC: 12, madtOverride: 10, madtLocalX2APIC: 16}

func (t *Tables) readProcessors(b []byte, addr uint64) {
	p := &t.Processors
	if len(b) < madtEntries {
		t.problem(Problem{"APIC", addr, "length", uint64(len(b)), "too short for its flags"})
		return
	}
	for at := madtEntries; at < len(b); {
		e := b[at:]
		if len(e) < 2 || int(e[1]) < 2 || int(e[1]) > len(e) {
			t.problem(Problem{"APIC", addr, "length of the entry at offset", uint64(at), "reaches beyond the table, or is less than 2; what follows is left out"})
			return
		}
		kind, n := e[0], e[1]
		if int(kind) < len(madtSizes) && n < madtSizes[kind] {
			t.problem(Problem{"APIC", addr, "length of the entry at offset", uint64(at), "too short for its type; it is left out"})
			kind = 0xff
		}
		switch kind {
		case madtLocalAPIC:
			if binary.LittleEndian.Uint32(e[4:])&madtEnabled != 0 {
				t.addProcessor(uint32(e[3]), addr)
			}
		case madtLocalX2APIC:
			if binary.LittleEndian.Uint32(e[8:])&madtEnabled != 0 {
				t.addProcessor(binary.LittleEndian.Uint32(e[4:]), addr)
			}
		case madtIOAPIC:
			c := IOAPIC{binary.LittleEndian.Uint32(e[4:]), binary.LittleEndian.Uint32(e[8:])}
			switch {
			case c.Addr < 1<<20 || c.Addr&0xf != 0:
				t.problem(Problem{"APIC", addr, "address of an I/O APIC", uint64(c.Addr), "no place for a device; it is left out"})
			case c.Base >= maxLine:
				t.problem(Problem{"APIC", addr, "first interrupt of an I/O APIC", uint64(c.Base), "too large; it is left out"})
			case p.chipCount == len(p.chips):
				t.problem(Problem{"APIC", addr, "address of an I/O APIC", uint64(c.Addr), "one too many; it is left out"})
			default:
				p.chips[p.chipCount] = c
				p.chipCount++
			}
		case madtOverride:
			o := Override{e[3], binary.LittleEndian.Uint32(e[4:]), binary.LittleEndian.Uint16(e[8:])}
			switch {
			case o.Source >= 16 || o.GSI >= maxLine:
				t.problem(Problem{"APIC", addr, "interrupt of an ISA line", uint64(o.GSI), "no line, or too large; it is left out"})
			case p.nOverride == len(p.overrides):
				t.problem(Problem{"APIC", addr, "interrupt of an ISA line", uint64(o.GSI), "one too many; it is left out"})
			default:
				p.overrides[p.nOverride] = o
				p.nOverride++
			}
		}
		at += int(n)
	}
}

// addProcessor adds one that both kinds of entries may name (5.2.12.12).
func (t *Tables) addProcessor(id uint32, addr uint64) {
	p := &t.Processors
	for _, other := range p.IDs() {
		if other == id {
			return
		}
	}
	if p.count == len(p.ids) {
		t.problem(Problem{"APIC", addr, "APIC ID", uint64(id), "one too many; it is left out"})
		return
	}
	p.ids[p.count] = id
	p.count++
}
