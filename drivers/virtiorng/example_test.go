package virtiorng_test

import (
	"fmt"
	"io"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/drivers/virtiorng"
)

// The driver on a simulated device, as in its tests.
func Example() {
	mem := virtiotest.NewMemory(1 << 20)
	device := virtiotest.New(mem, virtio.DeviceEntropy, 0, 64)
	device.Serve = func(c *virtiotest.Chain) { c.Done(c.Put(0, []byte("not random"))) }

	rng, err := virtiorng.Open(device, mem, func(err error) { fmt.Println(err) })
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rng.Close()
	p := make([]byte, 10)
	_, err = io.ReadFull(rng, p)
	fmt.Printf("%s %v\n", p, err)
	// Output: not random <nil>
}
