package acpi

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// firmware is memory with tables, from base on.
type firmware []byte

const (
	base   = 0x7fe0000
	rootAt = 0x100 // RSDT or XSDT
	fadtAt = 0x200
	madtAt = 0x400
	dsdtAt = 0x500
	mcfgAt = 0x600
	hpetAt = 0x680
	size   = 0x700
)

func (f firmware) read(addr uint64, n int) []byte {
	if addr < base || addr-base > uint64(len(f)) || uint64(n) > uint64(len(f))-(addr-base) {
		return nil
	}
	return f[addr-base:][:n:n]
}

func put16(b []byte, v uint16) { binary.LittleEndian.PutUint16(b, v) }
func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
func put64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }

// begin begins a table.
func (f firmware) begin(at int, signature string, n int) []byte {
	copy(f[at:], signature)
	put32(f[at+headerLength:], uint32(n))
	copy(f[at+headerOEM:], qemuOEM)
	return f[at:][:n]
}

// seal sets a checksum.
func seal(b []byte, at int) {
	b[at] = 0
	b[at] = -sum(b)
}

func (f firmware) seal() {
	seal(f[:rsdpSize], 8)
	seal(f[:rsdpSize2], 32)
	for _, at := range []int{rootAt, fadtAt, madtAt, dsdtAt, mcfgAt, hpetAt} {
		if n := binary.LittleEndian.Uint32(f[at+headerLength:]); n >= 10 && int(n) <= size-at {
			seal(f[at:][:n], 9)
		}
	}
}

// madtOf is the entries of a MADT: three processors, one of which is not there,
// two I/O APICs and a line.
var madtOf = slices.Concat(
	[]byte{0, 8, 0, 0, 1, 0, 0, 0}, []byte{0, 8, 1, 4, 1, 0, 0, 0}, []byte{0, 8, 2, 5, 0, 0, 0, 0},
	[]byte{9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0},
	[]byte{1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0}, []byte{1, 12, 1, 0, 0, 0, 0xc1, 0xfe, 24, 0, 0, 0},
	[]byte{2, 10, 0, 0, 2, 0, 0, 0, 0, 0},
	[]byte{77, 3, 0}, // of a kind that is not known
)

// pc makes the tables of a PC, about as QEMU's q35 has them.
func pc() firmware {
	f := make(firmware, size)
	copy(f, "RSD PTR \x00BOCHS ")
	put32(f[rsdpRSDT:], base+rootAt)
	b := f.begin(rootAt, "RSDT", headerSize+5*4)
	for i, at := range []int{0x680 + 0x40, fadtAt, madtAt, mcfgAt, hpetAt} { // the first one is of no known kind
		put32(b[headerSize+4*i:], base+uint32(at))
	}
	b = f.begin(fadtAt, "FACP", 276)
	put32(b[fadtDSDT:], base+dsdtAt)
	b[fadtSCI] = 9
	put32(b[fadtSMICommand:], 0xb2)
	b[fadtACPIEnable] = 2
	put32(b[fadtEvent:], 0x600)
	put32(b[fadtControl:], 0x604)
	put32(b[fadtTimer:], 0x608)
	b[fadtEventSize], b[fadtTimerSize] = 4, 4
	put32(b[fadtFlags:], flagReset|flagWideTimer)
	b[fadtReset] = InPorts
	put64(b[fadtReset+4:], 0xcf9)
	b[fadtResetValue] = 0xf
	b = f.begin(madtAt, "APIC", madtEntries+len(madtOf))
	copy(b[madtEntries:], madtOf)
	b = f.begin(dsdtAt, "DSDT", headerSize+40)
	copy(b[headerSize+3:], "_S5_\x14\x08_S5_\x12\x08\x04\x0a\x05\x0b\x06\x00\x00\x00") // a method's name, then what is meant
	b = f.begin(mcfgAt, "MCFG", mcfgEntries+2*mcfgSize)
	b[mcfgEntries+8] = 1 // another segment
	put64(b[mcfgEntries+mcfgSize:], 0xb0000000)
	b[mcfgEntries+mcfgSize+11] = 255
	b = f.begin(hpetAt, "HPET", 56)
	put64(b[hpetBase+4:], 0xfed00000)
	f.seal()
	return f
}

