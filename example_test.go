package yolk_test

import (
	"fmt"
	"io/fs"

	"github.com/yolkos/yolk"
)

// The kernel's sources are in every yolk that is built.
func Example() {
	files, err := fs.Glob(yolk.Guest, "kernel/kernel*.go")
	fmt.Println(files, err)
	// Output: [kernel/kernel.go kernel/kernel_tamago.go] <nil>
}
