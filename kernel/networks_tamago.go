//go:build tamago

package kernel

import (
	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
)

// Network is the driver of a network device, as far as the kernel knows it.
type Network interface {
	String() string         // a line for the log
	Device() *virtio.Device // with its queues and their counters
	Stats() nic.Stats
}

// OpenNetworks has open bring the network devices of the machine to life, each as
// soon as it can: their driver is only in images that have a network. Failed is told
// if a device fails later. What cannot be opened is left out, with a line in the log.
func OpenNetworks(open func(t virtio.Transport, mem virtio.Memory, failed func(error)) (Network, error)) {
	m := &booted
	for {
		t, mem := TakeDevice(networkID)
		if t == nil {
			return
		}
		n, err := open(t, mem, m.fail)
		if err != nil {
			m.fail(err)
			continue
		}
		m.logf("%s", n)
		m.networks = append(m.networks, n)
	}
}

// OnNetworkEnded has ended called when the launcher says that nothing serves the
// network device any more.
func OnNetworkEnded(ended func()) {
	if l := booted.streams.link; l != nil {
		l.networkEnded.Store(&ended)
	}
}
