// Package pci finds the functions on a PCI or PCI Express bus, gives them bus
// numbers and addresses where firmware has not, and drives the virtio transport
// over PCI. Sections are those of the PCI Local Bus Specification 3.0 and the
// PCI Express Base Specification 4.0 unless virtio is named.
package pci

import (
	"fmt"
	"sync"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// Addr is the place of a function: bus, device (5 bits), function (3 bits).
type Addr uint16

// MakeAddr puts an Addr together.
func MakeAddr(bus, dev, fn int) Addr { return Addr(bus<<8 | dev<<3 | fn) }

// Bus is the bus number.
func (a Addr) Bus() int { return int(a >> 8) }

// Dev is the device number on the bus.
func (a Addr) Dev() int { return int(a >> 3 & 31) }

// Fn is the function number in the device.
func (a Addr) Fn() int { return int(a & 7) }

// String is in the form of lspci: "00:02.0".
func (a Addr) String() string { return fmt.Sprintf("%02x:%02x.%d", a.Bus(), a.Dev(), a.Fn()) }

// space is a way to the configuration space. Widths are 1, 2 or 4 bytes, and
// offsets multiples of them. Where nobody answers, all ones are read.
type space interface {
	read(a Addr, off, width int) uint32
	write(a Addr, off, width int, v uint32)
	buses() int
	name() string
}

// cam is configuration mechanism #1 (§3.2.2.3.2): an address port and a data
// port, 256 bytes a function.
type cam struct {
	mu    sync.Mutex
	ports reg.Ports
}

const (
	camAddress = 0xcf8
	camData    = 0xcfc
	camEnable  = 1 << 31
	camSize    = 256
)

func (c *cam) buses() int   { return 256 }
func (c *cam) name() string { return "configuration ports" }

func (c *cam) read(a Addr, off, width int) uint32 {
	if off < 0 || off > camSize-width {
		return 0xffffffff
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports.Out32(camAddress, camEnable|uint32(a)<<8|uint32(off)&0xfc)
	port := camData + uint16(off)&3
	switch width {
	case 1:
		return uint32(c.ports.In8(port))
	case 2:
		return uint32(c.ports.In16(port))
	}
	return c.ports.In32(port)
}

func (c *cam) write(a Addr, off, width int, v uint32) {
	if off < 0 || off > camSize-width {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports.Out32(camAddress, camEnable|uint32(a)<<8|uint32(off)&0xfc)
	port := camData + uint16(off)&3
	switch width {
	case 1:
		c.ports.Out8(port, uint8(v))
	case 2:
		c.ports.Out16(port, uint16(v))
	default:
		c.ports.Out32(port, v)
	}
}

// ecam is the memory-mapped configuration space of PCI Express (§7.2.2): 4096
// bytes a function, 1 MiB a bus.
type ecam struct {
	regs reg.Regs
	base uint64
	n    int
}

const ecamSize = 4096

func (e *ecam) buses() int   { return e.n }
func (e *ecam) name() string { return fmt.Sprintf("ECAM %x", e.base) }

func (e *ecam) read(a Addr, off, width int) uint32 {
	if off < 0 || off > ecamSize-width {
		return 0xffffffff
	}
	at := int(a)<<12 | off
	switch width {
	case 1:
		return uint32(e.regs.Read8(at))
	case 2:
		return uint32(e.regs.Read16(at))
	}
	return e.regs.Read32(at)
}

func (e *ecam) write(a Addr, off, width int, v uint32) {
	if off < 0 || off > ecamSize-width {
		return
	}
	at := int(a)<<12 | off
	switch width {
	case 1:
		e.regs.Write8(at, uint8(v))
	case 2:
		e.regs.Write16(at, uint16(v))
	default:
		e.regs.Write32(at, v)
	}
}
