package virtioblk_test

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/drivers/virtioblk"
)

// A disk of eight sectors, full of sevens.
func Example() {
	mem := virtiotest.NewMemory(1 << 20)
	device := virtiotest.New(mem, virtio.DeviceBlock, 0, 64)
	device.ConfigSpace = binary.LittleEndian.AppendUint64(nil, 8)
	device.ConfigSpace = append(device.ConfigSpace, make([]byte, 52)...)
	device.Serve = func(c *virtiotest.Chain) {
		room := 0
		for _, p := range c.Write {
			room += len(p)
		}
		reply := bytes.Repeat([]byte{7}, room-1)
		c.Done(c.Put(0, append(reply, 0))) // VIRTIO_BLK_S_OK
	}
	disk, err := virtioblk.Open(device, mem, func(err error) { fmt.Println(err) }, func() {})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer disk.Close()
	p := make([]byte, 512)
	n, err := disk.ReadAt(p, 1024)
	fmt.Println(n, p[511], err)
	// Output: 512 7 <nil>
}
