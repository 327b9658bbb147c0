// Package pcilab is the given part of lab 2: simulated machines with PCI buses, and
// the comparison of the student's scan with what is there.
package pcilab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

// Function is one function of a device on a PCI bus.
type Function struct {
	Bus, Dev, Fn   int
	Vendor, Device uint16
	Class          uint16 // base class and subclass
}

// Place is bus, device and function as lspci has them.
func (f Function) Place() string { return fmt.Sprintf("%02x:%02x.%d", f.Bus, f.Dev, f.Fn) }

// String is a line of lspci -n.
func (f Function) String() string {
	return fmt.Sprintf("%s [%04x]: [%04x:%04x]", f.Place(), f.Class, f.Vendor, f.Device)
}

// Read and Scan are what the student writes.
type (
	Read func(p reg.Ports, bus, dev, fn, off int) uint32
	Scan func(p reg.Ports, bus int) []Function
)

// Main is the lab's main function.
func Main(read Read, scan Scan) {
	p := lab.Program{
		Hosted: func(r *report.Report) { Check(r, read, scan) },
		Guest: func(r *report.Report) {
			want, err := listed()
			if err != nil {
				r.Fail(err.Error(), "")
				return
			}
			compare(r, scan(reg.IO{}, 0), want, "the real bus: all functions that Yolk's own driver has found", "")
		},
		Show: func() error {
			for _, f := range scan(reg.IO{}, 0) {
				fmt.Println(f)
			}
			return nil
		},
	}
	p.Main()
}

// Check tries read and scan on simulated machines.
func Check(r *report.Report, read Read, scan Scan) {
	if !checkRead(r, read) {
		return // without it, nothing is found
	}
	for _, c := range cases {
		m := newMachine(c.functions...)
		lab.Try(r, c.hint, func() { compare(r, scan(m, 0), m.list(), c.name, c.hint) })
		if r.Failed() {
			return
		}
	}
}

// cases are machines, from easy to nasty.
var cases = []struct {
	name      string
	functions []function
	hint      string
}{
	{"one device on bus 0", []function{{Function: Function{0, 0, 0, 0x8086, 0x29c0, 0x0600}}},
		"TODO 2: the word at offset 0 has the vendor in its lower half and the device in its upper; where nobody answers, it is all ones. The class is in the upper half of the word at offset 8."},
	{"devices with holes between them", []function{
		{Function: Function{0, 0, 0, 0x8086, 0x29c0, 0x0600}}, {Function: Function{0, 7, 0, 0x1af4, 0x1044, 0x00ff}}, {Function: Function{0, 31, 0, 0x8086, 0x2918, 0x0601}},
	}, "TODO 2: a bus has room for 32 devices, and any of them may be missing."},
	{"devices of one function", []function{
		{Function: Function{0, 0, 0, 0x8086, 0x29c0, 0x0600}}, {Function: Function{0, 3, 0, 0x1af4, 0x1041, 0x0200}, lazy: true},
	}, "TODO 3: some devices answer for each of the eight numbers, though they have one function. Bit 7 of the header type says that there are more (the header type is byte 2 of the word at offset 0xc)."},
	{"a device of several functions, with a hole", []function{
		{Function: Function{0, 0, 0, 0x8086, 0x29c0, 0x0600}},
		{Function: Function{0, 31, 0, 0x8086, 0x2918, 0x0601}, header: 0x80}, {Function: Function{0, 31, 2, 0x8086, 0x2922, 0x0106}}, {Function: Function{0, 31, 3, 0x8086, 0x2930, 0x0c05}},
	}, "TODO 3: if function 0 has bit 7 of the header type, functions 1 to 7 have to be asked, each of them; those further up may lack the bit."},
	{"a bus behind a bridge, and one behind that", []function{
		{Function: Function{0, 0, 0, 0x8086, 0x29c0, 0x0600}},
		{Function: Function{0, 2, 0, 0x1b36, 0x000c, 0x0604}, header: 1, secondary: 5},
		{Function: Function{5, 1, 0, 0x1b36, 0x000e, 0x0604}, header: 0x81, secondary: 6}, {Function: Function{5, 1, 1, 0x1b36, 0x000c, 0x0604}, header: 0x81, secondary: 9},
		{Function: Function{6, 4, 0, 0x1af4, 0x1044, 0x00ff}}, {Function: Function{9, 0, 0, 0x1af4, 0x105a, 0x0180}},
	}, "TODO 4: a function whose header type, without bit 7, is 1 is a bridge; byte 1 of the word at offset 0x18 is the number of the bus behind it. Scan that as well. The bridge is a function itself and belongs to the list."},
	{"a bridge that nobody has given a number", []function{
		{Function: Function{0, 0, 0, 0x8086, 0x29c0, 0x0600}}, {Function: Function{0, 2, 0, 0x1b36, 0x000c, 0x0604}, header: 1},
	}, "TODO 4: the bus behind a bridge has a number that is larger than that of the bus it is on. Before firmware or a kernel has given it one, it is 0: then there is nothing to be found there."},
}

