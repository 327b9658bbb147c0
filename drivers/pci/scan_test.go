package pci

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/yolkos/yolk/drivers/virtio"
)

func open(t *testing.T, m *machine) *Bus {
	t.Helper()
	b, err := Open(m.platform())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func addresses(b *Bus) string {
	var s []string
	for _, f := range b.Functions() {
		s = append(s, f.Addr.String())
	}
	return strings.Join(s, " ")
}

// checkAddresses looks at all registers as the machine has them: inside the
// windows, aligned, passed on by every bridge, none over another.
func checkAddresses(t *testing.T, m *machine) {
	t.Helper()
	p := m.platform()
	var all []virtio.Range
	var walk func(fns []*fn, path []*fn)
	walk = func(fns []*fn, path []*fn) {
		for _, f := range fns {
			for i, size := range f.bars {
				if size == 0 || f.config[0x10+4*i]&1 != 0 {
					continue
				}
				a := f.addr(i)
				r := virtio.Range{Start: a, End: a + size}
				in := func(w virtio.Range) bool { return r.Start >= w.Start && r.End <= w.End }
				if a == 0 || a%size != 0 || !in(p.Window32) && !in(p.Window64) {
					t.Errorf("%d.%d BAR %d of %#x bytes is at %#x", f.dev, f.fn, i, size, a)
				}
				for _, o := range all {
					if r.Start < o.End && o.Start < r.End {
						t.Errorf("%d.%d BAR %d at %#x lies over another", f.dev, f.fn, i, a)
					}
				}
				for _, br := range path {
					ok := false
					for _, w := range br.passes() {
						ok = ok || in(w)
					}
					if !ok {
						t.Errorf("%d.%d BAR %d at %#x..%#x: bridge %d passes on only %#x", f.dev, f.fn, i, r.Start, r.End, br.dev, br.passes())
					}
				}
				all = append(all, r)
			}
			walk(f.behind, append(path[:len(path):len(path)], f))
		}
	}
	walk(m.root, nil)
}

func TestConfigAccess(t *testing.T) {
	m := q35(t, newFn(3, 0, 0x1af4, 0x105a, 0x018000))
	b := open(t, m)
	if got := b.String(); got != "pci: 2 functions on 1 buses by ECAM b0000000" {
		t.Error(got)
	}
	f := b.Functions()[1]
	c := &cam{ports: m}
	for _, s := range []space{b.space, c} {
		s.write(f.Addr, 0x3c, 1, 0xab)
		if v := s.read(f.Addr, 0x3c, 1); v != 0xab {
			t.Errorf("%s: %#x", s.name(), v)
		}
		if v := s.read(f.Addr, 2, 2); v != 0x105a {
			t.Errorf("%s: %#x", s.name(), v)
		}
		if v := s.read(f.Addr, 0, 4); v != 0x105a1af4 {
			t.Errorf("%s: %#x", s.name(), v)
		}
		s.write(f.Addr, 4, 2, 0xffff)
		if v := s.read(f.Addr, 4, 4); v != 0x00000407 {
			t.Errorf("%s: command and status %#x", s.name(), v)
		}
		s.write(f.Addr, 4, 4, 0)
		for _, off := range []int{-1, -4, 4096, 1 << 40} {
			s.write(f.Addr, off, 4, 1)
			if v := s.read(f.Addr, off, 4); v != 0xffffffff {
				t.Errorf("%s at %d: %#x", s.name(), off, v)
			}
		}
	}
	if v := c.read(f.Addr, 256, 4); v != 0xffffffff {
		t.Errorf("ports reach beyond 256 bytes: %#x", v)
	}
}

func TestECAM(t *testing.T) {
	tests := []struct {
		name    string
		machine *machine
		xbar    uint64
		want    string
	}{
		{"disabled", q35(t), 0, "ECAM b0000000"},
		{"enabled elsewhere", q35(t), 0xe0000001, "ECAM e0000000"},
		{"above 4 GiB", q35(t), 0x4_c0000001, "ECAM 4c0000000"},
		{"128 MiB", q35(t), 0xe8000003, "ECAM e8000000"},
		{"64 MiB", q35(t), 0xec000005, "ECAM ec000000"},
		{"reserved size", q35(t), 0xe0000007, "configuration ports"},
		{"440FX", pc(t), 0, "configuration ports"},
	}
	for _, tt := range tests {
		binary.LittleEndian.PutUint64(tt.machine.root[0].config[0x60:], tt.xbar)
		b, err := Open(tt.machine.platform())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if b.space.name() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, b.space.name(), tt.want)
		}
	}
	m := q35(t)
	m.noCAM = true
	if _, err := Open(m.platform()); !errors.Is(err, ErrNone) {
		t.Errorf("no bus: %v", err)
	}
	// A machine with nothing but memory-mapped configuration.
	m.ecamAt = func() uint64 { return 0xe0000000 }
	p := m.platform()
	p.ECAM = 0xe0000000
	if b, err := Open(p); err != nil || len(b.Functions()) != 1 {
		t.Error(err)
	}
}

