//go:build tamago

package runtime

import (
	"internal/goarch"
	"unsafe"
)

// sysargs finds the auxiliary vector, which lies behind arguments and environment
// and ends with an entry of type 0. It is for others: what the runtime asks of a
// machine comes from runtime/goos.
func sysargs(argc int32, argv **byte) {
	n := argc + 1
	for argv_index(argv, n) != nil {
		n++
	}
	vector := add(unsafe.Pointer(argv), uintptr(n+1)*goarch.PtrSize)
	words := 0
	for *(*uintptr)(add(vector, uintptr(words)*goarch.PtrSize)) != 0 {
		words += 2
	}
	auxv = unsafe.Slice((*uintptr)(vector), words)
}
