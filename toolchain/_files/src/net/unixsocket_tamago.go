//go:build tamago

package net

import (
	"context"
	"io"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Unix sockets reach the program itself. They behave as those of Linux (unix(7))
// do, but pass no descriptors: a name is a file, by which inode a socket is found
// whatever path leads there, or abstract.

// unixEndpoint is a socket. It is a Conn, a PacketConn or a Listener, as its type
// and state want it.
type unixEndpoint struct {
	sotype int
	key    unixKey   // in unixSockets; zero: it has no name
	laddr  *UnixAddr // without a name "@", as Linux shows it
	raddr  *UnixAddr // nil: not connected

	in  unixQueue
	out *unixQueue // of the peer; nil: none

	peer *unixEndpoint // of a connected datagram socket, under unixLock

	mu      sync.Mutex
	closed  bool
	pending []*unixEndpoint // connections not accepted, of a listener
	arrived chan struct{}   // closed, and replaced, when pending or closed change

	readDeadline, writeDeadline pipeDeadline
}

// unixKey is where a name leads.
type unixKey struct {
	abstract string // without the first "@"
	sotype   int    // of abstract names: each type has its own
	dev, ino uint64
}

var (
	unixLock    sync.Mutex
	unixSockets = map[unixKey]*unixEndpoint{}
	unixNames   uint32 // that were given to those who did not want a certain one
)

const (
	unixPathMax = 108  // sizeof sun_path
	unixBacklog = 4096 // as net.core.somaxconn
)

// hookUnix makes a Unix socket: bound to laddr if that is not nil, and connected
// to raddr if that is not, else listening if its type can.
func hookUnix(ctx context.Context, net string, sotype int, laddr, raddr *UnixAddr) (*netFD, error) {
	s := newUnixEndpoint(sotype, net)
	if laddr != nil {
		if err := s.bind(laddr); err != nil {
			return nil, os.NewSyscallError("bind", err)
		}
	}
	fd := &netFD{family: syscall.AF_UNIX, sotype: sotype, net: net}
	switch {
	case raddr != nil:
		if err := ctx.Err(); err != nil {
			s.Close()
			return nil, mapErr(err)
		}
		if err := s.connect(raddr); err != nil {
			s.Close()
			return nil, os.NewSyscallError("connect", err)
		}
		fd.isConnected = true
		fd.raddr = s.raddr
	case sotype != syscall.SOCK_DGRAM:
		s.arrived = make(chan struct{})
	}
	fd.laddr = s.laddr
	fd.hooked = &hookedSocket{}
	if s.arrived != nil {
		fd.hooked.listener = unixListenerSocket{s}
	} else {
		fd.hooked.conn, fd.hooked.packets = s, s
	}
	return fd, nil
}

func newUnixEndpoint(sotype int, net string) *unixEndpoint {
	return &unixEndpoint{
		sotype: sotype,
		laddr:  &UnixAddr{Name: "@", Net: net},
		in:     unixQueue{stream: sotype == syscall.SOCK_STREAM},

		readDeadline: makePipeDeadline(), writeDeadline: makePipeDeadline(),
	}
}

// splitUnixName tells an abstract name from a path, which ends at a NUL byte, and
// checks its length.
func splitUnixName(name string) (abstract, path string, err error) {
	if len(name) > unixPathMax || len(name) == unixPathMax && name[0] != '@' && name[0] != 0 {
		return "", "", syscall.EINVAL
	}
	if name != "" && (name[0] == '@' || name[0] == 0) {
		return name[1:], "", nil
	}
	for i := range len(name) {
		if name[i] == 0 {
			name = name[:i]
			break
		}
	}
	return "", name, nil
}

// bind gives s a name: an abstract one or a file, or if the name is empty a free
// abstract one.
func (s *unixEndpoint) bind(a *UnixAddr) error {
	abstract, path, err := splitUnixName(a.Name)
	if err != nil {
		return err
	}
	if path != "" {
		return s.bindFile(path)
	}
	unixLock.Lock()
	defer unixLock.Unlock()
	key := unixKey{abstract: abstract, sotype: s.sotype}
	if a.Name == "" {
		for key.abstract = ""; key.abstract == "" || unixSockets[key] != nil; unixNames++ {
			n := strconv.FormatUint(uint64(unixNames&0xfffff), 16)
			key.abstract = "00000"[len(n):] + n
		}
	}
	if unixSockets[key] != nil {
		return syscall.EADDRINUSE
	}
	s.register(key, "@"+key.abstract)
	return nil
}

// register makes s the one that key leads to. unixLock is held.
func (s *unixEndpoint) register(key unixKey, name string) {
	unixSockets[key] = s
	s.key = key
	s.laddr = &UnixAddr{Name: name, Net: s.laddr.Net}
}

func (s *unixEndpoint) bindFile(path string) error {
	err := syscall.Mknod(path, syscall.S_IFSOCK|0o777, 0)
	if err == syscall.EEXIST {
		return syscall.EADDRINUSE
	}
	if err != nil {
		return err
	}
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil {
		return err
	}
	unixLock.Lock()
	defer unixLock.Unlock()
	// One that had the inode before has lost its file, and cannot be reached.
	s.register(unixKey{dev: st.Dev, ino: st.Ino}, path)
	return nil
}

// findUnix returns the socket that a name leads to.
func findUnix(a *UnixAddr, sotype int) (*unixEndpoint, error) {
	abstract, path, err := splitUnixName(a.Name)
	if err != nil {
		return nil, err
	}
	if a.Name == "" {
		return nil, syscall.EINVAL
	}
	key := unixKey{abstract: abstract, sotype: sotype}
	if path != "" {
		var st syscall.Stat_t
		if err := syscall.Stat(path, &st); err != nil {
			return nil, err
		}
		if st.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
			return nil, syscall.ECONNREFUSED
		}
		key = unixKey{dev: st.Dev, ino: st.Ino}
	}
	unixLock.Lock()
	defer unixLock.Unlock()
	s := unixSockets[key]
	if s == nil {
		return nil, syscall.ECONNREFUSED
	}
	if s.sotype != sotype {
		return nil, syscall.EPROTOTYPE
	}
	return s, nil
}

