package syscalls

import (
	"encoding/binary"
	"syscall"
	"time"
	"unsafe"
)

// Calls by number on sockets, and those by which net.Buffers and io.Copy move bytes
// to and from them. They are linked into images that use this function:
// those of programs with package net, and those that have all calls.
func SocketCalls() {
	enter([]numbered{
		{20, "writev", fromBuffers(doWritev), ""},
		{40, "sendfile", doSendfile, ""},
		{41, "socket", doSocket, ""},
		{42, "connect", doConnect, ""},
		{43, "accept", doAccept, ""},
		{44, "sendto", doSendto, ""},
		{45, "recvfrom", doRecvfrom, ""},
		{46, "sendmsg", doSendmsg, ""},
		{47, "recvmsg", doRecvmsg, ""},
		{48, "shutdown", onFDArgs(func(k *Kernel, a args) syscall.Errno { return k.SocketShutdown(a.int(0), a.int(1)) }), ""},
		{49, "bind", doBind, ""},
		{50, "listen", onFDArgs(func(k *Kernel, a args) syscall.Errno { return k.Listen(a.int(0), a.int(1)) }), ""},
		{51, "getsockname", onName((*Kernel).Getsockname), ""},
		{52, "getpeername", onName((*Kernel).Getpeername), ""},
		{53, "socketpair", doSocketpair, ""},
		{54, "setsockopt", doSetsockopt, ""},
		{55, "getsockopt", doGetsockopt, ""},
		{275, "splice", fromTo((*Kernel).Splice), ""},
		{288, "accept4", doAccept4, ""},
		{299, "recvmmsg", doRecvmmsg, ""},
		{307, "sendmmsg", doSendmmsg, ""},
	})
}

func doSocket(k *Kernel, a args) (uintptr, syscall.Errno) {
	return count(k.Socket(a.int(0), a.int(1), a.int(2)))
}

func doSocketpair(k *Kernel, a args) (uintptr, syscall.Errno) {
	to, e := place[[2]int32](a[3])
	if e != 0 {
		return 0, e
	}
	fds, e := k.Socketpair(a.int(0), a.int(1), a.int(2))
	if e == 0 {
		to[0], to[1] = int32(fds[0]), int32(fds[1])
	}
	return 0, e
}

// sockaddrMax is how many bytes struct sockaddr_storage has.
const sockaddrMax = 128

// address is a copy of the struct sockaddr at word i, of the size in word n.
func (a args) address(i, n int) ([]byte, syscall.Errno) { return sockaddr(a[i], a.int(n)) }

func sockaddr(addr uintptr, size int) ([]byte, syscall.Errno) {
	if size < 0 || size > sockaddrMax {
		return nil, syscall.EINVAL
	}
	b, e := memory(addr, uintptr(size))
	if e != 0 {
		return nil, e
	}
	return append(make([]byte, 0, size), b...), 0
}

// name is where an address is to be put: room for it, and its size in an int that
// lies at another address.
type name struct {
	room []byte
	size *int32
}

// name is that at word i, whose size lies where word n says. Without an address
// there is nothing to do.
func (a args) name(i, n int) (to name, e syscall.Errno) {
	if a[i] == 0 {
		return to, 0
	}
	if to.size, e = place[int32](a[n]); e != 0 {
		return to, e
	}
	if *to.size < 0 {
		return to, syscall.EINVAL
	}
	to.room, e = room(a[i], uintptr(*to.size))
	return to, e
}

// put stores as much of addr as there is room for, and how long it is.
func (n name) put(addr []byte) {
	if n.size != nil {
		copy(n.room, addr)
		*n.size = int32(len(addr))
	}
}

func doBind(k *Kernel, a args) (uintptr, syscall.Errno) {
	if e := k.isSocket(a.int(0)); e != 0 {
		return 0, e
	}
	addr, e := a.address(1, 2)
	if e != 0 {
		return 0, e
	}
	return only(k.Bind(a.int(0), addr))
}

func doConnect(k *Kernel, a args) (uintptr, syscall.Errno) {
	if _, e := k.Fcntl(a.int(0), syscall.F_GETFD, 0); e != 0 {
		return 0, e
	}
	addr, e := a.address(1, 2)
	if e != 0 {
		return 0, e
	}
	return only(k.Connect(a.int(0), addr))
}

// isSocket is the error for what is none, which comes before those of addresses.
func (k *Kernel) isSocket(fd int) syscall.Errno {
	s, _, e := k.socketAt(fd)
	if e == 0 {
		s.desc.put()
	}
	return e
}

func onName(of func(k *Kernel, fd int) ([]byte, syscall.Errno)) call {
	return func(k *Kernel, a args) (uintptr, syscall.Errno) {
		addr, e := of(k, a.int(0))
		if e != 0 {
			return 0, e
		}
		size, e := place[int32](a[2])
		if e != 0 {
			return 0, e
		}
		if *size < 0 {
			return 0, syscall.EINVAL
		}
		b, e := room(a[1], uintptr(min(int(*size), len(addr))))
		if e != 0 {
			return 0, e
		}
		name{b, size}.put(addr)
		return 0, 0
	}
}