func dev(n int, bars ...uint64) *fn {
	f := newFn(n, 0, 0x1af4, 0x1041, 0x020000)
	for i, size := range bars {
		if size > 0 {
			f.bar(i, size, bar32)
		}
	}
	return f
}

func TestScan(t *testing.T) {
	m := q35(t,
		dev(1, 4096),
		newFn(2, 0, 0x8086, 0x2918, 0x060100).multi(), newFn(2, 3, 0x8086, 0x2930, 0x0c0500),
		newFn(4, 0, 1, 2, 0xff0000), newFn(4, 1, 1, 2, 0xff0000), // not marked as multi-function
		newFn(5, 1, 1, 2, 0xff0000), // without function 0
		bridge(6, 0,
			dev(0, 0x4000),
			bridge(1, 0, dev(31, 64))),
		bridge(7, 0),
		dev(31, 16),
	)
	m.root[7].bar(0, 256, bar64) // a bridge with registers of its own
	b := open(t, m)
	if got, want := addresses(b), "00:00.0 00:01.0 00:02.0 00:02.3 00:04.0 00:06.0 00:07.0 00:1f.0 01:00.0 01:01.0 02:1f.0"; got != want {
		t.Errorf("found %s\nwant  %s", got, want)
	}
	checkAddresses(t, m)
	for _, c := range []struct {
		addr Addr
		sec  int
	}{{MakeAddr(0, 6, 0), 1}, {MakeAddr(1, 1, 0), 2}, {MakeAddr(0, 7, 0), 3}} {
		f := find(m.root, 0, c.addr.Bus(), c.addr.Dev(), c.addr.Fn())
		sec, sub := f.numbers()
		if want := c.sec; sec != want || sub < sec || int(f.config[0x18]) != c.addr.Bus() {
			t.Errorf("%v: primary %d, secondary %d, subordinate %d", c.addr, f.config[0x18], sec, sub)
		}
	}
	if len(m.logged) > 0 {
		t.Error(m.logged)
	}
}

// Numbers and addresses that firmware gave stay.
func TestKeepsFirmware(t *testing.T) {
	inner := dev(3, 0x1000).set64(0, 0xfd200000)
	br := bridge(6, 0, inner)
	copy(br.config[0x18:], []byte{0, 5, 9})
	copy(br.config[0x20:], []byte{0x20, 0xfd, 0x20, 0xfd})
	copy(br.config[0x24:], []byte{0xf1, 0xff, 0x01, 0x00})
	br.config[4], inner.config[4] = 6, 6
	kept := dev(1, 0x1000, 0, 0x1000000).set64(0, 0xc0000000).set64(2, 0xc1000000)
	outside := dev(2, 0x1000).set64(0, 0x9000_0000) // firmware knows what it does
	outside.config[4] = 2
	fresh := dev(3, 0x1000000, 0x1000)
	m := q35(t, kept, outside, fresh, br)
	b := open(t, m)
	if kept.addr(0) != 0xc0000000 || kept.addr(2) != 0xc1000000 || inner.addr(0) != 0xfd200000 || outside.addr(0) != 0x90000000 {
		t.Errorf("moved: %#x %#x %#x %#x", kept.addr(0), kept.addr(2), inner.addr(0), outside.addr(0))
	}
	if sec, sub := br.numbers(); sec != 5 || sub != 9 {
		t.Errorf("numbers %d %d", sec, sub)
	}
	if outside.config[4] != 2 {
		t.Error("decoding was left off")
	}
	m.root = append(m.root[:2], m.root[3:]...) // outside is not in the windows
	checkAddresses(t, m)
	if got := addresses(b); !strings.HasSuffix(got, "05:03.0") {
		t.Error(got)
	}
}

