package reg

// Regs is a range of memory-mapped registers, by byte offset. What lies beyond
// the range, or across its end, reads as all ones and ignores writes, as on a
// bus where nobody answers.
type Regs interface {
	Size() int
	Read8(off int) uint8
	Read16(off int) uint16
	Read32(off int) uint32
	Write8(off int, v uint8)
	Write16(off int, v uint16)
	Write32(off int, v uint32)
}

// Ports is the I/O port space.
type Ports interface {
	In8(port uint16) uint8
	In16(port uint16) uint16
	In32(port uint16) uint32
	Out8(port uint16, v uint8)
	Out16(port uint16, v uint16)
	Out32(port uint16, v uint32)
}

// MMIO is the Regs at Base, Length bytes long.
type MMIO struct {
	Base   uintptr
	Length int
}

func (m MMIO) in(off, width int) bool { return off >= 0 && off <= m.Length-width }

// Size implements Regs.
func (m MMIO) Size() int { return m.Length }

// Read8 implements Regs.
func (m MMIO) Read8(off int) uint8 {
	if !m.in(off, 1) {
		return 0xff
	}
	return Read8(m.Base + uintptr(off))
}

// Read16 implements Regs.
func (m MMIO) Read16(off int) uint16 {
	if !m.in(off, 2) {
		return 0xffff
	}
	return Read16(m.Base + uintptr(off))
}

// Read32 implements Regs.
func (m MMIO) Read32(off int) uint32 {
	if !m.in(off, 4) {
		return 0xffffffff
	}
	return Read32(m.Base + uintptr(off))
}

// Write8 implements Regs.
func (m MMIO) Write8(off int, v uint8) {
	if m.in(off, 1) {
		Write8(m.Base+uintptr(off), v)
	}
}

// Write16 implements Regs.
func (m MMIO) Write16(off int, v uint16) {
	if m.in(off, 2) {
		Write16(m.Base+uintptr(off), v)
	}
}

// Write32 implements Regs.
func (m MMIO) Write32(off int, v uint32) {
	if m.in(off, 4) {
		Write32(m.Base+uintptr(off), v)
	}
}

// IO is the machine's own I/O port space.
type IO struct{}

// In8 implements Ports.
func (IO) In8(port uint16) uint8 { return In8(port) }

// In16 implements Ports.
func (IO) In16(port uint16) uint16 { return In16(port) }

// In32 implements Ports.
func (IO) In32(port uint16) uint32 { return In32(port) }

// Out8 implements Ports.
func (IO) Out8(port uint16, v uint8) { Out8(port, v) }

// Out16 implements Ports.
func (IO) Out16(port uint16, v uint16) { Out16(port, v) }

// Out32 implements Ports.
func (IO) Out32(port uint16, v uint32) { Out32(port, v) }