// reduced makes those of QEMU's microvm, whose list is an XSDT.
func reduced() firmware {
	f := pc()
	f[rsdpRevision] = 2
	put32(f[rsdpRSDT:], 0)
	put64(f[rsdpXSDT:], base+rootAt)
	b := f.begin(rootAt, "XSDT", headerSize+3*8)
	for i, at := range []uint64{1 << 40, base + fadtAt, base + madtAt} { // the first one lies beyond what is there
		put64(b[headerSize+8*i:], at)
	}
	b = f[fadtAt:]
	clear(b[headerSize:276])
	put64(b[fadtXDSDT:], base+dsdtAt)
	put32(b[fadtFlags:], flagReduced|flagReset)
	put64(b[fadtSleep+4:], 0xfea00200)
	put64(b[fadtReset+4:], 0xfea00202)
	b[fadtResetValue] = 0x42
	f.seal()
	return f
}

func readAll(f firmware) *Tables {
	t := new(Tables)
	t.Read(f.read, base)
	return t
}

func TestPC(t *testing.T) {
	a := readAll(pc())
	if p := a.Problems(); len(p) > 0 {
		t.Errorf("problems: %v", p)
	}
	if ids := a.Processors.IDs(); !slices.Equal(ids, []uint32{0, 4, 300}) {
		t.Errorf("processors %d", ids)
	}
	if c := a.Processors.IOAPICs(); !slices.Equal(c, []IOAPIC{{0xfec00000, 0}, {0xfec10000, 24}}) {
		t.Errorf("I/O APICs %x", c)
	}
	if a.Processors.Line(0) != 2 || a.Processors.Line(4) != 4 {
		t.Errorf("ISA lines 0 and 4 are %d and %d", a.Processors.Line(0), a.Processors.Line(4))
	}
	port := func(n uint64) Register { return Register{InPorts, n} }
	want := Power{
		Status: [2]Register{port(0x600)}, Enable: [2]Register{port(0x602)}, Control: [2]Register{port(0x604), port(0)},
		SMICommand: port(0xb2), EnableACPI: 2, Interrupt: 9, FixedButton: true,
		SleepType: [2]uint8{5, 6}, HasS5: true, Reset: port(0xcf9), ResetValue: 0xf,
	}
	if a.Power != want {
		t.Errorf("power\n%+v, want\n%+v", a.Power, want)
	}
	if v := a.Power.ControlOff(1, 0x1c01); v != 6<<10|1<<13|1 {
		t.Errorf("PM1b control is to get %#x", v)
	}
	if a.Timers != (Timers{port(0x608), true, 0xfed00000}) {
		t.Errorf("timers %+v", a.Timers)
	}
	if a.ECAM != (ECAM{0xb0000000, 256}) {
		t.Errorf("ECAM %+v", a.ECAM)
	}
}

func TestReducedHardware(t *testing.T) {
	a := readAll(reduced())
	memory := func(n uint64) Register { return Register{InMemory, n} }
	want := Power{
		Sleep: memory(0xfea00200), Events: memory(0xfea00000), SleepType: [2]uint8{5, 6}, HasS5: true,
		Reset: memory(0xfea00202), ResetValue: 0x42,
	}
	if p := a.Problems(); len(p) > 0 || a.Power != want {
		t.Errorf("%+v, %v, want\n%+v", a.Power, p, want)
	}
	if v := a.Power.SleepOff(); v != 5<<2|1<<5 {
		t.Errorf("the sleep control register is to get %#x", v)
	}
	f := reduced()
	copy(f[fadtAt+headerOEM:], "OTHER ")
	f.seal()
	if a := readAll(f); a.Power.Events.Is() || !a.Power.Sleep.Is() {
		t.Errorf("hardware that is not QEMU's: %+v", a.Power)
	}
}