// Numbers that make no sense are all given anew.
func TestRenumbers(t *testing.T) {
	for _, bad := range [][3]byte{{0, 0, 0}, {1, 1, 1}, {0, 7, 6}, {0, 1, 0}} {
		good := bridge(1, 0, dev(1, 0x1000))
		copy(good.config[0x18:], []byte{0, 1, 1})
		wrong := bridge(2, 0, dev(1, 0x1000))
		copy(wrong.config[0x18:], bad[:])
		m := q35(t, good, wrong)
		b := open(t, m)
		if got, want := addresses(b), "00:00.0 00:01.0 00:02.0 01:01.0 02:01.0"; got != want {
			t.Errorf("%v: %s, want %s", bad, got, want)
		}
		checkAddresses(t, m)
	}
	// Two bridges that claim the same bus.
	one, two := bridge(1, 0, dev(1, 0x1000)), bridge(2, 0, dev(2, 0x1000))
	copy(one.config[0x18:], []byte{0, 1, 2})
	copy(two.config[0x18:], []byte{0, 2, 2})
	m := pc(t, one, two)
	if got, want := addresses(open(t, m)), "00:00.0 00:01.0 00:02.0 01:01.0 02:02.0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	checkAddresses(t, m)
	// A bridge with old numbers answers for a bus behind another.
	stale := bridge(9, 0, dev(9, 0x1000))
	copy(stale.config[0x18:], []byte{0, 1, 255})
	m = pc(t, bridge(1, 0, dev(1, 0x1000)), stale)
	if got, want := addresses(open(t, m)), "00:00.0 00:01.0 00:09.0 01:01.0 02:09.0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A chain of bridges longer than there are bus numbers ends.
func TestBusNumbersRunOut(t *testing.T) {
	f := dev(1, 0x1000)
	for range 300 {
		f = bridge(0, 0, f)
	}
	f.dev = 1
	m := q35(t, f)
	b := open(t, m)
	if b.lastBus != 255 || len(b.Functions()) != 257 || len(m.logged) == 0 {
		t.Errorf("%d buses, %d functions, log %v", b.lastBus+1, len(b.Functions()), m.logged)
	}
	// Fewer where the configuration space is smaller.
	m = q35(t, f)
	binary.LittleEndian.PutUint64(m.root[0].config[0x60:], 0xec000005)
	if b := open(t, m); b.lastBus != 63 {
		t.Errorf("%d buses, want 64", b.lastBus+1)
	}
}

func TestBARs(t *testing.T) {
	f := newFn(1, 0, 0x1af4, 0x105a, 0x018000)
	f.bar(0, 32, barIO).bar(1, 4096, bar32).bar(2, 1<<33, bar64|barPref).bar(4, 0x4000, bar64)
	last := newFn(2, 0, 1, 2, 0xff0000).bar(5, 1<<20, bar64) // half a register
	m := q35(t, f, last)
	b := open(t, m)
	got := b.Functions()[1].BARs
	want := []BAR{
		{Index: 0, Size: 32, IO: true},
		{Index: 1, Size: 4096},
		{Index: 2, Size: 1 << 33, Is64: true, Prefetch: true},
		{Index: 4, Size: 0x4000, Is64: true},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		want[i].Addr = got[i].Addr
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
		if !got[i].IO && got[i].Addr != f.addr(got[i].Index) {
			t.Errorf("BAR %d is at %#x, not at %#x", i, f.addr(got[i].Index), got[i].Addr)
		}
	}
	if got[2].Addr < 1<<32 || got[3].Addr > 1<<32 {
		t.Errorf("addresses %#x %#x", got[2].Addr, got[3].Addr)
	}
	checkAddresses(t, m)
	if f.config[4] != 0 {
		t.Error("decoding is on without a driver")
	}
	if err := b.Functions()[1].Enable(); err != nil || f.config[4] != 6 {
		t.Errorf("%v, command %#x", err, f.config[4])
	}
}

// Registers that find no room, or ask for too much, harm nobody else.
func TestNoRoom(t *testing.T) {
	huge := newFn(1, 0, 1, 2, 0xff0000).bar(0, 1<<63, bar64).bar(2, 1<<31, bar32)
	big := newFn(2, 0, 1, 2, 0xff0000).bar(0, 1<<29, bar32)
	behind := bridge(3, 0, newFn(1, 0, 1, 2, 0xff0000).bar(0, 1<<62, bar64|barPref).bar(2, 0x1000, bar32),
		newFn(2, 0, 1, 2, 0xff0000).bar(0, 1<<46, bar64|barPref))
	small := dev(4, 0x1000)
	m := q35(t, huge, big, behind, small)
	b := open(t, m)
	if len(m.logged) != 4 {
		t.Errorf("%q, want four registers without an address", m.logged)
	}
	for _, f := range b.Functions() {
		err := f.Enable()
		if bad := f.Addr == MakeAddr(0, 1, 0) || f.Bus() == 1; bad != (err != nil) {
			t.Errorf("%v: %v", f.Addr, err)
		}
	}
	if behind.behind[0].addr(2) == 0 {
		t.Error("a small register suffers from a huge one beside it")
	}
}

// Large prefetchable registers behind bridges go above 4 GiB, if all bridges can.
func TestLargeBehindBridges(t *testing.T) {
	for _, can := range []bool{true, false} {
		window := func() *fn {
			return newFn(0, 0, 0x1af4, 0x105a, 0x018000).bar(0, 0x1000, bar32).bar(2, 1<<28, bar64|barPref)
		}
		inner := bridge(0, 0, window())
		outer := bridge(1, 0, inner, dev(3, 0x2000))
		if !can {
			inner.config[0x24], inner.config[0x26] = 0, 0
			for i := 0x28; i < 0x30; i++ {
				inner.write[i] = 0
			}
		}
		m := q35(t, outer, window())
		m.root[2].dev = 9
		open(t, m)
		checkAddresses(t, m)
		if a := inner.behind[0].addr(2); a > 1<<32 != can {
			t.Errorf("bridges can pass 64 bits: %v, address %#x", can, a)
		}
	}
}

func TestNames(t *testing.T) {
	m := q35(t,
		newFn(1, 0, 0x1af4, 0x105a, 0x018000),
		newFn(2, 0, 0x1af4, 0x1003, 0x078000),
		newFn(3, 0, 0x4242, 0x4343, 0x424242),
		newFn(4, 0, 0x1af4, 0x1077, 0x00ff00))
	b := open(t, m)
	want := []string{
		"00:00.0 Host bridge [0600]: Intel Q35 memory controller hub [8086:29c0] (rev 01)",
		"00:01.0 Mass storage controller [0180]: Red Hat (virtio) file system [1af4:105a] (rev 01)",
		"00:02.0 Communication controller [0780]: Red Hat (virtio) console [1af4:1003] (rev 01)",
		"00:03.0 Class 4242 [4242]: Vendor 4242 device 4343 [4242:4343] (rev 01)",
		"00:04.0 Unclassified device [00ff]: Red Hat (virtio) device 1077 [1af4:1077] (rev 01)",
	}
	for i, f := range b.Functions() {
		if f.String() != want[i] {
			t.Errorf("%s, want %s", f, want[i])
		}
	}
}

func TestCapabilities(t *testing.T) {
	list := func(edit func(f *fn)) []Capability {
		f := newFn(1, 0, 0x1af4, 0x105a, 0x018000)
		f.cap(0x40, 0x11).cap(0x60, 0x09).cap(0xfc, 0x05)
		edit(f)
		m := q35(t, f)
		return open(t, m).Functions()[1].Capabilities()
	}
	tests := []struct {
		name string
		edit func(f *fn)
		want []Capability
	}{
		{"a list", func(f *fn) {}, []Capability{{5, 0xfc}, {9, 0x60}, {0x11, 0x40}}},
		{"no list", func(f *fn) { f.config[6] = 0 }, nil},
		{"low bits", func(f *fn) { f.config[0x34] |= 3 }, []Capability{{5, 0xfc}, {9, 0x60}, {0x11, 0x40}}},
		{"a loop", func(f *fn) { f.config[0x41] = 0xfc }, []Capability{{5, 0xfc}, {9, 0x60}, {0x11, 0x40}}},
		{"itself", func(f *fn) { f.config[0x34], f.config[0x41] = 0x40, 0x40 }, []Capability{{0x11, 0x40}}},
		{"into the header", func(f *fn) { f.config[0x61] = 0x3c }, []Capability{{5, 0xfc}, {9, 0x60}}},
		{"nowhere", func(f *fn) { f.config[0x34] = 0 }, nil},
		{"no answer", func(f *fn) { f.config[0x60], f.config[0x61] = 0xff, 0xff }, []Capability{{5, 0xfc}}},
	}
	for _, tt := range tests {
		got := list(tt.edit)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	}
}
