package qemu_test

import (
	"fmt"

	"github.com/yolkos/yolk/qemu"
)

func ExampleParseMemory() {
	for _, s := range []string{"256", "1.5G", "12x"} {
		fmt.Println(qemu.ParseMemory(s))
	}
	// Output:
	// 268435456 <nil>
	// 1610612736 <nil>
	// 0 memory "12x": want a number of MiB, or one with a unit, such as 256M or 1.5G
}
