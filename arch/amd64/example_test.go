package amd64_test

import (
	"fmt"

	"github.com/yolkos/yolk/arch/amd64"
)

// Virtual addresses are physical ones, so that a device takes a slice as it is.
func ExamplePhysicalAddress() {
	b := make([]byte, 8)
	fmt.Println(amd64.PhysicalAddress(b[4:]) - amd64.PhysicalAddress(b))
	// Output: 4
}
