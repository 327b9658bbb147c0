package netstack

import (
	"sync"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/fs"
)

// While an interface asks for its first address (DHCP), a program may already run. The
// rule: no call blocks for the sake of the address, and nothing that can be done
// without it is put off. A call that leads to where there is no route yet behaves as on
// a network that is slow: connect(2) is EINPROGRESS, of datagram sockets too, send is
// EAGAIN, and who waits for either does so for as long as he likes (a blocking
// descriptor, a deadline, poll). When there is a route it goes on; when patience is over,
// counted from the boot and once, calls are ENETUNREACH as ever. bind(2) has no such
// way: an address that is not there is EADDRNOTAVAIL, as on Linux.

// patience is how long a first address is expected.
const patience = 5 * time.Second

// expect has those that need an address wait for it, until there is one or patience is
// over.
func (s *Stack) expect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expecting.Swap(true) {
		return
	}
	s.ready = make(chan struct{})
	time.AfterFunc(patience, s.arrived)
}

// arrived ends that.
func (s *Stack) arrived() {
	s.mu.Lock()
	if s.expecting.Swap(false) {
		close(s.ready)
	}
	s.mu.Unlock()
	s.resume()
}

// Ready returns a channel that is closed when there are addresses, or none are to be
// expected soon.
func (s *Stack) Ready() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready
}

// early reports whether a is an address to which there is no route yet, but may be
// one soon.
func (s *Stack) early(a tcpip.FullAddress) bool {
	if !s.expecting.Load() || a.Addr.Unspecified() {
		return false
	}
	to := unmapped(a.Addr)
	r, err := s.FindRoute(a.NIC, tcpip.Address{}, to, networkOf(to), false)
	if err != nil {
		return true
	}
	r.Release()
	return false
}

// resume has sockets go on whose calls were early, as far as they are no more.
func (s *Stack) resume() {
	s.mu.Lock()
	var waiting []*sock
	for k := range s.waiting {
		waiting = append(waiting, k)
	}
	s.mu.Unlock()
	for _, k := range waiting {
		k.resume()
	}
}

// deferred is what a socket was asked for too early.
type deferred struct {
	mu  sync.Mutex
	to  tcpip.FullAddress // where it leads
	is  early
	err error // of the connection, until SO_ERROR takes it
}

// early is which call it was.
type early uint8

const (
	notEarly early = iota
	earlyConnect
	earlySend
)

// waits tells what the socket waits for, and the error of a connection that did.
func (k *sock) waits() (early, error) {
	d := k.deferred.Load()
	if d == nil {
		return notEarly, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.is, d.err
}

// postpone notes an early call, which can be a Send for as long as there is no Connect.
func (k *sock) postpone(is early, to tcpip.FullAddress) {
	k.deferred.CompareAndSwap(nil, new(deferred))
	d := k.deferred.Load()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.is == earlyConnect {
		return
	}
	d.is, d.to, d.err = is, to, nil
	k.s.mu.Lock()
	k.s.waiting[k] = true
	k.s.mu.Unlock()
	// There may be a route since the caller looked, of which nobody would tell again.
	go k.resume()
}

// forget drops what was early.
func (k *sock) forget() {
	if d := k.deferred.Load(); d != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		k.dropEarly(d)
	}
}

// dropEarly is forget for who holds the lock of d.
func (k *sock) dropEarly(d *deferred) {
	d.is = notEarly
	k.s.mu.Lock()
	delete(k.s.waiting, k)
	k.s.mu.Unlock()
}

// resume goes on with what was early, unless it still is.
func (k *sock) resume() {
	d := k.deferred.Load()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.is == notEarly || k.s.early(d.to) {
		return
	}
	was := d.is
	k.dropEarly(d)
	if was == earlyConnect {
		if err := k.connectTo(d.to); err != syscall.EINPROGRESS { // else the endpoint tells how it ends
			d.err = err
		}
	}
	k.queue.Wake(fs.PollReads | fs.PollWrites)
}

// takeError takes the error of a connection that was early.
func (k *sock) takeError() (err error) {
	if d := k.deferred.Load(); d != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		err, d.err = d.err, nil
	}
	return err
}
