package pci

import (
	"fmt"
	"sync"

	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/virtio"
)

// Identifiers of virtio devices (virtio 1.2 §4.1.2).
const (
	vendorVirtio      = 0x1af4
	firstTransitional = 0x1000
	lastTransitional  = 0x103f
	modernBase        = 0x1040
	lastModern        = 0x107f
)

// transitional are the device types behind the identifiers of old
// (§4.1.2.1, table 4.1), counted from firstTransitional.
var transitional = [...]uint32{1, 2, 5, 3, 8, 4, 0, 0, 0, 9}

// Common configuration (§4.1.4.3).
const (
	commonDeviceFeatureSelect = 0x00
	commonDeviceFeature       = 0x04
	commonDriverFeatureSelect = 0x08
	commonDriverFeature       = 0x0c
	commonConfigVector        = 0x10
	commonNumQueues           = 0x12
	commonStatus              = 0x14
	commonGeneration          = 0x15
	commonQueueSelect         = 0x16
	commonQueueSize           = 0x18
	commonQueueVector         = 0x1a
	commonQueueEnable         = 0x1c
	commonQueueNotifyOff      = 0x1e
	commonQueueDesc           = 0x20
	commonQueueDriver         = 0x28
	commonQueueDevice         = 0x30
	commonSize                = 0x38

	noVector = 0xffff
)

// Interrupt status (§4.1.4.5).
const (
	isrUsed   = 1
	isrConfig = 2
)

// sharedEntry is the MSI-X entry of configuration changes, and of queues for
// which no entry of their own is left.
const sharedEntry = 0

// Virtio is the virtio transport over PCI (virtio 1.2 §4.1).
type Virtio struct {
	f    *Function
	name string
	id   uint32

	common, notify, isr, config reg.Regs
	multiplier                  uint32
	regions                     map[uint8]virtio.Range

	msix   *MSIX
	shared virtio.Interrupt // line or entry that all share but those with their own

	mu       sync.Mutex // selector registers and what they select
	used     int        // entries of the table
	queues   []queue
	changed  virtio.Wakeup
	closing  sync.Once
	closed   chan struct{}
	closeErr error
}

// maxQueues is how many queues of a device can be used.
const maxQueues = 256

// queue is what there is to know of a queue.
type queue struct {
	notifyAt int              // in the notification structure
	irq      virtio.Interrupt // its own, nil: shared
	wakeup   virtio.Wakeup
}

// IsVirtio reports whether the function is a virtio device.
func (f *Function) IsVirtio() bool {
	return f.Vendor == vendorVirtio && f.Device >= firstTransitional && f.Device <= lastModern
}

// VirtioID is the virtio device type of a function for which IsVirtio holds, 0
// if it has none.
func (f *Function) VirtioID() uint32 {
	if f.Device >= modernBase {
		return uint32(f.Device) - modernBase
	}
	if i := int(f.Device) - firstTransitional; i < len(transitional) && transitional[i] != 0 {
		return transitional[i]
	}
	return uint32(f.SubDevice)
}

