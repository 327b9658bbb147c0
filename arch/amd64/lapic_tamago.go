//go:build tamago

package amd64

import (
	"github.com/yolkos/yolk/arch/amd64/reg"
)

// The local APIC's registers lie in memory, or, in the mode called x2APIC, are
// model-specific registers with IDs of 32 bits (Intel SDM vol. 3, 11.12). The
// latter spare a hypervisor to decode the instruction of each access.

const (
	lapicBase = 0xfee00000

	// Offsets in memory (SDM vol. 3, table 11-1).
	lapicID           = 0x20
	lapicEOI          = 0xb0
	lapicSVR          = 0xf0
	lapicICRLow       = 0x300
	lapicICRHigh      = 0x310
	lapicTimer        = 0x320
	lapicLINT0        = 0x350
	lapicLINT1        = 0x360
	lapicInitialCount = 0x380
	lapicCurrentCount = 0x390
	lapicDivide       = 0x3e0

	// Commands of the interrupt command register (SDM vol. 3, 11.6.1).
	icrAssert  = 1 << 14
	icrPending = 1 << 12
	icrInit    = 5 << 8
	icrStartUp = 6 << 8
	icrOthers  = 3 << 18 // destination: all but this CPU

	svrEnable   = 1 << 8
	lvtMasked   = 1 << 16
	lvtDeadline = 2 << 17 // of the timer: by the time-stamp counter
	divideBy16  = 3

	msrAPICBase = 0x1b
	apicEnabled = 1 << 11
	apicX2      = 1 << 10
	apicAddress = 0xffffff000

	msrX2APIC   = 0x800 // of offset 0; 16 bytes of the others are one register
	msrICR      = 0x830
	msrDeadline = 0x6e0

	cpuidX2APIC   = 1 << 21 // leaf 1, ECX
	cpuidDeadline = 1 << 24
)

var (
	// x2apic tells that the local APICs are in that mode.
	x2apic bool
	// tscDeadline tells that their timers are set to a count of the time-stamp
	// counter.
	tscDeadline bool
)

func rdmsr(msr uint32) uint64

func wrmsr(msr uint32, v uint64)

// sendX2 writes the interrupt command register behind all that was written to
// memory before, which WRMSR to it does not wait for (SDM vol. 3, 11.12.3).
func sendX2(command uint64)

// initLocalAPICMode looks what the local APICs can do, and switches the first one.
func initLocalAPICMode() {
	_, _, c, _ := cpuid(1, 0)
	x2apic = c&cpuidX2APIC != 0
	tscDeadline = c&cpuidDeadline != 0
	enterAPICMode()
}

// enterAPICMode switches the running CPU's local APIC on, at the usual address and
// in the mode of the others.
func enterAPICMode() {
	v := rdmsr(msrAPICBase)
	want := v&^apicAddress | lapicBase | apicEnabled
	if want != v {
		wrmsr(msrAPICBase, want)
	}
	if x2apic && v&apicX2 == 0 {
		wrmsr(msrAPICBase, want|apicX2)
	}
}

// lapicRead reads the register at an offset.
//
//go:nosplit
func lapicRead(off uint32) uint32 {
	if x2apic {
		return uint32(rdmsr(msrX2APIC + off>>4))
	}
	return reg.Read32(lapicBase + uintptr(off))
}

//go:nosplit
func lapicWrite(off, v uint32) {
	if x2apic {
		wrmsr(msrX2APIC+off>>4, uint64(v))
		return
	}
	reg.Write32(lapicBase+uintptr(off), v)
}

// ownAPICID returns the ID of the running CPU's local APIC.
func ownAPICID() uint32 {
	if x2apic {
		return lapicRead(lapicID)
	}
	return lapicRead(lapicID) >> 24
}

// enableLocalAPIC has the running CPU's take interrupts.
func enableLocalAPIC() {
	lapicWrite(lapicLINT0, lvtMasked)
	lapicWrite(lapicLINT1, lvtMasked)
	lapicWrite(lapicSVR, spuriousVector|svrEnable)
	if tscDeadline {
		lapicWrite(lapicTimer, timerVector|lvtDeadline)
		deadlineFence()
		return
	}
	lapicWrite(lapicTimer, timerVector)
	lapicWrite(lapicDivide, divideBy16)
}

// deadlineFence has the mode of the timer be set before a deadline is, as one is in
// memory and the other is not (SDM vol. 3, 11.5.4.1).
func deadlineFence()

// sendIPI sends an interrupt command to the CPU with an ID. Interrupts are disabled.
func sendIPI(id, command uint32) {
	if x2apic {
		sendX2(uint64(id)<<32 | uint64(command))
		return
	}
	if c := &cpuStates[cpuIndex()]; c.destination != id<<24 {
		c.destination = id << 24
		lapicWrite(lapicICRHigh, id<<24)
	}
	lapicWrite(lapicICRLow, command)
}

// waitIPI waits until the last command was sent, which takes no time but on slow
// machines.
func waitIPI() {
	for i := 0; !x2apic && i < 1000 && lapicRead(lapicICRLow)&icrPending != 0; i++ {
	}
}

// startTimer has the timer fire after n counts.
//
//go:nosplit
func startTimer(n uint64) {
	if tscDeadline {
		wrmsr(msrDeadline, rdtsc()+n)
		return
	}
	lapicWrite(lapicInitialCount, uint32(min(n, 1<<32-1)))
}

// timerLeft returns how many counts are left until the timer fires, 0 if it has.
func timerLeft() uint64 {
	if !tscDeadline {
		return uint64(lapicRead(lapicCurrentCount))
	}
	at := rdmsr(msrDeadline)
	if now := rdtsc(); at > now {
		return at - now
	}
	return 0
}
