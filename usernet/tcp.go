package usernet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// maxConnecting is how many connections of the guest may be on their way, to the
// host's side and back; a SYN that is dropped the guest sends again. The stack gives
// one up that the guest lets be after two minutes.
const maxConnecting = 1024

// tcpHandler takes connections of the guest.
func (n *Network) tcpHandler() func(stack.TransportEndpointID, *stack.PacketBuffer) bool {
	forwarder := tcp.NewForwarder(n.stack, maxBuffer, maxConnecting, n.takeTCP)
	return func(id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
		if h := header.TCP(pkt.TransportHeader().Slice()); h.Flags()&(header.TCPFlagSyn|header.TCPFlagAck) == header.TCPFlagSyn {
			n.syns.note(id, pkt)
		}
		return forwarder.HandlePacket(id, pkt)
	}
}

// takeTCP connects to where the guest wants to, and then takes its connection: it
// is told what became of the one it asked for.
func (n *Network) takeTCP(r *tcp.ForwarderRequest) {
	id := r.ID()
	defer n.syns.forget(id)
	if id.LocalPort == dnsPort && n.isRouter(id.LocalAddress) {
		if ep, wq := n.accept(r); ep != nil {
			n.serveDNSStream(ep, wq)
		}
		return
	}
	dst, err := n.config.destination(netip.AddrPortFrom(fromStack(id.LocalAddress), id.LocalPort))
	var host *net.TCPConn
	if err == nil {
		host, err = dialTCP(n.ctx, dst)
	}
	if err != nil {
		n.refuse(r, err)
		return
	}
	if ep, wq := n.accept(r); ep != nil {
		n.splice(ep, wq, host)
	} else {
		reset(host)
	}
}

// accept makes the connection with the guest; nil if that has lost its interest.
func (n *Network) accept(r *tcp.ForwarderRequest) (tcpip.Endpoint, *waiter.Queue) {
	wq := &waiter.Queue{}
	ep, err := r.CreateEndpoint(wq)
	r.Complete(false)
	if err != nil {
		return nil, nil
	}
	return ep, wq
}

// refuse says what a connection failed with, as a router or the destination would.
func (n *Network) refuse(r *tcp.ForwarderRequest, err error) {
	code, silent := unreachable(err), errors.Is(err, syscall.ETIMEDOUT) || n.ctx.Err() != nil
	if quote := n.syns.quote(r.ID()); code != nil && quote != nil {
		n.sendUnreachable(fromStack(r.ID().RemoteAddress), *code, quote)
		silent = true
	}
	r.Complete(!silent)
}

func (n *Network) isRouter(a tcpip.Address) bool {
	addr := fromStack(a)
	return addr == n.config.Router4 || addr == n.config.Router6
}

