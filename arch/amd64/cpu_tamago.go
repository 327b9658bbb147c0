//go:build tamago

package amd64

import _ "unsafe" // for go:linkname

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// ClockHz returns the rate of the time-stamp counter.
func ClockHz() uint64 { return tscHz }

// hwinit1 is the first that the main goroutine does.
//
//go:linkname hwinit1 runtime/goos.Hwinit1
func hwinit1() {
	BeginStage("arch/amd64: interrupts, timer")
	heapTables()
	initInterrupts()
	BeginStage("init functions below the kernel")
}
