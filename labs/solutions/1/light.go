// Command light is a machine's first light: it starts where the hardware does,
// enters 64-bit mode, and writes a line to the serial port. There is no operating
// system, and no Go runtime either: functions that need neither heap nor
// goroutines are all there is.
package main

import (
	"fmt"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// The first serial port, a 16550 (PC16550D data sheet, 8): its registers are I/O
// ports.
const (
	com1 = 0x3f8    // a byte that is written here is sent
	lsr  = com1 + 5 // line status
	thre = 1 << 5   // in lsr: the transmitter takes a byte
)

const message = "Let there be light.\n"

// start is in entry_amd64.s.
func start()

// light is called by start, in 64-bit mode.
//
// TODO 6: send all of message, a byte at a time.
func light() {
	for i := 0; i < len(message); i++ {
		putc(message[i])
	}
}

// putc sends a byte.
//
// TODO 5: wait until bit thre is set in the register lsr (reg.In8), then write c
// to com1 (reg.Out8).
//
//go:nosplit
func putc(c byte) {
	for reg.In8(lsr)&thre == 0 {
	}
	reg.Out8(com1, c)
}

func main() {
	fmt.Println("This program is a kernel: make run boots it.")
}