// What is wrong with one table is told by its name and field, and the others count.
func TestWrongTables(t *testing.T) {
	entry := madtAt + madtEntries
	for _, tt := range []struct {
		name   string
		make   func() firmware
		spoil  func(f firmware)
		sealed bool
		err    string
		lost   string // what is not known then: root, processors, power, ...
	}{
		{"no root pointer", pc, func(f firmware) { f[0] = 'X' }, true, "table RSDP at 0x7fe0000: signature or checksum", "root processors power pm hpet ecam s5"},
		{"its checksum", pc, func(f firmware) { f[8]++ }, false, "table RSDP at 0x7fe0000", "root processors power pm hpet ecam s5"},
		{"no RSDT", pc, func(f firmware) { put32(f[rsdpRSDT:], 0) }, true, "table RSDT at 0x0: signature", "processors power pm hpet ecam s5"},
		{"another table in its place", pc, func(f firmware) { put32(f[rsdpRSDT:], base+fadtAt) }, true, "table RSDT at 0x7fe0200: signature", "processors power pm hpet ecam s5"},
		{"its length", pc, func(f firmware) { put32(f[rootAt+4:], 3) }, true, "RSDT at 0x7fe0100: length 0x3", "processors power pm hpet ecam s5"},
		{"long", pc, func(f firmware) { put32(f[rootAt+4:], 0xffffffff) }, true, "length 0xffffffff", "processors power pm hpet ecam s5"},
		{"longer than memory", pc, func(f firmware) { put32(f[rootAt+4:], 0x10000) }, true, "more than there is memory", "processors power pm hpet ecam s5"},
		{"empty RSDT", pc, func(f firmware) { put32(f[rootAt+4:], headerSize) }, true, "", "processors power pm hpet ecam s5"},
		{"second checksum", reduced, func(f firmware) { f[32]++ }, false, "extended checksum", "processors power s5 pm hpet ecam"},
		{"XSDT spoilt, RSDT whole", pc, func(f firmware) {
			f[rsdpRevision] = 2
			put64(f[rsdpXSDT:], base+fadtAt)
		}, true, "table XSDT", ""},
		{"FACP's checksum", pc, func(f firmware) { f[fadtAt+9]++ }, false, "table FACP at 0x7fe0200: checksum 0x1", "power pm s5"},
		{"short FACP", pc, func(f firmware) { put32(f[fadtAt+4:], 100) }, true, "FACP at 0x7fe0200: length 0x64", "power pm s5"},
		{"button of AML", pc, func(f firmware) { put32(f[fadtAt+fadtFlags:], flagMethod) }, true, "", "power"},
		{"no PM1", pc, func(f firmware) { put32(f[fadtAt+fadtEvent:], 0) }, true, "", "power"},
		{"events beyond the ports", pc, func(f firmware) { f[fadtAt+fadtEventSize] = 8; put32(f[fadtAt+fadtEvent:], 0xfffc) }, true, "PM1_EVT_LEN 0x8", "power"},
		{"events of no length", pc, func(f firmware) { f[fadtAt+fadtEventSize] = 2 }, true, "PM1_EVT_LEN 0x2", "power"},
		{"timer beyond the ports", pc, func(f firmware) { put32(f[fadtAt+fadtTimer:], 0x10000) }, true, "PM_TMR_BLK 0x10000", "pm"},
		{"no timer", pc, func(f firmware) { f[fadtAt+fadtTimerSize] = 0 }, true, "", "pm"},
		{"SMI command", pc, func(f firmware) { put32(f[fadtAt+fadtSMICommand:], 0x10000) }, true, "SMI_CMD 0x10000", ""},
		{"SMI command in the last port", pc, func(f firmware) { put32(f[fadtAt+fadtSMICommand:], 0xffff) }, true, "", ""},
		{"interrupt", pc, func(f firmware) { f[fadtAt+fadtSCI] = 99 }, true, "SCI_INT 0x63", "power"},
		{"reset register", pc, func(f firmware) { f[fadtAt+fadtReset] = 2 }, true, "RESET_REG 0xcf9", ""},
		{"sleep register", reduced, func(f firmware) { put64(f[fadtAt+fadtSleep+4:], 0x100) }, true, "SLEEP_CONTROL_REG 0x100", "power pm hpet ecam"},
		{"no DSDT", pc, func(f firmware) { put32(f[fadtAt+fadtDSDT:], 0) }, true, "", "s5"},
		{"DSDT elsewhere", pc, func(f firmware) { put32(f[fadtAt+fadtDSDT:], 0x1000) }, true, "table DSDT at 0x1000", "s5"},
		{"S5 computed", pc, func(f firmware) { f[dsdtAt+headerSize+16] = 0x60 }, true, `values of \_S5`, "s5"},
		{"S5 too large", pc, func(f firmware) { f[dsdtAt+headerSize+17] = 9 }, true, `values of \_S5`, "s5"},
		{"short MADT", pc, func(f firmware) { put32(f[madtAt+4:], 40) }, true, "table APIC at 0x7fe0400: length 0x28", "processors"},
		{"entry of no length", pc, func(f firmware) { f[entry+1] = 0 }, true, "length of the entry at offset 0x2c", "processors"},
		{"entry beyond the end", pc, func(f firmware) { f[entry+1] = 200 }, true, "length of the entry at offset 0x2c", "processors"},
		{"short entry", pc, func(f firmware) { f[entry+madtSum(4)+1] = 2 }, true, "too short for its type", ""},
		{"I/O APIC in RAM", pc, func(f firmware) { put32(f[entry+madtSum(4)+4:], 0x1000) }, true, "address of an I/O APIC 0x1000", ""},
		{"I/O APIC of many lines", pc, func(f firmware) { put32(f[entry+madtSum(4)+8:], 1<<20) }, true, "first interrupt of an I/O APIC 0x100000", ""},
		{"ISA line", pc, func(f firmware) { f[entry+madtSum(6)+3] = 16 }, true, "interrupt of an ISA line 0x2", ""},
		{"configuration space", pc, func(f firmware) { put64(f[mcfgAt+mcfgEntries+mcfgSize:], 0x1234) }, true, "table MCFG at 0x7fe0600: base address 0x1234", "ecam"},
		{"short MCFG", pc, func(f firmware) { put32(f[mcfgAt+4:], 40) }, true, "MCFG at 0x7fe0600: length 0x28", "ecam"},
		{"HPET in ports", pc, func(f firmware) { f[hpetAt+hpetBase] = InPorts; put64(f[hpetAt+hpetBase+4:], 0x100) }, true, "table HPET at 0x7fe0680: base address", "hpet"},
		{"short HPET", pc, func(f firmware) { put32(f[hpetAt+4:], 40) }, true, "HPET at 0x7fe0680: length 0x28", "hpet"},
	} {
		f := tt.make()
		tt.spoil(f)
		if tt.sealed {
			f.seal()
		}
		a := readAll(f)
		var all []string
		for _, p := range a.Problems() {
			all = append(all, p.Error())
		}
		if text := strings.Join(all, "\n"); !strings.Contains(text, tt.err) || tt.err == "" && text != "" {
			t.Errorf("%s: problems %q, want one with %q", tt.name, text, tt.err)
		}
		for what, known := range map[string]bool{
			"root": a.Root != 0, "processors": len(a.Processors.IDs()) > 0, "s5": a.Power.HasS5, "ecam": a.ECAM.Base != 0,
			"power": a.Power.FixedButton || a.Power.Sleep.Is(), "pm": a.Timers.PM.Is(), "hpet": a.Timers.HPET != 0,
		} {
			lost := strings.Contains(tt.lost, what)
			if f[rsdpRevision] == 2 && (what == "pm" || what == "hpet" || what == "ecam") && tt.err != "table XSDT" {
				lost = true // such a machine has none
			}
			if known == lost {
				t.Errorf("%s: %s known: %v", tt.name, what, known)
			}
		}
	}
	none := new(Tables)
	none.Read(func(uint64, int) []byte { return nil }, base)
	if none.Root != 0 || len(none.Problems()) != 1 {
		t.Errorf("no memory: %+v", none)
	}
}

