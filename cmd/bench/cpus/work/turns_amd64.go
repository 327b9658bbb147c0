package main

import "github.com/yolkos/yolk/arch/amd64/reg"

// The interval timer (Intel 8254): its ports, and a control word for channel 0 that has it
// count down again and again (mode 2) from two bytes, the low one first.
const (
	timerCounter = 0x40
	timerControl = 0x43
	timerRate    = 0x34
)

// turn is how long a processor runs before the next one has its turn, in ticks of the
// interval timer, of 838 ns.
const turn = 2

// takeTurns has the processors change at short intervals. With -icount QEMU runs them one
// after the other, each until the next timer of the machine is due: this is one, whose
// interrupt is masked. What two of them would do at the same time on hardware, they then do
// alternately, some operations at a time at most.
func takeTurns() {
	reg.Out8(timerControl, timerRate)
	reg.Out8(timerCounter, turn&0xff)
	reg.Out8(timerCounter, turn>>8)
}
