// Package unixsocket has the sockets of AF_UNIX (unix(7)): streams, datagrams and
// sequenced packets within the one program that there is, with names in the file
// system, abstract names and none.
//
// SO_PEEK_OFF, MSG_OOB and descriptors of processes (SO_PASSPIDFD) are not there.
package unixsocket

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/socket"
)

// Host is what sockets need of the system that they belong to.
type Host interface {
	// MakeSocket makes a node of a socket at path, which the caller may have relative
	// to its directory, and returns its place, with a reference.
	MakeSocket(path string) (*fs.Dentry, error)
	// FindSocket returns the place that path leads to, with a reference.
	FindSocket(path string) (*fs.Dentry, error)
	// Credentials are those of who calls.
	Credentials() socket.Creds
}

// Family makes sockets, which find one another.
type Family struct {
	host Host

	// mu is held over changes of who is whose peer, and of names. It comes before
	// the mu of a sock; of those only one is held at a time.
	mu       sync.Mutex
	abstract map[abstractName]*sock
	paths    map[fs.Node]*sock
	open     map[*sock]struct{}
	auto     uint32 // the name that was last given to who did not want a certain one

	flying flights
}

type abstractName struct {
	name string // behind the NUL
	typ  int    // each has names of its own
}

// New makes a Family.
func New(h Host) *Family {
	return &Family{host: h, abstract: map[abstractName]*sock{}, paths: map[fs.Node]*sock{}, open: map[*sock]struct{}{}}
}

