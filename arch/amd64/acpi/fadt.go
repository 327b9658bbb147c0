package acpi

import (
	"bytes"
	"encoding/binary"
)

// Power is what the FADT (5.2.9) and the DSDT say of turning the machine off and
// starting it anew, and of its power button.
type Power struct {
	// Registers of a PC (4.8.3). Status and Enable are the halves of the PM1
	// events; where there are two blocks of each, either may have a bit.
	Status, Enable, Control [2]Register
	SMICommand              Register // takes EnableACPI; none: the machine is in ACPI mode
	EnableACPI              uint8
	Interrupt               int  // SCI_INT, a line of the ISA bus
	FixedButton             bool // Status has the power button

	// Registers of a machine with reduced hardware (4.8.3.7).
	Sleep Register
	// Events is the register of QEMU's generic event device, which tells, and
	// forgets, what has happened (docs/specs/acpi_hw_reduced_hotplug.rst).
	Events Register

	// SleepType are the values of \_S5 for the two control registers.
	SleepType [2]uint8
	HasS5     bool

	Reset      Register // takes ResetValue
	ResetValue uint8
}

// Bits of the registers.
const (
	PowerButton = 1 << 8 // of PM1 status and enable (tables 4.11 and 4.12)
	SCIEnabled  = 1 << 0 // of PM1 control: the machine is in ACPI mode (table 4.13)
	PowerDown   = 1 << 1 // of QEMU's event register
)

// ControlOff returns what the PM1 control register i gets to turn the machine off
// (table 4.13: SLP_TYPx and SLP_EN); old is what it has.
func (p *Power) ControlOff(i int, old uint16) uint16 {
	return old&^(7<<10) | uint16(p.SleepType[i])<<10 | 1<<13
}

// SleepOff returns what the sleep control register gets for it (table 4.18).
func (p *Power) SleepOff() uint8 { return p.SleepType[0]<<2 | 1<<5 }

// QEMUInterrupt is the line of QEMU's generic event device on x86, which the tables
// tell in AML only.
const QEMUInterrupt = 9

const (
	qemuOEM   = "BOCHS "
	qemuSleep = 0x200 // where its sleep register is behind the event register
)

// Offsets in the FADT (table 5.9). Of those beyond fadtMin older versions lack some.
const (
	fadtDSDT       = 40
	fadtSCI        = 46
	fadtSMICommand = 48
	fadtACPIEnable = 52
	fadtEvent      = 56 // PM1a, and PM1b behind it, here and below
	fadtControl    = 64
	fadtTimer      = 76
	fadtEventSize  = 88
	fadtTimerSize  = 91
	fadtFlags      = 112
	fadtMin        = 116
	fadtReset      = 116
	fadtResetValue = 128
	fadtXDSDT      = 140
	fadtXEvent     = 148
	fadtXControl   = 172
	fadtXTimer     = 208
	fadtSleep      = 244
	legacyLines    = 16
	flagMethod     = 1 << 4 // there is no fixed power button
	flagWideTimer  = 1 << 8
	flagReset      = 1 << 10
	flagReduced    = 1 << 20
	genericSize    = 12
	eventWidth     = 4 // status and enable bits, each 2 at least
	controlWidth   = 2
	timerWidth     = 4
	maxSleepType   = 7
)

func (t *Tables) readPower(read Memory, b []byte, addr uint64) {
	p := &t.Power
	if len(b) < fadtMin {
		t.problem(Problem{"FACP", addr, "length", uint64(len(b)), "too short for its flags"})
		return
	}
	flags := binary.LittleEndian.Uint32(b[fadtFlags:])
	if flags&flagReset != 0 && len(b) > fadtResetValue {
		p.Reset = t.generic(b, fadtReset, 1, "FACP", "RESET_REG", addr)
		p.ResetValue = b[fadtResetValue]
	}
	if flags&flagReduced != 0 {
		p.Sleep = t.generic(b, fadtSleep, 1, "FACP", "SLEEP_CONTROL_REG", addr)
		at := p.Sleep.Addr
		if p.Sleep.Space == InMemory && at >= 1<<20+qemuSleep && at%4 == 0 && bytes.HasPrefix(b[headerOEM:], []byte(qemuOEM)) {
			p.Events = Register{InMemory, at - qemuSleep}
		}
	} else {
		t.readFixed(b, addr, flags)
	}
	t.readSleepType(read, b)
}

