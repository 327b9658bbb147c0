//go:build tamago

package amd64

import (
	"fmt"

	"github.com/yolkos/yolk/arch/amd64/acpi"
	"github.com/yolkos/yolk/arch/amd64/reg"
)

// PowerButton is the machine's.
type PowerButton struct{ irq *Interrupt }

// OpenPowerButton has the power button raise an interrupt. A machine that has none, or
// one that only a program in AML knows of, returns nil.
func OpenPowerButton() (*PowerButton, error) {
	p := &firmware.Power
	line := p.Interrupt
	switch {
	case p.Events.Is():
		line = acpi.QEMUInterrupt
	case !p.FixedButton:
		return nil, nil
	}
	irq, err := ISALine(line)
	if err != nil {
		return nil, fmt.Errorf("power button: %w", err)
	}
	if !p.Events.Is() {
		acpiMode()
		for i, r := range p.Status {
			if r.Is() {
				write16(r, acpi.PowerButton) // written ones are cleared
				write16(p.Enable[i], acpi.PowerButton)
			}
		}
	}
	return &PowerButton{irq}, nil
}

// Wait waits until the button is pressed.
func (b *PowerButton) Wait() {
	p := &firmware.Power
	for b.irq.Wait() {
		if p.Events.Is() {
			if reg.Read32(uintptr(p.Events.Addr))&acpi.PowerDown != 0 { // which clears it
				return
			}
			continue
		}
		for _, r := range p.Status {
			if r.Is() && read16(r)&acpi.PowerButton != 0 {
				write16(r, acpi.PowerButton)
				return
			}
		}
	}
}
