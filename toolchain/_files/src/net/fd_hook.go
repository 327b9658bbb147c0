//go:build unix || tamago

package net

import (
	"internal/poll"
	"os"
	"syscall"
	"time"
)

// A netFD is a descriptor, or a socket that SocketFunc has made. What the methods of
// the former are is in fd_posix.go and fd_unix.go.

func (fd *netFD) Close() error {
	if fd.hooked != nil {
		return fd.hooked.close()
	}
	return fd.osClose()
}

func (fd *netFD) accept() (*netFD, error) {
	if fd.hooked != nil {
		return fd.hooked.accept(fd)
	}
	return fd.osAccept()
}

func (fd *netFD) Read(p []byte) (int, error) {
	if fd.hooked != nil {
		return fd.hooked.read(p)
	}
	return fd.osRead(p)
}

func (fd *netFD) Write(p []byte) (int, error) {
	if fd.hooked != nil {
		return fd.hooked.write(p)
	}
	return fd.osWrite(p)
}

func (fd *netFD) closeRead() error {
	if fd.hooked != nil {
		return fd.hooked.closeRead()
	}
	return fd.osCloseRead()
}

func (fd *netFD) closeWrite() error {
	if fd.hooked != nil {
		return fd.hooked.closeWrite()
	}
	return fd.osCloseWrite()
}

func (fd *netFD) dup() (*os.File, error) {
	if fd.hooked != nil {
		return nil, os.NewSyscallError("dup", syscall.ENOSYS)
	}
	return fd.osDup()
}

func (fd *netFD) SetDeadline(t time.Time) error {
	if fd.hooked != nil {
		return fd.hooked.setDeadline(t, 'r'+'w')
	}
	return fd.osSetDeadline(t)
}

func (fd *netFD) SetReadDeadline(t time.Time) error {
	if fd.hooked != nil {
		return fd.hooked.setDeadline(t, 'r')
	}
	return fd.osSetReadDeadline(t)
}

func (fd *netFD) SetWriteDeadline(t time.Time) error {
	if fd.hooked != nil {
		return fd.hooked.setDeadline(t, 'w')
	}
	return fd.osSetWriteDeadline(t)
}

// Packets. The address comes and goes in the form that the callers, which know
// system calls, have for it.

func (fd *netFD) readFrom(p []byte) (n int, sa syscall.Sockaddr, err error) {
	if fd.hooked == nil {
		return fd.osReadFrom(p)
	}
	n, from, err := fd.hooked.readFrom(p)
	if from, ok := from.(sockaddr); ok && err == nil {
		sa, err = from.sockaddr(fd.family)
	}
	return n, sa, err
}

func (fd *netFD) readFromInet4(p []byte, sa *syscall.SockaddrInet4) (n int, err error) {
	if fd.hooked == nil {
		return fd.osReadFromInet4(p, sa)
	}
	n, from, err := fd.readFrom(p)
	if from, ok := from.(*syscall.SockaddrInet4); ok {
		*sa = *from
	}
	return n, err
}

func (fd *netFD) readFromInet6(p []byte, sa *syscall.SockaddrInet6) (n int, err error) {
	if fd.hooked == nil {
		return fd.osReadFromInet6(p, sa)
	}
	n, from, err := fd.readFrom(p)
	if from, ok := from.(*syscall.SockaddrInet6); ok {
		*sa = *from
	}
	return n, err
}

func (fd *netFD) readMsg(p []byte, oob []byte, flags int) (n, oobn, retflags int, sa syscall.Sockaddr, err error) {
	if fd.hooked == nil {
		return fd.osReadMsg(p, oob, flags)
	}
	n, sa, err = fd.readFrom(p)
	return n, 0, 0, sa, err
}

func (fd *netFD) readMsgInet4(p []byte, oob []byte, flags int, sa *syscall.SockaddrInet4) (n, oobn, retflags int, err error) {
	if fd.hooked == nil {
		return fd.osReadMsgInet4(p, oob, flags, sa)
	}
	n, err = fd.readFromInet4(p, sa)
	return n, 0, 0, err
}