// Socket implements socket.Family.
func (f *Family) Socket(typ, protocol int) (socket.Socket, error) {
	s, err := f.socket(typ, protocol)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (f *Family) socket(typ, protocol int) (*sock, error) {
	if protocol != 0 && protocol != syscall.AF_UNIX {
		return nil, syscall.EPROTONOSUPPORT
	}
	switch typ {
	case syscall.SOCK_RAW:
		typ = syscall.SOCK_DGRAM
	case syscall.SOCK_STREAM, syscall.SOCK_DGRAM, syscall.SOCK_SEQPACKET:
	default:
		return nil, syscall.ESOCKTNOSUPPORT
	}
	s := f.newSock(typ)
	f.mu.Lock()
	f.open[s] = struct{}{}
	f.mu.Unlock()
	return s, nil
}

func (f *Family) newSock(typ int) *sock {
	s := &sock{f: f, typ: typ, backlog: dgramBacklog}
	s.sndbuf.Store(bufferSize)
	s.rcvbuf.Store(bufferSize)
	return s
}

// Pair implements socket.PairFamily.
func (f *Family) Pair(typ, protocol int) (a, b socket.Socket, err error) {
	x, err := f.socket(typ, protocol)
	if err != nil {
		return nil, nil, err
	}
	y, _ := f.socket(typ, protocol)
	creds := f.host.Credentials()
	for _, s := range []*sock{x, y} {
		s.creds.Store(&creds)
		s.state.Store(connected)
	}
	x.peer.Store(y)
	y.peer.Store(x)
	return x, y, nil
}

// Limits.
const (
	bufferSize   = 212992 // bytes: net.core.wmem_default
	bufferMax    = 212992 // bytes: net.core.wmem_max
	dgramBacklog = 10     // net.unix.max_dgram_qlen
	pathLen      = 108    // bytes of sun_path
	addrLen      = 2 + pathLen
)

// name is an address that a socket is bound to. It does not change.
type name struct {
	addr   []byte     // struct sockaddr_un
	place  *fs.Dentry // with a reference; nil: none, or somebody else's
	hidden abstractName
}

// unnamed is the address of a socket without a name.
var unnamed = []byte{syscall.AF_UNIX, 0}

// text is the name of an address of struct sockaddr_un. abstract: it is not a path.
// EINVAL: the address is none.
func text(addr []byte) (text string, abstract bool, err error) {
	if len(addr) <= 2 || len(addr) > addrLen || family(addr) != syscall.AF_UNIX {
		return "", false, syscall.EINVAL
	}
	b := addr[2:]
	if b[0] == 0 {
		return string(b[1:]), true, nil
	}
	for i := range b {
		if b[i] == 0 {
			b = b[:i]
			break
		}
	}
	return string(b), false, nil
}

func family(addr []byte) int { return int(addr[0]) | int(addr[1])<<8 }

// Bind implements socket.Socket.
func (s *sock) Bind(addr []byte) error {
	if len(addr) == 2 && family(addr) == syscall.AF_UNIX {
		return s.autobind()
	}
	path, abstract, err := text(addr)
	switch {
	case err != nil:
		return err
	case abstract:
		return s.bindAbstract(path)
	}
	if s.name.Load() != nil {
		if d, err := s.f.host.FindSocket(path); err == nil {
			d.Put()
			return syscall.EADDRINUSE
		}
		return syscall.EINVAL
	}
	d, err := s.f.host.MakeSocket(path)
	if err != nil {
		if err == syscall.EEXIST {
			err = syscall.EADDRINUSE
		}
		return err
	}
	full := append([]byte{syscall.AF_UNIX, 0}, path...)
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.name.Load() != nil {
		d.Put()
		return syscall.EINVAL
	}
	s.name.Store(&name{addr: append(full, 0), place: d})
	f.paths[d.Node()] = s
	return nil
}

func (s *sock) bindAbstract(n string) error {
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	key := abstractName{n, s.typ}
	switch {
	case s.name.Load() != nil:
		return syscall.EINVAL
	case f.abstract[key] != nil:
		return syscall.EADDRINUSE
	}
	s.give(key)
	return nil
}

// give gives s an abstract name; f.mu is held.
func (s *sock) give(key abstractName) {
	s.name.Store(&name{addr: append([]byte{syscall.AF_UNIX, 0, 0}, key.name...), hidden: key})
	s.f.abstract[key] = s
}

// autobind gives s a name that nobody else has, if it has none: five digits, as
// unix(7) has them.
func (s *sock) autobind() error {
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.name.Load() != nil {
		return nil
	}
	const names = 1 << 20
	for range names {
		f.auto = (f.auto + 1) % names
		key := abstractName{fmt.Sprintf("%05x", f.auto), s.typ}
		if f.abstract[key] == nil {
			s.give(key)
			return nil
		}
	}
	return syscall.ENOSPC
}

// find returns the socket that addr names, for one of a type.
func (f *Family) find(addr []byte, typ int) (*sock, error) {
	path, abstract, err := text(addr)
	if err != nil {
		return nil, err
	}
	if abstract {
		f.mu.Lock()
		defer f.mu.Unlock()
		if s := f.abstract[abstractName{path, typ}]; s != nil {
			return s, nil
		}
		return nil, syscall.ECONNREFUSED
	}
	d, err := f.host.FindSocket(path)
	if err != nil {
		return nil, err
	}
	defer d.Put()
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.paths[d.Node()]
	switch {
	case s == nil:
		return nil, syscall.ECONNREFUSED
	case s.typ != typ:
		return nil, syscall.EPROTOTYPE
	}
	return s, nil
}

// unname takes s's name out of the tables; f.mu is held. Its place is the caller's
// to give back.
func (s *sock) unname() *fs.Dentry {
	n := s.name.Load()
	switch {
	case n == nil:
	case n.place != nil:
		delete(s.f.paths, n.place.Node())
		return n.place
	case s.f.abstract[n.hidden] == s:
		delete(s.f.abstract, n.hidden)
	}
	return nil
}

// address is that of s as others see it.
func (s *sock) address() []byte {
	if n := s.name.Load(); n != nil {
		return n.addr
	}
	return unnamed
}

// Name implements socket.Socket, like Peer.
func (s *sock) Name() ([]byte, error) { return s.address(), nil }

func (s *sock) Peer() ([]byte, error) {
	if p := s.peer.Load(); p != nil {
		return p.address(), nil
	}
	return nil, syscall.ENOTCONN
}

// SetInode implements socket.Numbered.
func (s *sock) SetInode(ino uint64) { s.ino.Store(ino) }

// States of a sock.
const (
	closed = iota
	listening
	connected
)

// sock is a socket.
type sock struct {
	f     *Family
	typ   int
	ino   atomic.Uint64
	queue fs.WaitQueue

	// Changed under f.mu.
	state atomic.Int32
	peer  atomic.Pointer[sock]
	name  atomic.Pointer[name]

	// charged is how much of sndbuf what it has sent, and nobody has read, takes.
	charged        atomic.Int64
	sndbuf, rcvbuf atomic.Int64
	passCreds      atomic.Bool
	full           atomic.Pointer[sock]         // for which Send last had to wait
	creds          atomic.Pointer[socket.Creds] // of the peer, or of who listened; nil: none
	options        options

	mu      sync.Mutex
	dead    bool // released
	shut    int  // shutIn, shutOut
	err     syscall.Errno
	packets []*packet
	pending []*sock // connections that nobody has accepted
	backlog int     // one more than these, or packets of strangers, may wait
	waiters map[*sock]struct{}
}

// Parts of a socket that are shut down.
const (
	shutIn   = 1
	shutOut  = 2
	shutBoth = shutIn | shutOut
)

// everything is for changes that all who wait are told of.
const everything = ^uint32(0)

// takeError returns the error that waits to be told, once; s.mu is held.
func (s *sock) takeError() error {
	if e := s.err; e != 0 {
		s.err = 0
		return e
	}
	return nil
}

// crowded tells if nothing more may wait in the queue of s; s.mu is held.
func (s *sock) crowded() bool { return max(len(s.packets), len(s.pending)) > s.backlog }

// waitFor has w woken when there is room in the queue of s; s.mu is held.
func (s *sock) waitFor(w *sock) {
	if s.waiters == nil {
		s.waiters = map[*sock]struct{}{}
	}
	s.waiters[w] = struct{}{}
	w.full.Store(s)
}

// roomier wakes those who wait for room; s.mu is held.
func (s *sock) roomier() {
	for w := range s.waiters {
		w.full.CompareAndSwap(s, nil)
		w.queue.Wake(fs.PollOut | fs.PollWrNorm)
	}
	clear(s.waiters)
}

// CanSend implements socket.Waiting.
func (s *sock) CanSend() bool { return s.full.Load() == nil }
