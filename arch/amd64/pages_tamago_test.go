//go:build tamago

package amd64

import (
	"runtime"
	"runtime/debug"
	"testing"
	"unsafe"
)

// TestPagesOfTheHeap: pages that mappings and page tables have from the heap may be
// pointed to while the collector runs, though spans lay there once.
func TestPagesOfTheHeap(t *testing.T) {
	const pages = 512
	blocks := make([]*[8192]byte, pages)
	for i := range blocks {
		blocks[i] = new([8192]byte)
	}
	clear(blocks)
	runtime.GC()
	debug.FreeOSMemory() // sweeps, and the spans are gone
	pointers := make([]*byte, 0, pages)
	for range pages {
		p := memPage(false)
		if p == 0 {
			t.Fatal("no page")
		}
		pointers = append(pointers, at[byte](p))
	}
	more := make([]*[4096]byte, 1000)
	for i := range more {
		more[i] = new([4096]byte) // the structures of spans are used again
	}
	runtime.GC()
	for _, p := range pointers {
		memPageFree(uintptr(unsafe.Pointer(p)))
	}
	runtime.KeepAlive(more)
}
