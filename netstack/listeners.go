package netstack

import (
	"sync"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// Who listens at a port has it to himself, on each address that it hears: another socket
// cannot be bound to that port there, nor listen, whatever SO_REUSEADDR says (socket(7)),
// unless both have SO_REUSEPORT. The stack knows so of two that have the same address;
// that one of them has all addresses, or those of the other protocol, is seen to here.

// listeners are the sockets that listen, by port. Its lock is held while a stream is
// bound, or begins to listen.
type listeners struct {
	sync.Mutex
	at map[uint16][]*sock
}

// add is told that k listens; the lock is held.
func (l *listeners) add(k *sock) {
	if l.at == nil {
		l.at = map[uint16][]*sock{}
	}
	a, err := k.ep.GetLocalAddress()
	if err != nil || k.listens != 0 {
		return
	}
	k.listens = a.Port
	l.at[a.Port] = append(l.at[a.Port], k)
}

// remove is told that k is closed.
func (l *listeners) remove(k *sock) {
	l.Lock()
	defer l.Unlock()
	if k.listens == 0 {
		return
	}
	list := l.at[k.listens]
	for i, o := range list {
		if o == k {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(l.at, k.listens)
	} else {
		l.at[k.listens] = list
	}
	k.listens = 0
}

// taken reports whether another socket listens at a port where k is bound, or is to be; the
// lock is held.
func (l *listeners) taken(k *sock, port uint16) bool {
	for _, o := range l.at[port] {
		if o == k || !o.listening() {
			continue
		}
		own, other := k.ep.SocketOptions(), o.ep.SocketOptions()
		if own.GetReusePort() && other.GetReusePort() {
			continue
		}
		if d, e := own.GetBindToDevice(), other.GetBindToDevice(); d != 0 && e != 0 && d != e {
			continue
		}
		if meet(k.hears(), o.hears()) {
			return true
		}
	}
	return false
}

// heard is which addresses a socket hears of each protocol: none, one, or all.
type heard struct{ four, six hearing }

type hearing struct {
	all bool
	one tcpip.Address // without length: none
}

// hears is what a stream hears where it is bound.
func (k *sock) hears() (h heard) {
	a := k.boundTo
	mapped := unmapped(a)
	switch {
	case k.family == syscall.AF_INET && (a.Len() == 0 || a.Unspecified()):
		h.four.all = true
	case k.family == syscall.AF_INET:
		h.four.one = a
	case a.Len() == 0 || a == header.IPv6Any:
		h.six.all, h.four.all = true, !k.ep.SocketOptions().GetV6Only()
	case mapped.Len() == header.IPv4AddressSize && mapped.Unspecified():
		h.four.all = true
	case mapped.Len() == header.IPv4AddressSize:
		h.four.one = mapped
	default:
		h.six.one = a
	}
	return h
}

func meet(a, b heard) bool { return a.four.meets(b.four) || a.six.meets(b.six) }

func (h hearing) meets(o hearing) bool {
	some := func(h hearing) bool { return h.all || h.one.Len() != 0 }
	return some(h) && some(o) && (h.all || o.all || h.one == o.one)
}

// portTries is how many ports of the stack's choice are looked at.
const portTries = 100

// bindStream binds a stream that has no address yet.
func (k *sock) bindStream(a tcpip.FullAddress) error {
	l := &k.s.listeners
	l.Lock()
	defer l.Unlock()
	k.boundTo = a.Addr
	if a.Port != 0 && l.taken(k, a.Port) {
		return syscall.EADDRINUSE
	}
	// One that is to have any port gets none at which somebody listens.
	wanted := a
	for range portTries {
		if a.Addr.Len() == 0 && (wanted.Port != 0 || len(l.at) == 0) {
			break
		}
		port, err := k.tryBind(wanted)
		if err != nil {
			return err
		}
		a.Port = port
		if wanted.Port != 0 || !l.taken(k, a.Port) {
			break
		}
	}
	return errno(k.ep.Bind(a))
}

// tryBind binds another endpoint in place of the socket's own, which would keep the
// address of a bind that failed, and listen on it. It returns the port.
func (k *sock) tryBind(a tcpip.FullAddress) (port uint16, err error) {
	ep, terr := k.s.NewEndpoint(tcp.ProtocolNumber, (&family{k.s, k.family}).network(), &waiter.Queue{})
	if terr != nil {
		return 0, errno(terr)
	}
	defer ep.Close()
	from, to := k.ep.SocketOptions(), ep.SocketOptions()
	to.SetReuseAddress(from.GetReuseAddress())
	to.SetReusePort(from.GetReusePort())
	to.SetV6Only(from.GetV6Only())
	if terr := to.SetBindToDevice(from.GetBindToDevice()); terr != nil {
		return 0, errno(terr)
	}
	if terr := ep.Bind(a); terr != nil {
		return 0, errno(terr)
	}
	own, terr := ep.GetLocalAddress()
	return own.Port, errno(terr)
}
