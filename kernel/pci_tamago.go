//go:build tamago

package kernel

import (
	"errors"

	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/pci"
	"github.com/yolkos/yolk/drivers/virtio"
)

// scanPCI numbers the PCI buses and opens their virtio devices.
func (m *machine) scanPCI() {
	w32, w64 := amd64.DeviceWindows()
	p := pci.Platform{
		Ports: reg.IO{},
		Map: func(phys, size uint64) (reg.Regs, error) {
			err := amd64.MapDevice(amd64.Range{Start: phys, End: phys + size})
			return reg.MMIO{Base: uintptr(phys), Length: int(size)}, err
		},
		Window32: virtio.Range(w32),
		Window64: virtio.Range(w64),
		MSI: func() (uint64, uint32, virtio.Interrupt, error) {
			return amd64.MSI()
		},
		Line: func(gsi int) (virtio.Interrupt, error) {
			return amd64.Line(gsi)
		},
		Log: m.log.Print,
	}
	bus, err := pci.Open(p)
	if e := amd64.ACPI().ECAM; errors.Is(err, pci.ErrNone) && e.Base != 0 {
		// Not every host bridge has the configuration ports.
		p.ECAM, p.ECAMBuses = e.Base, e.Buses
		bus, err = pci.Open(p)
	}
	if errors.Is(err, pci.ErrNone) {
		return
	}
	if err != nil {
		m.fail(err)
		return
	}
	m.pci = bus
	for _, f := range bus.Functions() {
		if !f.IsVirtio() {
			continue
		}
		m.start(func() (virtio.Transport, error) {
			t, err := pci.OpenVirtio(f)
			if err != nil {
				return nil, err
			}
			return t, nil
		})
	}
}

// appendPCI lists the functions of the PCI buses as lspci does.
func (m *machine) appendPCI(b []byte) []byte {
	if m.pci == nil {
		return b
	}
	for _, f := range m.pci.Functions() {
		b = append(append(b, f.String()...), '\n')
	}
	return b
}
