package virtiofs_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/drivers/virtiofs"
)

// The device takes messages to a server, here one that says the same to all.
func Example() {
	mem := virtiotest.NewMemory(1 << 20)
	device := virtiotest.New(mem, virtio.DeviceFileSystem, 0, 64, 64)
	device.ConfigSpace = append([]byte("root"), make([]byte, 36)...)
	device.ConfigSpace[36] = 1 // a queue for requests
	device.Serve = func(c *virtiotest.Chain) { c.Done(c.Put(0, []byte("reply"))) }

	f, err := virtiofs.Open(device, mem)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	room := make([]byte, 64)
	n, err := f.RoundTrip([][]byte{[]byte("request")}, [][]byte{room})
	fmt.Println(f.Tag(), string(room[:n]), err)
	// Output: root reply <nil>
}
