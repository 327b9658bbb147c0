package pci

import "fmt"

// Configuration space header (§6.1, and the PCI-to-PCI Bridge Architecture
// Specification 1.2, §3.2).
const (
	regID         = 0x00
	regCommand    = 0x04
	regStatus     = 0x06
	regClass      = 0x08 // revision in the low byte
	regHeader     = 0x0e
	regBAR        = 0x10
	regBusNumbers = 0x18 // bridge: primary, secondary, subordinate
	regMemBase    = 0x20 // bridge: base and limit in one word
	regPrefBase   = 0x24
	regPrefHigh   = 0x28 // base, and limit in the word after
	regSubsystem  = 0x2c
	regCapability = 0x34
	regInterrupt  = 0x3c // line, pin

	commandIO     = 1
	commandMemory = 2
	commandMaster = 4
	commandNoLine = 1 << 10
	statusCaps    = 1 << 4

	headerMulti  = 0x80
	headerType   = 0x7f
	headerBridge = 1
)

// BAR is one base address register (§6.2.5.1).
type BAR struct {
	Index    int
	Addr     uint64 // 0: not assigned
	Size     uint64 // bytes, 0: there is none
	IO       bool
	Is64     bool
	Prefetch bool
}

// Function is one function of a device.
type Function struct {
	Addr
	Vendor, Device       uint16
	SubVendor, SubDevice uint16
	Class                uint32 // base class, subclass, programming interface
	Revision             uint8
	BARs                 []BAR // those that there are
	Pin                  uint8 // interrupt pin, 1 is INTA, 0 none
	Line                 uint8 // interrupt line, as firmware left it

	bus       *Bus
	parent    *Function   // the bridge before it
	children  []*Function // behind this bridge
	bridge    bool
	secondary int
	pref64    bool // bridge with a 64-bit prefetchable window
	caps      []Capability
}

// Read8 reads a byte of the configuration space.
func (f *Function) Read8(off int) uint8 { return uint8(f.bus.space.read(f.Addr, off, 1)) }

// Read16 reads a 16-bit register of the configuration space.
func (f *Function) Read16(off int) uint16 { return uint16(f.bus.space.read(f.Addr, off, 2)) }

// Read32 reads a 32-bit register of the configuration space.
func (f *Function) Read32(off int) uint32 { return f.bus.space.read(f.Addr, off, 4) }

// Write8 writes a byte of the configuration space.
func (f *Function) Write8(off int, v uint8) { f.bus.space.write(f.Addr, off, 1, uint32(v)) }

// Write16 writes a 16-bit register of the configuration space.
func (f *Function) Write16(off int, v uint16) { f.bus.space.write(f.Addr, off, 2, uint32(v)) }

// Write32 writes a 32-bit register of the configuration space.
func (f *Function) Write32(off int, v uint32) { f.bus.space.write(f.Addr, off, 4, v) }

// Bridge reports whether there is a bus behind the function, and its number.
func (f *Function) Bridge() (secondary int, ok bool) { return f.secondary, f.bridge }

// BAR returns base address register i.
func (f *Function) BAR(i int) (BAR, bool) {
	for _, b := range f.BARs {
		if b.Index == i {
			return b, true
		}
	}
	return BAR{}, false
}

// Enable lets the function answer at its memory addresses, reach memory by
// itself and send message-signalled interrupts.
func (f *Function) Enable() error {
	for _, b := range f.BARs {
		if !b.IO && b.Addr == 0 {
			return fmt.Errorf("pci %v: BAR %d of %d bytes has no address", f.Addr, b.Index, b.Size)
		}
	}
	if command := f.Read16(regCommand); command&(commandMemory|commandMaster) != commandMemory|commandMaster {
		f.Write16(regCommand, command|commandMemory|commandMaster)
	}
	return nil
}

// Quiesce keeps the function from reaching memory by itself.
func (f *Function) Quiesce() {
	f.Write16(regCommand, f.Read16(regCommand)&^commandMaster)
}

// probe reads what a function says of itself.
func (b *Bus) probe(a Addr, id uint32, parent *Function) *Function {
	f := &Function{Addr: a, Vendor: uint16(id), Device: uint16(id >> 16), bus: b, parent: parent}
	class := f.Read32(regClass)
	f.Class, f.Revision = class>>8, uint8(class)
	f.Line, f.Pin = f.Read8(regInterrupt), f.Read8(regInterrupt+1)
	switch f.Read8(regHeader) & headerType {
	case 0:
		sub := f.Read32(regSubsystem)
		f.SubVendor, f.SubDevice = uint16(sub), uint16(sub>>16)
		f.sizeBARs(6)
	case headerBridge:
		f.bridge = f.Class>>8 == 0x0604
		f.pref64 = f.Read16(regPrefBase)&0xf == 1
		f.sizeBARs(2)
	}
	f.caps = f.readCapabilities()
	return f
}

// sizeBARs finds out which base address registers there are, by writing ones and
// looking which of them stay (§6.2.5.1). The function must not answer meanwhile.
func (f *Function) sizeBARs(n int) {
	if c := f.Class >> 8; c == 0x0600 || c == 0x0601 {
		return // the host and ISA bridges have none, and are better left alone
	}
	command := f.Read16(regCommand)
	f.Write16(regCommand, command&^(commandIO|commandMemory))
	for i := 0; i < n; i++ {
		reg := regBAR + 4*i
		low := f.Read32(reg)
		f.Write32(reg, 0xffffffff)
		mask := uint64(f.Read32(reg))
		f.Write32(reg, low)
		bar := BAR{Index: i, IO: low&1 != 0}
		if bar.IO {
			bar.Addr = uint64(low &^ 3)
			// The upper half may be hard-wired to 0.
			mask = mask&^3 | ^uint64(0xffff)
			if mask&0xffff == 0 {
				continue
			}
		} else {
			bar.Is64, bar.Prefetch = low>>1&3 == 2, low&8 != 0
			bar.Addr = uint64(low &^ 15)
			mask &^= 15
			if !bar.Is64 || i == n-1 {
				bar.Is64 = false
				if mask == 0 {
					continue
				}
				mask |= ^uint64(0xffffffff)
			} else {
				high := f.Read32(reg + 4)
				f.Write32(reg+4, 0xffffffff)
				mask |= uint64(f.Read32(reg+4)) << 32
				f.Write32(reg+4, high)
				bar.Addr |= uint64(high) << 32
				i++
				if mask == 0 {
					continue
				}
			}
		}
		bar.Size = mask & -mask
		bar.Addr &= mask
		f.BARs = append(f.BARs, bar)
	}
	f.Write16(regCommand, command)
}

// setBAR moves a base address register.
func (f *Function) setBAR(b *BAR, addr uint64) {
	b.Addr = addr
	f.Write32(regBAR+4*b.Index, uint32(addr))
	if b.Is64 {
		f.Write32(regBAR+4*b.Index+4, uint32(addr>>32))
	}
}
