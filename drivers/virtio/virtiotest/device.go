package virtiotest

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/yolkos/yolk/drivers/virtio"
)

// Device is a simulated device. Fields in capitals are set before it is used.
// It implements virtio.Transport; a simulated bus can put registers before it.
type Device struct {
	DeviceName   string
	ID           uint32
	Features     uint64 // offered
	QueueSizes   []int
	ConfigSpace  []byte
	SharedRanges map[uint8][2]uint64 // address, length

	// Serve handles one request of a queue. It calls c.Done, now or later, from
	// any goroutine, or never.
	Serve func(c *Chain)
	// Raised, if not nil, is called for each interrupt (a queue's number or
	// virtio.ConfigInterrupt), besides waking WaitInterrupt.
	Raised func(queue int)

	// Visible, if not nil, is how many queues there are with the features that the
	// driver has taken; the others show up with others.
	Visible func(features uint64) int

	// How it misbehaves.
	RefuseFeatures bool
	StuckStatus    bool                            // ignores resets
	Tamper         func(queue int, u *UsedElement) // changes what goes into the used ring
	OnConfigRead   func(off int)                   // may change the configuration
	OnReset        func()

	mem *Memory

	mu         sync.Mutex
	status     uint8
	accepted   uint64
	generation uint32
	queues     []*queue
	faults     []string
	closed     chan struct{}
	config     chan struct{}
	resets     int
}

// UsedElement is what a device puts into the used ring.
type UsedElement struct {
	ID, Len uint32
	Index   uint16 // the used index after it
	Skip    bool   // do not put it there at all
}

// New returns a device of the given type.
func New(mem *Memory, id uint32, features uint64, queueSizes ...int) *Device {
	d := &Device{
		DeviceName: "virtio-test 0", ID: id, Features: features | virtio.FeatureVersion1,
		QueueSizes: queueSizes, mem: mem, config: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	for i := range queueSizes {
		d.queues = append(d.queues, newQueue(d, i))
	}
	return d
}

// fault notes a broken rule of the driver.
func (d *Device) fault(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.faults) < 100 {
		d.faults = append(d.faults, fmt.Sprintf(format, args...))
	}
}

// Faults returns the rules that the driver broke.
func (d *Device) Faults() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.faults...)
}

// Resets is how often the device was reset.
func (d *Device) Resets() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.resets
}

// live reports whether the device may use its queues.
func (d *Device) live() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status&virtio.StatusDriverOK != 0
}

func (d *Device) has(feature uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.accepted&feature != 0
}

// Name implements virtio.Transport.
func (d *Device) Name() string { return d.DeviceName }

// DeviceID implements virtio.Transport.
func (d *Device) DeviceID() uint32 { return d.ID }

// Status implements virtio.Transport.
func (d *Device) Status() uint8 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status
}

// SetStatus implements virtio.Transport; 0 is a reset.
func (d *Device) SetStatus(s uint8) {
	if s == 0 {
		d.reset()
		return
	}
	d.mu.Lock()
	old := d.status
	bad := ""
	if old&^s&^virtio.StatusDeviceNeedsReset != 0 && s != virtio.StatusFailed {
		bad = "bits cleared without a reset (§2.1.1)"
	}
	if s&virtio.StatusFeaturesOK != 0 && old&virtio.StatusFeaturesOK == 0 {
		if old&virtio.StatusDriver == 0 {
			bad = "FEATURES_OK before DRIVER"
		}
		if d.accepted&^d.Features != 0 {
			bad = fmt.Sprintf("features %#x that were not offered", d.accepted&^d.Features)
			s &^= virtio.StatusFeaturesOK
		}
		if d.RefuseFeatures {
			s &^= virtio.StatusFeaturesOK
		}
	}
	if s&virtio.StatusDriverOK != 0 && s&virtio.StatusFeaturesOK == 0 {
		bad = "DRIVER_OK without FEATURES_OK"
	}
	d.status = s
	d.mu.Unlock()
	if bad != "" {
		d.fault("status %#x after %#x: %s", s, old, bad)
	}
	if s&virtio.StatusDriverOK != 0 {
		for _, q := range d.queues {
			q.kick() // buffers may lie there already
		}
	}
}

func (d *Device) reset() {
	if d.StuckStatus {
		return
	}
	for _, q := range d.queues {
		q.stop()
	}
	d.mu.Lock()
	d.status, d.accepted = 0, 0
	d.resets++
	hook := d.OnReset
	d.mu.Unlock()
	if hook != nil {
		hook()
	}
}