// madtSum is where the entry i of madtOf begins.
func madtSum(i int) int {
	at := 0
	for range i {
		at += int(madtOf[at+1])
	}
	return at
}

// More of anything than there is room for is told, and does no harm.
func TestManyEntries(t *testing.T) {
	f := make(firmware, 1<<16)
	copy(f, pc())
	b := f.begin(madtAt, "APIC", 0xf000)
	n := madtEntries
	for i := range 300 {
		copy(b[n:], []byte{9, 16})
		put32(b[n+4:], uint32(i))
		put32(b[n+8:], madtEnabled)
		n += 16
	}
	for range 20 {
		copy(b[n:], []byte{1, 12, 0, 0, 0, 0, 0xc0, 0xfe})
		n += 12
		copy(b[n:], []byte{2, 10, 0, 1})
		n += 10
	}
	put32(b[4:], uint32(n))
	seal(f[madtAt:][:n], 9)
	a := readAll(f)
	p := &a.Processors
	if len(p.IDs()) != maxProcessors || len(p.IOAPICs()) != maxChips || len(p.Overrides()) != maxOverrides || len(a.Problems()) != maxProblems {
		t.Errorf("%d processors, %d I/O APICs, %d overrides, %d problems", len(p.IDs()), len(p.IOAPICs()), len(p.Overrides()), len(a.Problems()))
	}
}

