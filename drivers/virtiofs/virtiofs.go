// Package virtiofs is the driver of the virtio file system device (virtio 1.2
// §5.11). It carries FUSE messages and knows nothing of their content.
package virtiofs

import (
	"bytes"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Device configuration (§5.11.4).
const (
	configTag    = 0
	tagSize      = 36
	configQueues = 36
)

// Queues (§5.11.2). The notification queue, which would be number 1, is not
// negotiated.
const (
	queueHighPriority = 0
	queueRequest      = 1
)

// Limits of what is used; a device may offer more. A request queue is long
// enough for 1 MiB in scattered pages.
const (
	maxQueues        = 8
	requestQueueSize = 1024 // descriptors
	highQueueSize    = 64
)

// FS is a file system device. It implements fuse.Transport and fuse.Starter.
type FS struct {
	dev      *virtio.Device
	name     string
	tag      string
	offered  uint32
	high     *virtio.Queue
	requests []*virtio.Queue
	turn     atomic.Uint32
}

// Open brings the device to life. On error it is left stopped.
func Open(t virtio.Transport, mem virtio.Memory) (*FS, error) {
	return OpenFunc(t, mem, nil)
}

// OpenFunc is Open with a function that is called once, with the reason, if the
// device fails later.
func OpenFunc(t virtio.Transport, mem virtio.Memory, failed func(error)) (*FS, error) {
	if id := t.DeviceID(); id != virtio.DeviceFileSystem {
		return nil, virtio.Errorf(t, "device ID", "%d, want %d, a file system", id, virtio.DeviceFileSystem)
	}
	f := &FS{}
	dev, err := virtio.Init(t, mem, virtio.Driver{Setup: f.setup, Failed: failed})
	if err != nil {
		return nil, err
	}
	f.dev = dev
	return f, nil
}

func (f *FS) setup(d *virtio.Device) error {
	var raw [tagSize]byte
	err := d.ReadConfig(func() {
		for i := range raw {
			raw[i] = d.Config8(configTag + i)
		}
		f.offered = d.Config32(configQueues)
	})
	if err != nil {
		return err
	}
	if f.tag, err = parseTag(d.Transport(), raw[:]); err != nil {
		return err
	}
	f.name = "virtiofs " + f.tag + " (" + d.Name() + ")"
	if f.offered == 0 {
		return virtio.Errorf(d.Transport(), "num_request_queues", "0, want at least 1 (file system %q)", f.tag)
	}
	if f.high, err = d.AddQueue(queueHighPriority, "high priority", highQueueSize); err != nil {
		return err
	}
	for i := range min(int(f.offered), maxQueues) {
		q, err := d.AddQueue(queueRequest+i, "request "+strconv.Itoa(i), requestQueueSize)
		if err != nil {
			return err
		}
		f.requests = append(f.requests, q)
	}
	return nil
}

// parseTag takes the tag out of its field: UTF-8, padded with NUL bytes if it is
// shorter, not terminated if it fills the field.
func parseTag(t virtio.Transport, raw []byte) (string, error) {
	tag, rest, _ := bytes.Cut(raw, []byte{0})
	if len(tag) == 0 {
		return "", virtio.Errorf(t, "tag", "empty")
	}
	if len(bytes.TrimRight(rest, "\x00")) > 0 {
		return "", virtio.Errorf(t, "tag", "%q goes on after its end: cut off, or longer than %d bytes", raw, tagSize)
	}
	if !utf8.Valid(tag) {
		return "", virtio.Errorf(t, "tag", "%q is not UTF-8, or longer than %d bytes", tag, tagSize)
	}
	for _, r := range string(tag) {
		if !strconv.IsPrint(r) {
			return "", virtio.Errorf(t, "tag", "%q has the unprintable character %q", tag, r)
		}
	}
	return string(tag), nil
}

// Name implements fuse.Transport: "virtiofs root (virtio-pci 00:02.0)".
func (f *FS) Name() string { return f.name }

// Tag is the name that the host gave to the file system.
func (f *FS) Tag() string { return f.tag }

// RoundTrip implements fuse.Transport.
func (f *FS) RoundTrip(in, out [][]byte) (n int, err error) {
	return f.queue().Do(in, out)
}

// Start implements fuse.Starter.
func (f *FS) Start(in, out [][]byte) (fuse.Pending, error) {
	r, err := f.queue().Start(in, out)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Defer implements fuse.Starter.
func (f *FS) Defer(in, out [][]byte) (fuse.Pending, error) {
	r, err := f.queue().Defer(in, out)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Flush implements fuse.Starter.
func (f *FS) Flush() {
	for _, q := range f.requests {
		q.Flush()
	}
}

// Depth implements fuse.Starter: there are as many requests as descriptors, and
// half of them are for those who wait.
func (f *FS) Depth() int { return f.requests[0].Size() / 2 }

// queue spreads requests over the request queues.
func (f *FS) queue() *virtio.Queue {
	if len(f.requests) == 1 {
		return f.requests[0]
	}
	return f.requests[f.turn.Add(1)%uint32(len(f.requests))]
}

// Send implements fuse.Transport, over the high-priority queue.
func (f *FS) Send(in [][]byte) error { return f.high.Post(in) }

// drainTime is how long Drain waits at most, for a server that hangs. One that works may need
// seconds: to forget a large file that was removed is to free its space.
const drainTime = time.Minute

// Drain implements fuse.Drainer: it waits until the device has used what was
// posted, or serves no more. It asks for no interrupts, for it is called seldom.
func (f *FS) Drain() {
	s := f.high.Stats()
	for start := time.Now(); time.Since(start) < drainTime && f.dev.Err() == nil; time.Sleep(100 * time.Microsecond) {
		f.high.Poll()
		now := f.high.Stats()
		if now.Requests-uint64(now.InFlight) >= s.Requests {
			return
		}
	}
}

// Device returns the virtio device below, with its queues and their counters.
func (f *FS) Device() *virtio.Device { return f.dev }

// MaxParts is how many parts a request can have, both directions together,
// before some of them have to be copied.
func (f *FS) MaxParts() int { return f.requests[0].Size() }

// Window returns the shared memory into which the device maps files (DAX,
// §5.11.6.2), as a range of physical memory.
func (f *FS) Window() (addr, length uint64, ok bool) {
	return f.dev.Transport().SharedMemory(0)
}

// String describes the device in a line for a boot message.
func (f *FS) String() string {
	return fmt.Sprintf("%s: %d request queues of %d (%d offered), features %#x",
		f.name, len(f.requests), f.requests[0].Size(), f.offered, f.dev.Features())
}

// ServerEnded stops the device, whose server is gone: it would keep what is in
// its queues for ever. Requests in flight and later ones fail with
// fuse.ErrServerEnded. How says how the server ended.
func (f *FS) ServerEnded(how string) {
	f.dev.Abort(fmt.Errorf("%s: %w (%s)", f.name, fuse.ErrServerEnded, how))
}

// Close stops the device. Requests in flight fail with EIO.
func (f *FS) Close() error { return f.dev.Close() }
