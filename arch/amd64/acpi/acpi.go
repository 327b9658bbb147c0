// Package acpi finds out from the ACPI tables of a machine how its power button
// is heard. The tables are the firmware's: bytes in, facts out.
package acpi

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Button is how a machine tells that its power button was pressed.
type Button struct {
	IRQ int // number of the global system interrupt

	// A fixed hardware button (ACPI 6.5, 4.8.2.2.1.1) is a bit of the PM1 status
	// and enable registers, which are ports.
	Status, Enable, Control uint16
	SMICommand              uint16 // port that takes EnableACPI; 0: none is needed
	EnableACPI              uint8

	// A machine with reduced hardware has none of these but a generic event
	// device. That of QEMU (docs/specs/acpi_hw_reduced_hotplug.rst) has a
	// register in memory that tells, and forgets, what has happened.
	Events uint64
}

// Bits of the registers.
const (
	PowerButton = 1 << 8 // of PM1 status and enable (ACPI 6.5, tables 4.11 and 4.12)
	SCIEnabled  = 1 << 0 // of PM1 control: the machine is in ACPI mode (table 4.13)
	PowerDown   = 1 << 1 // of QEMU's event register
)

// Offsets in the FADT (ACPI 6.5, table 5.9).
const (
	fadtSCI          = 46
	fadtSMICommand   = 48
	fadtACPIEnable   = 52
	fadtPM1aEvent    = 56
	fadtPM1aControl  = 64
	fadtPM1EventSize = 88
	fadtFlags        = 112
	fadtSleepControl = 244 // a generic address structure
	fadtMin          = 116 // bytes that every version has

	flagControlMethodButton = 1 << 4 // there is no fixed power button
	flagReducedHardware     = 1 << 20
)

// Of QEMU's generic event device on x86: where its sleep register is behind the
// event register, and its interrupt, which the tables tell only in AML.
const (
	qemuOEM         = "BOCHS "
	qemuSleep       = 0x200
	qemuInterrupt   = 9
	spaceMemory     = 0 // address space of a generic address: memory
	genericAddress  = 4 // offset of the address in a generic address structure
	headerSize      = 36
	headerOEM       = 10
	rsdpSize        = 20 // bytes of version 1, which the first checksum is for
	rsdpSize2       = 36
	rsdpRevision    = 15
	rsdpRSDT        = 16
	rsdpXSDT        = 24
	maxTable        = 1 << 20
	maxTables       = 256
	legacyInterrupt = 16 // lines below are those that SCI_INT may name
)

// Memory reads n bytes at a physical address; nil: there are none.
type Memory func(addr uint64, n int) []byte

// FindButton follows the tables from the root pointer at addr. The error says
// which table is wrong, or what the machine has not.
func FindButton(read Memory, addr uint64) (*Button, error) {
	rsdp := read(addr, rsdpSize)
	if len(rsdp) < rsdpSize || string(rsdp[:8]) != "RSD PTR " || sum(rsdp) != 0 {
		return nil, fmt.Errorf("acpi: no root pointer at %#x", addr)
	}
	// Version 2 has a list with wider addresses, and may have that alone, as on
	// QEMU's microvm.
	list, width, signature := uint64(binary.LittleEndian.Uint32(rsdp[rsdpRSDT:])), 4, "RSDT"
	if rsdp[rsdpRevision] >= 2 {
		if more := read(addr, rsdpSize2); len(more) == rsdpSize2 && sum(more) == 0 && list == 0 {
			list, width, signature = binary.LittleEndian.Uint64(more[rsdpXSDT:]), 8, "XSDT"
		}
	}
	root, err := table(read, list, signature)
	if err != nil {
		return nil, err
	}
	entries := root[headerSize:]
	for i := 0; i+width <= len(entries) && i < width*maxTables; i += width {
		at := uint64(binary.LittleEndian.Uint32(entries[i:]))
		if width == 8 {
			at = binary.LittleEndian.Uint64(entries[i:])
		}
		if head := read(at, 4); string(head) == "FACP" {
			fadt, err := table(read, at, "FACP")
			if err != nil {
				return nil, err
			}
			return button(fadt)
		}
	}
	return nil, fmt.Errorf("acpi: the tables have no FACP")
}

// table reads a table whole.
func table(read Memory, addr uint64, signature string) ([]byte, error) {
	head := read(addr, headerSize)
	if len(head) < headerSize || string(head[:4]) != signature {
		return nil, fmt.Errorf("acpi: no table %s at %#x", signature, addr)
	}
	n := binary.LittleEndian.Uint32(head[4:])
	if n < headerSize || n > maxTable {
		return nil, fmt.Errorf("acpi: table %s at %#x: length %d", signature, addr, n)
	}
	t := read(addr, int(n))
	if len(t) < int(n) || sum(t) != 0 {
		return nil, fmt.Errorf("acpi: table %s at %#x: wrong checksum", signature, addr)
	}
	return t, nil
}

func sum(b []byte) (s uint8) {
	for _, c := range b {
		s += c
	}
	return s
}

// button reads the FADT.
func button(t []byte) (*Button, error) {
	if len(t) < fadtMin {
		return nil, fmt.Errorf("acpi: table FACP has %d bytes, too few for its flags", len(t))
	}
	flags := binary.LittleEndian.Uint32(t[fadtFlags:])
	if flags&flagReducedHardware != 0 {
		return eventDevice(t)
	}
	if flags&flagControlMethodButton != 0 {
		return nil, fmt.Errorf("acpi: table FACP: the power button is not a fixed one")
	}
	port := func(offset int) uint32 { return binary.LittleEndian.Uint32(t[offset:]) }
	event, control, size, smi := port(fadtPM1aEvent), port(fadtPM1aControl), uint32(t[fadtPM1EventSize]), port(fadtSMICommand)
	sci := binary.LittleEndian.Uint16(t[fadtSCI:])
	const ports = 1 << 16
	if event == 0 || control == 0 || size < 4 || event+size > ports || event >= ports || control > ports-2 || smi >= ports || sci >= legacyInterrupt {
		return nil, fmt.Errorf("acpi: table FACP: PM1 registers at %#x (%d bytes) and %#x, SMI command at %#x, interrupt %d",
			event, size, control, smi, sci)
	}
	return &Button{
		IRQ: int(sci), Status: uint16(event), Enable: uint16(event + size/2), Control: uint16(control),
		SMICommand: uint16(smi), EnableACPI: t[fadtACPIEnable],
	}, nil
}

// eventDevice takes QEMU's generic event device from where its sleep register is.
func eventDevice(t []byte) (*Button, error) {
	if !bytes.HasPrefix(t[headerOEM:], []byte(qemuOEM)) || len(t) < fadtSleepControl+12 || t[fadtSleepControl] != spaceMemory {
		return nil, fmt.Errorf("acpi: table FACP: reduced hardware that is not QEMU's")
	}
	sleep := binary.LittleEndian.Uint64(t[fadtSleepControl+genericAddress:])
	if sleep < 1<<20+qemuSleep || sleep >= 1<<32 || sleep%4 != 0 {
		return nil, fmt.Errorf("acpi: table FACP: sleep register at %#x", sleep)
	}
	return &Button{IRQ: qemuInterrupt, Events: sleep - qemuSleep}, nil
}
