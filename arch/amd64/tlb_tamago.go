//go:build tamago

package amd64

import (
	"sync/atomic"
	"unsafe"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

const (
	// tlbPages is how many pages the translation cache of an emulated CPU
	// holds in the end, 128 MiB, if there is as much RAM.
	tlbPages = 1 << 15
	// tlbStart is how many QEMU gives it at first.
	tlbStart = 1 << 8
	// tlbWindow is an address at which nothing else is ever mapped: the last
	// 512 GiB of the lower half.
	tlbWindow = 255 << 39
)

// tlbTables has room for two tables, wherever they start.
var tlbTables [3 * pageSize]byte

// tlbMapped is set once the window leads somewhere.
var tlbMapped atomic.Bool

// Emulated reports whether QEMU emulates the CPUs, and tells.
func Emulated() bool {
	_, b, c, d := cpuid(0x40000000, 0)
	return words(b, c, d) == "TCGTCGTCGTCG"
}

// GrowTLB makes room in the translation caches of emulated CPUs. QEMU starts
// each with 256 pages of 4 KiB, doubles it when it finds it full as it is flushed,
// and never flushes it unless the guest does; but a miss takes some hundred
// nanoseconds, fifty times what an access takes otherwise. So they are filled and
// flushed until they are large, with several CPUs by each as soon as it idles.
// CPUs in hardware, and those of KVM, gain nothing.
func GrowTLB() {
	if !Emulated() {
		return
	}
	// 1 GiB of addresses that all lead to the large page with the image: only
	// its translations are wanted, none of the machine's memory.
	mapLock.Lock()
	defer mapLock.Unlock()
	directories := (uintptr(unsafe.Pointer(&tlbTables)) + pageSize - 1) &^ (pageSize - 1)
	pages := directories + pageSize
	start, _ := imageBounds()
	for i := range entries(pages) {
		entries(pages)[i] = uint64(start)&^(largePage-1) | ptePresent | pteLarge | pteNoExec
	}
	entries(directories)[0] = uint64(pages) | ptePresent
	entries(pml4Addr)[tlbWindow>>39] = uint64(directories) | ptePresent
	tlbMapped.Store(true)
	if cpuCount == 1 {
		fillTLB()
	}
}

// fillTLB lets the translation cache of the running CPU grow.
func fillTLB() {
	for n := tlbStart; n < min(tlbPages, int(memory.total/pageSize)); n *= 2 {
		for i := range n {
			reg.Read8(uintptr(tlbWindow + i*pageSize))
		}
		loadTables(pml4Addr)
	}
	cpuStates[cpuIndex()].tlbFilled = true
}
