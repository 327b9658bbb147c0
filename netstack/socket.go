package netstack

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/yolkos/yolk/fs"
)

// sock is a socket of the families AF_INET and AF_INET6.
type sock struct {
	s        *Stack
	ep       tcpip.Endpoint
	from     *waiter.Queue // whom the endpoint tells
	entry    waiter.Entry
	queue    fs.WaitQueue // whom we tell
	family   int
	typ      int
	protocol int
	ino      atomic.Uint64
	held     atomic.Bool // a listener that waits for memory, see hold
	young    atomic.Bool // accepted and not used yet
	settings settings    // what only this package knows of
	deferred atomic.Pointer[deferred]
	room     atomic.Pointer[waitingRoom] // of one that listens
	lost     atomic.Bool                 // with the interface, see Lose
	heard    atomic.Bool                 // something has come since the socket was made
	loops    atomic.Bool                 // it is connected, and the other end is here, too
	named    atomic.Bool                 // it is bound to the address of an interface
	within   atomic.Bool                 // it is connected, and the stack takes another source than loopbackSource
	deaf     atomic.Bool                 // it listened, and was shut
	shutRead atomic.Bool                 // a connection that was shut for reading
	boundTo  tcpip.Address               // where a stream is bound, or was to be; none: all. With listens under Stack.listeners' lock
	listens  uint16                      // the port at which it is among them
}

// newSock makes a socket of an endpoint, which tells q.
func (s *Stack) newSock(ep tcpip.Endpoint, q *waiter.Queue, family, typ, protocol int) *sock {
	k := &sock{s: s, ep: ep, from: q, family: family, typ: typ, protocol: protocol}
	k.entry.Init(k, waiter.AllEvents)
	q.EventRegister(&k.entry)
	s.mu.Lock()
	s.sockets[ep] = k
	s.mu.Unlock()
	if k.stream() {
		s.countTimeWait()
	}
	return k
}

// NotifyEvent implements waiter.EventListener.
func (k *sock) NotifyEvent(mask waiter.EventMask) {
	if mask&(waiter.EventErr|waiter.EventHUp) != 0 {
		mask |= waiter.ReadableEvents | waiter.WritableEvents // a call would tell
	}
	if mask&waiter.ReadableEvents != 0 && !k.heard.Load() {
		k.heard.Store(true)
	}
	k.queue.Wake(mask.ToLinux())
}

// stream reports whether the socket is one of TCP.
func (k *sock) stream() bool { return k.typ == syscall.SOCK_STREAM }

// SetInode implements socket.Numbered.
func (k *sock) SetInode(ino uint64) { k.ino.Store(ino) }

// Release implements socket.Socket.
func (k *sock) Release() {
	k.growStack()
	k.forget()
	k.s.mu.Lock()
	delete(k.s.sockets, k.ep)
	delete(k.s.held, k)
	k.s.mu.Unlock()
	k.grown()
	k.from.EventUnregister(&k.entry)
	k.s.listeners.remove(k)
	k.ep.Close()
	k.vacate()
}

// Poll implements fs.PollFile.
func (k *sock) Poll(events uint32) (uint32, error) {
	if k.s.ended.Load() {
		return 0, nil
	}
	is, err := k.waits()
	switch {
	case is == earlyConnect:
		return 0, nil
	case err != nil:
		return (fs.PollReads | fs.PollWrites) & (events | fs.PollErr | fs.PollHup), nil
	}
	ask := events
	if k.stream() {
		ask &^= fs.PollErr | fs.PollPri // the stack says yes of all that is over; see streamEvents
	}
	now := k.ep.Readiness(waiter.EventMaskFromLinux(ask)).ToLinux()
	if k.deaf.Load() {
		now = fs.PollOut | fs.PollWrNorm | fs.PollHup
	}
	if is == earlySend {
		now &^= fs.PollOut | fs.PollWrNorm
	}
	if k.ep.SocketOptions().PeekErr() != nil {
		now |= fs.PollErr
		if on, _ := k.kept(syscall.SOL_SOCKET, soSelectErrQueue); on != 0 {
			now |= fs.PollPri
		}
	}
	if k.stream() {
		now |= k.streamEvents()
		if k.occupied() {
			now |= fs.PollIn | fs.PollRdNorm
		}
	}
	if k.held.Load() {
		now &^= fs.PollIn | fs.PollRdNorm
	}
	return now & (events | fs.PollErr | fs.PollHup), nil
}