// checkRead reads words of a function whose numbers are all different.
func checkRead(r *report.Report, read Read) bool {
	const hint = "TODO 1: the address is bit 31, the bus from bit 16 on, the device from bit 11 on, the function from bit 8 on, and the offset; it goes to port 0xcf8, and the word is read from port 0xcfc, both with 32 bits."
	f := function{Function: Function{3, 21, 6, 0x1234, 0x5678, 0x9abc}, header: 0x81, secondary: 7}
	m := newMachine(f)
	for _, off := range []int{0, 8, 0xc, 0x18} {
		m.written, m.address = false, 0
		got, want := uint32(0), f.word(off)
		lab.Try(r, hint, func() { got = read(m, f.Bus, f.Dev, f.Fn, off) })
		if r.Failed() {
			return false
		}
		if got == want && m.fault == "" {
			continue
		}
		what := fmt.Sprintf("read of bus %d, device %d, function %d, offset %#x returns %#x, not %#x.", f.Bus, f.Dev, f.Fn, off, got, want)
		switch a := m.address; {
		case m.fault != "":
			what += " " + m.fault
		case !m.written:
			what += " Nothing was written to port 0xcf8."
		case a>>31 == 0:
			what += fmt.Sprintf(" Port 0xcf8 got %#08x, without bit 31: that makes the host bridge pass nothing on.", a)
		case a != f.address(off):
			what += fmt.Sprintf(" Port 0xcf8 got %#08x: that is bus %d, device %d, function %d, offset %#x.", a, a>>16&0xff, a>>11&31, a>>8&7, a&0xff)
		default:
			what += " The address is right: is the word read from port 0xcfc, by In32?"
		}
		r.Fail(what, hint)
		return false
	}
	r.OK("read: a word of the configuration space")
	return true
}

// compare reports the first difference between what was found and what is there.
func compare(r *report.Report, got, want []Function, name, hint string) {
	at := func(a, b Function) int {
		return cmp.Or(cmp.Compare(a.Bus, b.Bus), cmp.Compare(a.Dev, b.Dev), cmp.Compare(a.Fn, b.Fn))
	}
	got = slices.Clone(got)
	slices.SortStableFunc(got, at)
	find := func(list []Function, f Function) int {
		return slices.IndexFunc(list, func(g Function) bool { return at(f, g) == 0 })
	}
	fail := func(format string, args ...any) {
		r.Fail(name+": "+fmt.Sprintf(format, args...), hint)
		var text strings.Builder
		fmt.Fprintf(&text, "found:")
		for _, f := range got {
			fmt.Fprintf(&text, "\n  %v", f)
		}
		fmt.Fprintf(&text, "\nthere is:")
		for _, f := range want {
			fmt.Fprintf(&text, "\n  %v", f)
		}
		r.Show(text.String())
	}
	for i, f := range got {
		if i > 0 && at(f, got[i-1]) == 0 {
			fail("%s is in the list twice.", f.Place())
			return
		}
	}
	for _, f := range want {
		i := find(got, f)
		if i < 0 {
			fail("%s was not found.", f.Place())
			return
		}
		if g := got[i]; g != f {
			switch {
			case g.Vendor == f.Device && g.Device == f.Vendor:
				fail("%s has vendor %04x and device %04x, and they were exchanged.", f.Place(), f.Vendor, f.Device)
			case g.Vendor != f.Vendor || g.Device != f.Device:
				fail("%s is [%04x:%04x], and was taken for [%04x:%04x].", f.Place(), f.Vendor, f.Device, g.Vendor, g.Device)
			default:
				fail("%s has class %04x, and was taken for %04x.", f.Place(), f.Class, g.Class)
			}
			return
		}
	}
	for _, f := range got {
		if find(want, f) < 0 {
			fail("%s was found, and is not there.", f.Place())
			return
		}
	}
	r.OK("%s", name)
}
