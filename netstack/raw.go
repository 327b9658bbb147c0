package netstack

import (
	"io"
	"sync"
	"sync/atomic"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport"
	"gvisor.dev/gvisor/pkg/waiter"
)

// rawEndpoint is the endpoint of a raw socket (raw(7)), of any protocol: those of the stack
// receive only what is of a transport protocol that it has. What it embeds is one of these
// that neither sends nor receives, for its options and groups.
type rawEndpoint struct {
	tcpip.Endpoint
	s        *Stack
	network  tcpip.NetworkProtocolNumber
	protocol tcpip.TransportProtocolNumber
	waiters  *waiter.Queue
	of       atomic.Pointer[sock]

	filter   atomic.Uint32 // ICMP_FILTER: a bit for each type that is not wanted
	checksum atomic.Int32  // IPV6_CHECKSUM: where it is in what is sent; -1: there is none
	sending  atomic.Int64  // bytes that are under way

	mu        sync.Mutex
	local     tcpip.FullAddress // to which what it receives has been sent; none: any
	peer      tcpip.FullAddress // from whom it receives, and to whom it sends
	connected bool
	left      bool // it is disconnected, and receives nothing more
	shut      bool // for reading
	closed    bool
	err       syscall.Errno // what became of a datagram that it had sent; 0: nothing bad
	queue     []*rawDatagram
	charge    int // what the queue is charged with, in bytes
}

// rawDatagram is what has come, as several sockets may have it.
type rawDatagram struct {
	data    []byte
	from    tcpip.FullAddress
	control tcpip.ReceivableControlMessages // all that can be asked for
}

// rawOverhead is what a datagram is charged with beside its bytes, so that those without
// any do not pile up.
const rawOverhead = 512

// defaultChecksum is where the checksum of ICMPv6 is (RFC 3542, 3.1).
const defaultChecksum = header.ICMPv6ChecksumOffset

// newRaw makes a raw endpoint, and has it receive.
func (s *Stack) newRaw(network tcpip.NetworkProtocolNumber, protocol tcpip.TransportProtocolNumber, q *waiter.Queue) (*rawEndpoint, tcpip.Error) {
	ep, err := s.NewRawEndpoint(protocol, network, q, false)
	if err != nil {
		return nil, err
	}
	e := &rawEndpoint{Endpoint: ep, s: s, network: network, protocol: protocol, waiters: q}
	ep.SocketOptions().SetReceiveBufferSize(datagramDefault, false)
	ep.SocketOptions().SetReuseAddress(true)
	ep.SocketOptions().SetHeaderIncluded(protocol == syscall.IPPROTO_RAW)
	e.checksum.Store(-1)
	if network == header.IPv6ProtocolNumber && protocol == header.ICMPv6ProtocolNumber {
		e.checksum.Store(defaultChecksum)
	}
	s.raw.add(e)
	return e, nil
}

// Close implements tcpip.Endpoint, like the methods that follow.
func (e *rawEndpoint) Close() {
	e.s.raw.remove(e)
	e.mu.Lock()
	e.closed, e.queue, e.charge = true, nil, 0
	e.mu.Unlock()
	e.Endpoint.Close()
	e.waiters.Notify(waiter.EventHUp | waiter.EventErr | waiter.ReadableEvents | waiter.WritableEvents)
}

func (e *rawEndpoint) Abort() { e.Close() }

// Bind can be called again and again, until the socket is connected.
func (e *rawEndpoint) Bind(a tcpip.FullAddress) tcpip.Error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connected {
		return &tcpip.ErrInvalidEndpointState{}
	}
	if err := e.scope(a, true); err != nil {
		return err
	}
	if a.Addr.Len() != 0 && !e.toMany(a.Addr) && e.s.CheckLocalAddress(a.NIC, e.network, a.Addr) == 0 {
		return &tcpip.ErrBadLocalAddress{}
	}
	e.local = tcpip.FullAddress{NIC: a.NIC, Addr: a.Addr}
	return nil
}

// scope binds the socket to the interface without which an address means nothing: to another
// one only if it is rebound.
func (e *rawEndpoint) scope(a tcpip.FullAddress, rebind bool) tcpip.Error {
	if !needsScope(a.Addr) {
		return nil
	}
	o := e.SocketOptions()
	is := tcpip.NICID(o.GetBindToDevice())
	switch {
	case a.NIC == 0 && (is != 0 || !rebind && multicastNIC(e, a.Addr) != 0):
		return nil
	case a.NIC == 0, is != 0 && is != a.NIC && !rebind:
		return &tcpip.ErrInvalidOptionValue{}
	}
	return o.SetBindToDevice(int32(a.NIC))
}

// toMany reports whether an address is not that of one interface.
func (e *rawEndpoint) toMany(a tcpip.Address) bool {
	return isMulticast(a) || a == header.IPv4Broadcast || e.s.IsSubnetBroadcast(0, e.network, a)
}

func (e *rawEndpoint) Connect(a tcpip.FullAddress) tcpip.Error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.scope(a, false); err != nil {
		return err
	}
	if a.Addr.Len() == 0 {
		a.Addr = loopbackOf(e.network)
	}
	source := e.source(e.local.Addr, a.Addr)
	id := a.NIC
	if id == 0 {
		id = tcpip.NICID(e.SocketOptions().GetBindToDevice())
	}
	if id == 0 {
		id = multicastNIC(e, a.Addr)
	}
	route, err := e.s.FindRoute(id, source, a.Addr, e.network, false)
	if err != nil {
		return err
	}
	defer route.Release()
	if route.IsOutboundBroadcast() && !e.SocketOptions().GetBroadcast() {
		return &tcpip.ErrBroadcastDisabled{}
	}
	if e.local.Addr.Len() == 0 {
		e.local.Addr = route.LocalAddress()
	}
	e.peer, e.connected = a, true
	return nil
}

