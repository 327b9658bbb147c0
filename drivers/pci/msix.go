package pci

import (
	"fmt"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// MSI-X (§6.8.2).
const (
	msixControl = 2
	msixTable   = 4
	msixSize    = 12 // bytes of the capability

	msixEnable  = 1 << 15
	msixMaskAll = 1 << 14

	msixEntry      = 16
	msixEntryData  = 8
	msixEntryCtl   = 12
	msixEntryMask  = 1
	msixTableCount = 0x7ff
)

// MSIX is the MSI-X table of a function.
type MSIX struct {
	f     *Function
	at    int
	table reg.Regs
	n     int
}

// OpenMSIX maps the table, masks all its entries and has the function use
// message-signalled interrupts from now on. A function without the capability
// gives nil and no error.
func (f *Function) OpenMSIX() (*MSIX, error) {
	c, ok := f.Capability(CapMSIX)
	if !ok {
		return nil, nil
	}
	if c.Room() < msixSize {
		return nil, fmt.Errorf("pci %v: MSI-X capability at %#x runs over the end", f.Addr, c.Off)
	}
	where := f.Read32(c.Off + msixTable)
	n := int(f.Read16(c.Off+msixControl)&msixTableCount) + 1
	table, err := f.Map(int(where&7), uint64(where&^7), uint64(n*msixEntry))
	if err != nil {
		return nil, fmt.Errorf("pci %v: MSI-X table of %d entries: %w", f.Addr, n, err)
	}
	m := &MSIX{f, c.Off, table, n}
	m.control(msixEnable|msixMaskAll, 0)
	for i := range n {
		m.Mask(i)
	}
	m.control(msixEnable, msixMaskAll)
	return m, nil
}

func (m *MSIX) control(set, clear uint16) {
	at := m.at + msixControl
	m.f.Write16(at, m.f.Read16(at)&^clear|set)
}

// Len is the number of entries.
func (m *MSIX) Len() int { return m.n }

// Set programs entry i, which must be below Len, and unmasks it.
func (m *MSIX) Set(i int, addr uint64, data uint32) {
	m.Mask(i)
	m.table.Write32(i*msixEntry, uint32(addr))
	m.table.Write32(i*msixEntry+4, uint32(addr>>32))
	m.table.Write32(i*msixEntry+msixEntryData, data)
	m.Unmask(i)
}

// Mask holds the interrupts of entry i back; the first is kept until Unmask.
func (m *MSIX) Mask(i int) {
	at := i*msixEntry + msixEntryCtl
	m.table.Write32(at, m.table.Read32(at)|msixEntryMask)
}

// Unmask lets them pass.
func (m *MSIX) Unmask(i int) {
	at := i*msixEntry + msixEntryCtl
	m.table.Write32(at, m.table.Read32(at)&^msixEntryMask)
}

// Close masks all entries and ends the use of MSI-X.
func (m *MSIX) Close() {
	for i := range m.n {
		m.Mask(i)
	}
	m.control(0, msixEnable)
}

// Map makes length bytes at offset off of a memory register reachable.
func (f *Function) Map(bar int, off, length uint64) (reg.Regs, error) {
	b, ok := f.BAR(bar)
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no BAR %d", bar)
	case b.IO:
		return nil, fmt.Errorf("BAR %d is I/O ports, want memory", bar)
	case b.Addr == 0:
		return nil, fmt.Errorf("BAR %d of %d bytes has no address", bar, b.Size)
	case off > b.Size || length > b.Size-off:
		return nil, fmt.Errorf("%d bytes at %#x leave BAR %d of %d bytes", length, off, bar, b.Size)
	}
	return f.bus.p.Map(b.Addr+off, length)
}
