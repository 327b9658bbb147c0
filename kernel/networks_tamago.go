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
			m.tellUndriven()
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

// networkClass is the base class of network controllers (PCI Code and ID Assignment Specification 1.11, §1.3).
const networkClass = 0x02

// tellUndriven says which network devices have no driver, where no other is there: the program finds
// itself without a network, and would not know why.
func (m *machine) tellUndriven() {
	if m.pci == nil || len(m.networks) > 0 {
		return
	}
	for _, f := range m.pci.Functions() {
		if f.Class>>16 == networkClass && !f.IsVirtio() {
			m.logf("no network: no driver for %s; a virtio network device has one", f)
		}
	}
}

// OnNetworkEnded has ended called when the launcher says that nothing serves the
// network device any more.
func OnNetworkEnded(ended func()) {
	if l := booted.streams.link; l != nil {
		l.networkEnded.Store(&ended)
	}
}
