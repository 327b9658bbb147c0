// Package mmio finds virtio devices behind memory-mapped registers and drives
// that transport (virtio 1.2 §4.2). Only the modern interface, version 2, is
// supported.
package mmio

import (
	"fmt"
	"sync"

	"github.com/yolkos/yolk/arch/amd64/reg"
	"github.com/yolkos/yolk/drivers/virtio"
)

// Registers (§4.2.2, table 4.1).
const (
	regMagic             = 0x000
	regVersion           = 0x004
	regDeviceID          = 0x008
	regVendorID          = 0x00c
	regDeviceFeatures    = 0x010
	regDeviceFeaturesSel = 0x014
	regDriverFeatures    = 0x020
	regDriverFeaturesSel = 0x024
	regQueueSel          = 0x030
	regQueueNumMax       = 0x034
	regQueueNum          = 0x038
	regQueueReady        = 0x044
	regQueueNotify       = 0x050
	regInterruptStatus   = 0x060
	regInterruptAck      = 0x064
	regStatus            = 0x070
	regQueueDesc         = 0x080
	regQueueDriver       = 0x090
	regQueueDevice       = 0x0a0
	regSHMSel            = 0x0ac
	regSHMLen            = 0x0b0
	regSHMBase           = 0x0b8
	regConfigGeneration  = 0x0fc
	regConfig            = 0x100

	magic = 0x74726976 // "virt"
)

// Interrupt status bits.
const (
	intUsed   = 1
	intConfig = 2
)

// Transport is a virtio.Transport.
type Transport struct {
	name string
	regs reg.Regs
	id   uint32
	irq  virtio.Interrupt

	mu     sync.Mutex // selector registers and what they select
	queues []virtio.Wakeup
	config virtio.Wakeup
	close  sync.Once
	closed chan struct{}
	err    error
}

// Open looks at the transport whose registers lie at physical address base. It
// returns nil and no error if there is no device behind it (§4.2.2.2: device
// ID 0). Only for a device is line called, which claims the interrupt.
func Open(base uint64, regs reg.Regs, line func() (virtio.Interrupt, error)) (*Transport, error) {
	t := &Transport{name: fmt.Sprintf("virtio-mmio %x", base), regs: regs, closed: make(chan struct{})}
	if m := regs.Read32(regMagic); m != magic {
		return nil, virtio.Errorf(t, "magic", "%#x, want %#x: there is no virtio-mmio transport at this address", m, magic)
	}
	version := regs.Read32(regVersion)
	t.id = regs.Read32(regDeviceID)
	if t.id == 0 {
		return nil, nil
	}
	if version == 1 {
		return nil, virtio.Errorf(t, "version", "1 is the legacy interface; start QEMU with -global virtio-mmio.force-legacy=false")
	}
	if version != 2 {
		return nil, virtio.Errorf(t, "version", "%d, want 2", version)
	}
	t.findQueues()
	t.config = virtio.NewWakeup()
	irq, err := line()
	if err != nil {
		return nil, fmt.Errorf("%s: interrupt: %w", t.name, err)
	}
	t.irq = irq
	go t.dispatch()
	return t, nil
}

// maxQueues is how many queues are looked for.
const maxQueues = 256

// findQueues looks for queues behind those that are known. With some features a device
// has more of them than without, a network device those of its further pairs.
func (t *Transport) findQueues() {
	for len(t.queues) < maxQueues && t.QueueMax(len(t.queues)) != 0 {
		t.mu.Lock()
		t.queues = append(t.queues, virtio.NewWakeup())
		t.mu.Unlock()
	}
}

// dispatch wakes those who wait, until Close. All queues share one line and one
// status bit, so each of them is told.
func (t *Transport) dispatch() {
	for t.irq.Wait() {
		// The line may be edge-triggered and rises only from 0, so what came
		// in between reading and acknowledging must be seen here.
		for {
			s := t.regs.Read32(regInterruptStatus) & (intUsed | intConfig)
			if s == 0 || t.isClosed() {
				break
			}
			t.regs.Write32(regInterruptAck, s)
			if s&intUsed != 0 {
				t.mu.Lock()
				queues := t.queues
				t.mu.Unlock()
				for _, q := range queues {
					q.Fire()
				}
			}
			if s&intConfig != 0 {
				t.config.Fire()
			}
		}
	}
}

func (t *Transport) isClosed() bool {
	select {
	case <-t.closed:
		return true
	default:
		return false
	}
}

// Name implements virtio.Transport.
func (t *Transport) Name() string { return t.name }

// DeviceID implements virtio.Transport.
func (t *Transport) DeviceID() uint32 { return t.id }

// Status implements virtio.Transport.
func (t *Transport) Status() uint8 { return uint8(t.regs.Read32(regStatus)) }

// SetStatus implements virtio.Transport.
func (t *Transport) SetStatus(s uint8) { t.regs.Write32(regStatus, uint32(s)) }

