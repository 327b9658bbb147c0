//go:build tamago

package amd64

import (
	"fmt"

	"github.com/yolkos/yolk/arch/amd64/acpi"
	"github.com/yolkos/yolk/arch/amd64/reg"
)

// rootPointer is where the boot loader says the ACPI tables begin; 0: nowhere.
var rootPointer uint64

// HasACPI reports whether the machine has ACPI tables.
func HasACPI() bool { return rootPointer != 0 }

// PowerButton is the machine's.
type PowerButton struct {
	acpi.Button
	irq *Interrupt
}

// OpenPowerButton finds the power button by the ACPI tables and has it raise an
// interrupt. A machine without tables has none: nil.
func OpenPowerButton() (*PowerButton, error) {
	if !HasACPI() {
		return nil, nil
	}
	b, err := acpi.FindButton(readTable, rootPointer)
	if err != nil {
		return nil, err
	}
	p := &PowerButton{Button: *b}
	if p.irq, err = Line(b.IRQ); err != nil {
		return nil, fmt.Errorf("power button: %w", err)
	}
	if b.Events != 0 {
		return p, nil
	}
	if reg.In16(b.Control)&acpi.SCIEnabled == 0 && b.SMICommand != 0 {
		reg.Out8(b.SMICommand, b.EnableACPI)
	}
	reg.Out16(b.Status, acpi.PowerButton) // written ones are cleared
	reg.Out16(b.Enable, acpi.PowerButton)
	return p, nil
}

// Wait waits until the button is pressed.
func (p *PowerButton) Wait() {
	for p.irq.Wait() {
		if p.Events != 0 {
			if reg.Read32(uintptr(p.Events))&acpi.PowerDown != 0 { // which clears it
				return
			}
			continue
		}
		if s := reg.In16(p.Status); s&acpi.PowerButton != 0 {
			reg.Out16(p.Status, acpi.PowerButton)
			return
		}
	}
}

// readTable reads memory for package acpi: any below 4 GiB, which is mapped, but
// for the first page.
func readTable(addr uint64, n int) []byte {
	if addr < pageSize || addr >= 1<<32 || uint64(n) > 1<<32-addr {
		return nil
	}
	return append([]byte(nil), sliceAt[byte](uintptr(addr), n)...)
}