// readFixed reads the registers of a PC.
func (t *Tables) readFixed(b []byte, addr uint64, flags uint32) {
	p := &t.Power
	half := uint64(b[fadtEventSize] / 2)
	for i := range p.Control {
		event := t.fixed(b, fadtEvent+4*i, fadtXEvent+genericSize*i, eventWidth, "PM1_EVT_BLK", addr)
		p.Control[i] = t.fixed(b, fadtControl+4*i, fadtXControl+genericSize*i, controlWidth, "PM1_CNT_BLK", addr)
		switch enable := (Register{event.Space, event.Addr + half}); {
		case !event.Is():
		case half < eventWidth/2 || !enable.reachable(eventWidth/2):
			t.problem(Problem{"FACP", addr, "PM1_EVT_LEN", 2 * half, "less than 4, or reaches beyond the ports or 4 GiB"})
		default:
			p.Status[i], p.Enable[i] = event, enable
		}
	}
	if smi := (Register{InPorts, uint64(binary.LittleEndian.Uint32(b[fadtSMICommand:]))}); !smi.reachable(1) {
		t.problem(Problem{"FACP", addr, "SMI_CMD", smi.Addr, "no port; it is left out"})
	} else if smi.Is() {
		p.SMICommand, p.EnableACPI = smi, b[fadtACPIEnable]
	}
	p.Interrupt = int(binary.LittleEndian.Uint16(b[fadtSCI:]))
	if p.Interrupt >= legacyLines {
		t.problem(Problem{"FACP", addr, "SCI_INT", uint64(p.Interrupt), "no line of the ISA bus; there is no power button"})
	} else {
		p.FixedButton = flags&flagMethod == 0 && p.Status[0].Is() && p.Control[0].Is()
	}
	t.Timers.PM = t.fixed(b, fadtTimer, fadtXTimer, timerWidth, "PM_TMR_BLK", addr)
	if b[fadtTimerSize] != 4 {
		t.Timers.PM = Register{} // there is none
	}
	t.Timers.PMWide = flags&flagWideTimer != 0
}

// fixed reads the address of a register block, which later versions have as a
// generic address as well; that counts, if it is there.
func (t *Tables) fixed(b []byte, offset, generic int, width uint64, field string, addr uint64) Register {
	if r := t.generic(b, generic, width, "FACP", field, addr); r.Is() {
		return r
	}
	r := Register{InPorts, uint64(binary.LittleEndian.Uint32(b[offset:]))}
	if !r.reachable(width) {
		t.problem(Problem{"FACP", addr, field, r.Addr, "reaches beyond the ports; it is left out"})
		return Register{}
	}
	return r
}

// readSleepType looks for \_S5 in the DSDT, without a machine for AML: it is a name
// and a package of constants everywhere (7.4.2, 20.2).
func (t *Tables) readSleepType(read Memory, fadt []byte) {
	addr := uint64(binary.LittleEndian.Uint32(fadt[fadtDSDT:]))
	if len(fadt) >= fadtXDSDT+8 {
		if wide := binary.LittleEndian.Uint64(fadt[fadtXDSDT:]); wide != 0 {
			addr = wide
		}
	}
	if addr == 0 {
		return
	}
	b := t.table(read, "DSDT", addr)
	if b == nil {
		return
	}
	found := false
	for i := headerSize + 1; i+4 < len(b); i++ {
		if b[i] != '_' || b[i+1] != 'S' || b[i+2] != '5' || b[i+3] != '_' {
			continue
		}
		if b[i-1] != amlName && (b[i-1] != '\\' || b[i-2] != amlName) {
			continue
		}
		found = true
		if types, ok := sleepPackage(b[i+4:]); ok {
			t.Power.SleepType, t.Power.HasS5 = types, true
			return
		}
	}
	if found {
		t.problem(Problem{"DSDT", addr, `values of \_S5 in`, uint64(len(b)), "no package of constants up to 7; the machine is not turned off by ACPI"})
	}
}

// Encodings of AML (20.2.3 to 20.2.5).
const (
	amlZero    = 0x00
	amlOne     = 0x01
	amlName    = 0x08
	amlByte    = 0x0a
	amlWord    = 0x0b
	amlDWord   = 0x0c
	amlPackage = 0x12
)

// sleepPackage reads the first two elements of a package; with one, both are that.
func sleepPackage(b []byte) (types [2]uint8, ok bool) {
	if len(b) < 2 || b[0] != amlPackage {
		return types, false
	}
	n := 1 + 1 + int(b[1]>>6) // the package's length takes up to four bytes
	if len(b) <= n {
		return types, false
	}
	count := min(int(b[n]), 2)
	b = b[n+1:]
	for i := range count {
		if len(b) == 0 {
			return types, false
		}
		width, v := 0, uint32(0)
		switch b[0] {
		case amlZero:
		case amlOne:
			v = 1
		case amlByte:
			width = 1
		case amlWord:
			width = 2
		case amlDWord:
			width = 4
		default:
			return types, false
		}
		if len(b) < 1+width {
			return types, false
		}
		for k := range width {
			v |= uint32(b[1+k]) << (8 * k)
		}
		if v > maxSleepType {
			return types, false
		}
		types[i] = uint8(v)
		b = b[1+width:]
	}
	if count == 1 {
		types[1] = types[0]
	}
	return types, count > 0
}
