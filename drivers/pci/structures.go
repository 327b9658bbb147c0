package pci

import (
	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/virtio"
)

// struct virtio_pci_cap (virtio 1.2 §4.1.4).
const (
	capLen    = 2
	capType   = 3
	capBAR    = 4
	capID     = 5
	capOffset = 8
	capLength = 12
	capSize   = 16

	capNotifyMultiplier = 16 // struct virtio_pci_notify_cap
	capNotifySize       = 20
	capOffsetHigh       = 16 // struct virtio_pci_cap64
	capLengthHigh       = 20
	capSize64           = 24

	typeCommon = 1
	typeNotify = 2
	typeISR    = 3
	typeDevice = 4
	typeShared = 8
)

// findStructures makes the parts of the device reachable that its capabilities
// name. Of each kind the first that can be used counts (§4.1.4.1).
func (t *Virtio) findStructures() error {
	t.regions = make(map[uint8]virtio.Range)
	var problem error
	for _, c := range t.f.Capabilities() {
		if c.ID != CapVendor || c.Room() < capSize {
			continue
		}
		if err := t.structure(c); err != nil && problem == nil {
			problem = err
		}
	}
	if t.common == nil && problem == nil && t.f.Device <= lastTransitional {
		return virtio.Errorf(t, "capabilities", "a legacy device; start QEMU with disable-legacy=on,disable-modern=off for it")
	}
	for _, want := range []struct {
		regs reg.Regs
		name string
	}{{t.common, "common configuration"}, {t.notify, "notification"}, {t.isr, "interrupt status"}} {
		if want.regs == nil {
			if problem != nil {
				return problem
			}
			return virtio.Errorf(t, "capabilities", "there is no %s structure", want.name)
		}
	}
	if t.config == nil {
		t.config = reg.MMIO{} // not every device has one
	}
	return nil
}

// structure takes up one capability.
func (t *Virtio) structure(c Capability) error {
	f := t.f
	size := int(f.Read8(c.Off + capLen))
	if size < capSize || size > c.Room() {
		return virtio.Errorf(t, "cap_len", "%d of the capability at %#x, want %d to %d", size, c.Off, capSize, c.Room())
	}
	bar := int(f.Read8(c.Off + capBAR))
	if bar > 5 {
		return nil // reserved, to be ignored (§4.1.4.1)
	}
	off, length := uint64(f.Read32(c.Off+capOffset)), uint64(f.Read32(c.Off+capLength))

	var into *reg.Regs
	least := uint64(1)
	switch f.Read8(c.Off + capType) {
	case typeCommon:
		into, least = &t.common, commonSize
	case typeNotify:
		into, least = &t.notify, 2
		if size < capNotifySize {
			return virtio.Errorf(t, "cap_len", "%d of the notification capability at %#x, want %d", size, c.Off, capNotifySize)
		}
	case typeISR:
		into = &t.isr
	case typeDevice:
		into = &t.config
	case typeShared:
		if size < capSize64 {
			return virtio.Errorf(t, "cap_len", "%d of the shared memory capability at %#x, want %d", size, c.Off, capSize64)
		}
		off |= uint64(f.Read32(c.Off+capOffsetHigh)) << 32
		length |= uint64(f.Read32(c.Off+capLengthHigh)) << 32
		t.region(f.Read8(c.Off+capID), bar, off, length)
		return nil
	default:
		return nil
	}
	if *into != nil {
		return nil
	}
	if length < least || off%4 != 0 && into != &t.isr {
		return virtio.Errorf(t, "capabilities", "the one at %#x has %d bytes at %#x, want at least %d, aligned to 4", c.Off, length, off, least)
	}
	regs, err := f.Map(bar, off, length)
	if err != nil {
		return virtio.Errorf(t, "capabilities", "the one at %#x: %v", c.Off, err)
	}
	if into == &t.notify {
		t.multiplier = f.Read32(c.Off + capNotifyMultiplier)
	}
	*into = regs
	return nil
}

// region notes a shared memory region (§4.1.4.7). It is not mapped here; one that
// makes no sense is left out, for no driver depends on it.
func (t *Virtio) region(id uint8, bar int, off, length uint64) {
	b, ok := t.f.BAR(bar)
	if _, twice := t.regions[id]; twice {
		return
	}
	if !ok || b.IO || b.Addr == 0 || length == 0 || off > b.Size || length > b.Size-off {
		t.f.bus.log("%s: shared memory %d, %d bytes at %#x, is not inside of BAR %d", t.name, id, length, off, bar)
		return
	}
	t.regions[id] = virtio.Range{Start: b.Addr + off, End: b.Addr + off + length}
}
