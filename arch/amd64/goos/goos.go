//go:build tamago

// Package goos stands in for runtime/goos (GOOSPKG): it declares what the
// runtime asks of the machine. Package amd64 above it defines the functions.
package goos

import "unsafe"

// Layout of the heap. The runtime's index of it grows with HeapAddrBits: at 38
// bits (256 GiB) it takes about 1.5 MiB.
const (
	ArenaBaseOffset     = 0
	HeapAddrBits        = 38
	LogHeapArenaBytes   = 22
	LogPallocChunkPages = 9
	MinPhysPageSize     = 4096
	StackSystem         = 0
)

var (
	// RamStart, RamSize and RamStackOffset bound the memory of the runtime, in
	// bytes; the boot stack lies RamStackOffset below its end.
	RamStart, RamSize, RamStackOffset uint

	// Bloc is where the heap starts, 0 for the end of the image.
	Bloc uintptr
	// Exit ends the machine.
	Exit func(code int32)
	// Idle stops the CPU until an interrupt or the time until.
	Idle func(until int64)
	// ProcID, Task and Wake belong to the contract; this runtime has CPUs take
	// threads themselves and calls none of them.
	ProcID func() uint64
	Task   func(sp, mp, gp, fn unsafe.Pointer)
	Wake   func(procid uint64)
)

// CPUinit is the first code of the image.
func CPUinit()

// Hwinit0 is called before the runtime starts, by boards without arguments.
func Hwinit0()

// Hwinit1 is called by the main goroutine before any init function.
func Hwinit1()

// InitRNG prepares GetRandomData.
func InitRNG()

// GetRandomData fills b.
func GetRandomData(b []byte)

// Nanotime is the monotonic clock, in nanoseconds.
func Nanotime() int64

// Printk writes a byte to the console.
func Printk(c byte)
