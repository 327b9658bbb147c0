//go:build tamago

package amd64

import (
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64/acpi"
	"github.com/yolkos/yolk/arch/amd64/reg"
)

const (
	exitPort    = 0xf4 // isa-debug-exit: QEMU ends with status value<<1 | 1
	controlPort = 0xe9 // isa-debugcon: lines for the launcher
)

//go:linkname goosExit runtime/goos.Exit
var goosExit = exit

// exit powers the machine off with a status for the launcher. The control
// channel carries all of it, isa-debug-exit seven bits. Where there is no such
// device, ACPI turns the machine off, and where that cannot, a reset is what is left,
// which QEMU takes for the end under -no-reboot, and other monitors always.
func exit(status int32) {
	consoleSent()
	if !ending && status < firstSignal {
		ControlString("yolk crash\n")
	}
	ControlString("yolk exit ")
	controlNumber(uint32(status))
	ControlString("\n")
	reg.Out32(exitPort, uint32(status)&0x7f)
	turnOff()
	Reset()
}

// ending: the program has ended by itself.
var ending bool

// Ending notes that the program ends by itself, by os.Exit or the return of main, and
// not by a panic, a fatal error or an exception.
func Ending() { ending = true }

// firstSignal is less than any status that means a signal.
const firstSignal = 128

// powerTime is how many looks at a register a machine gets to turn itself off, or to
// go into ACPI mode: a second or so.
const powerTime = 1 << 20

// turnOff goes into the sleeping state S5 (ACPI 6.5, 16.1.3 and 4.8.3.7). It returns
// if the machine has no ACPI, or goes on.
func turnOff() {
	p := &firmware.Power
	if !p.HasS5 {
		return
	}
	if p.Sleep.Is() {
		write8(p.Sleep, p.SleepOff())
		for range powerTime {
			reg.In8(controlPort)
		}
		return
	}
	if !p.Control[0].Is() {
		return
	}
	acpiMode()
	for i, r := range p.Control {
		if r.Is() {
			write16(r, p.ControlOff(i, read16(r)))
		}
	}
	for range powerTime {
		read16(p.Control[0])
	}
}

// acpiMode has a PC's firmware leave the PM1 registers to the kernel.
func acpiMode() {
	p := &firmware.Power
	if !p.SMICommand.Is() || read16(p.Control[0])&acpi.SCIEnabled != 0 {
		return
	}
	write8(p.SMICommand, p.EnableACPI)
	for i := 0; i < powerTime && read16(p.Control[0])&acpi.SCIEnabled == 0; i++ {
	}
}

func read16(r acpi.Register) uint16 {
	if r.Space == acpi.InPorts {
		return reg.In16(uint16(r.Addr))
	}
	return reg.Read16(uintptr(r.Addr))
}

func write16(r acpi.Register, v uint16) {
	if r.Space == acpi.InPorts {
		reg.Out16(uint16(r.Addr), v)
		return
	}
	reg.Write16(uintptr(r.Addr), v)
}

func write8(r acpi.Register, v uint8) {
	if r.Space == acpi.InPorts {
		reg.Out8(uint16(r.Addr), v)
		return
	}
	reg.Write8(uintptr(r.Addr), v)
}

// Reset starts the machine anew: by the register that the ACPI tables name. Machines
// with a keyboard controller have that do it, all others do it after a fault that
// there is no handler for (Intel SDM vol. 3, 6.15, #DF).
func Reset() {
	if p := &firmware.Power; p.Reset.Is() {
		write8(p.Reset, p.ResetValue)
	}
	reg.Out8(0x64, 0xfe)
	tripleFault()
	for {
		stop()
	}
}

// tripleFault takes the interrupt table away and raises an exception.
func tripleFault()

// stop disables interrupts and halts.
func stop()

// ControlString writes s, part of a line, to the launcher's control channel.
//
//go:nosplit
func ControlString(s string) {
	for i := 0; i < len(s); i++ {
		reg.Out8(controlPort, s[i])
	}
}

func controlNumber(n uint32) {
	if n >= 10 {
		controlNumber(n / 10)
	}
	reg.Out8(controlPort, byte('0'+n%10))
}