// OpenVirtio makes a virtio device reachable. The device itself is left as it is.
func OpenVirtio(f *Function) (*Virtio, error) {
	t := &Virtio{f: f, name: "virtio-pci " + f.Addr.String(), id: f.VirtioID(), changed: virtio.NewWakeup(), closed: make(chan struct{})}
	if err := f.Enable(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	if err := t.open(); err != nil {
		f.Quiesce()
		return nil, err
	}
	return t, nil
}

func (t *Virtio) open() error {
	if err := t.findStructures(); err != nil {
		return err
	}
	t.findQueues()
	if err := t.openInterrupts(); err != nil {
		return fmt.Errorf("%s: interrupt: %w", t.name, err)
	}
	return nil
}

// findQueues counts the queues. With some features a device has more of them than
// without, a network device those of its further pairs; it forgets none here.
func (t *Virtio) findQueues() {
	for n := min(int(t.common.Read16(commonNumQueues)), maxQueues); len(t.queues) < n; {
		t.queues = append(t.queues, queue{wakeup: virtio.NewWakeup()})
	}
}

// openInterrupts sets up the shared interrupt: an MSI-X entry, or the line.
func (t *Virtio) openInterrupts() error {
	m, err := t.f.OpenMSIX()
	if err != nil {
		return err
	}
	if m == nil {
		if t.shared, err = t.f.line(); err != nil {
			return err
		}
		go t.dispatch(t.lineFired)
		return nil
	}
	addr, data, irq, err := t.f.bus.p.MSI()
	if err != nil {
		m.Close()
		return err
	}
	m.Set(sharedEntry, addr, data)
	t.msix, t.shared, t.used = m, irq, sharedEntry+1
	go t.dispatch(func() (used, changed bool) { return true, true })
	return nil
}

// lineFired reads, and thereby acknowledges, what happened (§4.1.4.5.1).
func (t *Virtio) lineFired() (used, changed bool) {
	s := t.isr.Read8(0)
	return s&isrUsed != 0, s&isrConfig != 0
}

// dispatch wakes those who wait for the shared interrupt, until Close.
func (t *Virtio) dispatch(what func() (used, changed bool)) {
	for t.shared.Wait() {
		used, changed := what()
		if used {
			t.mu.Lock()
			queues := t.queues
			t.mu.Unlock()
			for i := range queues {
				queues[i].wakeup.Fire()
			}
		}
		if changed {
			t.changed.Fire()
		}
	}
}

// Function returns the PCI function.
func (t *Virtio) Function() *Function { return t.f }

// Name implements virtio.Transport.
func (t *Virtio) Name() string { return t.name }

// DeviceID implements virtio.Transport.
func (t *Virtio) DeviceID() uint32 { return t.id }

// Status implements virtio.Transport.
func (t *Virtio) Status() uint8 { return t.common.Read8(commonStatus) }

// SetStatus implements virtio.Transport.
func (t *Virtio) SetStatus(s uint8) { t.common.Write8(commonStatus, s) }

// Reset implements virtio.Transport. A reset takes the vectors away (§4.1.5.1.2),
// so that of configuration changes is set again.
func (t *Virtio) Reset() error {
	if err := virtio.WaitReset(t); err != nil {
		return err
	}
	if t.msix == nil {
		return nil
	}
	t.common.Write16(commonConfigVector, sharedEntry)
	if v := t.common.Read16(commonConfigVector); v != sharedEntry {
		return virtio.Errorf(t, "config_msix_vector", "%#x after %d was written: the device has no room for it", v, sharedEntry)
	}
	return nil
}

// DeviceFeatures implements virtio.Transport.
func (t *Virtio) DeviceFeatures() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.common.Write32(commonDeviceFeatureSelect, 0)
	low := t.common.Read32(commonDeviceFeature)
	t.common.Write32(commonDeviceFeatureSelect, 1)
	return uint64(low) | uint64(t.common.Read32(commonDeviceFeature))<<32
}

// SetDriverFeatures implements virtio.Transport.
func (t *Virtio) SetDriverFeatures(f uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.common.Write32(commonDriverFeatureSelect, 0)
	t.common.Write32(commonDriverFeature, uint32(f))
	t.common.Write32(commonDriverFeatureSelect, 1)
	t.common.Write32(commonDriverFeature, uint32(f>>32))
	t.findQueues()
}

// NumQueues implements virtio.Transport.
func (t *Virtio) NumQueues() int { return len(t.queues) }

