// Package virtionet is the driver of the virtio network device (virtio 1.2 §5.1):
// Ethernet frames between the device's queues and a network stack (package nic).
package virtionet

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
)

// Limits of what is used; a device may offer more.
const (
	maxPairs    = 8
	queueSize   = 256 // descriptors
	controlSize = 16
	defaultMTU  = 1500
	mostPairs   = 0x8000 // that a device may have (§5.1.4.1)
)

// Net is a network device. It implements nic.Device.
type Net struct {
	dev     *virtio.Device
	mem     virtio.Memory
	name    string
	address nic.Address
	mtu     int
	offered int // queue pairs
	pairs   int // in use
	rx      []*receiver
	tx      []*transmitter
	control *control // nil: there is none

	stack   nic.Stack // once started
	started sync.Once
	events  sync.WaitGroup
	changed chan struct{} // the configuration has, or the device has failed
	closing chan struct{}
	once    sync.Once // of Close
	up      atomic.Bool
	failed  func(error)
}

// Open brings the device to life. On error it is left stopped. Failed, if not nil, is
// called once, with the reason, if the device fails later.
func Open(t virtio.Transport, mem virtio.Memory, failed func(error)) (*Net, error) {
	if id := t.DeviceID(); id != virtio.DeviceNet {
		return nil, virtio.Errorf(t, "device ID", "%d, want %d, a network device", id, virtio.DeviceNet)
	}
	n := &Net{mem: mem, failed: failed, changed: make(chan struct{}, 1), closing: make(chan struct{})}
	dev, err := virtio.Init(t, mem, virtio.Driver{
		Features: features, Choose: choose, Setup: n.setup,
		Changed: func(*virtio.Device) { n.look() }, Failed: n.fail,
	})
	if err != nil {
		n.freeMemory()
		return nil, err
	}
	n.dev = dev
	n.up.Store(n.linkUp())
	if n.pairs > 1 {
		// Until it is told, the device uses the first pair (§5.1.6.5.5).
		if err := n.control.setPairs(n.pairs); err != nil {
			n.pairs = 1
		}
	}
	return n, nil
}

// setup reads the configuration and sets up the queues.
func (n *Net) setup(d *virtio.Device) error {
	if err := n.readConfig(d); err != nil {
		return err
	}
	n.name = "virtionet " + n.address.String() + " (" + d.Name() + ")"
	n.pairs = min(n.offered, maxPairs, runtime.NumCPU())
	for i := range n.pairs {
		r, err := newReceiver(n, d, i)
		if err != nil {
			return err
		}
		n.rx = append(n.rx, r)
		t, err := newTransmitter(n, d, i)
		if err != nil {
			return err
		}
		n.tx = append(n.tx, t)
	}
	if d.Features()&featureCtrlVQ == 0 {
		return nil
	}
	// It is the last one of those that the device has, used or not (§5.1.2).
	q, err := d.AddQueue(2*n.offered, "control", controlSize)
	n.control = &control{q: q}
	return err
}

// readConfig reads the device configuration (§5.1.4).
func (n *Net) readConfig(d *virtio.Device) error {
	has := func(f uint64) bool { return d.Features()&f != 0 }
	var pairs, mtu uint16
	err := d.ReadConfig(func() {
		if has(featureMAC) {
			for i := range n.address {
				n.address[i] = d.Config8(configMAC + i)
			}
		}
		if has(featureMQ) {
			pairs = d.Config16(configMaxPairs)
		}
		if has(featureMTU) {
			mtu = d.Config16(configMTU)
		}
	})
	if err != nil {
		return err
	}
	if !has(featureMAC) {
		n.address = randomAddress()
	}
	if n.address.Multicast() || n.address == (nic.Address{}) {
		return virtio.Errorf(d.Transport(), "mac", "%v is not the address of a device", n.address)
	}
	n.offered = 1
	if has(featureMQ) {
		if pairs < 1 || pairs > mostPairs {
			return virtio.Errorf(d.Transport(), "max_virtqueue_pairs", "%d, want 1 to %d", pairs, mostPairs)
		}
		n.offered = int(pairs)
	}
	n.mtu = defaultMTU
	if has(featureMTU) {
		if mtu < nic.MinMTU {
			return virtio.Errorf(d.Transport(), "mtu", "%d bytes, want at least %d", mtu, nic.MinMTU)
		}
		n.mtu = int(mtu)
	}
	return nil
}

// randomAddress is an address for a device that has none (§5.1.5): administered
// locally, of one device.
func randomAddress() (a nic.Address) {
	for i := range a {
		a[i] = byte(rand.Uint32())
	}
	a[0] = a[0]&^1 | 2
	return a
}

// Name implements nic.Device: "virtionet 52:54:00:12:34:56 (virtio-pci 00:02.0)".
func (n *Net) Name() string { return n.name }

// Address implements nic.Device.
func (n *Net) Address() nic.Address { return n.address }

// MTU implements nic.Device.
func (n *Net) MTU() int { return n.mtu }

// Queues implements nic.Device.
func (n *Net) Queues() int { return n.pairs }

// Link implements nic.Device.
func (n *Net) Link() bool { return n.up.Load() && n.dev.Err() == nil }

// Device returns the virtio device below, with its queues and their counters.
func (n *Net) Device() *virtio.Device { return n.dev }

// String describes the device in a line for a boot message.
func (n *Net) String() string {
	return fmt.Sprintf("%s: MTU %d, %s of %d, features %#x", n.name, n.mtu,
		plural(n.pairs, "queue pair"), n.rx[0].q.Size(), n.dev.Features())
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// Start implements nic.Device.
func (n *Net) Start(s nic.Stack) error {
	err := fmt.Errorf("%s: was started already", n.name)
	n.started.Do(func() {
		if err = n.dev.Err(); err != nil {
			return
		}
		n.stack = s
		for _, r := range n.rx[:n.pairs] {
			r.start(s)
		}
		n.events.Add(1)
		go n.watch()
	})
	return err
}

// Send implements nic.Device.
func (n *Net) Send(queue int, frames []nic.Frame) (int, error) {
	return n.tx[uint(queue)%uint(n.pairs)].send(frames)
}

// Room implements nic.Device.
func (n *Net) Room(queue int) <-chan struct{} { return n.tx[uint(queue)%uint(n.pairs)].room }

// Stats implements nic.Device.
func (n *Net) Stats() (s nic.Stats) {
	for _, r := range n.rx {
		r.count(&s)
	}
	for _, t := range n.tx {
		t.count(&s)
	}
	return s
}

// fail passes on why the device has failed.
func (n *Net) fail(err error) {
	n.look() // the link is down
	if n.failed != nil {
		n.failed(err)
	}
}

// Close implements nic.Device. The stack must not call it out of a call of its own.
func (n *Net) Close() error {
	var err error
	n.once.Do(func() {
		close(n.closing)
		err = n.dev.Close() // which gives back all buffers and frames
		n.events.Wait()
		if n.control != nil {
			n.control.late.Wait()
		}
		for _, t := range n.tx {
			t.end()
		}
		n.freeMemory()
	})
	return err
}

func (n *Net) freeMemory() {
	for _, t := range n.tx {
		t.freeMemory()
	}
}

var _ nic.Device = (*Net)(nil)
