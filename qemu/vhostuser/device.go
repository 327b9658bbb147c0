// Package vhostuser is the back-end of a virtio device whose front-end is QEMU
// (QEMU, docs/interop/vhost-user.rst): it maps the guest's memory, takes
// requests from the split virtqueues (virtio 1.2 §2.7) and puts back how many
// bytes the answers have.
//
// Everything in the guest's memory is foreign: addresses, lengths, indices and
// chains are checked, each is read once, and what is wrong ends the request or
// the queue, never the process. The messages of QEMU are checked in the same
// way; a bad one ends the connection.
package vhostuser

import (
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// Virtio feature bits.
const (
	fIndirectDesc     = 1 << 28 // VIRTIO_F_INDIRECT_DESC
	fEventIdx         = 1 << 29 // VIRTIO_F_EVENT_IDX
	fProtocolFeatures = 1 << 30 // VHOST_USER_F_PROTOCOL_FEATURES
	fVersion1         = 1 << 32 // VIRTIO_F_VERSION_1

	features = fIndirectDesc | fEventIdx | fProtocolFeatures | fVersion1
)

// Vhost-user protocol features.
const (
	protocolMQ       = 1 << 0
	protocolReplyAck = 1 << 3

	protocolFeatures = protocolMQ | protocolReplyAck
)

// Handler answers requests of the guest. Handle reads one from the parts of in
// and writes the answer into the parts of out, all of them memory of the guest
// that may change at any time, and returns how many bytes it has written. It
// calls detach before it does what may take long, so that other requests do
// not wait for it.
type Handler interface {
	Handle(in, out [][]byte, detach func()) (n int)
	// Cancel ends requests that wait for something of the guest's.
	Cancel()
}

// Device is a device with a number of virtqueues.
type Device struct {
	handler Handler
	logf    func(format string, args ...any)
	queues  []*queue
	memory  *memory
	acked   uint64 // features
}

// New makes a device. logf gets a line where the guest or the front-end breaks
// the rules, at most one for each queue.
func New(queues int, h Handler, logf func(format string, args ...any)) *Device {
	d := &Device{handler: h, logf: logf, memory: &memory{}}
	for i := range queues {
		d.queues = append(d.queues, newQueue(d, i))
	}
	return d
}

// Serve does what the front-end asks for until it closes the connection. When
// it returns no request is under way any more, and the memory is unmapped.
func (d *Device) Serve(conn *net.UnixConn) error {
	defer d.reset()
	for {
		m, err := readMessage(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = d.answer(conn, m)
		m.close()
		if err != nil {
			return err
		}
	}
}

// reset stops the queues and forgets all that the front-end has said.
func (d *Device) reset() {
	for _, q := range d.queues {
		d.stop(q)
		q.close()
	}
	d.memory.close()
	d.memory = &memory{}
}

// stop ends what a queue does, and waits for it.
func (d *Device) stop(q *queue) {
	if q.halt() {
		d.handler.Cancel()
		q.wait()
	}
}

// answer does one request. Its error says that the connection is of no use
// any more.
func (d *Device) answer(conn *net.UnixConn, m *message) error {
	if err := m.check(); err != nil {
		return err
	}
	switch m.request {
	case getFeatures:
		return m.reply(conn, features)
	case getProtocolFeatures:
		return m.reply(conn, protocolFeatures)
	case getQueueNum:
		return m.reply(conn, uint64(len(d.queues)))
	case getVringBase:
		q, err := d.queue(m.u32(0))
		if err != nil {
			return err
		}
		d.stop(q)
		q.close() // until it gets another SET_VRING_KICK
		return m.reply(conn, uint64(q.index)|uint64(q.lastAvail)<<32)
	}
	err := d.set(m)
	if m.flags&flagNeedReply != 0 {
		failed := uint64(0)
		if err != nil {
			failed = 1
			d.logf("%v", err)
		}
		return m.reply(conn, failed)
	}
	return err
}

func (d *Device) queue(index uint32) (*queue, error) {
	if index >= uint32(len(d.queues)) {
		return nil, fmt.Errorf("virtqueue %d, of %d", index, len(d.queues))
	}
	return d.queues[index], nil
}

// set does a request that has no answer but whether it worked.
func (d *Device) set(m *message) error {
	switch m.request {
	case setOwner, setProtocolFeatures:
		return nil
	case resetOwner:
		d.reset()
		return nil
	case setFeatures:
		if extra := m.u64(0) &^ features; extra != 0 {
			return fmt.Errorf("features %#x were not offered", extra)
		}
		d.acked = m.u64(0)
		return nil
	case setMemTable:
		return d.setMemory(m)
	}
	q, err := d.queue(m.u32(0) & vringIndex)
	if err != nil {
		return err
	}
	switch m.request {
	case setVringCall:
		return q.setCall(m)
	case setVringErr:
		return nil // what is wrong is in the log; the descriptor is closed
	}
	d.stop(q)
	switch m.request {
	case setVringNum:
		if n := m.u32(4); n == 0 || n > maxQueueSize || n&(n-1) != 0 {
			return fmt.Errorf("virtqueue %d: %d entries; want a power of 2 up to %d", q.index, n, maxQueueSize)
		}
		q.num = int(m.u32(4))
	case setVringAddr:
		q.descAddr, q.usedAddr, q.availAddr = m.u64(8), m.u64(16), m.u64(24)
	case setVringBase:
		q.lastAvail = uint16(m.u32(4))
	case setVringKick:
		if q.kick >= 0 {
			unix.Close(q.kick)
			q.kick = -1
		}
		if m.u64(0)&vringNoFD != 0 {
			return nil
		}
		if q.kick, err = m.take(); err != nil {
			return fmt.Errorf("SET_VRING_KICK: %w", err)
		}
		// Without protocol features there is no SET_VRING_ENABLE.
		if d.acked&fProtocolFeatures == 0 {
			q.enabled = true
		}
	case setVringEnable:
		q.enabled = m.u32(4) != 0
	}
	return d.start(q)
}

// start starts a queue that has everything it needs.
func (d *Device) start(q *queue) error {
	if !q.enabled || q.kick < 0 || len(d.memory.regions) == 0 {
		return nil
	}
	return q.start(d.memory, d.acked&fEventIdx != 0)
}

// setMemory replaces the table of the guest's memory.
func (d *Device) setMemory(m *message) error {
	n := int(m.u32(0))
	if n > maxFDs || n != len(m.fds) || len(m.payload) < 8+32*n {
		return fmt.Errorf("SET_MEM_TABLE: %d regions with %d descriptors in %d bytes", n, len(m.fds), len(m.payload))
	}
	table := &memory{}
	for i := range n {
		at := 8 + 32*i
		if err := table.add(m.fds[i], m.u64(at), m.u64(at+8), m.u64(at+16), m.u64(at+24)); err != nil {
			table.close()
			return fmt.Errorf("SET_MEM_TABLE: %w", err)
		}
	}
	for _, q := range d.queues {
		d.stop(q)
	}
	d.memory.close()
	d.memory = table
	for _, q := range d.queues {
		if err := d.start(q); err != nil {
			return err
		}
	}
	return nil
}