// QueueMax implements virtio.Transport.
func (t *Virtio) QueueMax(i int) int {
	if i < 0 || i >= len(t.queues) {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.common.Write16(commonQueueSelect, uint16(i))
	return min(int(t.common.Read16(commonQueueSize)), 1<<15)
}

// EnableQueue implements virtio.Transport (§4.1.5.1.3).
func (t *Virtio) EnableQueue(i, size int, desc, driver, device uint64) error {
	if i < 0 || i >= len(t.queues) {
		return virtio.Errorf(t, "queue", "there is no queue %d, only %d", i, len(t.queues))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c, q := t.common, &t.queues[i]
	c.Write16(commonQueueSelect, uint16(i))
	if n := int(c.Read16(commonQueueSize)); n < size {
		return virtio.Errorf(t, "queue_size", "queue %d takes %d descriptors at most, not %d", i, n, size)
	}
	if c.Read16(commonQueueEnable) != 0 {
		return virtio.Errorf(t, "queue_enable", "queue %d is in use already", i)
	}
	// Every queue has a place of its own for notifications (§4.1.4.4).
	off := uint64(c.Read16(commonQueueNotifyOff)) * uint64(t.multiplier)
	if off+2 > uint64(t.notify.Size()) {
		return virtio.Errorf(t, "queue_notify_off", "%d times %d of queue %d leaves the notification structure of %d bytes",
			c.Read16(commonQueueNotifyOff), t.multiplier, i, t.notify.Size())
	}
	q.notifyAt = int(off)
	c.Write16(commonQueueSize, uint16(size))
	if t.msix != nil {
		entry := t.vector(q)
		c.Write16(commonQueueVector, uint16(entry))
		if v := c.Read16(commonQueueVector); v != uint16(entry) {
			return virtio.Errorf(t, "queue_msix_vector", "%#x of queue %d after %d was written: the device has no room for it", v, i, entry)
		}
	}
	t.write64(commonQueueDesc, desc)
	t.write64(commonQueueDriver, driver)
	t.write64(commonQueueDevice, device)
	c.Write16(commonQueueEnable, 1)
	if c.Read16(commonQueueEnable) != 1 {
		return virtio.Errorf(t, "queue_enable", "the device does not enable queue %d", i)
	}
	return nil
}

// vector gives a queue an MSI-X entry of its own, or else the shared one. t.mu
// is held.
func (t *Virtio) vector(q *queue) (entry int) {
	if q.irq != nil || t.used >= t.msix.Len() {
		return sharedEntry
	}
	addr, data, irq, err := t.f.bus.p.MSI()
	if err != nil {
		return sharedEntry // there are no more; sharing works, too
	}
	entry = t.used
	t.used++
	t.msix.Set(entry, addr, data)
	q.irq = irq
	return entry
}

func (t *Virtio) write64(off int, v uint64) {
	t.common.Write32(off, uint32(v))
	t.common.Write32(off+4, uint32(v>>32))
}

// Notify implements virtio.Transport (§4.1.5.2).
func (t *Virtio) Notify(i int) {
	if i >= 0 && i < len(t.queues) {
		t.notify.Write16(t.queues[i].notifyAt, uint16(i))
	}
}

// WaitInterrupt implements virtio.Transport.
func (t *Virtio) WaitInterrupt(i int) bool {
	if i < 0 || i >= len(t.queues) {
		return t.changed.Wait(t.closed)
	}
	q := &t.queues[i]
	if q.irq != nil {
		return q.irq.Wait()
	}
	return q.wakeup.Wait(t.closed)
}

// Close implements virtio.Transport. If the device does not reset itself, it is
// at least cut off from memory. Otherwise the command register stays as it is,
// because QEMU's memory map should not change while several CPUs run.
func (t *Virtio) Close() error {
	t.closing.Do(func() {
		if t.closeErr = virtio.WaitReset(t); t.closeErr != nil {
			t.f.Quiesce()
			if t.f.Read16(regCommand)&commandMaster == 0 {
				t.closeErr = nil
			}
		}
		if t.msix != nil {
			t.msix.Close()
		}
		close(t.closed)
		t.shared.Close()
		for i := range t.queues {
			if irq := t.queues[i].irq; irq != nil {
				irq.Close()
			}
		}
	})
	return t.closeErr
}

// ConfigGeneration implements virtio.Transport.
func (t *Virtio) ConfigGeneration() uint32 { return uint32(t.common.Read8(commonGeneration)) }

// ReadConfig implements virtio.Transport. Without a configuration structure, or
// beyond its end, all ones are read.
func (t *Virtio) ReadConfig(off, width int) uint32 {
	switch width {
	case 1:
		return uint32(t.config.Read8(off))
	case 2:
		return uint32(t.config.Read16(off))
	}
	return t.config.Read32(off)
}

// WriteConfig implements virtio.Transport.
func (t *Virtio) WriteConfig(off, width int, v uint32) {
	switch width {
	case 1:
		t.config.Write8(off, uint8(v))
	case 2:
		t.config.Write16(off, uint16(v))
	default:
		t.config.Write32(off, v)
	}
}

// SharedMemory implements virtio.Transport.
func (t *Virtio) SharedMemory(id uint8) (addr, length uint64, ok bool) {
	r, ok := t.regions[id]
	return r.Start, r.End - r.Start, ok
}

var _ virtio.Transport = (*Virtio)(nil)