func TestFindRoot(t *testing.T) {
	low := make([]byte, 1<<20)
	read := func(addr uint64, n int) []byte {
		if addr+uint64(n) > uint64(len(low)) {
			return nil
		}
		return low[addr:][:n]
	}
	if at := FindRoot(read); at != 0 {
		t.Errorf("found a root pointer at %#x where there is none", at)
	}
	copy(low[0xf5a30:], pc()[:rsdpSize])
	copy(low[0xf0000:], "RSD PTR ") // another thing
	if at := FindRoot(read); at != 0xf5a30 {
		t.Errorf("in the BIOS area: %#x", at)
	}
	put16(low[0x40e:], 0x9fc0)
	copy(low[0x9fc10:], pc()[:rsdpSize])
	if at := FindRoot(read); at != 0x9fc10 {
		t.Errorf("in the extended BIOS data area: %#x", at)
	}
	put16(low[0x40e:], 0xffff)
	if at := FindRoot(read); at != 0xf5a30 {
		t.Errorf("with an area beyond the RAM: %#x", at)
	}
	if at := FindRoot(func(uint64, int) []byte { return nil }); at != 0 {
		t.Errorf("without memory: %#x", at)
	}
}

// There is no heap yet.
func TestReadDoesNotAllocate(t *testing.T) {
	f, a := pc(), new(Tables)
	read := Memory(f.read)
	if n := testing.AllocsPerRun(10, func() {
		*a = Tables{}
		FindRoot(read)
		a.Read(read, base)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(a.Processors.IDs()) == 0 {
		t.Error("nothing was read")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(pc()))
	f.Add([]byte(reduced()))
	check := func(t *testing.T, m firmware) {
		a := readAll(m)
		p := &a.Power
		for width, registers := range map[uint64][]Register{
			1: {p.SMICommand, p.Sleep, p.Events, p.Reset},
			2: append(slices.Concat(p.Status[:], p.Enable[:]), p.Control[:]...),
			4: {a.Timers.PM},
		} {
			for _, r := range registers {
				inPorts, inMemory := r.Space == InPorts && r.Addr <= 1<<16-width, r.Space == InMemory && r.Addr >= 1<<20 && r.Addr <= 1<<32-width
				if r.Is() && !inPorts && !inMemory {
					t.Errorf("a register of %d bytes at %+v", width, r)
				}
			}
		}
		if p.FixedButton && (p.Interrupt >= legacyLines || !p.Status[0].Is()) || p.SleepType[0] > 7 || p.SleepType[1] > 7 {
			t.Errorf("%+v", p)
		}
		for _, problem := range a.Problems() {
			if problem.Table == "" || problem.Field == "" || problem.Error() == "" {
				t.Errorf("%+v", problem)
			}
		}
		FindRoot(m.read)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := firmware(slices.Clone(data))
		check(t, m)
		// Whatever lies in the tables, so that the checksums are no hurdle.
		if len(m) >= size {
			m.seal()
			check(t, m)
		}
	})
}

// A register is taken where all of it can be reached, and nowhere else.
func TestReachable(t *testing.T) {
	for _, tt := range []struct {
		r     Register
		width uint64
		want  bool
	}{
		{Register{InPorts, 0xffff}, 1, true},
		{Register{InPorts, 0xffff}, 2, false},
		{Register{InPorts, 0xfffe}, 2, true},
		{Register{InPorts, 0xfffd}, 4, false},
		{Register{InPorts, 0x10000}, 1, false},
		{Register{InPorts, 1<<64 - 1}, 1, false},
		{Register{InMemory, 1<<20 - 1}, 1, false},
		{Register{InMemory, 1 << 20}, 1, true},
		{Register{InMemory, 1<<32 - 4}, 4, true},
		{Register{InMemory, 1<<32 - 2}, 4, false},
		{Register{InMemory, 1<<64 - 1}, 2, false},
		{Register{2, 0xcf9}, 1, false}, // the configuration space of PCI
	} {
		if got := tt.r.reachable(tt.width); got != tt.want {
			t.Errorf("%d bytes at %+v: %v", tt.width, tt.r, got)
		}
	}
	// The enable bits lie behind the status bits, and are as far away as the table says.
	f := reduced()
	put32(f[fadtAt+fadtFlags:], 0)
	f[fadtAt+fadtEventSize] = 200
	f[fadtAt+fadtXEvent] = InMemory
	put64(f[fadtAt+fadtXEvent+4:], 1<<32-8)
	f.seal()
	if a := readAll(f); a.Power.Status[0].Is() || !strings.Contains(fmt.Sprint(a.Problems()), "PM1_EVT_LEN 0xc8") {
		t.Errorf("enable bits above 4 GiB: %+v, %v", a.Power, a.Problems())
	}
}
