package console

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/yolkos/yolk/drivers/virtio"
)

// struct virtio_console_control is id (32 bits), event and value (16 each), all
// little-endian (§5.3.6.2); some events have more behind it.
const controlSize = 8

// Control events.
const (
	eventDeviceReady  = 0 // driver: control queues work
	eventDeviceAdd    = 1 // device: there is a port
	eventDeviceRemove = 2 // device: there was a port
	eventPortReady    = 3 // driver: the port can be used
	eventConsolePort  = 4 // device: the port is a terminal
	eventResize       = 5 // device: the size of a terminal
	eventPortOpen     = 6 // both: someone is at this end, or not
	eventPortName     = 7 // device: the name follows
)

// The device drops control messages for which no buffer lies ready, so there are
// enough for all that a port brings with it.
const (
	letters    = controlQueueSize
	letterSize = 256

	mostAtOnce = 1024 // messages that Open takes in
)

// letter is a buffer for a control message.
type letter struct {
	parts   [1][]byte
	request *virtio.Request
}

// startControl lays buffers out, says that the driver is ready and takes in what
// the device answers. Devices answer before they take the next message, as a
// rule, so all ports are known at the end.
func (c *Console) startControl() error {
	room := make([]byte, letters*letterSize)
	c.inbox = make([]letter, min(letters, c.receive.Size()))
	for i := range c.inbox {
		l := &c.inbox[i]
		l.parts[0] = room[i*letterSize : (i+1)*letterSize]
		var err error
		if l.request, err = c.receive.Start(nil, l.parts[:]); err != nil {
			return err
		}
	}
	if err := c.send(0, eventDeviceReady, 1); err != nil {
		return err
	}
	c.settled = time.Now()
	next := 0
	for range mostAtOnce {
		c.receive.Poll()
		select {
		case <-c.inbox[next].request.Done():
		default:
			c.listening.Go(func() { c.listen(next) })
			return nil
		}
		if err := c.takeIn(&c.inbox[next]); err != nil {
			return err
		}
		next = (next + 1) % len(c.inbox)
	}
	c.listening.Go(func() { c.listen(next) }) // it tells without end; do not wait for that
	return nil
}

// listen takes in control messages for as long as the device works.
func (c *Console) listen(next int) {
	for {
		<-c.inbox[next].request.Done()
		if c.takeIn(&c.inbox[next]) != nil {
			break // the device has failed; its other requests are on their way back
		}
		next = (next + 1) % len(c.inbox)
	}
	for i := range c.inbox {
		if r := c.inbox[i].request; r != nil {
			r.Wait()
		}
	}
}

// takeIn handles the message in l and lays l out again.
func (c *Console) takeIn(l *letter) error {
	n, err := l.request.Result()
	l.request = nil
	if err == nil {
		c.handle(l.parts[0][:n])
	} else if c.dev.Err() != nil {
		return err
	}
	l.request, err = c.receive.Start(nil, l.parts[:])
	return err
}

// send sends a control message and waits until the device took it.
func (c *Console) send(id uint32, event, value uint16) error {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	m := c.message[:]
	binary.LittleEndian.PutUint32(m, id)
	binary.LittleEndian.PutUint16(m[4:], event)
	binary.LittleEndian.PutUint16(m[6:], value)
	c.parts[0] = m
	_, err := c.transmit.Do(c.parts[:], nil)
	return err
}

// handle does what a control message says. One that makes no sense changes
// nothing.
func (c *Console) handle(m []byte) {
	t := c.dev.Transport()
	if len(m) < controlSize {
		c.complain(virtio.Errorf(t, "control message", "%d bytes, want at least %d", len(m), controlSize))
		return
	}
	id, event, value := binary.LittleEndian.Uint32(m), binary.LittleEndian.Uint16(m[4:]), binary.LittleEndian.Uint16(m[6:])
	if id >= c.limit {
		c.complain(virtio.Errorf(t, "control message", "event %d for port %d, but max_nr_ports is %d", event, id, c.limit))
		return
	}
	if int(id) >= len(c.ports) {
		if event == eventDeviceAdd {
			c.send(id, eventPortReady, 0) // one too many
		}
		return
	}
	p := c.ports[id]
	switch event {
	case eventDeviceAdd:
		p.update(func() { p.added = true })
		c.send(id, eventPortReady, 1)
	case eventDeviceRemove:
		p.update(func() { p.added, p.hostOpen, p.wasOpen, p.opened, p.name = false, false, true, false, "" })
	case eventConsolePort, eventResize:
		// A terminal is a port like any other here.
	case eventPortOpen:
		p.update(func() {
			p.hostOpen = value != 0
			p.wasOpen = p.wasOpen || p.hostOpen
		})
	case eventPortName:
		name := bytes.TrimRight(m[controlSize:], "\x00")
		c.mu.Lock()
		p.name = string(name)
		c.renamed()
		c.mu.Unlock()
	default:
		c.complain(virtio.Errorf(t, "control message", "unknown event %d for port %d", event, id))
	}
}

// maxComplaints is how many bad control messages are spoken of.
const maxComplaints = 8

func (c *Console) complain(err error) {
	if c.complaints++; c.complaints <= maxComplaints {
		c.problem(err)
	}
}
