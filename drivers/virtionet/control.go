package virtionet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/drivers/virtio"
)

// Commands of the control queue, class and command (§5.1.6.5).
var (
	commandPromisc  = [2]byte{0, 0}
	commandAllMulti = [2]byte{0, 1}
	commandMACTable = [2]byte{1, 0}
	commandAnnounce = [2]byte{3, 0} // acknowledges that it was done
	commandPairs    = [2]byte{4, 0}
)

const (
	ackOK = 0
	// tableSize is how many addresses the table of a device is given at most. There
	// is no way to find out how many it takes; QEMU takes 64.
	tableSize = 64
)

// controlTimeout is how long the device may take for a command.
var controlTimeout = 10 * time.Second

// control is the control queue, with one command at a time.
type control struct {
	q *virtio.Queue

	mu   sync.Mutex
	err  error          // it answers no more
	late sync.WaitGroup // waits for what was not answered in time
}

// command has the device do something, and waits until it says that it has.
func (c *control) command(command [2]byte, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	ack := []byte{0xff}
	r, err := c.q.Start([][]byte{command[:], data}, [][]byte{ack})
	if err != nil {
		return err
	}
	timer := time.NewTimer(controlTimeout)
	defer timer.Stop()
	select {
	case <-r.Done():
	case <-timer.C:
		// The buffers are the device's until it is closed.
		c.late.Go(func() { r.Wait() })
		c.err = fmt.Errorf("control command %d.%d is not answered within %v: %w", command[0], command[1], controlTimeout, syscall.EIO)
		return c.err
	}
	n, err := r.Result()
	if err == nil && (n < 1 || ack[0] != ackOK) {
		err = fmt.Errorf("control command %d.%d fails, with status %d: %w", command[0], command[1], ack[0], syscall.EIO)
	}
	return err
}

// setPairs has the device use n queue pairs.
func (c *control) setPairs(n int) error {
	return c.command(commandPairs, binary.LittleEndian.AppendUint16(nil, uint16(n)))
}

// SetFilter implements nic.Device. A device without VIRTIO_NET_F_CTRL_RX delivers
// everything.
func (n *Net) SetFilter(f nic.Filter) error {
	if !n.has(featureCtrlRx) {
		return nil
	}
	var one, group []byte
	for _, a := range f.Addresses {
		if a.Multicast() {
			group = append(group, a[:]...)
		} else {
			one = append(one, a[:]...)
		}
	}
	// With more addresses than there is room for all are let through.
	if len(one) > tableSize*nic.AddressLen {
		one, f.Promiscuous = nil, true
	}
	if len(group) > tableSize*nic.AddressLen {
		group, f.AllMulticast = nil, true
	}
	// Two tables, each after the number of its entries (§5.1.6.5.2).
	var table []byte
	for _, list := range [][]byte{one, group} {
		table = binary.LittleEndian.AppendUint32(table, uint32(len(list)/nic.AddressLen))
		table = append(table, list...)
	}
	// What lets all through comes last: nothing that is wanted is lost meanwhile.
	if err := n.control.command(commandMACTable, table); err != nil {
		return fmt.Errorf("%s: filter: %w", n.name, err)
	}
	err := errors.Join(
		n.control.command(commandAllMulti, []byte{bit(f.AllMulticast)}),
		n.control.command(commandPromisc, []byte{bit(f.Promiscuous)}))
	if err != nil {
		return fmt.Errorf("%s: filter: %w", n.name, err)
	}
	return nil
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
