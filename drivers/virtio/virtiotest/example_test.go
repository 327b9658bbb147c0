package virtiotest_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// A device that misbehaves: what it offers it does not let the driver have.
func Example() {
	mem := virtiotest.NewMemory(1 << 20)
	device := virtiotest.New(mem, 42, 0, 64)
	device.RefuseFeatures = true
	_, err := virtio.Init(device, mem, virtio.Driver{Setup: func(*virtio.Device) error { return nil }})
	fmt.Println(err)
	// Output: virtio-test 0: status: 0x3 lacks FEATURES_OK: the device refuses features 0x100000000 out of the 0x100000000 that it offers
}
