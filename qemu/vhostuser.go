package qemu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// Messages of the vhost-user protocol (QEMU, docs/interop/vhost-user.rst) that
// go-fuse's server does not answer, or not in time. QEMU sends them when the
// guest resets the device, and waits.
const (
	vringGetBase   = 11
	vringSetKick   = 12
	vringSetEnable = 18

	vhostVersion   = 1
	vhostReply     = 1 << 2
	vhostNeedReply = 1 << 3

	vhostHeader  = 12 // bytes: request, flags, size of what follows
	vhostMaxSize = 4096
	vhostMaxFDs  = 8
)

// relay stands between QEMU and go-fuse's server and passes messages on, but
// answers itself those by which QEMU stops a queue. The queue goes on behind
// it, with nothing to do: a guest has no request pending at a reset.
type relay struct {
	qemu, server *net.UnixConn
	kicks        []int // event descriptors that the server waits on
}

// run returns when QEMU has closed its connection.
func (r *relay) run() error {
	go func() {
		_, _ = io.Copy(r.qemu, r.server) // ends with either of the connections
		r.qemu.Close()
	}()
	defer r.server.Close()
	for {
		msg, fds, err := readMessage(r.qemu)
		if err == nil {
			err = r.pass(msg, fds)
		}
		for _, fd := range fds {
			unix.Close(fd)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *relay) pass(msg []byte, fds []int) error {
	if binary.LittleEndian.Uint32(msg) == vringSetKick {
		for _, fd := range fds {
			kick, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return err
			}
			r.kicks = append(r.kicks, kick)
		}
	}
	to, answer := r.server, answerTo(msg)
	if answer != nil {
		// The server has made these block, for QEMU too, which is about to
		// look at them.
		for _, kick := range r.kicks {
			if err := unix.SetNonblock(kick, true); err != nil {
				return err
			}
		}
		to, msg = r.qemu, answer
	}
	if len(msg) == 0 {
		return nil
	}
	_, _, err := to.WriteMsgUnix(msg, rights(fds), nil)
	return err
}

// answerTo returns the answer to a message that the server shall not see,
// which may be empty, and nil for all others.
func answerTo(msg []byte) []byte {
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(msg[4*i:]) }
	request, flags := field(0), field(1)
	if len(msg) != vhostHeader+8 {
		return nil // not a vring state: index and number
	}
	index, number := field(3), field(4)
	switch {
	case request == vringGetBase:
		return message(request, index, 0)
	case request == vringSetEnable && number == 0 && flags&vhostNeedReply != 0:
		return message(request, 0, 0) // success
	case request == vringSetEnable && number == 0:
		return []byte{}
	}
	return nil
}

func message(request, a, b uint32) (msg []byte) {
	for _, field := range []uint32{request, vhostVersion | vhostReply, 8, a, b} {
		msg = binary.LittleEndian.AppendUint32(msg, field)
	}
	return msg
}

// readMessage reads one message with the files that come with it.
func readMessage(conn *net.UnixConn) (msg []byte, fds []int, err error) {
	msg = make([]byte, vhostHeader)
	oob := make([]byte, unix.CmsgSpace(4*vhostMaxFDs))
	n, oobn, _, _, err := conn.ReadMsgUnix(msg, oob)
	if err != nil {
		return nil, nil, err
	}
	if n == 0 {
		return nil, nil, io.EOF
	}
	if fds, err = rightsIn(oob[:oobn]); err != nil {
		return nil, nil, err
	}
	if _, err := io.ReadFull(conn, msg[n:]); err != nil {
		return nil, fds, cutShort(err)
	}
	size := binary.LittleEndian.Uint32(msg[8:])
	if size > vhostMaxSize {
		return nil, fds, fmt.Errorf("vhost-user message with %d bytes, more than %d", size, vhostMaxSize)
	}
	msg = append(msg, make([]byte, size)...)
	_, err = io.ReadFull(conn, msg[vhostHeader:])
	return msg, fds, cutShort(err)
}

// cutShort tells an end within a message from one between two.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func rights(fds []int) []byte {
	if len(fds) == 0 {
		return nil
	}
	return unix.UnixRights(fds...)
}

func rightsIn(oob []byte) (fds []int, err error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	for _, m := range msgs {
		got, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		fds = append(fds, got...)
	}
	return fds, err
}
