// Package acpi reads the ACPI tables of a machine. They are the firmware's: bytes
// in, facts out. What is wrong with a table is kept as a Problem, and everything
// else counts.
//
// Read runs before there is a heap: it must not allocate. Sections are those of
// ACPI 6.5.
package acpi

import (
	"encoding/binary"
	"fmt"
)

// Memory returns n bytes at a physical address, which nobody changes; nil: there
// are none.
type Memory func(addr uint64, n int) []byte

// Tables is what the tables say that the kernel has a use for. The zero value is
// that of a machine without any.
type Tables struct {
	Root uint64 // address of the root pointer; 0: there are no tables

	Processors Processors
	Power      Power
	Timers     Timers
	ECAM       ECAM

	problems [maxProblems]Problem
	nProblem int
}

// Problem is what is wrong with a table.
type Problem struct {
	Table string // signature, or what else it is
	Addr  uint64 // where it lies
	Field string
	Value uint64
	Why   string
}

const maxProblems = 16

func (p Problem) Error() string {
	return fmt.Sprintf("acpi: table %s at %#x: %s %#x: %s", p.Table, p.Addr, p.Field, p.Value, p.Why)
}

// Problems returns what is wrong with the tables; more than a few are not kept.
func (t *Tables) Problems() []Problem { return t.problems[:t.nProblem] }

func (t *Tables) problem(p Problem) {
	if t.nProblem < len(t.problems) {
		t.problems[t.nProblem] = p
		t.nProblem++
	}
}

// Offsets in the root pointer (5.2.5.3) and in the header of a table (5.2.6).
const (
	rsdpRevision = 15
	rsdpRSDT     = 16
	rsdpXSDT     = 24
	rsdpSize     = 20 // bytes of version 1, which the first checksum is for
	rsdpSize2    = 36

	headerLength = 4
	headerOEM    = 10
	headerSize   = 36

	maxTable  = 1 << 20 // bytes
	maxTables = 128
)

// FindRoot looks for the root pointer where a PC's firmware puts it (5.2.5.1): in
// the first KiB of the extended BIOS data area, and from 0xe0000 to 1 MiB. It
// returns 0 if there is none.
func FindRoot(read Memory) uint64 {
	const (
		ebdaSegment = 0x40e
		biosStart   = 0xe0000
		biosSize    = 0x20000
	)
	if b := read(ebdaSegment, 2); len(b) == 2 {
		ebda := uint64(binary.LittleEndian.Uint16(b)) << 4
		if ebda >= 0x80000 && ebda < 0xa0000 {
			if at := findRoot(read(ebda, 1024)); at >= 0 {
				return ebda + uint64(at)
			}
		}
	}
	if at := findRoot(read(biosStart, biosSize)); at >= 0 {
		return biosStart + uint64(at)
	}
	return 0
}

// findRoot returns where in b a root pointer begins, -1 if none does.
func findRoot(b []byte) int {
	for i := 0; i+rsdpSize <= len(b); i += 16 {
		if isRoot(b[i : i+rsdpSize]) {
			return i
		}
	}
	return -1
}

func isRoot(b []byte) bool { return string(b[:8]) == "RSD PTR " && sum(b) == 0 }

// Read follows the tables from the root pointer at addr; 0: there is none.
func (t *Tables) Read(read Memory, addr uint64) {
	if addr == 0 {
		return
	}
	rsdp := read(addr, rsdpSize)
	if len(rsdp) < rsdpSize || !isRoot(rsdp) {
		t.problem(Problem{"RSDP", addr, "signature or checksum at", addr, "no root pointer is there"})
		return
	}
	t.Root = addr
	// Version 2 has a list with wider addresses, and may have that alone, as on
	// QEMU's microvm.
	if rsdp[rsdpRevision] >= 2 {
		more := read(addr, rsdpSize2)
		switch {
		case len(more) < rsdpSize2 || sum(more) != 0:
			t.problem(Problem{"RSDP", addr, "extended checksum", uint64(sum(more)), "not 0; the XSDT is left out"})
		case t.readList(read, "XSDT", binary.LittleEndian.Uint64(more[rsdpXSDT:]), 8):
			return
		}
	}
	t.readList(read, "RSDT", uint64(binary.LittleEndian.Uint32(rsdp[rsdpRSDT:])), 4)
}

