package pci

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/virtio"
)

// gsi is the global system interrupt that a function's pin is wired to. Behind
// bridges the pins turn with the device number (PCI-to-PCI Bridge Architecture
// Specification 1.2, §9.1). On the root bus of a Q35, INTA to INTD of device n
// begin at PIRQ E + n, and PIRQ A is 16 (QEMU hw/isa/lpc_ich9.c). Elsewhere
// firmware has to have told.
func (f *Function) gsi() (int, error) {
	if f.Pin < 1 || f.Pin > 4 {
		return 0, fmt.Errorf("pci %v: interrupt pin %d, want 1 to 4", f.Addr, f.Pin)
	}
	if f.bus.host != hostQ35 {
		if f.Line == 0 || f.Line > 23 {
			return 0, fmt.Errorf("pci %v: interrupt line %d is not assigned", f.Addr, f.Line)
		}
		return int(f.Line), nil
	}
	pin := int(f.Pin) - 1
	g := f
	for ; g.parent != nil; g = g.parent {
		pin = (pin + g.Dev()) % 4
	}
	return 16 + 4 + (pin+g.Dev())%4, nil
}

// line claims the function's own interrupt line.
func (f *Function) line() (virtio.Interrupt, error) {
	if f.bus.p.Line == nil {
		return nil, fmt.Errorf("pci %v: no MSI-X, and there are no interrupt lines", f.Addr)
	}
	gsi, err := f.gsi()
	if err != nil {
		return nil, err
	}
	f.Write16(regCommand, f.Read16(regCommand)&^commandNoLine)
	return f.bus.p.Line(gsi)
}
