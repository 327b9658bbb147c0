package virtio_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// A driver that sends a request and gets a reply of as many bytes.
func Example() {
	mem := virtiotest.NewMemory(1 << 20)
	echo := virtiotest.New(mem, 42, 0, 64)
	echo.Serve = func(c *virtiotest.Chain) { c.Done(c.Put(0, c.Read[0])) }

	var queue *virtio.Queue
	device, err := virtio.Init(echo, mem, virtio.Driver{
		Setup: func(d *virtio.Device) (err error) {
			queue, err = d.AddQueue(0, "request", 16)
			return err
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	reply := make([]byte, 5)
	n, err := queue.Do([][]byte{[]byte("hello")}, [][]byte{reply})
	fmt.Printf("%s %d %v\n", reply, n, err)
	// Output: hello 5 <nil>
}