// source is the address that the socket, bound to local, sends from: none, by the route.
// The stack would send from any address of the loopback's network to itself.
func (e *rawEndpoint) source(local, dst tcpip.Address) tcpip.Address {
	switch {
	case local.Len() != 0 && !e.toMany(local):
		return local
	case header.IsV4LoopbackAddress(dst):
		return header.IPv4Loopback
	}
	return tcpip.Address{}
}

// Disconnect leaves the socket deaf, as Linux does (__udp_disconnect).
func (e *rawEndpoint) Disconnect() tcpip.Error {
	e.s.raw.remove(e)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.local, e.peer, e.connected, e.left = tcpip.FullAddress{}, tcpip.FullAddress{}, false, true
	_ = e.SocketOptions().SetBindToDevice(0) // to none it can be bound
	return nil
}

func (e *rawEndpoint) Shutdown(flags tcpip.ShutdownFlags) tcpip.Error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if flags&tcpip.ShutdownRead != 0 {
		e.shut = true
		e.waiters.Notify(waiter.ReadableEvents)
	}
	if !e.connected {
		return &tcpip.ErrNotConnected{}
	}
	return nil
}

// GetLocalAddress tells the protocol in place of a port.
func (e *rawEndpoint) GetLocalAddress() (tcpip.FullAddress, tcpip.Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.scoped(e.local)
	if !e.left {
		a.Port = uint16(e.protocol)
	}
	return a, nil
}

func (e *rawEndpoint) GetRemoteAddress() (tcpip.FullAddress, tcpip.Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.connected {
		return tcpip.FullAddress{}, &tcpip.ErrNotConnected{}
	}
	return e.scoped(e.peer), nil
}

// scoped is an address with the interface that it is of.
func (e *rawEndpoint) scoped(a tcpip.FullAddress) tcpip.FullAddress {
	if needsScope(a.Addr) && a.NIC == 0 {
		a.NIC = tcpip.NICID(e.SocketOptions().GetBindToDevice())
	}
	return a
}

func (e *rawEndpoint) State() uint32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return uint32(transport.DatagramEndpointStateClosed)
	case e.connected:
		return uint32(transport.DatagramEndpointStateConnected)
	}
	return uint32(transport.DatagramEndpointStateInitial)
}

func (e *rawEndpoint) GetSockOptInt(o tcpip.SockOptInt) (int, tcpip.Error) {
	if o != tcpip.ReceiveQueueSizeOption {
		return e.Endpoint.GetSockOptInt(o)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		return 0, nil
	}
	return len(e.queue[0].data), nil
}

func (e *rawEndpoint) Readiness(mask waiter.EventMask) (now waiter.EventMask) {
	if e.hasRoom() {
		now = waiter.WritableEvents
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) > 0 || e.closed || e.shut || e.err != 0 {
		now |= waiter.ReadableEvents
	}
	if e.err != 0 {
		now |= waiter.EventErr
	}
	return now & mask
}

func (e *rawEndpoint) Read(dst io.Writer, o tcpip.ReadOptions) (tcpip.ReadResult, tcpip.Error) {
	e.mu.Lock()
	switch {
	case len(e.queue) > 0:
	case e.closed || e.shut:
		e.mu.Unlock()
		return tcpip.ReadResult{}, &tcpip.ErrClosedForReceive{}
	default:
		e.mu.Unlock()
		return tcpip.ReadResult{}, &tcpip.ErrWouldBlock{}
	}
	d := e.queue[0]
	if !o.Peek {
		e.queue[0] = nil
		e.queue = e.queue[1:]
		e.charge -= len(d.data) + rawOverhead
	}
	e.mu.Unlock()
	n, _ := dst.Write(d.data) // what does not fit is cut off
	return tcpip.ReadResult{Count: n, Total: len(d.data), RemoteAddr: d.from, ControlMessages: e.wanted(d.control)}, nil
}

// wanted is what the socket has asked for of what is known of a datagram.
func (e *rawEndpoint) wanted(c tcpip.ReceivableControlMessages) tcpip.ReceivableControlMessages {
	o := e.SocketOptions()
	c.HasTTL = c.HasTTL && o.GetReceiveTTL()
	c.HasTOS = c.HasTOS && o.GetReceiveTOS()
	c.HasIPPacketInfo = c.HasIPPacketInfo && o.GetReceivePacketInfo()
	c.HasHopLimit = c.HasHopLimit && o.GetReceiveHopLimit()
	c.HasTClass = c.HasTClass && o.GetReceiveTClass()
	c.HasIPv6PacketInfo = c.HasIPv6PacketInfo && o.GetIPv6ReceivePacketInfo()
	c.HasOriginalDstAddress = c.HasOriginalDstAddress && o.GetReceiveOriginalDstAddress()
	return c
}

// loopbackOf is the address that "any" stands for, of who sends to it.
func loopbackOf(network tcpip.NetworkProtocolNumber) tcpip.Address {
	if network == header.IPv6ProtocolNumber {
		return header.IPv6Loopback
	}
	return header.IPv4Loopback
}

// multicastNIC is the interface that a socket has chosen for groups, if dst is one; 0: by
// the route.
func multicastNIC(ep tcpip.Endpoint, dst tcpip.Address) tcpip.NICID {
	switch {
	case header.IsV4MulticastAddress(dst):
		var m tcpip.MulticastInterfaceOption
		if err := ep.GetSockOpt(&m); err == nil {
			return m.NIC
		}
	case header.IsV6MulticastAddress(dst):
		if id, err := ep.GetSockOptInt(tcpip.IPv6MulticastInterfaceOption); err == nil {
			return tcpip.NICID(id)
		}
	}
	return 0
}
