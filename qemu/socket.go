package qemu

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// rawPair makes two connected sockets: the descriptor of one, and one for a child.
func rawPair() (ours int, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("socket pair: %w", err)
	}
	return fds[0], os.NewFile(uintptr(fds[1]), "socket"), nil
}

// pair is rawPair with a connection for this process.
func pair() (ours *net.UnixConn, theirs *os.File, err error) {
	fd, theirs, err := rawPair()
	if err != nil {
		return nil, nil, err
	}
	mine := os.NewFile(uintptr(fd), "socket")
	conn, err := net.FileConn(mine) // a duplicate
	mine.Close()
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// listenPair makes a listening socket with one connection to it waiting to be
// accepted. Both are without a name when it returns. The name that they need
// for a moment is in a directory that only this user can enter, so that
// nobody else can be the one who is accepted.
func listenPair() (listener, client *os.File, err error) {
	dir, err := os.MkdirTemp("", "yolk-socket-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	// By way of the descriptor a long path fits into a socket address.
	d, err := os.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	addr := &net.UnixAddr{Net: "unix", Name: filepath.Join("/proc/self/fd", fmt.Sprint(d.Fd()), "s")}
	l, err := net.ListenUnix("unix", addr)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	c, err := net.DialUnix("unix", nil, addr)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	if listener, err = l.File(); err != nil {
		return nil, nil, err
	}
	if client, err = c.File(); err != nil {
		listener.Close()
		return nil, nil, err
	}
	// The children expect sockets that block.
	for _, f := range []*os.File{listener, client} {
		if err := unix.SetNonblock(int(f.Fd()), false); err != nil {
			listener.Close()
			client.Close()
			return nil, nil, err
		}
	}
	return listener, client, nil
}

// sendFile gives an open file to the process at the other end of conn.
func sendFile(conn *net.UnixConn, f *os.File) error {
	_, _, err := conn.WriteMsgUnix([]byte{1}, unix.UnixRights(int(f.Fd())), nil)
	return err
}

// receiveFile takes an open file from the process at the other end of conn.
func receiveFile(conn *net.UnixConn) (*os.File, error) {
	one, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(one, oob)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, net.ErrClosed
	}
	fds, err := rightsIn(oob[:oobn])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("%d descriptors (%v), expected 1", len(fds), err)
	}
	unix.CloseOnExec(fds[0])
	return os.NewFile(uintptr(fds[0]), "received"), nil
}

// rightsIn returns the descriptors that came with a message.
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
