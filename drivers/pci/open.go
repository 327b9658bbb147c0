package pci

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/virtio"
)

// Platform is what the bus stands on.
type Platform struct {
	// Ports reaches the configuration ports 0xcf8 and 0xcfc.
	Ports reg.Ports
	// Map makes size bytes of device memory at a physical address reachable,
	// uncached.
	Map func(phys, size uint64) (reg.Regs, error)
	// Window32 and Window64 are the addresses that may be given to devices,
	// below and above 4 GiB; neither RAM nor anything else answers there.
	// Window64 may be empty.
	Window32, Window64 virtio.Range
	// ECAM, if not 0, is where the configuration space lies; otherwise the
	// host bridge tells. It is that of so many buses; 0: of all.
	ECAM      uint64
	ECAMBuses int
	// MSI provides one message-signalled interrupt: what a device has to write
	// where, and what that wakes.
	MSI func() (addr uint64, data uint32, irq virtio.Interrupt, err error)
	// Line, which may be nil, provides the global system interrupt of a
	// level-triggered, shareable line, for devices without MSI-X.
	Line func(gsi int) (virtio.Interrupt, error)
	// Log, if not nil, takes a line about what was found wrong.
	Log func(line string)
}

// Bus is all PCI buses of the machine.
type Bus struct {
	p         Platform
	space     space
	host      uint32 // vendor and device of 00:00.0
	functions []*Function
	lastBus   int
}

// ErrNone means that the machine has no PCI bus.
var ErrNone = errors.New("pci: no PCI host bridge answers at 00:00.0")

// Host bridges that need to be known, as device and vendor.
const (
	hostQ35 = 0x29c0_8086 // Intel 82G33/Q35 memory controller hub
)

// PCIEXBAR of the Q35 (Intel 3 Series Chipset datasheet, 5.1.14): bit 0 enables,
// bits 2:1 are the size, the base begins at bit 26, 27 or 28.
const (
	pciexbar        = 0x60
	pciexbarEnable  = 1
	pciexbarDefault = 0xb000_0000
)

// Open finds the configuration space by the identity of the host bridge, finds
// all functions and gives them the numbers and addresses that they lack.
func Open(p Platform) (*Bus, error) {
	b := &Bus{p: p}
	if err := b.findSpace(); err != nil {
		return nil, err
	}
	if err := b.scan(); err != nil {
		return nil, err
	}
	b.assign()
	return b, nil
}

func (b *Bus) findSpace() error {
	ports := &cam{ports: b.p.Ports}
	if b.p.ECAM != 0 {
		e, err := b.mapECAM(b.p.ECAM, cmp.Or(b.p.ECAMBuses, 256))
		if err != nil {
			return err
		}
		b.space = e
		if b.host = e.read(0, 0, 4); !present(b.host) {
			return fmt.Errorf("%w in %s", ErrNone, e.name())
		}
		return nil
	}
	b.space, b.host = ports, ports.read(0, 0, 4)
	if !present(b.host) {
		return ErrNone
	}
	if b.host != hostQ35 {
		return nil
	}
	base, n, ok := q35ECAM(ports)
	if !ok {
		b.log("pci: PCIEXBAR of the host bridge makes no sense; going on with %s", ports.name())
		return nil
	}
	e, err := b.mapECAM(base, n)
	if err != nil {
		return err
	}
	if got := e.read(0, 0, 4); got != b.host {
		b.log("pci: %s shows %#x at 00:00.0, not %#x; going on with %s", e.name(), got, b.host, ports.name())
		return nil
	}
	b.space = e
	return nil
}

// q35ECAM reads where the memory-mapped configuration space lies, and puts it
// somewhere if firmware has not.
func q35ECAM(s space) (base uint64, buses int, ok bool) {
	low := s.read(0, pciexbar, 4)
	if low&pciexbarEnable == 0 {
		low = pciexbarDefault | pciexbarEnable
		s.write(0, pciexbar+4, 4, 0)
		s.write(0, pciexbar, 4, low)
	}
	high := s.read(0, pciexbar+4, 4)
	size := low >> 1 & 3
	if size == 3 {
		return 0, 0, false
	}
	base = (uint64(high)<<32 | uint64(low)) & (1<<36 - 1) &^ (1<<(28-size) - 1)
	return base, 256 >> size, base != 0
}

func (b *Bus) mapECAM(base uint64, buses int) (*ecam, error) {
	regs, err := b.p.Map(base, uint64(buses)<<20)
	if err != nil {
		return nil, fmt.Errorf("pci: configuration space at %#x: %w", base, err)
	}
	return &ecam{regs, base, buses}, nil
}

// present says whether the first word of a configuration space is that of a
// function (§6.1).
func present(id uint32) bool { return id&0xffff != 0xffff && id != 0 }

func (b *Bus) log(format string, args ...any) {
	if b.p.Log != nil {
		b.p.Log(fmt.Sprintf(format, args...))
	}
}

// Functions returns all functions, by ascending address.
func (b *Bus) Functions() []*Function { return b.functions }

// String says how the bus is reached and what is on it.
func (b *Bus) String() string {
	return fmt.Sprintf("pci: %d functions on %d buses by %s", len(b.functions), b.lastBus+1, b.space.name())
}
