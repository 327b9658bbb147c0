//go:build tamago

package trace

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/kernel/trace/ring"
	"github.com/yolkos/yolk/kernel/trace/wire"
)

// transport stands between a virtio device and its driver.
type transport struct {
	virtio.Transport
	id     uint64
	single bool // the device has one interrupt, which is traced itself
}

// interrupt is the only one of a device. All who wait for a queue of it are woken by it.
type interrupt struct {
	virtio.Interrupt
	device atomic.Uint64 // one more than its id; 0: it has none yet
}

// devices are the names of the devices, by their ids.
var devices struct {
	sync.Mutex
	names  []string
	opened *interrupt // of the device that is next
}

func newInterrupt(i virtio.Interrupt) *interrupt {
	devices.Lock()
	defer devices.Unlock()
	devices.opened = &interrupt{Interrupt: i}
	return devices.opened
}

// newTransport returns what stands for t. One that is opened again stays the same device.
func newTransport(t virtio.Transport) *transport {
	devices.Lock()
	defer devices.Unlock()
	name := deviceName(t.DeviceID()) + " (" + t.Name() + ")"
	id := slices.Index(devices.names, name)
	if id < 0 {
		id = len(devices.names)
		devices.names = append(devices.names, name)
	}
	x := &transport{t, uint64(id), devices.opened != nil}
	if x.single {
		devices.opened.device.Store(x.id + 1)
		devices.opened = nil
	}
	tr.names[wire.DeviceNames].want(uint16(id))
	return x
}

// nameOfDevice is the name of a device that has an id.
func nameOfDevice(id int) string {
	devices.Lock()
	defer devices.Unlock()
	if id >= len(devices.names) {
		return "?"
	}
	return devices.names[id]
}

// deviceName names a type of devices (virtio 1.2 §5).
func deviceName(id uint32) string {
	switch id {
	case 1:
		return "network"
	case 2:
		return "disk"
	case 3:
		return "console"
	case 4:
		return "random"
	case 26:
		return "virtiofs"
	}
	return "device"
}

// Notify implements virtio.Transport.
func (t *transport) Notify(i int) {
	if !tr.has(wire.Notify) || sender.is(t.id, i) {
		t.Transport.Notify(i)
		return
	}
	ring.Note(wire.Word(wire.Notify, 0, uint16(i), 0), t.id, uint64(i), 0)
	t.Transport.Notify(i)
	ring.Note(wire.Word(wire.Notify, wire.End, uint16(i), 0), t.id, uint64(i), 0)
}

// WaitInterrupt implements virtio.Transport.
func (t *transport) WaitInterrupt(i int) bool {
	ok := t.Transport.WaitInterrupt(i)
	if ok && !t.single && tr.has(wire.Interrupt) && !sender.has(t.id, i) {
		noteInterrupt(t.id, i)
	}
	return ok
}

// Wait implements virtio.Interrupt.
func (i *interrupt) Wait() bool {
	ok := i.Interrupt.Wait()
	if d := i.device.Load(); ok && d != 0 && tr.has(wire.Interrupt) {
		noteInterrupt(d-1, wire.AnyQueue)
	}
	return ok
}

// noteInterrupt notes an interrupt of a queue, virtio.ConfigInterrupt, or wire.AnyQueue.
func noteInterrupt(device uint64, queue int) {
	ring.Note(wire.Word(wire.Interrupt, wire.Single, 0, 0), device, uint64(int64(queue)), 0)
}

// is reports whether the running goroutine is the sender, and notes which queue it uses.
// What it does is no event: each would bring about more.
func (s *sending) is(device uint64, queue int) bool {
	if s.g == 0 {
		return false
	}
	if ring.Goroutine() != s.g {
		return false
	}
	s.own.Store(ownQueue(device, queue))
	return true
}

// has reports whether the queue is the one by which the sender sends.
func (s *sending) has(device uint64, queue int) bool { return s.own.Load() == ownQueue(device, queue) }

// ownQueue makes one number of a device and a queue, never 0.
func ownQueue(device uint64, queue int) uint64 { return device<<32 | uint64(uint32(queue)) + 1 }