// Reset implements virtio.Transport.
func (d *Device) Reset() error {
	d.SetStatus(0)
	if s := d.Status(); s != 0 {
		return virtio.Errorf(d, "status", "still %#x after a reset", s)
	}
	return nil
}

// DeviceFeatures implements virtio.Transport.
func (d *Device) DeviceFeatures() uint64 { return d.Features }

// SetDriverFeatures implements virtio.Transport.
func (d *Device) SetDriverFeatures(f uint64) {
	d.mu.Lock()
	late := d.status&virtio.StatusFeaturesOK != 0
	d.accepted = f
	d.mu.Unlock()
	if late {
		d.fault("features %#x set after FEATURES_OK", f)
	}
}

// NumQueues implements virtio.Transport.
func (d *Device) NumQueues() int {
	if d.Visible == nil {
		return len(d.queues)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Visible(d.accepted)
}

// QueueMax implements virtio.Transport.
func (d *Device) QueueMax(i int) int {
	if i < 0 || i >= min(d.NumQueues(), len(d.QueueSizes)) {
		return 0
	}
	return d.QueueSizes[i]
}

// EnableQueue implements virtio.Transport.
func (d *Device) EnableQueue(i, size int, desc, driver, device uint64) error {
	if i < 0 || i >= len(d.queues) {
		return virtio.Errorf(d, "queue", "there is no queue %d", i)
	}
	if d.live() {
		d.fault("queue %d enabled after DRIVER_OK", i)
	}
	return d.queues[i].enable(size, desc, driver, device)
}

// Notify implements virtio.Transport.
func (d *Device) Notify(i int) {
	if i < 0 || i >= len(d.queues) {
		d.fault("notification for queue %d, which does not exist", i)
		return
	}
	d.queues[i].notifications.Add(1)
	d.queues[i].kick()
}

// Notifications is how many notifications a queue received.
func (d *Device) Notifications(i int) int { return int(d.queues[i].notifications.Load()) }

// Interrupts is how many interrupts a queue raised.
func (d *Device) Interrupts(i int) int { return int(d.queues[i].interrupts.Load()) }

// WaitInterrupt implements virtio.Transport.
func (d *Device) WaitInterrupt(i int) bool {
	c := d.config
	if i >= 0 && i < len(d.queues) {
		c = d.queues[i].irq
	}
	select {
	case <-c:
		return true
	case <-d.closed:
		return false
	}
}

// Interrupt raises an interrupt for a queue, or virtio.ConfigInterrupt.
func (d *Device) Interrupt(i int) {
	c := d.config
	if i >= 0 {
		c = d.queues[i].irq
	}
	select {
	case c <- struct{}{}:
	default:
	}
	if d.Raised != nil {
		d.Raised(i)
	}
}

// NeedReset has the device announce that it is in trouble.
func (d *Device) NeedReset() {
	d.mu.Lock()
	d.status |= virtio.StatusDeviceNeedsReset
	d.mu.Unlock()
	d.Interrupt(virtio.ConfigInterrupt)
}

// Close implements virtio.Transport.
func (d *Device) Close() error {
	err := d.Reset()
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.closed:
	default:
		close(d.closed)
	}
	return err
}

// ChangeConfig runs change on the configuration and counts a generation on.
func (d *Device) ChangeConfig(change func(config []byte)) {
	d.mu.Lock()
	change(d.ConfigSpace)
	d.generation++
	d.mu.Unlock()
}

// ConfigGeneration implements virtio.Transport.
func (d *Device) ConfigGeneration() uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.generation
}

// ReadConfig implements virtio.Transport.
func (d *Device) ReadConfig(off, width int) uint32 {
	if d.OnConfigRead != nil {
		d.OnConfigRead(off)
	}
	if off%width != 0 {
		d.fault("configuration read of %d bytes at %d", width, off)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off+width > len(d.ConfigSpace) {
		return 0xffffffff
	}
	switch width {
	case 1:
		return uint32(d.ConfigSpace[off])
	case 2:
		return uint32(binary.LittleEndian.Uint16(d.ConfigSpace[off:]))
	}
	return binary.LittleEndian.Uint32(d.ConfigSpace[off:])
}

// WriteConfig implements virtio.Transport.
func (d *Device) WriteConfig(off, width int, v uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range width {
		if off+i < len(d.ConfigSpace) {
			d.ConfigSpace[off+i] = byte(v >> (8 * i))
		}
	}
}

// SharedMemory implements virtio.Transport.
func (d *Device) SharedMemory(id uint8) (addr, length uint64, ok bool) {
	r, ok := d.SharedRanges[id]
	return r[0], r[1], ok
}

var _ virtio.Transport = (*Device)(nil)