// Watch implements fs.NotifyFile.
func (k *sock) Watch(w *fs.Waiter) bool {
	k.queue.Add(w, fs.PollReads|fs.PollWrites)
	return true
}

// address turns an address of the caller's into one that this socket can be bound to,
// or send to.
func (k *sock) address(b []byte, bind bool) (tcpip.FullAddress, error) {
	if k.typ == syscall.SOCK_RAW && !bind {
		return k.rawAddress(b)
	}
	a, family, err := decodeAddress(b)
	switch {
	case err == syscall.EAFNOSUPPORT && bind && family == syscall.AF_UNSPEC && k.family == syscall.AF_INET && len(b) >= sizeSockaddrIn && [4]byte(b[4:8]) == [4]byte{}:
		// An old way to say AF_INET, which bind(2) keeps alive.
		return tcpip.FullAddress{Port: uint16(b[2])<<8 | uint16(b[3])}, nil
	case err != nil:
		return a, err
	case family == k.family:
	case family == syscall.AF_INET && !bind && k.typ == syscall.SOCK_DGRAM && !k.ep.SocketOptions().GetV6Only():
		// A datagram of a socket of IPv6 may go to an address of IPv4.
		a.Addr = tcpip.AddrFrom16(to16(tcpip.AddrFrom4(to4(a.Addr))))
	default:
		if bind || k.typ == syscall.SOCK_STREAM {
			return a, syscall.EAFNOSUPPORT
		}
		return a, syscall.EINVAL
	}
	return a, nil
}

// Bind implements socket.Socket.
func (k *sock) Bind(addr []byte) error {
	if k.typ == syscall.SOCK_RAW && k.family == syscall.AF_INET && len(addr) >= sizeSockaddrIn {
		addr = slices.Clone(addr) // of whatever family it is (raw_bind of Linux)
		binary.NativeEndian.PutUint16(addr, syscall.AF_INET)
	}
	if family, err := addressFamily(addr); err != nil || k.family == syscall.AF_INET && len(addr) < sizeSockaddrIn || k.family == syscall.AF_INET6 && len(addr) < sizeSockaddrIn6V {
		return syscall.EINVAL
	} else if k.typ == syscall.SOCK_RAW && family != k.family {
		return syscall.EINVAL
	} else if family != k.family && family != syscall.AF_UNSPEC {
		return syscall.EAFNOSUPPORT
	}
	a, err := k.address(addr, true)
	if err != nil {
		return err
	}
	if k.typ == syscall.SOCK_RAW {
		a.Port = 0
	}
	if k.stream() && k.ep.State() == uint32(tcp.StateInitial) {
		err = k.bindStream(a)
	} else {
		err = errno(k.ep.Bind(a))
	}
	if err != nil {
		return err
	}
	if a.Addr.Len() != 0 && !a.Addr.Unspecified() && !isMulticast(a.Addr) && !k.s.broadcast(a) {
		k.named.Store(true)
	}
	return nil
}

// Connect implements socket.Socket.
func (k *sock) Connect(addr []byte) error {
	growStack()
	if k.s.ended.Load() {
		return syscall.EINPROGRESS
	}
	family, err := addressFamily(addr)
	if err != nil {
		return err
	}
	if family == syscall.AF_UNSPEC {
		return k.disconnect()
	}
	if k.typ == syscall.SOCK_RAW && family != k.family && len(addr) >= sizeSockaddrIn {
		return syscall.EAFNOSUPPORT
	}
	a, err := k.address(addr, false)
	if err != nil {
		return err
	}
	if k.stream() && !oneAddress(a.Addr) {
		return syscall.ENETUNREACH
	}
	if is, _ := k.waits(); is == earlyConnect {
		return syscall.EALREADY
	}
	if k.s.early(a) && !k.begun() {
		k.postpone(earlyConnect, a)
		return syscall.EINPROGRESS
	}
	return k.connectTo(a)
}