func (fd *netFD) readMsgInet6(p []byte, oob []byte, flags int, sa *syscall.SockaddrInet6) (n, oobn, retflags int, err error) {
	if fd.hooked == nil {
		return fd.osReadMsgInet6(p, oob, flags, sa)
	}
	n, err = fd.readFromInet6(p, sa)
	return n, 0, 0, err
}

func (fd *netFD) writeTo(p []byte, sa syscall.Sockaddr) (n int, err error) {
	if fd.hooked == nil {
		return fd.osWriteTo(p, sa)
	}
	if sa == nil {
		return fd.hooked.write(p)
	}
	return fd.hooked.writeTo(p, fd.addrFunc()(sa))
}

func (fd *netFD) writeToInet4(p []byte, sa *syscall.SockaddrInet4) (n int, err error) {
	if fd.hooked == nil {
		return fd.osWriteToInet4(p, sa)
	}
	return fd.writeTo(p, sa)
}

func (fd *netFD) writeToInet6(p []byte, sa *syscall.SockaddrInet6) (n int, err error) {
	if fd.hooked == nil {
		return fd.osWriteToInet6(p, sa)
	}
	return fd.writeTo(p, sa)
}

func (fd *netFD) writeMsg(p []byte, oob []byte, sa syscall.Sockaddr) (n int, oobn int, err error) {
	if fd.hooked == nil {
		return fd.osWriteMsg(p, oob, sa)
	}
	if len(oob) > 0 {
		return 0, 0, os.NewSyscallError("sendmsg", syscall.EOPNOTSUPP)
	}
	n, err = fd.writeTo(p, sa)
	return n, 0, err
}

func (fd *netFD) writeMsgInet4(p []byte, oob []byte, sa *syscall.SockaddrInet4) (n int, oobn int, err error) {
	if fd.hooked == nil {
		return fd.osWriteMsgInet4(p, oob, sa)
	}
	if sa == nil {
		return fd.writeMsg(p, oob, nil)
	}
	return fd.writeMsg(p, oob, sa)
}

func (fd *netFD) writeMsgInet6(p []byte, oob []byte, sa *syscall.SockaddrInet6) (n int, oobn int, err error) {
	if fd.hooked == nil {
		return fd.osWriteMsgInet6(p, oob, sa)
	}
	if sa == nil {
		return fd.writeMsg(p, oob, nil)
	}
	return fd.writeMsg(p, oob, sa)
}

func (fd *netFD) writeBuffers(v *Buffers) (n int64, err error) {
	if fd.hooked == nil {
		return fd.osWriteBuffers(v)
	}
	for len(*v) > 0 {
		k, err := fd.hooked.write((*v)[0])
		n += int64(k)
		v.consume(int64(k))
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// sizer is a connection of SocketFunc that has buffers of a settable size.
type sizer interface {
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
}

func setReadBuffer(fd *netFD, bytes int) error {
	if fd.hooked == nil {
		return osSetReadBuffer(fd, bytes)
	}
	return fd.hooked.setBuffer(func(s sizer) error { return s.SetReadBuffer(bytes) })
}

func setWriteBuffer(fd *netFD, bytes int) error {
	if fd.hooked == nil {
		return osSetWriteBuffer(fd, bytes)
	}
	return fd.hooked.setBuffer(func(s sizer) error { return s.SetWriteBuffer(bytes) })
}

// setBuffer sets a size where the socket has one.
func (h *hookedSocket) setBuffer(set func(sizer) error) error {
	for _, c := range []any{h.conn, h.packets} {
		if c, ok := c.(sizer); ok {
			return set(c)
		}
	}
	return syscall.ENOPROTOOPT
}

// noFD is that of sockets that are no descriptors: calls on it fail. That of a closed
// one is -1.
const noFD = -2

// unhooked is splice for descriptors alone.
func unhooked(splice func(dst, src *poll.FD, remain int64) (int64, bool, error)) func(dst, src *poll.FD, remain int64) (int64, bool, error) {
	return func(dst, src *poll.FD, remain int64) (int64, bool, error) {
		if dst.Sysfd == noFD || src.Sysfd == noFD {
			return 0, false, nil
		}
		return splice(dst, src, remain)
	}
}
