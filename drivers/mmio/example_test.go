package mmio_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/mmio"
)

func ExampleCommandLine() {
	slots, errs := mmio.CommandLine([]string{"quiet", "virtio_mmio.device=512@0xfeb00000:5", "virtio_mmio.device=512@x"})
	fmt.Printf("%#x %d\n", slots[0].Base, slots[0].IRQ)
	fmt.Println(errs[0])
	// Output:
	// 0xfeb00000 5
	// kernel command line: "virtio_mmio.device=512@x": no interrupt after the base; want virtio_mmio.device=<size>[KMG]@<base>:<irq>[:<id>]
}