// connectTo connects to an address of the socket's own family.
func (k *sock) connectTo(a tcpip.FullAddress) error {
	if k.listening() {
		return syscall.EISCONN
	}
	if k.stream() && k.s.broadcast(a) {
		return syscall.ENETUNREACH
	}
	if ep, ok := k.ep.(*tcp.Endpoint); ok {
		defer connectWithin(ep, a.Addr)()
	}
	within := k.ownSource(&a)
	if within && !k.bound() {
		_ = k.ep.Bind(tcpip.FullAddress{}) // to hear what is sent to the source
	}
	terr := k.ep.Connect(a)
	k.noteLoop()
	if terr == nil {
		k.within.Store(within)
	}
	if _, ok := terr.(*tcpip.ErrBadLocalAddress); ok && k.stream() && k.bound() {
		return syscall.EADDRNOTAVAIL
	}
	return errno(terr)
}

// loopbackSource is where what a socket sends comes from that is bound to no address, and
// leads to another address of the loopback network than the interface's own: from that,
// whatever the protocol, as from an interface's first address of a network on any other.
// The stack would take the address that it leads to. So connections are given it before
// (connectWithin); raw sockets ask for it (rawEndpoint.source); and datagrams go on a route
// of their own (writeRoute), as the stack has none for sockets that hear all addresses.
func loopbackSource(to tcpip.Address) (from tcpip.Address, ok bool) {
	own := tcpip.AddrFrom4([4]byte{127, 0, 0, 1})
	if four := unmapped(to); !header.IsV4LoopbackAddress(four) || four == own {
		return from, false
	}
	if to.Len() == header.IPv6AddressSize {
		return tcpip.AddrFrom16([16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}), true
	}
	return own, true
}

// connectWithin has a connection that is about to begin, from a socket with a port or
// without, come from loopbackSource, where that is its source. What it returns is to be
// called when the stack has tried: one that did not begin has no address, as before.
func connectWithin(ep *tcp.Endpoint, to tcpip.Address) (tried func()) {
	from, ok := loopbackSource(to)
	if !ok {
		return func() {}
	}
	ep.LockUser()
	defer ep.UnlockUser()
	own := &ep.TransportEndpointInfo.ID.LocalAddress
	idle := func() bool {
		is := ep.EndpointState()
		return is == tcp.StateInitial || is == tcp.StateBound
	}
	if was := *own; idle() && (was.Len() == 0 || was.Unspecified()) {
		*own = unmapped(from)
		return func() {
			ep.LockUser()
			defer ep.UnlockUser()
			if idle() {
				*own = was
			}
		}
	}
	return func() {}
}

// ownSource reports whether a datagram that goes to an address, or where the socket is
// connected to if there is none, comes from loopbackSource by our doing.
func (k *sock) ownSource(to *tcpip.FullAddress) bool {
	if to == nil {
		return k.within.Load()
	}
	if _, ok := loopbackSource(to.Addr); !ok || k.typ != syscall.SOCK_DGRAM || k.named.Load() {
		return false
	}
	local, err := k.ep.GetLocalAddress()
	// Who is connected keeps the source that that has given him.
	return err == nil && (local.Addr.Len() == 0 || local.Addr.Unspecified() || header.IsV4LoopbackAddress(unmapped(local.Addr)))
}

// oneAddress reports whether an address is one interface's: a stream leads to no
// other.
func oneAddress(a tcpip.Address) bool {
	a = unmapped(a)
	return !isMulticast(a) && a != header.IPv4Broadcast
}

// unmapped is the address of IPv4 that an address of IPv6 stands for, or a itself.
func unmapped(a tcpip.Address) tcpip.Address {
	if a.Len() != header.IPv6AddressSize || !header.IsV4MappedAddress(a) {
		return a
	}
	return tcpip.AddrFrom4(to4(a))
}

// broadcast reports whether an address is for all of a network that is there.
func (s *Stack) broadcast(a tcpip.FullAddress) bool {
	to := unmapped(a.Addr)
	if to.Len() != header.IPv4AddressSize {
		return false
	}
	r, err := s.FindRoute(a.NIC, tcpip.Address{}, to, header.IPv4ProtocolNumber, false)
	if err != nil {
		return false
	}
	defer r.Release()
	return r.IsOutboundBroadcast()
}

