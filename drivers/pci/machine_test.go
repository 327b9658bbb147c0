package pci

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/virtio"
)

// machine is a simulated machine with a PCI bus, written from the
// specifications. Configuration accesses are routed by bus number as bridges do.
type machine struct {
	t    testing.TB
	root []*fn

	mu      sync.Mutex
	address uint32 // port 0xcf8
	noCAM   bool
	ecamAt  func() uint64 // 0: disabled
	vectors []*vector
	lines   map[int]*vector
	logged  []string
	noMSI   int // fail from the nth on
}

// fn is one function.
type fn struct {
	dev, fn int
	config  [4096]byte
	write   [4096]byte // which bits software can change
	bars    [6]uint64  // sizes
	behind  []*fn
	regs    map[int]reg.Regs // memory behind a BAR
	onWrite func(off int)
}

func newFn(dev, fnum int, vendor, device uint16, class uint32) *fn {
	f := &fn{dev: dev, fn: fnum, regs: map[int]reg.Regs{}}
	binary.LittleEndian.PutUint16(f.config[0:], vendor)
	binary.LittleEndian.PutUint16(f.config[2:], device)
	binary.LittleEndian.PutUint32(f.config[8:], class<<8|1)
	f.write[4], f.write[5], f.write[0x3c] = 7, 4, 0xff
	return f
}

const (
	bar32   = 0
	bar64   = 4
	barPref = 8
	barIO   = 1
)

// bar adds a base address register with the given low bits.
func (f *fn) bar(i int, size uint64, kind byte) *fn {
	f.bars[i] = size
	at := 0x10 + 4*i
	f.config[at] = kind
	mask := ^(size - 1)
	binary.LittleEndian.PutUint32(f.write[at:], uint32(mask)&^15)
	if kind == barIO {
		binary.LittleEndian.PutUint32(f.write[at:], uint32(mask)&0xffff&^3)
	}
	if kind&bar64 != 0 {
		binary.LittleEndian.PutUint32(f.write[at+4:], uint32(mask>>32))
	}
	return f
}

func (f *fn) set64(i int, addr uint64) *fn {
	at := 0x10 + 4*i
	f.config[at] &= 15
	binary.LittleEndian.PutUint32(f.config[at:], uint32(addr)|uint32(f.config[at]))
	if f.config[at]&7 == bar64 {
		binary.LittleEndian.PutUint32(f.config[at+4:], uint32(addr>>32))
	}
	return f
}

func (f *fn) addr(i int) uint64 {
	at := 0x10 + 4*i
	a := uint64(binary.LittleEndian.Uint32(f.config[at:]) &^ 15)
	if f.config[at]&7 == bar64 {
		a |= uint64(binary.LittleEndian.Uint32(f.config[at+4:])) << 32
	}
	return a
}

// cap adds a capability, first in the list.
func (f *fn) cap(at int, id byte, body ...byte) *fn {
	f.config[6] |= 0x10
	f.config[at], f.config[at+1] = id, f.config[0x34]
	copy(f.config[at+2:], body)
	f.config[0x34] = byte(at)
	return f
}

func (f *fn) multi() *fn { f.config[0x0e] |= 0x80; return f }

func bridge(dev, fnum int, behind ...*fn) *fn {
	f := newFn(dev, fnum, 0x1b36, 0x000c, 0x060400)
	f.config[0x0e] = 1
	f.behind = behind
	for i := 0x18; i < 0x1c; i++ {
		f.write[i] = 0xff
	}
	for _, i := range []int{0x20, 0x22, 0x24, 0x26} {
		f.write[i], f.write[i+1] = 0xf0, 0xff
	}
	for i := 0x28; i < 0x30; i++ {
		f.write[i] = 0xff
	}
	f.config[0x24], f.config[0x26] = 1, 1
	return f
}

func (f *fn) numbers() (secondary, subordinate int) {
	return int(f.config[0x19]), int(f.config[0x1a])
}

// find routes a configuration access.
func find(fns []*fn, bus, at, dev, fnum int) *fn {
	for i := range fns {
		f := fns[len(fns)-1-i] // the last one wins where two claim a bus
		if bus == at {
			if f.dev == dev && f.fn == fnum {
				return f
			}
			continue
		}
		if f.config[0x0e]&0x7f != 1 {
			continue
		}
		if sec, sub := f.numbers(); sec > bus && sec <= at && at <= sub {
			return find(f.behind, sec, at, dev, fnum)
		}
	}
	return nil
}

