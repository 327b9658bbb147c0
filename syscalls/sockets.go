package syscalls

import (
	"sync"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// sockets is where the files of sockets lie.
type sockets struct {
	mu    sync.Mutex
	mount *fs.Mount // nil: none was made yet
	last  uint64    // number of an inode
}

const (
	maxFamily = 46 // AF_MAX
	maxType   = 11 // SOCK_MAX
	typeMask  = 0xf
)

// family is who makes sockets of a domain. Typ comes back without its flags, which
// are those of the descriptor.
func (k *Kernel) family(domain, typ int) (f socket.Family, kind, flags int, e syscall.Errno) {
	flags, kind = typ&^typeMask, typ&typeMask
	if flags&^(syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK) != 0 {
		return nil, 0, 0, syscall.EINVAL
	}
	if domain < 0 || domain >= maxFamily {
		return nil, 0, 0, syscall.EAFNOSUPPORT
	}
	if kind >= maxType {
		return nil, 0, 0, syscall.EINVAL
	}
	f = k.Families[domain]
	if f == nil {
		return nil, 0, 0, syscall.EAFNOSUPPORT
	}
	return f, kind, flags, 0
}

// installSocket enters a socket at the lowest free descriptor. It takes s over.
func (k *Kernel) installSocket(s socket.Socket, domain, typ, protocol, flags int) (int, syscall.Errno) {
	k.sockets.mu.Lock()
	if k.sockets.mount == nil {
		k.sockets.mount = k.vfs.Internal(socket.FS{})
	}
	k.sockets.last++
	m, n := k.sockets.mount, socket.NewNode(k.sockets.last)
	k.sockets.mu.Unlock()
	f := socket.NewFile(s, n, domain, typ, protocol)
	d, err := m.Nameless("socket", n)
	if err != nil {
		f.Release()
		return -1, errno(err)
	}
	return k.install(f, d, syscall.O_RDWR|flags)
}

// Socket makes a socket: socket(2).
func (k *Kernel) Socket(domain, typ, protocol int) (int, syscall.Errno) {
	f, kind, flags, e := k.family(domain, typ)
	if e != 0 {
		return -1, e
	}
	s, err := f.Socket(kind, protocol)
	if err != nil {
		return -1, errno(err)
	}
	return k.installSocket(s, domain, kind, protocol, flags)
}

// Socketpair makes two sockets that are connected to each other.
func (k *Kernel) Socketpair(domain, typ, protocol int) (fds [2]int, e syscall.Errno) {
	none := [2]int{-1, -1}
	f, kind, flags, e := k.family(domain, typ)
	if e != 0 {
		return none, e
	}
	p, ok := f.(socket.PairFamily)
	if !ok {
		return none, syscall.EOPNOTSUPP
	}
	a, b, err := p.Pair(kind, protocol)
	if err != nil {
		return none, errno(err)
	}
	if fds[0], e = k.installSocket(a, domain, kind, protocol, flags); e != 0 {
		b.Release()
		return none, e
	}
	if fds[1], e = k.installSocket(b, domain, kind, protocol, flags); e != 0 {
		k.Close(fds[0])
		return none, e
	}
	return fds, 0
}

// socketAt is the socket of fd, whose slot comes with a reference on its
// description. ENOTSOCK: it is another file.
func (k *Kernel) socketAt(fd int) (*slot, *socket.File, syscall.Errno) {
	s, e := k.table.slot(fd)
	if e != 0 {
		return nil, nil, e
	}
	if s.desc.opened&O_PATH != 0 {
		s.desc.put()
		return nil, nil, syscall.EBADF
	}
	f, ok := s.desc.file.(*socket.File)
	if !ok {
		s.desc.put()
		return nil, nil, syscall.ENOTSOCK
	}
	return s, f, 0
}

// onSocket runs do with the socket of fd.
func (k *Kernel) onSocket(fd int, do func(f *socket.File) error) syscall.Errno {
	s, f, e := k.socketAt(fd)
	if e != 0 {
		return e
	}
	defer s.desc.put()
	return errno(do(f))
}

// waits runs do, which waits in a direction until end is closed, if it may, within
// the limits of the descriptor. Flags are of MSG_.
func (s *slot) waits(direction, flags int, do func(end <-chan struct{}) error) syscall.Errno {
	l := &s.limits[direction]
	end, e := l.state()
	if e == 0 {
		if flags&syscall.MSG_DONTWAIT != 0 || s.desc.nonblock() {
			end = never
		}
		err := do(end)
		if err != syscall.EINTR {
			return errno(err)
		}
		_, e = l.state()
	}
	if e != syscall.EBADF {
		e = syscall.EAGAIN
	}
	return e
}

// Bind gives a socket a name.
func (k *Kernel) Bind(fd int, addr []byte) syscall.Errno {
	return k.onSocket(fd, func(f *socket.File) error { return f.Bind(addr) })
}

// Listen has a socket take connections, of which some may wait to be accepted.
func (k *Kernel) Listen(fd, backlog int) syscall.Errno {
	return k.onSocket(fd, func(f *socket.File) error { return f.Listen(backlog) })
}

// SocketShutdown is shutdown(2): it ends reading (0), writing (1) or both (2).
func (k *Kernel) SocketShutdown(fd, how int) syscall.Errno {
	return k.onSocket(fd, func(f *socket.File) error { return f.Shutdown(how) })
}

// Getsockname is the name of a socket.
func (k *Kernel) Getsockname(fd int) (addr []byte, e syscall.Errno) {
	e = k.onSocket(fd, func(f *socket.File) (err error) {
		addr, err = f.Name()
		return err
	})
	return addr, e
}

// Getpeername is the name of whom a socket is connected to.
func (k *Kernel) Getpeername(fd int) (addr []byte, e syscall.Errno) {
	e = k.onSocket(fd, func(f *socket.File) (err error) {
		addr, err = f.Peer()
		return err
	})
	return addr, e
}

// Getsockopt stores the value of an option in dst and returns its length.
func (k *Kernel) Getsockopt(fd, level, name int, dst []byte) (n int, e syscall.Errno) {
	e = k.onSocket(fd, func(f *socket.File) (err error) {
		n, err = f.Option(level, name, dst)
		return err
	})
	return n, e
}

// Setsockopt sets an option.
func (k *Kernel) Setsockopt(fd, level, name int, value []byte) syscall.Errno {
	return k.onSocket(fd, func(f *socket.File) error { return f.SetOption(level, name, value) })
}

// Connect connects a socket to addr.
func (k *Kernel) Connect(fd int, addr []byte) syscall.Errno {
	s, f, e := k.socketAt(fd)
	if e != 0 {
		return e
	}
	defer s.desc.put()
	return s.waits(socket.Out, 0, func(end <-chan struct{}) error { return f.Dial(addr, end) })
}

// Accept4 takes a connection and makes a descriptor of it. Addr is the peer's; flags
// are those of a type.
func (k *Kernel) Accept4(fd, flags int) (nfd int, addr []byte, e syscall.Errno) {
	if flags&^(syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK) != 0 {
		return -1, nil, syscall.EINVAL
	}
	s, f, e := k.socketAt(fd)
	if e != 0 {
		return -1, nil, e
	}
	defer s.desc.put()
	if k.table.full() {
		return -1, nil, syscall.EMFILE // the connection goes on waiting
	}
	var c socket.Socket
	e = s.waits(socket.In, 0, func(end <-chan struct{}) error {
		return f.Await(socket.In, end, func() (err error) {
			c, err = f.Accept()
			return err
		})
	})
	if e != 0 {
		return -1, nil, e
	}
	addr, err := c.Peer()
	if err != nil { // it is gone already
		addr = nil
	}
	nfd, e = k.installSocket(c, f.Domain, f.Type, f.Protocol, flags)
	return nfd, addr, e
}
