//go:build tamago

package amd64

import (
	"sync"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/usbarmory/tamago/soc/intel/uart"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

const (
	com1    = 0x3f8
	com1IRQ = 4
)

// initUART programs COM1: 8 data bits, no parity, FIFO on (PC16550D, 8). Turning the
// FIFO on empties it, so where a byte waits it stays as it is: without, the UART takes
// one at a time.
func initUART() {
	reg.Out8(com1+uart.IER, 0)
	reg.Out8(com1+uart.LCR, 0x03)
	if s := reg.In8(com1 + uart.LSR); s&(1<<uart.LSR_DR) == 0 || s == 0xff {
		reg.Out8(com1+uart.FCR, 0x01)
	}
	reg.Out8(com1+uart.MCR, 1<<uart.MCR_DTR|1<<uart.MCR_RTS|1<<uart.MCR_INTEN)
}

// consoleBytes is how many bytes the serial console was given.
var consoleBytes atomic.Uint64

// ConsoleBytes returns how many bytes the serial console was given since the
// start.
func ConsoleBytes() uint64 { return consoleBytes.Load() }

// consoleReady reports whether the UART takes a byte. One that is not there reads
// as all ones: ready.
//
//go:nosplit
func consoleReady() bool { return reg.In8(com1+uart.LSR)&(1<<uart.LSR_THRE) != 0 }

// consoleSent waits until the UART has sent all that it was given, for as many looks
// as a machine gets to turn itself off.
func consoleSent() {
	const transmitterEmpty = 1 << 6 // of LSR
	for i := 0; i < powerTime && reg.In8(com1+uart.LSR)&transmitterEmpty == 0; i++ {
	}
}

// printk writes a byte to the serial console. It works from the first
// instruction to the last, in interrupt handlers too. It waits for as long as
// the other end takes nothing, so that no part of a trace is missing.
//
//go:linkname printk runtime/goos.Printk
//go:nosplit
func printk(c byte) {
	for !consoleReady() {
	}
	consoleBytes.Add(1)
	reg.Out8(com1, c)
}

// Console is the serial console, COM1. Its methods may be called by several
// goroutines; Read by one at a time.
type Console struct{ irq *Interrupt }

// consoleWrites has one write after the other.
var consoleWrites sync.Mutex

// OpenConsole makes received bytes raise an interrupt.
func OpenConsole() (*Console, error) {
	irq, err := ISALine(com1IRQ)
	if err != nil {
		return nil, err
	}
	reg.Out8(com1+uart.IER, 1)
	return &Console{irq}, nil
}

// Write writes p, in one piece: what others write, a line of the log for one, comes before or
// behind it. While the other end takes nothing, other goroutines go on.
func (c *Console) Write(p []byte) (int, error) {
	consoleWrites.Lock()
	defer consoleWrites.Unlock()
	for _, b := range p {
		for i := 0; !consoleReady(); i++ {
			if i >= 1000 { // more than a byte takes at any usual speed
				time.Sleep(time.Millisecond)
			}
		}
		printk(b)
	}
	return len(p), nil
}

// Read waits for at least one byte.
func (c *Console) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	u := uart.UART{Base: com1}
	for {
		n := 0
		for n < len(p) {
			b, ok := u.Rx()
			if !ok {
				break
			}
			p[n] = b
			n++
		}
		if n > 0 {
			return n, nil
		}
		c.irq.Wait()
	}
}
