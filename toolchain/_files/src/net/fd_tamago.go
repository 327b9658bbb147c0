//go:build tamago

package net

import (
	"internal/poll"
	"os"
	"syscall"
	"time"
)

// netFD is a socket, of SocketFunc or of the fake network in net_fake.go. It is
// no descriptor.
type netFD struct {
	pfd poll.FD // for raw access, which fails

	family      int
	sotype      int
	isConnected bool
	net         string
	laddr       Addr
	raddr       Addr

	hooked *hookedSocket
	*fakeNetFD
}

func (fd *netFD) Close() error {
	if fd.hooked != nil {
		return fd.hooked.close()
	}
	if fd.fakeNetFD == nil {
		return nil // net_fake.go could not bind it
	}
	return fd.fakeNetFD.Close()
}

func (fd *netFD) accept() (*netFD, error) {
	if fd.hooked != nil {
		return fd.hooked.accept(fd)
	}
	return fd.fakeNetFD.accept(fd.laddr)
}

func (fd *netFD) Read(p []byte) (int, error) {
	if fd.hooked != nil {
		return fd.hooked.read(p)
	}
	return fd.fakeNetFD.Read(p)
}

func (fd *netFD) Write(p []byte) (int, error) {
	if fd.hooked != nil {
		return fd.hooked.write(p)
	}
	return fd.fakeNetFD.Write(p)
}

func (fd *netFD) closeRead() error {
	if fd.hooked != nil {
		return fd.hooked.closeRead()
	}
	return fd.fakeNetFD.closeRead()
}

func (fd *netFD) closeWrite() error {
	if fd.hooked != nil {
		return fd.hooked.closeWrite()
	}
	return fd.fakeNetFD.closeWrite()
}

func (fd *netFD) dup() (*os.File, error) {
	return nil, os.NewSyscallError("dup", syscall.ENOSYS)
}

func (fd *netFD) SetDeadline(t time.Time) error {
	if fd.hooked != nil {
		return fd.hooked.setDeadline(t, 'r'+'w')
	}
	return fd.fakeNetFD.SetDeadline(t)
}

func (fd *netFD) SetReadDeadline(t time.Time) error {
	if fd.hooked != nil {
		return fd.hooked.setDeadline(t, 'r')
	}
	return fd.fakeNetFD.SetReadDeadline(t)
}

func (fd *netFD) SetWriteDeadline(t time.Time) error {
	if fd.hooked != nil {
		return fd.hooked.setDeadline(t, 'w')
	}
	return fd.fakeNetFD.SetWriteDeadline(t)
}

// Packets. The address comes and goes in the form that the callers, which know
// system calls, have for it.

func (fd *netFD) readFrom(p []byte) (n int, sa syscall.Sockaddr, err error) {
	if fd.hooked == nil {
		return fd.fakeNetFD.readFrom(p)
	}
	n, from, err := fd.hooked.readFrom(p)
	if from, ok := from.(sockaddr); ok && err == nil {
		sa, err = from.sockaddr(fd.family)
	}
	return n, sa, err
}

func (fd *netFD) readFromInet4(p []byte, sa *syscall.SockaddrInet4) (n int, err error) {
	if fd.hooked == nil {
		return fd.fakeNetFD.readFromInet4(p, sa)
	}
	n, from, err := fd.readFrom(p)
	if from, ok := from.(*syscall.SockaddrInet4); ok {
		*sa = *from
	}
	return n, err
}

func (fd *netFD) readFromInet6(p []byte, sa *syscall.SockaddrInet6) (n int, err error) {
	if fd.hooked == nil {
		return fd.fakeNetFD.readFromInet6(p, sa)
	}
	n, from, err := fd.readFrom(p)
	if from, ok := from.(*syscall.SockaddrInet6); ok {
		*sa = *from
	}
	return n, err
}

func (fd *netFD) readMsg(p []byte, oob []byte, flags int) (n, oobn, retflags int, sa syscall.Sockaddr, err error) {
	if fd.hooked == nil {
		return fd.fakeNetFD.readMsg(p, oob, flags)
	}
	n, sa, err = fd.readFrom(p)
	return n, 0, 0, sa, err
}

func (fd *netFD) readMsgInet4(p []byte, oob []byte, flags int, sa *syscall.SockaddrInet4) (n, oobn, retflags int, err error) {
	if fd.hooked == nil {
		return fd.fakeNetFD.readMsgInet4(p, oob, flags, sa)
	}
	n, err = fd.readFromInet4(p, sa)
	return n, 0, 0, err
}

func (fd *netFD) readMsgInet6(p []byte, oob []byte, flags int, sa *syscall.SockaddrInet6) (n, oobn, retflags int, err error) {
	if fd.hooked == nil {
		return fd.fakeNetFD.readMsgInet6(p, oob, flags, sa)
	}
	n, err = fd.readFromInet6(p, sa)
	return n, 0, 0, err
}

func (fd *netFD) writeTo(p []byte, sa syscall.Sockaddr) (n int, err error) {
	if fd.hooked == nil {
		return fd.fakeNetFD.writeTo(p, sa)
	}
	if sa == nil {
		return fd.hooked.write(p)
	}
	return fd.hooked.writeTo(p, fd.addrFunc()(sa))
}

func (fd *netFD) writeToInet4(p []byte, sa *syscall.SockaddrInet4) (n int, err error) {
	return fd.writeTo(p, sa)
}

func (fd *netFD) writeToInet6(p []byte, sa *syscall.SockaddrInet6) (n int, err error) {
	return fd.writeTo(p, sa)
}

func (fd *netFD) writeMsg(p []byte, oob []byte, sa syscall.Sockaddr) (n int, oobn int, err error) {
	if len(oob) > 0 {
		return 0, 0, os.NewSyscallError("sendmsg", syscall.EOPNOTSUPP)
	}
	n, err = fd.writeTo(p, sa)
	return n, 0, err
}

func (fd *netFD) writeMsgInet4(p []byte, oob []byte, sa *syscall.SockaddrInet4) (n int, oobn int, err error) {
	if sa == nil {
		return fd.writeMsg(p, oob, nil)
	}
	return fd.writeMsg(p, oob, sa)
}

func (fd *netFD) writeMsgInet6(p []byte, oob []byte, sa *syscall.SockaddrInet6) (n int, oobn int, err error) {
	if sa == nil {
		return fd.writeMsg(p, oob, nil)
	}
	return fd.writeMsg(p, oob, sa)
}
