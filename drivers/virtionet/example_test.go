package virtionet_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
	"github.com/yolkos/yolk/drivers/virtionet"
)

// none is a Stack that nothing arrives at.
type none struct{}

type memory []byte

func (m memory) Bytes() []byte { return m }
func (m memory) Release()      {}

func (none) Alloc(size int) nic.Buffer       { return make(memory, size) }
func (none) Receive(_ int, _ []nic.Received) {}
func (none) LinkChanged(bool)                {}
func (none) Announce()                       {}

// A frame on its way to the device has a header of 12 bytes (virtio 1.2, 5.1.6).
func Example() {
	mem := virtiotest.NewMemory(4 << 20)
	device := virtiotest.New(mem, virtio.DeviceNet, 1<<5, 64, 64) // VIRTIO_NET_F_MAC
	device.ConfigSpace = []byte{2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	sent := make(chan int, 1)
	device.Serve = func(c *virtiotest.Chain) {
		if c.Queue == 1 {
			n := 0
			for _, p := range c.Read {
				n += len(p)
			}
			sent <- n
			c.Done(0)
		}
	}
	card, err := virtionet.Open(device, mem, func(err error) { fmt.Println(err) })
	if err != nil {
		fmt.Println(err)
		return
	}
	defer card.Close()
	if err := card.Start(none{}); err != nil {
		fmt.Println(err)
		return
	}
	_, err = card.Send(0, []nic.Frame{{Data: [][]byte{make([]byte, 60)}}})
	fmt.Println(card.Address(), <-sent, err)
	// Output: 02:00:00:00:00:01 72 <nil>
}
