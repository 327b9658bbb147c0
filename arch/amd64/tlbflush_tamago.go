//go:build tamago

package amd64

import (
	"runtime"
	"sync/atomic"
)

// A CPU keeps translations until it is told to forget them, in particular that
// it has set the dirty bit of an entry. Who has taken something from an entry
// has each CPU forget the page before it goes by that (Intel SDM vol. 3, 4.10.5).

// flushMax is how many pages are forgotten at once.
const flushMax = 512

// flushSpin is how often the answers of the other CPUs are looked at before the CPU
// halts until the last one comes. One that takes so long is not being run by the
// host, which may have given its CPU to this one.
const flushSpin = 5000

// What forgetPages forgets; whoever fills it holds mapLock.
var (
	flushPages [flushMax]uint64
	flushCount uint64
	flushWaits uint32 // CPUs that have not done it yet

	// flushHalted is the number of the CPU that halts until flushWaits is 0, and
	// one more: 0, there is none. The last CPU wakes it.
	flushHalted uint32

	flushFrees [flushMax]uintptr // pages and tables to be freed behind it
	freeCount  int
)

// forgetPages forgets the translations of flushPages on the running CPU.
func forgetPages()

// flushTLB has all CPUs forget the pages in flushPages, frees those in flushFrees,
// and empties both. A CPU that has not come yet has not seen them; one that halts
// wakes for it.
func flushTLB() {
	if flushCount > 0 {
		flushPagesAll()
		flushCount = 0
	}
	for _, p := range flushFrees[:freeCount] {
		memPageFree(p)
	}
	freeCount = 0
}

// flushPagesAll has all CPUs forget flushPages.
func flushPagesAll() {
	cli()
	self := int32(cpuIndex())
	forgetPages()
	sti()
	// Whichever CPU runs this from here on, self is done with it.
	var others [maxCPUs]int32
	n := 0
	for i := range cpuCount {
		if i != self && (i == 0 || cpuStates[i].arrived.Load()) {
			others[n] = i
			n++
		}
	}
	atomic.StoreUint32(&flushWaits, uint32(n))
	for _, i := range others[:n] {
		interrupt(i, flushVector)
	}
	for i := 0; atomic.LoadUint32(&flushWaits) != 0; i++ {
		if i > flushSpin && !haltForFlush() {
			runtime.Gosched() // a tick or a device: others may want this CPU
		}
	}
}

// haltForFlush halts until an interrupt, unless flushWaits is 0, and reports
// whether it is.
//
//go:nosplit
func haltForFlush() bool {
	cli()
	// With a barrier behind it: who counts flushWaits down looks here then.
	atomic.StoreUint32(&flushHalted, uint32(cpuIndex())+1)
	if atomic.LoadUint32(&flushWaits) != 0 {
		waitInterrupt()
	}
	atomic.StoreUint32(&flushHalted, 0)
	sti()
	return atomic.LoadUint32(&flushWaits) == 0
}

// flushLater adds the page at a to what flushTLB forgets.
func flushLater(a uint64) {
	if flushCount == flushMax {
		flushTLB()
	}
	flushPages[flushCount] = a
	flushCount++
}

// freeLater adds a page to what flushTLB frees, which may be now. What it belonged
// to has been given to flushLater before.
func freeLater(p uintptr) {
	if freeCount == flushMax {
		flushTLB()
	}
	flushFrees[freeCount] = p
	freeCount++
}
