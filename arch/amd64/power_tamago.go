//go:build tamago

package amd64

import (
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64/reg"
)

const (
	exitPort    = 0xf4 // isa-debug-exit: QEMU ends with status value<<1 | 1
	controlPort = 0xe9 // isa-debugcon: lines for the launcher
)

//go:linkname goosExit runtime/goos.Exit
var goosExit = exit

// exit powers the machine off with a status for the launcher. The control
// channel carries all of it, isa-debug-exit seven bits.
func exit(status int32) {
	ControlString("yolk exit ")
	controlNumber(uint32(status))
	ControlString("\n")
	reg.Out32(exitPort, uint32(status)&0x7f)
	// No such device: a reset, which QEMU takes for the end under -no-reboot.
	Reset()
}

// Reset starts the machine anew. Machines with a keyboard controller have it do
// that, all others do it after a fault that there is no handler for (Intel SDM
// vol. 3, 6.15, #DF).
func Reset() {
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
