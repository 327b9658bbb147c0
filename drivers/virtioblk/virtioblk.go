// Package virtioblk is the driver of the virtio block device (virtio 1.2 §5.2): a
// disk. It knows nothing of what is on it.
package virtioblk

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Limits of what is used; a device may offer more.
const (
	maxQueues = 8
	queueSize = 256 // descriptors
)

// Disk is a block device. Its methods may be called from many goroutines. What they
// read and write is in whole blocks of BlockSize bytes; package fs/devfs makes a file
// of it.
type Disk struct {
	dev    *virtio.Device
	queues []*virtio.Queue
	turn   atomic.Uint32

	layout layout
	size   atomic.Int64 // bytes
	serial string

	changed func() // the size has changed
	headers sync.Pool
}

// Open brings the device to life. On error it is left stopped. failed, if not nil, is
// called once, with the reason, if the device fails later; resized, if not nil, when
// Size has another value.
func Open(t virtio.Transport, mem virtio.Memory, failed func(error), resized func()) (*Disk, error) {
	if id := t.DeviceID(); id != virtio.DeviceBlock {
		return nil, virtio.Errorf(t, "device ID", "%d, want %d, a block device", id, virtio.DeviceBlock)
	}
	d := &Disk{changed: resized}
	d.headers.New = func() any { return new(request) }
	dev, err := virtio.Init(t, mem, virtio.Driver{Features: features, Setup: d.setup, Changed: d.reconfigure, Failed: failed})
	if err != nil {
		return nil, err
	}
	d.dev = dev
	if d.serial, err = d.identify(); err != nil {
		dev.Close()
		return nil, err
	}
	return d, nil
}

func (d *Disk) setup(dev *virtio.Device) error {
	var l layout
	if err := dev.ReadConfig(func() { l = readLayout(dev) }); err != nil {
		return err
	}
	if err := l.check(dev.Transport()); err != nil {
		return err
	}
	d.layout = l
	d.size.Store(l.size())
	for i := range min(l.queues, maxQueues) {
		q, err := dev.AddQueue(i, "request "+strconv.Itoa(i), queueSize)
		if err != nil {
			return err
		}
		d.queues = append(d.queues, q)
	}
	return nil
}

// reconfigure takes up another capacity (§5.2.3). What is wrong leaves the one there was.
func (d *Disk) reconfigure(dev *virtio.Device) {
	var l layout
	if dev.ReadConfig(func() { l = readLayout(dev) }) != nil || l.capacity > maxSectors {
		return
	}
	if size := l.size(); d.size.Swap(size) != size && d.changed != nil {
		d.changed()
	}
}

// Name names the device for messages.
func (d *Disk) Name() string { return "virtio disk (" + d.dev.Name() + ")" }

// Device returns the virtio device below, with its queues and their counters.
func (d *Disk) Device() *virtio.Device { return d.dev }

// Size is how many bytes the disk has, whole blocks. It may change.
func (d *Disk) Size() int64 { return d.size.Load() }

// BlockSize is the logical block size in bytes, a power of two from 512 to 64 KiB:
// offsets and lengths are multiples of it.
func (d *Disk) BlockSize() int { return d.layout.blockSize }

// PhysicalBlockSize is how many bytes the disk best writes at once, at a multiple of
// it: a power of two times BlockSize.
func (d *Disk) PhysicalBlockSize() int { return d.layout.blockSize << d.layout.physicalExponent }

// ReadOnly tells that the disk cannot be written.
func (d *Disk) ReadOnly() bool { return d.has(featureRO) }

// Serial is the disk's name as the host gave it, up to 20 bytes; empty: it has none.
func (d *Disk) Serial() string { return d.serial }

// has reports whether a feature is in force.
func (d *Disk) has(feature uint64) bool { return d.dev.Features()&feature != 0 }

// String describes the device in a line for a boot message.
func (d *Disk) String() string {
	mode := ""
	if d.ReadOnly() {
		mode = ", read-only"
	}
	return fmt.Sprintf("%s: %d bytes in blocks of %d%s, %d queues of %d, features %#x",
		d.Name(), d.Size(), d.BlockSize(), mode, len(d.queues), d.queues[0].Size(), d.dev.Features())
}

// Close stops the device. Requests in flight fail with EIO. What was written and not
// flushed may be lost, as with any disk.
func (d *Disk) Close() error { return d.dev.Close() }