// dialTCP connects to an address of the host's side.
func dialTCP(ctx context.Context, dst netip.AddrPort) (*net.TCPConn, error) {
	var d net.Dialer
	d.SetMultipathTCP(false)
	conn, err := d.DialContext(ctx, "tcp", dst.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// reset closes a connection of the host's side as if it had broken.
func reset(host *net.TCPConn) {
	_ = host.SetLinger(0) // it is closed in any case
	host.Close()
}

// guestTimeout is how long the guest may take to accept a connection.
const guestTimeout = 10 * time.Second

// dialServer connects to a port of the guest. The host's port is open before the guest
// has booted, so its program may be about to listen yet: until it has taken a connection
// at the port for the first time, which served keeps, one that is refused is tried again
// as long as most.
func (n *Network) dialServer(port uint16, served *atomic.Bool, most time.Duration) (tcpip.Endpoint, *waiter.Queue, error) {
	end := time.Now().Add(most)
	for pause := firstTry; ; pause = min(2*pause, time.Second) {
		first := !served.Load()
		ep, wq, err := n.dialGuest(port)
		if err == nil {
			served.Store(true)
			return ep, wq, nil
		}
		if !first || !refused(err) || time.Until(end) < pause {
			return nil, nil, errors.New(err.String())
		}
		select {
		case <-n.ctx.Done():
			return nil, nil, n.ctx.Err()
		case <-time.After(pause):
		}
	}
}

// dialGuest connects to a port of the guest: by IPv4, and where that is refused, for
// nothing listens there, by IPv6.
func (n *Network) dialGuest(port uint16) (tcpip.Endpoint, *waiter.Queue, tcpip.Error) {
	ep, wq, err := n.dialGuestAt(n.config.Guest4.Addr(), port)
	// Where nobody listens on IPv4, IPv6 may be what the server has. A guest that has none,
	// or not yet, says nothing; meanwhile the server may have come to listen.
	for try := firstTry; refused(err) && try < time.Second; try *= 2 {
		six, wq6, err6 := n.dialGuestFor(n.config.Guest6.Addr(), port, try)
		if err6 == nil {
			return six, wq6, nil
		}
		if _, silent := err6.(*tcpip.ErrTimeout); !silent {
			break
		}
		ep, wq, err = n.dialGuestFor(n.config.Guest4.Addr(), port, try)
	}
	return ep, wq, err
}

// refused tells that the guest has said that there is nobody.
func refused(err tcpip.Error) bool {
	switch err.(type) {
	case *tcpip.ErrConnectionRefused, *tcpip.ErrConnectionReset, *tcpip.ErrHostUnreachable:
		return true
	}
	return false
}

// A guest that is not up yet loses what is sent to it, and TCP sends it again after a
// second only (RFC 6298 §2). Until a guest has answered for the first time, the way is
// tried anew sooner: after firstTry, and each time twice as long.
const firstTry = 100 * time.Millisecond

// dialGuestAt connects to a port of one of the guest's addresses.
func (n *Network) dialGuestAt(guest netip.Addr, port uint16) (ep tcpip.Endpoint, wq *waiter.Queue, err tcpip.Error) {
	end := time.Now().Add(guestTimeout)
	for try := firstTry; ; try *= 2 {
		left := time.Until(end)
		early := !n.answered.Load() && try < min(time.Second, left)
		if early {
			left = try
		}
		ep, wq, err = n.dialGuestFor(guest, port, left)
		if _, late := err.(*tcpip.ErrTimeout); !late || !early {
			return ep, wq, err
		}
	}
}

// dialGuestFor is dialGuestAt with a limit.
func (n *Network) dialGuestFor(guest netip.Addr, port uint16, most time.Duration) (tcpip.Endpoint, *waiter.Queue, tcpip.Error) {
	wq := &waiter.Queue{}
	ep, err := n.stack.NewEndpoint(tcp.ProtocolNumber, protocolOf(guest), wq)
	if err != nil {
		return nil, nil, err
	}
	we, ready := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventErr | waiter.EventHUp)
	wq.EventRegister(&we)
	defer wq.EventUnregister(&we)
	if err = ep.Bind(tcpip.FullAddress{NIC: nic, Addr: toStack(n.config.routerAddr(guest))}); err == nil {
		err = ep.Connect(tcpip.FullAddress{NIC: nic, Addr: toStack(guest), Port: port})
	}
	if _, started := err.(*tcpip.ErrConnectStarted); started {
		limit := time.NewTimer(most)
		defer limit.Stop()
		select {
		case <-ready:
			err = ep.LastError()
			n.answered.Store(true)
		case <-limit.C:
			err = &tcpip.ErrTimeout{}
		case <-n.ctx.Done():
			err = &tcpip.ErrAborted{}
		}
	}
	if err != nil {
		ep.Abort()
		return nil, nil, err
	}
	return ep, wq, nil
}

// syns keeps the head of each SYN of the guest whose connection is on its way: an
// ICMP message that is to be believed has it in it (RFC 5927 §4.1).
type syns struct {
	mu    sync.Mutex
	heads map[stack.TransportEndpointID][]byte
}

func newSYNs() *syns { return &syns{heads: map[stack.TransportEndpointID][]byte{}} }

func (s *syns) note(id stack.TransportEndpointID, pkt *stack.PacketBuffer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.heads[id]; known {
		return
	}
	if len(s.heads) >= 2*maxConnecting {
		clear(s.heads) // of SYNs that were dropped; others end with a reset
	}
	s.heads[id] = quote(pkt)
}

func (s *syns) quote(id stack.TransportEndpointID) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heads[id]
}

func (s *syns) forget(id stack.TransportEndpointID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.heads, id)
}