// connect connects s to the socket of that name.
func (s *unixEndpoint) connect(a *UnixAddr) error {
	to, err := findUnix(a, s.sotype)
	if err != nil {
		return err
	}
	s.raddr = to.laddr
	if s.sotype == syscall.SOCK_DGRAM {
		unixLock.Lock()
		s.peer = to
		unixLock.Unlock()
		return nil
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	if to.closed || to.arrived == nil {
		return syscall.ECONNREFUSED
	}
	if len(to.pending) >= unixBacklog {
		return syscall.EAGAIN
	}
	other := newUnixEndpoint(s.sotype, s.laddr.Net)
	other.laddr, other.raddr = to.laddr, s.laddr
	other.out, s.out = &s.in, &other.in
	to.pending = append(to.pending, other)
	to.arrive()
	return nil
}

// arrive wakes who accepts connections. s.mu is held.
func (s *unixEndpoint) arrive() {
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// LocalAddr, RemoteAddr and what follows implement Conn and PacketConn.
func (s *unixEndpoint) LocalAddr() Addr { return s.laddr }

func (s *unixEndpoint) RemoteAddr() Addr {
	if s.raddr == nil {
		return nil
	}
	return s.raddr
}

func (s *unixEndpoint) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil // as internal/poll has it, for packets, too
	}
	n, _, err := s.ReadFrom(p)
	return n, err
}

func (s *unixEndpoint) ReadFrom(p []byte) (n int, from Addr, err error) {
	n, name, err := s.in.read(p, &s.readDeadline)
	if n == 0 && len(p) > 0 && err == nil && s.sotype == syscall.SOCK_SEQPACKET {
		err = io.EOF // nothing tells an empty packet from an end
	}
	if name != nil {
		from = name
	}
	return n, from, err
}

func (s *unixEndpoint) Write(p []byte) (int, error) {
	if s.sotype == syscall.SOCK_DGRAM {
		if s.peer == nil {
			return 0, os.NewSyscallError("write", syscall.ENOTCONN)
		}
		return s.send("write", s.peer, p)
	}
	if s.out == nil {
		return 0, os.NewSyscallError("write", syscall.ENOTCONN)
	}
	n, err := s.out.write(p, s.name(), &s.writeDeadline)
	return n, wrapSyscallErrno("write", err)
}

