// Package console is the driver of the virtio console device (virtio 1.2 §5.3):
// byte streams between host and guest, each a port with a name.
package console

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Feature bits (§5.3.3). The size of a terminal and emergency writes are not
// used.
const featureMultiport uint64 = 1 << 1

// configMaxPorts is the offset of max_nr_ports (§5.3.4).
const configMaxPorts = 4

// Queues (§5.3.2): receive and transmit of port 0, the same for control
// messages, and then of each further port.
const (
	queueControlReceive  = 2
	queueControlTransmit = 3
)

func portQueues(id int) (receive, transmit int) {
	if id == 0 {
		return 0, 1
	}
	return 2 * (id + 1), 2*(id+1) + 1
}

const (
	maxPorts         = 8 // that are used; a device may have more
	portQueueSize    = 32
	controlQueueSize = 64
)

// settleTime is how long after Open a name that the device has not told yet may
// still come. QEMU tells all within Open.
var settleTime = 25 * time.Millisecond

// Console is a console device.
type Console struct {
	dev       *virtio.Device
	name      string
	multiport bool
	limit     uint32 // max_nr_ports
	problem   func(error)
	settled   time.Time

	sendMu   sync.Mutex
	transmit *virtio.Queue
	message  [8]byte
	parts    [1][]byte

	receive    *virtio.Queue
	inbox      []letter
	complaints int
	listening  sync.WaitGroup

	ports []*Port // by id

	mu      sync.Mutex
	changed chan struct{} // closed, and replaced, when a port gets its name
}

// Open brings the device to life and learns what ports it has.
func Open(t virtio.Transport, mem virtio.Memory) (*Console, error) {
	return OpenFunc(t, mem, nil)
}

// OpenFunc is Open with a function that is told what the device gets wrong later.
func OpenFunc(t virtio.Transport, mem virtio.Memory, problem func(error)) (*Console, error) {
	if id := t.DeviceID(); id != virtio.DeviceConsole {
		return nil, virtio.Errorf(t, "device ID", "%d, want %d, a console", id, virtio.DeviceConsole)
	}
	if problem == nil {
		problem = func(error) {}
	}
	c := &Console{name: "virtio console (" + t.Name() + ")", problem: problem, changed: make(chan struct{})}
	dev, err := virtio.Init(t, mem, virtio.Driver{Features: featureMultiport, Setup: c.setup, Failed: problem})
	if err != nil {
		return nil, err
	}
	c.dev = dev
	if !c.multiport {
		p := c.ports[0]
		p.added, p.hostOpen, p.wasOpen = true, true, true
		return c, nil
	}
	if err := c.startControl(); err != nil {
		dev.Close()
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return c, nil
}

func (c *Console) setup(d *virtio.Device) error {
	c.multiport = d.Features()&featureMultiport != 0
	c.limit = 1
	if c.multiport {
		if err := d.ReadConfig(func() { c.limit = d.Config32(configMaxPorts) }); err != nil {
			return err
		}
		if c.limit == 0 {
			return virtio.Errorf(d.Transport(), "max_nr_ports", "0, want at least 1")
		}
		var err error
		if c.receive, err = d.AddQueue(queueControlReceive, "control receive", controlQueueSize); err != nil {
			return err
		}
		if c.transmit, err = d.AddQueue(queueControlTransmit, "control transmit", controlQueueSize); err != nil {
			return err
		}
	}
	for id := range int(min(c.limit, maxPorts)) {
		p := &Port{c: c, id: id, changed: make(chan struct{})}
		receive, transmit := portQueues(id)
		var err error
		if p.receive, err = d.AddQueue(receive, "receive "+strconv.Itoa(id), portQueueSize); err != nil {
			return err
		}
		if p.transmit, err = d.AddQueue(transmit, "transmit "+strconv.Itoa(id), portQueueSize); err != nil {
			return err
		}
		c.ports = append(c.ports, p)
	}
	return nil
}

// Name names the device for messages.
func (c *Console) Name() string { return c.name }

// Device returns the virtio device below, with its queues and their counters.
func (c *Console) Device() *virtio.Device { return c.dev }

// Close stops the device. What reads or writes fails with EIO.
func (c *Console) Close() error {
	err := c.dev.Close()
	c.listening.Wait()
	for _, p := range c.ports {
		p.drain()
	}
	return err
}

// Ports returns the names of all ports. A device without names has one port,
// which is called "".
func (c *Console) Ports() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for _, p := range c.ports {
		if p.added && (p.name != "" || !c.multiport) {
			names = append(names, p.name)
		}
	}
	return names
}

// Port opens the port of that name. It returns false if there is none.
func (c *Console) Port(name string) (*Port, bool) {
	for {
		c.mu.Lock()
		for _, p := range c.ports {
			if !p.added || p.name != name || name == "" && c.multiport {
				continue
			}
			c.mu.Unlock()
			return p, p.open() == nil
		}
		changed := c.changed
		c.mu.Unlock()
		left := time.Until(c.settled.Add(settleTime))
		if !c.multiport || left <= 0 {
			return nil, false
		}
		select {
		case <-changed:
		case <-time.After(left):
		}
	}
}

// renamed wakes those who wait for a name. c.mu is held.
func (c *Console) renamed() {
	close(c.changed)
	c.changed = make(chan struct{})
}