// Reset implements virtio.Transport.
func (t *Transport) Reset() error {
	return virtio.WaitReset(t)
}

// DeviceFeatures implements virtio.Transport.
func (t *Transport) DeviceFeatures() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.regs.Write32(regDeviceFeaturesSel, 0)
	low := t.regs.Read32(regDeviceFeatures)
	t.regs.Write32(regDeviceFeaturesSel, 1)
	return uint64(low) | uint64(t.regs.Read32(regDeviceFeatures))<<32
}

// SetDriverFeatures implements virtio.Transport.
func (t *Transport) SetDriverFeatures(f uint64) {
	t.mu.Lock()
	t.regs.Write32(regDriverFeaturesSel, 0)
	t.regs.Write32(regDriverFeatures, uint32(f))
	t.regs.Write32(regDriverFeaturesSel, 1)
	t.regs.Write32(regDriverFeatures, uint32(f>>32))
	t.mu.Unlock()
	t.findQueues()
}

// NumQueues implements virtio.Transport.
func (t *Transport) NumQueues() int { return len(t.queues) }

// QueueMax implements virtio.Transport.
func (t *Transport) QueueMax(i int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.regs.Write32(regQueueSel, uint32(i))
	n := t.regs.Read32(regQueueNumMax)
	if n > 1<<15 {
		return 1 << 15 // the most that a queue can have (§2.7)
	}
	return int(n)
}

// EnableQueue implements virtio.Transport (§4.2.3.2).
func (t *Transport) EnableQueue(i, size int, desc, driver, device uint64) error {
	if i < 0 || i >= len(t.queues) {
		return virtio.Errorf(t, "queue", "there is no queue %d, only %d", i, len(t.queues))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.regs.Write32(regQueueSel, uint32(i))
	if t.regs.Read32(regQueueReady) != 0 {
		return virtio.Errorf(t, "QueueReady", "queue %d is in use already", i)
	}
	if n := t.regs.Read32(regQueueNumMax); uint64(n) < uint64(size) {
		return virtio.Errorf(t, "QueueNumMax", "queue %d takes %d descriptors at most, not %d", i, n, size)
	}
	t.regs.Write32(regQueueNum, uint32(size))
	t.write64(regQueueDesc, desc)
	t.write64(regQueueDriver, driver)
	t.write64(regQueueDevice, device)
	t.regs.Write32(regQueueReady, 1)
	if t.regs.Read32(regQueueReady) != 1 {
		return virtio.Errorf(t, "QueueReady", "the device does not enable queue %d", i)
	}
	return nil
}

func (t *Transport) write64(off int, v uint64) {
	t.regs.Write32(off, uint32(v))
	t.regs.Write32(off+4, uint32(v>>32))
}

// Notify implements virtio.Transport.
func (t *Transport) Notify(i int) { t.regs.Write32(regQueueNotify, uint32(i)) }

// WaitInterrupt implements virtio.Transport.
func (t *Transport) WaitInterrupt(i int) bool {
	if i >= 0 && i < len(t.queues) {
		return t.queues[i].Wait(t.closed)
	}
	return t.config.Wait(t.closed)
}

// Close implements virtio.Transport.
func (t *Transport) Close() error {
	t.close.Do(func() {
		t.err = t.Reset()
		close(t.closed)
		t.irq.Close()
	})
	return t.err
}

// ConfigGeneration implements virtio.Transport.
func (t *Transport) ConfigGeneration() uint32 { return t.regs.Read32(regConfigGeneration) }

// ReadConfig implements virtio.Transport.
func (t *Transport) ReadConfig(off, width int) uint32 {
	switch width {
	case 1:
		return uint32(t.regs.Read8(regConfig + off))
	case 2:
		return uint32(t.regs.Read16(regConfig + off))
	}
	return t.regs.Read32(regConfig + off)
}

// WriteConfig implements virtio.Transport.
func (t *Transport) WriteConfig(off, width int, v uint32) {
	switch width {
	case 1:
		t.regs.Write8(regConfig+off, uint8(v))
	case 2:
		t.regs.Write16(regConfig+off, uint16(v))
	default:
		t.regs.Write32(regConfig+off, v)
	}
}

// SharedMemory implements virtio.Transport (§4.2.2: a length of all ones means
// that there is no such region).
func (t *Transport) SharedMemory(id uint8) (addr, length uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.regs.Write32(regSHMSel, uint32(id))
	length = uint64(t.regs.Read32(regSHMLen)) | uint64(t.regs.Read32(regSHMLen+4))<<32
	addr = uint64(t.regs.Read32(regSHMBase)) | uint64(t.regs.Read32(regSHMBase+4))<<32
	if length == ^uint64(0) || length == 0 || addr+length < addr {
		return 0, 0, false
	}
	return addr, length, true
}

var _ virtio.Transport = (*Transport)(nil)
