//go:build tamago

// Package goos declares what the runtime asks of the machine under GOOS=tamago.
// This one stands for no machine, so that the standard library can be compiled and
// vetted, and programs linked that stop at once; GOOSPKG names one that runs.
package goos

import "unsafe"

const (
	ArenaBaseOffset     = 0
	HeapAddrBits        = 40
	LogHeapArenaBytes   = 22
	LogPallocChunkPages = 9
	MinPhysPageSize     = 4096
	StackSystem         = 0
)

var (
	RamStart       uint
	RamSize        uint
	RamStackOffset uint

	Bloc   uintptr
	Exit   func(code int32)
	Idle   func(until int64)
	ProcID func() uint64
	Task   func(sp, mp, gp, fn unsafe.Pointer)
	Wake   func(procid uint64)
)

func CPUinit()
func Hwinit0()
func Hwinit1()
func InitRNG()
func GetRandomData(b []byte)
func Nanotime() int64
func Printk(c byte)
