// Package virtiorng is the driver of the virtio entropy device (virtio 1.2 §5.4):
// random bytes from the host.
package virtiorng

import "github.com/yolkos/yolk/drivers/virtio"

// The one queue (§5.4.2): each buffer in it is filled by the device.
const (
	queueRequest = 0
	queueSize    = 8
)

// RNG is an entropy device. It implements io.Reader.
type RNG struct {
	dev     *virtio.Device
	request *virtio.Queue
}

// Open brings the device to life. On error it is left stopped. failed, if not nil,
// is called once, with the reason, if the device fails later.
func Open(t virtio.Transport, mem virtio.Memory, failed func(error)) (*RNG, error) {
	if id := t.DeviceID(); id != virtio.DeviceEntropy {
		return nil, virtio.Errorf(t, "device ID", "%d, want %d, an entropy device", id, virtio.DeviceEntropy)
	}
	r := &RNG{}
	dev, err := virtio.Init(t, mem, virtio.Driver{Setup: r.setup, Failed: failed})
	if err != nil {
		return nil, err
	}
	r.dev = dev
	return r, nil
}

func (r *RNG) setup(d *virtio.Device) (err error) {
	r.request, err = d.AddQueue(queueRequest, "request", queueSize)
	return err
}

// Name names the device for messages.
func (r *RNG) Name() string { return "virtio rng (" + r.dev.Name() + ")" }

// Device returns the device below.
func (r *RNG) Device() *virtio.Device { return r.dev }

// Read waits until the device has some bytes, which may take as long as it likes,
// and returns how many it has put into p: one at least (§5.4.6.2).
func (r *RNG) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if n, err = r.request.Do(nil, [][]byte{p}); err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, virtio.Errorf(r.dev.Transport(), "used length", "0 bytes of a request for %d random ones, want at least 1", len(p))
	}
	return n, nil
}

// Close stops the device. What reads fails with EIO.
func (r *RNG) Close() error { return r.dev.Close() }
