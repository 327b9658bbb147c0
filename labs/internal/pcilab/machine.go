package pcilab

import "fmt"

// function is a simulated function.
type function struct {
	Function
	header    uint8
	secondary int  // of a bridge
	lazy      bool // does not look at the function number
}

// word is a word of its configuration space.
func (f *function) word(off int) uint32 {
	switch off {
	case 0:
		return uint32(f.Device)<<16 | uint32(f.Vendor)
	case 8:
		return uint32(f.Class)<<16 | 0x0003 // programming interface, revision
	case 0xc:
		return uint32(f.header)<<16 | 0x4010
	case 0x18:
		if f.header&0x7f == 1 && f.secondary > 0 {
			return 0x2000_0000 | 0xff<<16 | uint32(f.secondary)<<8 | uint32(f.Bus)
		}
	}
	return 0
}

// address is what reaches it through port 0xcf8.
func (f *function) address(off int) uint32 {
	return 1<<31 | uint32(f.Bus)<<16 | uint32(f.Dev)<<11 | uint32(f.Fn)<<8 | uint32(off)
}

// machine is a simulated machine: reg.Ports with the two ports of the configuration
// space behind them.
type machine struct {
	functions []function
	address   uint32
	written   bool
	fault     string // the first thing that was wrong
	reads     int
}

func newMachine(functions ...function) *machine { return &machine{functions: functions} }

func (m *machine) list() []Function {
	var list []Function
	for _, f := range m.functions {
		list = append(list, f.Function)
	}
	return list
}

func (m *machine) wrong(format string, args ...any) {
	if m.fault == "" {
		m.fault = fmt.Sprintf(format, args...)
	}
}

// maxReads is more than a scan of all that there could be takes, with two words for each function, and what a scan that
// calls itself without end reads before the stack of the student's program ends.
const maxReads = 150_000

func (m *machine) In32(port uint16) uint32 {
	if m.reads++; m.reads > maxReads {
		panic("150,000 words were read, and there is no end: does the scan come back to a bus where it has been?")
	}
	if port == 0xcf8 {
		return m.address
	}
	if port != 0xcfc {
		m.wrong("Port %#x was read, and the word is at port 0xcfc.", port)
		return 0xffffffff
	}
	if m.address>>31 == 0 {
		return 0xffffffff
	}
	bus, dev, fn := int(m.address>>16&0xff), int(m.address>>11&31), int(m.address>>8&7)
	for i := range m.functions {
		f := &m.functions[i]
		if f.Bus == bus && f.Dev == dev && (f.Fn == fn || f.lazy) {
			return f.word(int(m.address & 0xfc))
		}
	}
	return 0xffffffff
}

func (m *machine) In16(port uint16) uint16 { return uint16(m.In32(port&^3) >> (port & 3 * 8)) }
func (m *machine) In8(port uint16) uint8   { return uint8(m.In32(port&^3) >> (port & 3 * 8)) }

func (m *machine) Out32(port uint16, v uint32) {
	if port != 0xcf8 {
		m.wrong("Port %#x was written, and the address goes to port 0xcf8.", port)
		return
	}
	m.address, m.written = v, true
}

func (m *machine) Out16(port uint16, v uint16) {
	m.wrong("Port %#x was written with 16 bits, and the address has 32.", port)
}

func (m *machine) Out8(port uint16, v uint8) {
	m.wrong("Port %#x was written with 8 bits, and the address has 32.", port)
}
