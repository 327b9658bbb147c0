package pci_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/pci"
)

func ExampleMakeAddr() {
	fmt.Println(pci.MakeAddr(0, 31, 3))
	// Output: 00:1f.3
}