func (s *unixEndpoint) WriteTo(p []byte, to Addr) (int, error) {
	a, ok := to.(*UnixAddr)
	if !ok {
		return 0, os.NewSyscallError("sendto", syscall.EINVAL)
	}
	peer, err := findUnix(a, s.sotype)
	if err != nil {
		return 0, os.NewSyscallError("sendto", err)
	}
	return s.send("sendto", peer, p)
}

// send sends a datagram.
func (s *unixEndpoint) send(call string, to *unixEndpoint, p []byte) (int, error) {
	unixLock.Lock()
	wanted := to.peer == nil || to.peer == s
	unixLock.Unlock()
	if !wanted {
		return 0, os.NewSyscallError(call, syscall.EPERM) // it wants those of another one
	}
	n, err := to.in.write(p, s.name(), &s.writeDeadline)
	if err == syscall.EPIPE && to.isClosed() {
		err = syscall.ECONNREFUSED
	}
	return n, wrapSyscallErrno(call, err)
}

// wrapSyscallErrno is [os.NewSyscallError] for error numbers only.
func wrapSyscallErrno(call string, err error) error {
	if _, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(call, err)
	}
	return err
}

// name is what others see as the sender.
func (s *unixEndpoint) name() *UnixAddr {
	if s.laddr.Name == "@" && s.key == (unixKey{}) {
		return nil
	}
	return s.laddr
}

func (s *unixEndpoint) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *unixEndpoint) CloseRead() error {
	s.in.shutdown(false)
	return nil
}

func (s *unixEndpoint) CloseWrite() error {
	if s.out == nil {
		return os.NewSyscallError("shutdown", syscall.ENOTCONN)
	}
	s.out.end(nil)
	return nil
}

// Close takes the name away; its file stays.
func (s *unixEndpoint) Close() error {
	unixLock.Lock()
	if unixSockets[s.key] == s {
		delete(unixSockets, s.key)
	}
	unixLock.Unlock()
	s.mu.Lock()
	s.closed = true
	pending := s.pending
	s.pending = nil
	if s.arrived != nil {
		s.arrive()
	}
	s.mu.Unlock()
	for _, c := range pending {
		c.close(true)
	}
	s.close(false)
	s.SetDeadline(time.Unix(0, 1)) // whoever still waits
	return nil
}

// close ends the connection. The peer is told of a reset if something that it has
// sent was not read, or refused.
func (s *unixEndpoint) close(refused bool) {
	unread := s.in.shutdown(true)
	if s.out == nil {
		return
	}
	if unread || refused {
		s.out.end(syscall.ECONNRESET)
		return
	}
	s.out.end(nil)
}

func (s *unixEndpoint) SetDeadline(t time.Time) error {
	s.readDeadline.set(t)
	s.writeDeadline.set(t)
	return nil
}

func (s *unixEndpoint) SetReadDeadline(t time.Time) error {
	s.readDeadline.set(t)
	return nil
}

func (s *unixEndpoint) SetWriteDeadline(t time.Time) error {
	s.writeDeadline.set(t)
	return nil
}

// unixListenerSocket is a listening socket as a Listener.
type unixListenerSocket struct{ s *unixEndpoint }

func (l unixListenerSocket) Addr() Addr                    { return l.s.laddr }
func (l unixListenerSocket) Close() error                  { return l.s.Close() }
func (l unixListenerSocket) SetDeadline(t time.Time) error { return l.s.SetDeadline(t) }

func (l unixListenerSocket) Accept() (Conn, error) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return nil, ErrClosed
		case isClosedChan(s.readDeadline.wait()):
			return nil, os.ErrDeadlineExceeded
		case len(s.pending) > 0:
			c := s.pending[0]
			s.pending = s.pending[1:]
			return c, nil
		}
		arrived := s.arrived
		s.mu.Unlock()
		select {
		case <-arrived:
		case <-s.readDeadline.wait():
		}
		s.mu.Lock()
	}
}