// begun reports whether the socket is a stream that listens or is connected, or was.
func (k *sock) begun() bool {
	switch tcp.EndpointState(k.ep.State()) {
	case tcp.StateInitial, tcp.StateBound:
		return false
	}
	return k.stream()
}

// bound reports whether the socket has a port.
func (k *sock) bound() bool {
	a, err := k.ep.GetLocalAddress()
	return err == nil && a.Port != 0
}

// disconnect is connect(2) with AF_UNSPEC.
func (k *sock) disconnect() error {
	k.forget()
	k.within.Store(false)
	if k.stream() && !k.begun() {
		return nil // there is nothing to end
	}
	err := k.ep.Disconnect()
	if _, ok := err.(*tcpip.ErrNotSupported); ok && !k.stream() {
		return nil
	}
	return errno(err)
}

// Shutdown implements socket.Socket.
func (k *sock) Shutdown(how int) error {
	var flags tcpip.ShutdownFlags
	switch how {
	case syscall.SHUT_RD:
		flags = tcpip.ShutdownRead
	case syscall.SHUT_WR:
		flags = tcpip.ShutdownWrite
	case syscall.SHUT_RDWR:
		flags = tcpip.ShutdownRead | tcpip.ShutdownWrite
	default:
		return syscall.EINVAL
	}
	err := k.shutdown(flags)
	if err == nil && how != syscall.SHUT_RD {
		k.settings.shut.Store(true)
	}
	return err
}

// shutdown is Shutdown for flags of the stack. That a connection is shut for reading is
// kept here: on Linux it hears no less for that, but who reads does not wait any more; and
// where something has not been read the stack, told of both ways, would reset it, which
// close(2) alone does (RFC 2525, 2.17).
func (k *sock) shutdown(flags tcpip.ShutdownFlags) error {
	switch {
	case k.deaf.Load():
		return syscall.ENOTCONN
	case k.listening():
		err := k.ep.Shutdown(flags)
		if err == nil && flags&tcpip.ShutdownRead != 0 {
			k.deaf.Store(true)
			k.queue.Wake(fs.PollReads | fs.PollWrites)
		}
		return errno(err)
	case k.connected() && flags&tcpip.ShutdownRead != 0:
		k.shutRead.Store(true)
		k.queue.Wake(fs.PollReads | fs.PollWrites)
		if flags &^= tcpip.ShutdownRead; flags == 0 {
			return nil
		}
	}
	return errno(k.ep.Shutdown(flags))
}

// connected reports whether the socket is a stream that has a peer.
func (k *sock) connected() bool {
	if !k.stream() {
		return false
	}
	switch tcp.EndpointState(k.ep.State()) {
	case tcp.StateEstablished, tcp.StateFinWait1, tcp.StateFinWait2, tcp.StateCloseWait, tcp.StateClosing, tcp.StateLastAck:
		return true
	}
	return false
}

// Name implements socket.Socket.
func (k *sock) Name() ([]byte, error) {
	a, err := k.ep.GetLocalAddress()
	if err != nil {
		return nil, errno(err)
	}
	if from, ok := loopbackSource(a.Addr); ok && k.within.Load() {
		a.Addr = from
	}
	return appendAddress(nil, k.family, k.mapAny(a)), nil
}

// mapAny makes an address without length that of its protocol: a socket of IPv6 that
// is connected by IPv4 has no other.
func (k *sock) mapAny(a tcpip.FullAddress) tcpip.FullAddress {
	if a.Addr.Len() == 0 && k.family == syscall.AF_INET6 {
		a.Addr = header.IPv6Any
	}
	return a
}

// Peer implements socket.Socket.
func (k *sock) Peer() ([]byte, error) {
	a, err := k.ep.GetRemoteAddress()
	if err != nil || a.Port == 0 && k.typ == syscall.SOCK_RAW || k.stream() && tcp.EndpointState(k.ep.State()) == tcp.StateTimeWait {
		return nil, syscall.ENOTCONN // of one in TIME_WAIT nothing is left to the program
	}
	return appendAddress(nil, k.family, a), nil
}
