//go:build !tamago

package runtime

import "internal/runtime/math"

// The counterparts of os_tamago.go for the systems that the tools run on.

const (
	osHeapAddrBits      = 0
	osLogHeapArenaBytes = 0
	osOwnThreads        = false
	osTicks             = false
)

var bubbles bool

func osSchedule()          {}
func osFirst(*p, int64) *g { return nil }
func osMain()              {}
func osPanic()             {}

func osSystemGoroutine(*g) bool                   { return false }
func osBlocksInKernel([]uintptr, bucketType) bool { return false }
func osMutexProfile()                             {}

func osMemoryLimit() int64            { return math.MaxInt64 }
func osMemoryShort() bool             { return false }
func osWaitForMark(gcTrigger) bool    { return false }
func osReady(pp *p, gp *g, next bool) { runqput(pp, gp, next) }
func osReserve(uintptr)               {}
func osStackFits(*g, uintptr) bool    { return true }
func osStackSpan(uintptr) *mspan      { return nil }
func osTries() bool                   { return false }

func osAllocLarge(_ **m, c **mcache, size uintptr, noscan bool) *mspan {
	return (*c).allocLarge(size, noscan)
}

func osGather(*mheap, uintptr, uintptr, bool) uintptr { return 0 }

// heapDumpChunk stands for the dump, which is written as it is made.
type heapDumpChunk struct{}

func takeHeapDump() heapDumpChunk      { return heapDumpChunk{} }
func (heapDumpChunk) write(fd uintptr) {}
