package reg_test

import (
	"fmt"
	"unsafe"

	"github.com/yolkos/yolk/arch/amd64/reg"
)

// A device's registers, here eight bytes of memory.
func ExampleMMIO() {
	var device [8]byte
	r := reg.MMIO{Base: uintptr(unsafe.Pointer(&device)), Length: len(device)}
	r.Write32(4, 0x12345678)
	fmt.Printf("%#x %#x\n", r.Read16(4), device[7])
	// Output: 0x5678 0x12
}