func (m *machine) access(a uint32, off, width int, v *uint32) uint32 {
	f := find(m.root, 0, int(a>>8&0xff), int(a>>3&31), int(a&7))
	if f == nil {
		return 0xffffffff >> (32 - 8*width)
	}
	if off%width != 0 || off+width > 4096 {
		m.t.Errorf("configuration access of %d bytes at %#x", width, off)
		return 0
	}
	r := uint32(0)
	for i := range width {
		p := &f.config[off+i]
		if v != nil {
			w := f.write[off+i]
			*p = *p&^w | byte(*v>>(8*i))&w
		}
		r |= uint32(*p) << (8 * i)
	}
	if v != nil && f.onWrite != nil {
		f.onWrite(off)
	}
	return r
}

// Ports.
func (m *machine) port(p uint16, width int, v *uint32) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p == 0xcf8 && width == 4 {
		if v != nil {
			m.address = *v
		}
		return m.address
	}
	if p < 0xcfc || p > 0xcff || m.noCAM || m.address>>31 == 0 {
		return 0xffffffff
	}
	return m.access(m.address>>8&0xffff, int(m.address&0xfc)+int(p-0xcfc), width, v)
}

func (m *machine) In8(p uint16) uint8       { return uint8(m.port(p, 1, nil)) }
func (m *machine) In16(p uint16) uint16     { return uint16(m.port(p, 2, nil)) }
func (m *machine) In32(p uint16) uint32     { return m.port(p, 4, nil) }
func (m *machine) Out8(p uint16, v uint8)   { w := uint32(v); m.port(p, 1, &w) }
func (m *machine) Out16(p uint16, v uint16) { w := uint32(v); m.port(p, 2, &w) }
func (m *machine) Out32(p uint16, v uint32) { m.port(p, 4, &v) }

// ecamRegs is the memory-mapped configuration space.
type ecamRegs struct {
	m    *machine
	size int
}

func (e ecamRegs) at(off, width int, v *uint32) uint32 {
	e.m.mu.Lock()
	defer e.m.mu.Unlock()
	return e.m.access(uint32(off>>12), off&0xfff, width, v)
}
func (e ecamRegs) Size() int               { return e.size }
func (e ecamRegs) Read8(o int) uint8       { return uint8(e.at(o, 1, nil)) }
func (e ecamRegs) Read16(o int) uint16     { return uint16(e.at(o, 2, nil)) }
func (e ecamRegs) Read32(o int) uint32     { return e.at(o, 4, nil) }
func (e ecamRegs) Write8(o int, v uint8)   { w := uint32(v); e.at(o, 1, &w) }
func (e ecamRegs) Write16(o int, v uint16) { w := uint32(v); e.at(o, 2, &w) }
func (e ecamRegs) Write32(o int, v uint32) { e.at(o, 4, &v) }

// part is a piece of registers.
type part struct {
	reg.Regs
	off, size int
}

func (p part) Size() int               { return p.size }
func (p part) Read8(o int) uint8       { return p.Regs.Read8(p.off + o) }
func (p part) Read16(o int) uint16     { return p.Regs.Read16(p.off + o) }
func (p part) Read32(o int) uint32     { return p.Regs.Read32(p.off + o) }
func (p part) Write8(o int, v uint8)   { p.Regs.Write8(p.off+o, v) }
func (p part) Write16(o int, v uint16) { p.Regs.Write16(p.off+o, v) }
func (p part) Write32(o int, v uint32) { p.Regs.Write32(p.off+o, v) }

// reachable finds who answers at a memory address: the function must decode it
// and every bridge before it must pass it on.
func reachable(fns []*fn, phys, size uint64) (*fn, int) {
	for _, f := range fns {
		if f.config[4]&2 != 0 {
			for i, n := range f.bars {
				if n > 0 && f.config[0x10+4*i]&1 == 0 && phys >= f.addr(i) && phys+size <= f.addr(i)+n {
					return f, i
				}
			}
			for _, w := range f.passes() {
				if phys >= w.Start && phys+size <= w.End {
					return reachable(f.behind, phys, size)
				}
			}
		}
	}
	return nil, 0
}

