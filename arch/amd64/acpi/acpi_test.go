package acpi

import (
	"encoding/binary"
	"strings"
	"testing"
)

// firmware is memory with tables, from base on.
type firmware []byte

const (
	base   = 0x7fe0000
	rsdtAt = 0x100
	fadtAt = 0x200
	size   = 0x400
)

func (f firmware) read(addr uint64, n int) []byte {
	if addr < base || addr-base > uint64(len(f)) || uint64(n) > uint64(len(f))-(addr-base) {
		return nil
	}
	return f[addr-base:][:n]
}

// seal sets a checksum.
func seal(b []byte, at int) {
	b[at] = 0
	b[at] = -sum(b)
}

// pc makes the tables of a PC: QEMU's q35.
func pc() firmware {
	f := make(firmware, size)
	put := binary.LittleEndian.PutUint32
	copy(f, "RSD PTR \x00BOCHS ")
	put(f[16:], base+rsdtAt)
	copy(f[rsdtAt:], "RSDT")
	put(f[rsdtAt+headerSize:], base+fadtAt-16) // some other table
	put(f[rsdtAt+headerSize+4:], base+fadtAt)
	put(f[rsdtAt+4:], headerSize+8)
	t := f[fadtAt:]
	copy(t, "FACP")
	copy(t[headerOEM:], qemuOEM)
	put(t[4:], 276)
	t[fadtSCI] = 9
	put(t[fadtSMICommand:], 0xb2)
	t[fadtACPIEnable] = 2
	put(t[fadtPM1aEvent:], 0x600)
	put(t[fadtPM1aControl:], 0x604)
	t[fadtPM1EventSize] = 4
	f.seal()
	return f
}

func (f firmware) seal() {
	seal(f[:rsdpSize], 8)
	seal(f[:rsdpSize2], 32)
	for _, at := range []int{rsdtAt, fadtAt} {
		if n := binary.LittleEndian.Uint32(f[at+4:]); n >= 10 && int(n) <= size-at {
			seal(f[at:][:n], 9)
		}
	}
}

// reduced makes those of QEMU's microvm, whose list is an XSDT.
func reduced() firmware {
	f := pc()
	f[rsdpRevision] = 2
	binary.LittleEndian.PutUint32(f[rsdpRSDT:], 0)
	binary.LittleEndian.PutUint64(f[rsdpXSDT:], base+rsdtAt)
	copy(f[rsdtAt:], "XSDT")
	binary.LittleEndian.PutUint64(f[rsdtAt+headerSize:], 1<<40) // beyond what is there
	binary.LittleEndian.PutUint64(f[rsdtAt+headerSize+8:], base+fadtAt)
	binary.LittleEndian.PutUint32(f[rsdtAt+4:], headerSize+16)
	t := f[fadtAt:]
	clear(t[headerSize:276])
	binary.LittleEndian.PutUint32(t[fadtFlags:], flagReducedHardware)
	binary.LittleEndian.PutUint64(t[fadtSleepControl+genericAddress:], 0xfea00200)
	f.seal()
	return f
}

func TestFindButton(t *testing.T) {
	b, err := FindButton(pc().read, base)
	want := Button{IRQ: 9, Status: 0x600, Enable: 0x602, Control: 0x604, SMICommand: 0xb2, EnableACPI: 2}
	if err != nil || *b != want {
		t.Errorf("PC: %+v, %v", b, err)
	}
	b, err = FindButton(reduced().read, base)
	if err != nil || *b != (Button{IRQ: 9, Events: 0xfea00000}) {
		t.Errorf("reduced hardware: %+v, %v", b, err)
	}
}

func TestWrongTables(t *testing.T) {
	put := binary.LittleEndian.PutUint32
	for _, tt := range []struct {
		name   string
		make   func() firmware
		spoil  func(f firmware)
		sealed bool
		err    string
	}{
		{"no root pointer", pc, func(f firmware) { f[0] = 'X' }, true, "no root pointer at 0x7fe0000"},
		{"its checksum", pc, func(f firmware) { f[8]++ }, false, "no root pointer"},
		{"no RSDT", pc, func(f firmware) { put(f[16:], 0) }, true, "no table RSDT at 0x0"},
		{"another table in its place", pc, func(f firmware) { put(f[16:], base+fadtAt) }, true, "no table RSDT"},
		{"its length", pc, func(f firmware) { put(f[rsdtAt+4:], 3) }, true, "length 3"},
		{"long", pc, func(f firmware) { put(f[rsdtAt+4:], 0xffffffff) }, true, "length 4294967295"},
		{"longer than memory", pc, func(f firmware) { put(f[rsdtAt+4:], 0x10000) }, true, "wrong checksum"},
		{"checksum", pc, func(f firmware) { f[fadtAt+9]++ }, false, "table FACP at 0x7fe0200: wrong checksum"},
		{"empty RSDT", pc, func(f firmware) { put(f[rsdtAt+4:], headerSize) }, true, "no FACP"},
		{"short FACP", pc, func(f firmware) { put(f[fadtAt+4:], 100) }, true, "100 bytes"},
		{"button of AML", pc, func(f firmware) { put(f[fadtAt+fadtFlags:], flagControlMethodButton) }, true, "not a fixed one"},
		{"no PM1", pc, func(f firmware) { put(f[fadtAt+fadtPM1aEvent:], 0) }, true, "PM1 registers at 0x0"},
		{"beyond the ports", pc, func(f firmware) { put(f[fadtAt+fadtPM1aEvent:], 0xfffe) }, true, "PM1 registers"},
		{"beyond the ports", pc, func(f firmware) { put(f[fadtAt+fadtSMICommand:], 0x10000) }, true, "SMI command"},
		{"interrupt", pc, func(f firmware) { f[fadtAt+fadtSCI] = 99 }, true, "interrupt 99"},
		{"second checksum", reduced, func(f firmware) { f[32]++ }, false, "no table RSDT at 0x0"},
		{"somebody else's", reduced, func(f firmware) { copy(f[fadtAt+headerOEM:], "OTHER ") }, true, "not QEMU's"},
		{"in ports", reduced, func(f firmware) { f[fadtAt+fadtSleepControl] = 1 }, true, "not QEMU's"},
		{"sleep register", reduced, func(f firmware) {
			binary.LittleEndian.PutUint64(f[fadtAt+fadtSleepControl+genericAddress:], 0x100)
		}, true, "sleep register at 0x100"},
	} {
		f := tt.make()
		tt.spoil(f)
		if tt.sealed {
			f.seal()
		}
		if b, err := FindButton(f.read, base); err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %+v, %v; want an error with %q", tt.name, b, err, tt.err)
		}
	}
	if _, err := FindButton(func(uint64, int) []byte { return nil }, base); err == nil {
		t.Error("no memory: no error")
	}
}

func FuzzFindButton(f *testing.F) {
	f.Add([]byte(pc()))
	f.Add([]byte(reduced()))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := firmware(data)
		if b, err := FindButton(m.read, base); err == nil && b.Events == 0 && (b.Status == 0 || b.IRQ >= legacyInterrupt) {
			t.Errorf("%+v", b)
		}
		// Whatever lies in the tables, so that the checksums are no hurdle.
		if len(m) >= size {
			m.seal()
			_, _ = FindButton(m.read, base)
		}
	})
}
