//go:build tamago

package ringlab

import (
	"errors"

	"github.com/yolkos/yolk/drivers/virtio"
	"github.com/yolkos/yolk/kernel"
)

// device is the machine's second device for random numbers: the kernel drives the
// first one.
func device() (virtio.Transport, virtio.Memory, error) {
	t, mem := kernel.TakeDevice(virtio.DeviceEntropy)
	if t == nil {
		return nil, nil, errors.New("the machine has no second virtio-rng device: start it with make run")
	}
	return t, mem, nil
}