// readList reads the tables of a list whose entries are width bytes wide, and
// reports whether there is such a list.
func (t *Tables) readList(read Memory, signature string, addr uint64, width int) bool {
	if addr == 0 && width == 8 {
		return false // the older list has to do
	}
	list := t.table(read, signature, addr)
	if list == nil {
		return false
	}
	entries := list[headerSize:]
	if n := len(entries) / width; n > maxTables {
		t.problem(Problem{signature, addr, "number of tables", uint64(n), "too many; the first ones count"})
		entries = entries[:maxTables*width]
	}
	for ; len(entries) >= width; entries = entries[width:] {
		at := uint64(binary.LittleEndian.Uint32(entries))
		if width == 8 {
			at = binary.LittleEndian.Uint64(entries)
		}
		t.readTable(read, at)
	}
	return true
}

// readTable reads a table if it is of a known kind.
func (t *Tables) readTable(read Memory, addr uint64) {
	switch string(read(addr, 4)) { // which makes no string
	case "APIC":
		if b := t.table(read, "APIC", addr); b != nil {
			t.readProcessors(b, addr)
		}
	case "FACP":
		if b := t.table(read, "FACP", addr); b != nil {
			t.readPower(read, b, addr)
		}
	case "MCFG":
		if b := t.table(read, "MCFG", addr); b != nil {
			t.readECAM(b, addr)
		}
	case "HPET":
		if b := t.table(read, "HPET", addr); b != nil {
			t.readHPET(b, addr)
		}
	}
}

// table returns a table whole, or nil.
func (t *Tables) table(read Memory, signature string, addr uint64) []byte {
	head := read(addr, headerSize)
	if len(head) < headerSize || string(head[:4]) != signature {
		t.problem(Problem{signature, addr, "signature at", addr, "no such table is there"})
		return nil
	}
	n := binary.LittleEndian.Uint32(head[headerLength:])
	if n < headerSize || n > maxTable {
		t.problem(Problem{signature, addr, "length", uint64(n), "not between 36 bytes and 1 MiB"})
		return nil
	}
	b := read(addr, int(n))
	if len(b) < int(n) {
		t.problem(Problem{signature, addr, "length", uint64(n), "more than there is memory"})
		return nil
	}
	if s := sum(b); s != 0 {
		t.problem(Problem{signature, addr, "checksum", uint64(s), "the sum of all bytes is not 0"})
		return nil
	}
	return b
}

func sum(b []byte) (s uint8) {
	for _, c := range b {
		s += c
	}
	return s
}

// Address spaces of a generic address (5.2.3.2).
const (
	InMemory = 0
	InPorts  = 1
)

// Register is where a register of the machine lies; the zero value is none.
type Register struct {
	Space uint8 // InMemory or InPorts
	Addr  uint64
}

// Is reports whether there is such a register.
func (r Register) Is() bool { return r.Addr != 0 }

// reachable reports whether the kernel can reach all of a register of so many bytes:
// by port, or in memory between the first megabyte and 4 GiB. Each register that is
// taken from a table passes here.
func (r Register) reachable(width uint64) bool {
	switch r.Space {
	case InPorts:
		return r.Addr <= 1<<16-width // no sum, which may overflow
	case InMemory:
		return r.Addr >= 1<<20 && r.Addr <= 1<<32-width
	}
	return false
}

// generic reads the generic address structure of a register of so many bytes at an
// offset of a table. What the kernel cannot reach counts as none.
func (t *Tables) generic(b []byte, offset int, width uint64, signature, field string, table uint64) Register {
	if len(b) < offset+genericSize {
		return Register{} // a shorter, older version
	}
	r := Register{b[offset], binary.LittleEndian.Uint64(b[offset+4:])}
	switch {
	case !r.Is():
		return Register{}
	case !r.reachable(width):
		t.problem(Problem{signature, table, field, r.Addr, "no port, nor memory below 4 GiB; it is left out"})
		return Register{}
	}
	return r
}
