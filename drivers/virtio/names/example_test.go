package names_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/virtio/names"
)

func Example() {
	const offered = 1<<5 | 1<<16 | 1<<32
	fmt.Println(names.Device(1), names.Features(1, offered))
	// Output: network card [NET_F_MAC NET_F_STATUS F_VERSION_1]
}
