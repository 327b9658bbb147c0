package vhostuser

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// Requests of the front-end (QEMU, docs/interop/vhost-user.rst, "Front-end
// message types").
const (
	getFeatures         = 1
	setFeatures         = 2
	setOwner            = 3
	resetOwner          = 4
	setMemTable         = 5
	setVringNum         = 8
	setVringAddr        = 9
	setVringBase        = 10
	getVringBase        = 11
	setVringKick        = 12
	setVringCall        = 13
	setVringErr         = 14
	getProtocolFeatures = 15
	setProtocolFeatures = 16
	getQueueNum         = 17
	setVringEnable      = 18
)

// The header of a message: request, flags, size of the payload; 32 bits each.
const (
	headerSize = 12
	// maxPayload is more than any request above has, in bytes: a memory table
	// takes 8 + 32 for each region.
	maxPayload = 4096
	// maxFDs is VHOST_MEMORY_BASELINE_NREGIONS: no message has more.
	maxFDs = 8

	version       = 1
	flagReply     = 1 << 2
	flagNeedReply = 1 << 3
	vringIndex    = 0xff   // of the payload of SET_VRING_KICK, _CALL and _ERR
	vringNoFD     = 1 << 8 // in the same
)

// message is a request of the front-end. The descriptors that come with it
// are closed by whoever has read it, but those that were taken.
type message struct {
	request, flags uint32
	payload        []byte
	fds            []int
}

func (m *message) close() {
	for _, fd := range m.fds {
		unix.Close(fd)
	}
	m.fds = nil
}

// take returns the only descriptor of the message, now the caller's.
func (m *message) take() (int, error) {
	if len(m.fds) != 1 {
		return -1, fmt.Errorf("%d descriptors, want 1", len(m.fds))
	}
	fd := m.fds[0]
	m.fds = nil
	return fd, nil
}

// u64 reads a number of the payload, of which it is known that it is there.
func (m *message) u64(i int) uint64 { return binary.LittleEndian.Uint64(m.payload[i:]) }
func (m *message) u32(i int) uint32 { return binary.LittleEndian.Uint32(m.payload[i:]) }

func (m *message) setU64(i int, v uint64) { binary.LittleEndian.PutUint64(m.payload[i:], v) }

// readMessage reads one message. io.EOF is an end between two of them.
func readMessage(conn *net.UnixConn) (*message, error) {
	header := make([]byte, headerSize)
	oob := make([]byte, unix.CmsgSpace(4*maxFDs))
	n, oobn, flags, _, err := conn.ReadMsgUnix(header, oob)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.EOF
	}
	m := &message{}
	if m.fds, err = rightsIn(oob[:oobn]); err == nil && flags&unix.MSG_CTRUNC != 0 {
		err = fmt.Errorf("vhost-user message with more than %d descriptors", maxFDs)
	}
	if err == nil {
		_, err = io.ReadFull(conn, header[n:])
	}
	if err == nil {
		m.request, m.flags = binary.LittleEndian.Uint32(header), binary.LittleEndian.Uint32(header[4:])
		size := binary.LittleEndian.Uint32(header[8:])
		if size > maxPayload {
			err = fmt.Errorf("vhost-user request %d has %d bytes, more than %d", m.request, size, maxPayload)
		} else {
			m.payload = make([]byte, size)
			_, err = io.ReadFull(conn, m.payload)
		}
	}
	if err != nil {
		m.close()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // within a message
		}
		return nil, err
	}
	return m, nil
}

func rightsIn(oob []byte) (fds []int, err error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	for _, m := range msgs {
		got, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue // not descriptors
		}
		for _, fd := range got {
			unix.CloseOnExec(fd)
		}
		fds = append(fds, got...)
	}
	return fds, err
}

// payloadSizes are the least sizes of the payloads of requests, in bytes.
var payloadSizes = map[uint32]int{
	getFeatures: 0, setFeatures: 8, setOwner: 0, resetOwner: 0, setMemTable: 8, setVringNum: 8, setVringAddr: 40,
	setVringBase: 8, getVringBase: 8, setVringKick: 8, setVringCall: 8, setVringErr: 8, getProtocolFeatures: 0,
	setProtocolFeatures: 8, getQueueNum: 0, setVringEnable: 8,
}

// check reports a request that is not known.
func (m *message) check() error {
	if m.flags&3 != version {
		return fmt.Errorf("vhost-user request %d has version %d, want %d", m.request, m.flags&3, version)
	}
	if want, known := payloadSizes[m.request]; !known || len(m.payload) < want {
		return fmt.Errorf("vhost-user request %d with %d bytes is not known", m.request, len(m.payload))
	}
	return nil
}

// answer makes the reply to m, of 64-bit numbers.
func (m *message) answer(values ...uint64) *message {
	a := &message{request: m.request, flags: version | flagReply}
	for _, v := range values {
		a.payload = binary.LittleEndian.AppendUint64(a.payload, v)
	}
	return a
}

// reply answers m with the 64-bit numbers of values.
func (m *message) reply(conn *net.UnixConn, values ...uint64) error {
	return m.answer(values...).send(conn)
}

// send writes the message with its descriptors.
func (m *message) send(conn *net.UnixConn) error {
	var b, oob []byte
	for _, field := range []uint32{m.request, m.flags, uint32(len(m.payload))} {
		b = binary.LittleEndian.AppendUint32(b, field)
	}
	if len(m.fds) > 0 {
		oob = unix.UnixRights(m.fds...)
	}
	_, _, err := conn.WriteMsgUnix(append(b, m.payload...), oob, nil)
	return err
}
