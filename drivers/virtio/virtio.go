// Package virtio is the device-independent part of virtio 1.2: device
// initialisation, feature negotiation and virtqueues. The bus below it is a
// Transport, the memory that a device sees a Memory; both have a simulated
// counterpart, so that drivers are tested on any host.
package virtio

// Transport is how a driver reaches one virtio device (virtio 1.2 §4). Only
// modern devices (VIRTIO_F_VERSION_1) are supported.
type Transport interface {
	// Name names the device for messages: "virtio-pci 00:02.0",
	// "virtio-mmio feb00e00".
	Name() string
	// DeviceID is the virtio device type (§5): 26 is a file system.
	DeviceID() uint32

	Status() uint8
	SetStatus(s uint8)
	// Reset writes 0 to the status and waits until the device reads back 0.
	Reset() error

	DeviceFeatures() uint64
	SetDriverFeatures(f uint64)

	// NumQueues is the number of queues that the device has, 0 if the
	// transport cannot tell.
	NumQueues() int
	// QueueMax is the largest size of queue i in descriptors, 0 if there is
	// no such queue.
	QueueMax(i int) int
	// EnableQueue tells the device where queue i lies (physical addresses) and
	// enables it. Its interrupts go to WaitInterrupt(i).
	EnableQueue(i, size int, desc, driver, device uint64) error
	// Notify tells the device that queue i has new buffers.
	Notify(i int)

	// WaitInterrupt parks the calling goroutine until the device has raised an
	// interrupt for queue i (or ConfigInterrupt) since the last call, or Close.
	// It may return spuriously. It returns false after Close.
	WaitInterrupt(i int) bool
	// Close stops the device (reset) and ends every WaitInterrupt. Once it has
	// returned nil the device no longer touches memory. It may be called again.
	Close() error

	// ConfigGeneration changes whenever the configuration does (§2.5).
	ConfigGeneration() uint32
	// ReadConfig reads the device configuration at byte offset off with an
	// access of 1, 2 or 4 bytes width.
	ReadConfig(off int, width int) uint32
	// WriteConfig writes it.
	WriteConfig(off int, width int, v uint32)

	// SharedMemory returns the shared memory region id (§2.10).
	SharedMemory(id uint8) (addr, length uint64, ok bool)
}

// Memory is memory that a device can reach.
type Memory interface {
	// Alloc returns size zeroed bytes, physically contiguous, whose physical
	// address is a multiple of align (a power of two), or an error that wraps
	// ErrNoMemory. The memory never moves.
	Alloc(size, align int) ([]byte, error)
	// Free gives back what Alloc returned, from its first byte.
	Free(b []byte)
	// Phys returns the physical address of b[0], and how many bytes of b, which may
	// be any heap or Alloc memory, follow it there, reachable by devices and not
	// moving: all of Alloc memory, 0 if b[0] is not reachable or b is empty.
	Phys(b []byte) (addr uint64, n int)
}
