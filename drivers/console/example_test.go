package console_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/yolkos/yolk/drivers/console"
	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/drivers/virtio/virtiotest"
)

// A device with one port, named "log" (virtio 1.2, 5.3.6.2).
func Example() {
	mem := virtiotest.NewMemory(1 << 20)
	device := virtiotest.New(mem, virtio.DeviceConsole, 1<<1, 64, 64, 64, 64)
	device.ConfigSpace = []byte{0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}
	written := make(chan string, 1)
	var mu sync.Mutex
	var letters []*virtiotest.Chain // room for what the device says
	var unsaid [][]byte             // what waits for room
	deliver := func() {
		for len(letters) > 0 && len(unsaid) > 0 {
			letters[0].Done(letters[0].Put(0, unsaid[0]))
			letters, unsaid = letters[1:], unsaid[1:]
		}
	}
	say := func(event uint16, more string) {
		b := append(binary.LittleEndian.AppendUint16(make([]byte, 4), event), 1, 0)
		unsaid = append(unsaid, append(b, more...))
		deliver()
	}
	device.Serve = func(c *virtiotest.Chain) {
		mu.Lock()
		defer mu.Unlock()
		switch c.Queue {
		case 1: // what is written to the port
			written <- string(c.Read[0])
			c.Done(0)
		case 2:
			letters = append(letters, c)
			deliver()
		case 3:
			switch binary.LittleEndian.Uint16(c.Read[0][4:]) {
			case 0: // the driver is ready: there is a port
				say(1, "")
			case 3: // and so is that: its name, and that somebody listens
				say(7, "log")
				say(6, "")
			}
			c.Done(0)
		}
	}
	c, err := console.Open(device, mem)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	port, ok := c.Port("log")
	if !ok {
		fmt.Println(c.Ports())
		return
	}
	io.WriteString(port, "hello")
	fmt.Println(<-written)
	// Output: hello
}
