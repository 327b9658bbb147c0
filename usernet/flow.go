package usernet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// Flows are what datagrams of two ends are taken for; they have no end but by
// idleness (RFC 4787 §4.3), or when there are more than maxFlows: then the one goes
// that has been idle for longest.
const (
	maxFlows      = 4096
	flowTimeout   = 3 * time.Minute
	sweepInterval = 10 * time.Second
)

// flowKey tells flows apart.
type flowKey struct {
	from, to netip.AddrPort // where the first datagram came from, and where it went
	ping     bool           // ICMP echo; the port of from is the identifier
	forward  int            // the forward that it came by, counted from 1; 0: it came from the guest
}

// flow is a flow, with a socket of the host's side and one of the guest's. Either
// may be none, where no socket, or one for all flows, is in its place.
type flow struct {
	key   flowKey
	host  *net.UDPConn
	guest *guestSocket
	last  atomic.Int64 // when it was last used, in nanoseconds since 1970
}

func (f *flow) used() { f.last.Store(time.Now().UnixNano()) }

func (f *flow) close() {
	if f.host != nil {
		f.host.Close()
	}
	if f.guest != nil {
		f.guest.ep.Close()
	}
}

// flows are all flows.
type flows struct {
	mu     sync.Mutex
	list   map[flowKey]*flow
	closed bool
}

func newFlows() *flows { return &flows{list: map[flowKey]*flow{}} }

func (l *flows) find(key flowKey) *flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list[key]
}

// add makes a flow, which owns the sockets. It returns nil, with the sockets
// closed, when the network has ended, or another one was quicker.
func (l *flows) add(key flowKey, host *net.UDPConn, guest *guestSocket) *flow {
	f := &flow{key: key, host: host, guest: guest}
	f.used()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.list[key] != nil {
		f.close()
		return nil
	}
	if len(l.list) >= maxFlows {
		var oldest *flow
		for _, other := range l.list {
			if oldest == nil || other.last.Load() < oldest.last.Load() {
				oldest = other
			}
		}
		delete(l.list, oldest.key)
		oldest.close()
	}
	l.list[key] = f
	return f
}

// remove ends a flow.
func (l *flows) remove(f *flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list[f.key] == f {
		delete(l.list, f.key)
	}
	f.close()
}

// sweep ends flows that are idle, at each tick, until the network ends.
func (l *flows) sweep(ctx context.Context, tick *time.Ticker) {
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			l.expire(now.Add(-flowTimeout))
		case <-ctx.Done():
			return
		}
	}
}

// expire ends the flows that have not been used since a time.
func (l *flows) expire(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, f := range l.list {
		if f.last.Load() < since.UnixNano() {
			delete(l.list, key)
			f.close()
		}
	}
}

func (l *flows) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.expire(time.Now().Add(time.Hour))
}

// maxDatagram is the largest payload of UDP and ICMP, in bytes.
const maxDatagram = 65535

// datagrams are buffers for one each, held only while there is one.
var datagrams = sync.Pool{New: func() any { return new([maxDatagram]byte) }}

// receive calls take for each datagram of the host's side. It returns the error of
// the socket, which is unusable if it is net.ErrClosed, else may have more.
func (f *flow) receive(take func(p []byte)) error {
	raw, err := f.host.SyscallConn()
	if err != nil {
		return err
	}
	for {
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			buf := datagrams.Get().(*[maxDatagram]byte)
			defer datagrams.Put(buf)
			n, err := ignoreInterrupt(func() (int, error) { return unix.Read(int(fd), buf[:]) })
			if err == unix.EAGAIN {
				return false
			}
			if failed = err; err == nil {
				f.used()
				take(buf[:n])
			}
			return true
		})
		if err := errors.Join(err, failed); err != nil {
			return err
		}
	}
}

// guestSocket is a UDP socket of the stack, connected to the guest.
type guestSocket struct {
	ep tcpip.Endpoint
	wq *waiter.Queue
}

// receive calls take for each datagram of the guest, and refused, if it is not nil, when
// the guest says that nobody is there, until the socket is closed.
func (s *guestSocket) receive(refused func(), take func(p []byte)) {
	we, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventErr | waiter.EventHUp)
	s.wq.EventRegister(&we)
	defer s.wq.EventUnregister(&we)
	one := func() tcpip.Error {
		buf := datagrams.Get().(*[maxDatagram]byte)
		defer datagrams.Put(buf)
		to := tcpip.SliceWriter(buf[:])
		result, err := s.ep.Read(&to, tcpip.ReadOptions{})
		if err == nil {
			take(buf[:result.Count])
		}
		return err
	}
	for {
		switch err := one(); err.(type) {
		case nil:
		case *tcpip.ErrConnectionRefused: // the guest has no socket there now
			if refused != nil {
				refused()
			}
		case *tcpip.ErrWouldBlock:
			<-ready
		default:
			return
		}
	}
}

// send sends a datagram to the guest; what the link does not take is lost.
func (s *guestSocket) send(p []byte) { _, _ = write(s.ep, p) }