func doAccept(k *Kernel, a args) (uintptr, syscall.Errno) { return accept(k, a, 0) }

func doAccept4(k *Kernel, a args) (uintptr, syscall.Errno) { return accept(k, a, a.int(3)) }

func accept(k *Kernel, a args, flags int) (uintptr, syscall.Errno) {
	fd, addr, e := k.Accept4(a.int(0), flags)
	if e != 0 {
		return 0, e
	}
	to, e := a.name(1, 2)
	if e != 0 {
		k.Close(fd)
		return 0, e
	}
	to.put(addr)
	return uintptr(fd), 0
}

func doSendto(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.bytes(1, 2)
	if e != 0 {
		return 0, e
	}
	if e := k.isSocket(a.int(0)); e != 0 {
		return 0, e
	}
	m := SocketMessage{Buffers: buffers(p)}
	if a[4] != 0 && a.int(5) != 0 {
		if m.Addr, e = a.address(4, 5); e != 0 {
			return 0, e
		}
	}
	return count(k.Sendmsg(a.int(0), &m, a.int(3)))
}

// buffers are those of a message of p alone.
func buffers(p []byte) [][]byte {
	if len(p) == 0 {
		return nil
	}
	return [][]byte{p}
}

func doRecvfrom(k *Kernel, a args) (uintptr, syscall.Errno) {
	p, e := a.room(1, 2)
	if e != 0 {
		return 0, e
	}
	m := SocketMessage{Buffers: buffers(p)}
	n, e := k.Recvmsg(a.int(0), &m, a.int(3))
	if e != 0 {
		return 0, e
	}
	to, e := a.name(4, 5)
	if e != 0 {
		return 0, e
	}
	to.put(m.Addr)
	return uintptr(n), 0
}

// message decodes struct msghdr.
func message(h *syscall.Msghdr, receives bool) (m SocketMessage, to name, e syscall.Errno) {
	addr := uintptr(unsafe.Pointer(h.Name))
	size := int(int32(h.Namelen))
	switch {
	case size < 0:
		return m, to, syscall.EINVAL
	case addr == 0:
	case receives:
		to.room, e = room(addr, uintptr(min(size, sockaddrMax)))
	case size > 0:
		m.Addr, e = sockaddr(addr, min(size, sockaddrMax))
	}
	if e != 0 {
		return m, to, e
	}
	if h.Iovlen > maxBuffers {
		return m, to, syscall.EMSGSIZE
	}
	var v vector
	if e = v.decode(uintptr(unsafe.Pointer(h.Iov)), uintptr(h.Iovlen), receives); e != 0 {
		return m, to, e
	}
	m.Buffers = v.bufs
	if receives && h.Control == nil {
		return m, to, 0 // no room
	}
	if h.Controllen > 1<<31-1 {
		return m, to, syscall.ENOBUFS
	}
	m.Control, e = region[byte](uintptr(unsafe.Pointer(h.Control)), uintptr(h.Controllen), receives)
	if !receives {
		m.Control = append([]byte(nil), m.Control...)
	}
	return m, to, e
}

func doSendmsg(k *Kernel, a args) (uintptr, syscall.Errno) {
	if e := k.isSocket(a.int(0)); e != 0 {
		return 0, e
	}
	return sendmsg(k, a.int(0), a[1], a.int(2))
}

func sendmsg(k *Kernel, fd int, at uintptr, flags int) (uintptr, syscall.Errno) {
	h, e := object[syscall.Msghdr](at)
	if e != 0 {
		return 0, e
	}
	m, _, e := message(h, false)
	if e != 0 {
		return 0, e
	}
	return count(k.Sendmsg(fd, &m, flags))
}

func doRecvmsg(k *Kernel, a args) (uintptr, syscall.Errno) {
	if e := k.isSocket(a.int(0)); e != 0 {
		return 0, e
	}
	return recvmsg(k, a.int(0), a[1], a.int(2))
}

func recvmsg(k *Kernel, fd int, at uintptr, flags int) (uintptr, syscall.Errno) {
	h, e := place[syscall.Msghdr](at)
	if e != 0 {
		return 0, e
	}
	m, to, e := message(h, true)
	if e != 0 {
		return 0, e
	}
	n, e := k.Recvmsg(fd, &m, flags)
	if e != 0 {
		return 0, e
	}
	if h.Name != nil {
		copy(to.room, m.Addr)
		h.Namelen = uint32(len(m.Addr))
	}
	h.Controllen = uint64(len(m.Control))
	h.Flags = int32(m.Flags)
	return uintptr(n), 0
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr syscall.Msghdr
	n   uint32 // bytes
	_   uint32
}