// passes are the memory windows of a bridge.
func (f *fn) passes() []virtio.Range {
	if f.config[0x0e]&0x7f != 1 || f.config[4]&2 == 0 {
		return nil
	}
	u16 := func(at int) uint64 { return uint64(binary.LittleEndian.Uint16(f.config[at:])&0xfff0) << 16 }
	u32 := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(f.config[at:])) << 32 }
	var rs []virtio.Range
	if u16(0x20) <= u16(0x22) {
		rs = append(rs, virtio.Range{Start: u16(0x20), End: u16(0x22) + 1<<20})
	}
	if b, l := u16(0x24)|u32(0x28), u16(0x26)|u32(0x2c); b <= l {
		rs = append(rs, virtio.Range{Start: b, End: l + 1<<20})
	}
	return rs
}

func (m *machine) mapMemory(phys, size uint64) (reg.Regs, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ecamAt != nil && m.ecamAt() != 0 && phys == m.ecamAt() {
		return ecamRegs{m, int(size)}, nil
	}
	f, i := reachable(m.root, phys, size)
	if f == nil || f.regs[i] == nil {
		return nil, fmt.Errorf("nobody answers at %#x", phys)
	}
	return part{f.regs[i], int(phys - f.addr(i)), int(size)}, nil
}

// vector is a message-signalled interrupt, or a line.
type vector struct {
	c    chan struct{}
	once sync.Once
	end  chan struct{}
}

func newVector() *vector { return &vector{c: make(chan struct{}, 1), end: make(chan struct{})} }

func (v *vector) fire() {
	select {
	case v.c <- struct{}{}:
	default:
	}
}
func (v *vector) Wait() bool {
	select {
	case <-v.c:
		return true
	case <-v.end:
		return false
	}
}
func (v *vector) Close() { v.once.Do(func() { close(v.end) }) }

const msiBase = 0xfee0_0000

func (m *machine) msi() (uint64, uint32, virtio.Interrupt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.noMSI > 0 && len(m.vectors) >= m.noMSI {
		return 0, 0, nil, fmt.Errorf("no vector is left")
	}
	v := newVector()
	m.vectors = append(m.vectors, v)
	return msiBase, uint32(0x40 + len(m.vectors) - 1), v, nil
}

// message is what a device writes to raise an interrupt.
func (m *machine) message(addr uint64, data uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := int(data) - 0x40; addr == msiBase && n >= 0 && n < len(m.vectors) {
		m.vectors[n].fire()
	} else {
		m.t.Errorf("message %#x to %#x", data, addr)
	}
}

func (m *machine) line(gsi int) (virtio.Interrupt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lines == nil {
		m.lines = map[int]*vector{}
	}
	m.lines[gsi] = newVector()
	return m.lines[gsi], nil
}

func (m *machine) platform() Platform {
	return Platform{
		Ports:    m,
		Map:      m.mapMemory,
		Window32: virtio.Range{Start: 0xc000_0000, End: 0xfec0_0000},
		Window64: virtio.Range{Start: 0x80_0000_0000, End: 0xc0_0000_0000},
		MSI:      m.msi,
		Line:     m.line,
		Log: func(s string) {
			m.logged = append(m.logged, s)
		},
	}
}

// q35 is a machine with that host bridge.
func q35(t testing.TB, fns ...*fn) *machine {
	host := newFn(0, 0, 0x8086, 0x29c0, 0x060000)
	for i := 0x60; i < 0x68; i++ {
		host.write[i] = 0xff
	}
	m := &machine{t: t, root: append([]*fn{host}, fns...)}
	m.ecamAt = func() uint64 {
		v := binary.LittleEndian.Uint64(host.config[0x60:])
		if v&1 == 0 {
			return 0
		}
		return v &^ (1<<26 - 1)
	}
	return m
}

// pc is a machine without ECAM.
func pc(t testing.TB, fns ...*fn) *machine {
	return &machine{t: t, root: append([]*fn{newFn(0, 0, 0x8086, 0x1237, 0x060000)}, fns...)}
}
