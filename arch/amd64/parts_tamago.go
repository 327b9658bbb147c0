//go:build tamago

package amd64

import (
	_ "unsafe" // for go:linkname

	"github.com/yolkos/yolk/arch/amd64/embedded"
)

//go:linkname bloc runtime/goos.Bloc
var bloc uintptr

// parts is the memory with the parts that the image carries besides the program, behind
// which the RAM begins that is free; without any it is empty, at the end of the program.
var parts Range

// findParts finds them. It runs before the runtime.
func findParts() {
	start, end := imageBounds()
	r, ok := findSegment(sliceAt[byte](start, pageSize), uint64(end))
	if !ok {
		fatal("yolk: the image's program headers have its parts (type 0x60796f6c) where they cannot be: build it anew\n")
	}
	if parts = (Range{uint64(end), uint64(end)}); r != (Range{}) {
		parts = r
		bloc = uintptr(r.End)
	}
}

// Embedded returns a part of the image by its name (package embedded). It is the
// image's own memory, which cannot be written.
func Embedded(name string) ([]byte, bool) {
	return embedded.Find(sliceAt[byte](uintptr(parts.Start), int(parts.Size())), name)
}