// several runs do for one message after the other, until one fails: how many have
// not. Each leaves its number of bytes.
func several(k *Kernel, a args, do func(i int, at uintptr) (uintptr, syscall.Errno)) (uintptr, syscall.Errno) {
	if e := k.isSocket(a.int(0)); e != 0 {
		return 0, e
	}
	n := uintptr(min(a.uint32(2), maxBuffers))
	for i := range n {
		at := a[1] + i*unsafe.Sizeof(mmsghdr{})
		m, e := place[mmsghdr](at)
		var done uintptr
		if e == 0 {
			done, e = do(int(i), at)
		}
		switch {
		case e == errStop:
			return i, 0
		case e != 0 && i > 0:
			return i, 0
		case e != 0:
			return 0, e
		}
		m.n = uint32(done)
	}
	return n, 0
}

// errStop ends several without an error.
const errStop = ^syscall.Errno(0)

func doSendmmsg(k *Kernel, a args) (uintptr, syscall.Errno) {
	return several(k, a, func(_ int, at uintptr) (uintptr, syscall.Errno) {
		return sendmsg(k, a.int(0), at, a.int(3))
	})
}

// doRecvmmsg looks at its timeout between two messages only, as Linux does.
func doRecvmmsg(k *Kernel, a args) (uintptr, syscall.Errno) {
	t, e := optionalPlace[syscall.Timespec](a[4])
	if e != 0 {
		return 0, e
	}
	var ns int64
	if t != nil {
		var ok bool
		if ns, ok = nanoseconds(*t); !ok {
			return 0, syscall.EINVAL
		}
	}
	start, flags := time.Now(), a.int(3)
	n, e := several(k, a, func(i int, at uintptr) (uintptr, syscall.Errno) {
		if t != nil && i > 0 && int64(time.Since(start)) >= ns {
			return 0, errStop
		}
		if flags&msgWaitForOne != 0 && i > 0 {
			flags |= syscall.MSG_DONTWAIT
		}
		return recvmsg(k, a.int(0), at, flags)
	})
	if t != nil {
		*t = syscall.NsecToTimespec(max(0, ns-int64(time.Since(start))))
	}
	return n, e
}

func doSetsockopt(k *Kernel, a args) (uintptr, syscall.Errno) {
	if a.int(4) < 0 {
		return 0, syscall.EINVAL
	}
	if e := k.isSocket(a.int(0)); e != 0 {
		return 0, e
	}
	value, e := memory(a[3], uintptr(a.int(4)))
	if e != 0 {
		return 0, e
	}
	if a.int(1) == syscall.SOL_SOCKET && a.int(2) == syscall.SO_ATTACH_FILTER {
		if value, e = filterProgram(value); e != 0 {
			return 0, e
		}
	}
	return only(k.Setsockopt(a.int(0), a.int(1), a.int(2), append([]byte(nil), value...)))
}

// filterProgram is what struct sock_fprog leads to: its instructions, of 8 bytes.
func filterProgram(value []byte) ([]byte, syscall.Errno) {
	const size, step = 16, 8
	if len(value) != size {
		return nil, syscall.EINVAL
	}
	n := binary.NativeEndian.Uint16(value)
	return memory(uintptr(binary.NativeEndian.Uint64(value[8:])), uintptr(n)*step)
}

// optionMax bounds the value of an option, in bytes: what there is room for beyond
// it is left alone.
const optionMax = 64 << 10

func doGetsockopt(k *Kernel, a args) (uintptr, syscall.Errno) {
	if e := k.isSocket(a.int(0)); e != 0 {
		return 0, e
	}
	size, e := place[int32](a[4])
	switch {
	case e != 0:
		return 0, e
	case *size < 0:
		if a.int(1) != syscall.SOL_SOCKET { // that there is no such level comes first
			if _, e := k.Getsockopt(a.int(0), a.int(1), a.int(2), nil); e != 0 {
				return 0, e
			}
		}
		return 0, syscall.EINVAL
	}
	value := make([]byte, min(*size, optionMax))
	n, e := k.Getsockopt(a.int(0), a.int(1), a.int(2), value)
	if e != 0 {
		return 0, e
	}
	to, e := room(a[3], uintptr(n))
	if e != 0 {
		return 0, e
	}
	copy(to, value[:n])
	*size = int32(n)
	return 0, 0
}

// ifconf is struct ifconf.
type ifconf struct {
	size int32 // bytes
	_    int32
	addr uintptr // of struct ifreq; 0: how many bytes they would be
}

// doIfconf is SIOCGIFCONF of ioctl(2).
func doIfconf(k *Kernel, a args) (uintptr, syscall.Errno) {
	conf, e := place[ifconf](a[2])
	if e != 0 {
		return 0, e
	}
	all := make([]byte, 64<<10)
	n, e := k.Ioctl(a.int(0), siocGifconf, uint64(a[2]), all)
	if e != 0 {
		return 0, e
	}
	if conf.addr == 0 {
		conf.size = int32(n)
		return 0, 0
	}
	const ifreq = 40
	n = min(n, max(0, int(conf.size))/ifreq*ifreq)
	to, e := room(conf.addr, uintptr(n))
	if e != 0 {
		return 0, e
	}
	copy(to, all[:n])
	conf.size = int32(n)
	return 0, 0
}
