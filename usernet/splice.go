package usernet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// chunk is how much is carried from one connection to the other at once, in
// bytes. The memory for it is held only while there is something to carry.
const chunk = 256 << 10

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// spliced are two connections that are one: with the guest, and on the host's
// side.
type spliced struct {
	ep   tcpip.Endpoint
	wq   *waiter.Queue
	host *net.TCPConn
	raw  syscall.RawConn
	size int64 // of the stack's buffers
}

// splice carries bytes between two connections, either way until its end, and
// returns when both ways have ended, or one has broken, which breaks the other.
func (n *Network) splice(ep tcpip.Endpoint, wq *waiter.Queue, host *net.TCPConn) {
	size := n.buffers.enter()
	defer n.buffers.leave()
	ep.SocketOptions().SetReceiveBufferSize(size, true)
	ep.SocketOptions().SetSendBufferSize(size, true)
	raw, err := host.SyscallConn()
	if err != nil { // it is open
		ep.Abort()
		reset(host)
		return
	}
	s := &spliced{ep: ep, wq: wq, host: host, raw: raw, size: size}

	// The guest's reset ends what waits for the host's side.
	broken := waiter.NewFunctionEntry(waiter.EventErr|waiter.EventHUp, func(waiter.EventMask) {
		if s.broken() {
			go reset(host)
		}
	})
	wq.EventRegister(&broken)
	defer wq.EventUnregister(&broken)
	if s.broken() {
		reset(host)
	}
	done := make(chan error, 1)
	go func() { done <- s.toHost(n.ctx.Done()) }()
	errDown := s.toGuest(n.ctx.Done())
	if errDown != nil {
		s.abort()
	}
	if errUp := <-done; errUp == nil && errDown == nil {
		ep.Close()
		host.Close()
		return
	}
	s.abort()
}

// broken reports whether the connection with the guest ended otherwise than by
// being closed.
func (s *spliced) broken() bool { return tcp.EndpointState(s.ep.State()) == tcp.StateError }

func (s *spliced) abort() {
	s.ep.Abort()
	reset(s.host)
}

// errStopped ends what waits when the network ends.
var errStopped = errors.New("the network has ended")

// toHost carries the guest's bytes to the host. What the host does not take stays
// in the stack, which takes no more of the guest when its buffer is full.
func (s *spliced) toHost(stop <-chan struct{}) error {
	we, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventErr | waiter.EventHUp)
	s.wq.EventRegister(&we)
	defer s.wq.EventUnregister(&we)
	for {
		var n int
		var empty tcpip.Error
		var failed error
		err := s.raw.Write(func(fd uintptr) (done bool) {
			buf := chunks.Get().(*[chunk]byte)
			defer chunks.Put(buf)
			to := tcpip.SliceWriter(buf[:])
			result, err := s.ep.Read(&to, tcpip.ReadOptions{Peek: true})
			if n, empty = result.Count, err; n == 0 {
				return true
			}
			n, failed = ignoreInterrupt(func() (int, error) { return unix.SendmsgN(int(fd), buf[:n], nil, nil, unix.MSG_NOSIGNAL) })
			return failed != unix.EAGAIN
		})
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		switch empty.(type) {
		case nil:
			if err := discard(s.ep, n); err != nil {
				return err
			}
		case *tcpip.ErrWouldBlock:
			select {
			case <-ready:
			case <-stop:
				return errStopped
			}
		case *tcpip.ErrClosedForReceive:
			return s.host.CloseWrite()
		default:
			return errors.New(empty.String())
		}
	}
}

// discard takes n bytes from the stack that have been peeked at.
func discard(ep tcpip.Endpoint, n int) error {
	for n > 0 {
		w := limitedDiscard(n)
		result, err := ep.Read(&w, tcpip.ReadOptions{})
		if err != nil {
			return errors.New(err.String())
		}
		n -= result.Count
	}
	return nil
}

// limitedDiscard takes so many bytes.
type limitedDiscard int

func (d *limitedDiscard) Write(p []byte) (int, error) {
	n := min(len(p), int(*d))
	*d -= limitedDiscard(n)
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// toGuest carries the host's bytes to the guest. It reads none while the stack's
// buffer is full.
func (s *spliced) toGuest(stop <-chan struct{}) error {
	we, ready := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventErr | waiter.EventHUp)
	s.wq.EventRegister(&we)
	defer s.wq.EventUnregister(&we)
	var rest []byte // read, and not yet taken by the stack
	for {
		for s.ep.Readiness(waiter.WritableEvents) == 0 {
			select {
			case <-ready:
			case <-stop:
				return errStopped
			}
		}
		if len(rest) > 0 {
			n, err := write(s.ep, rest)
			if err != nil {
				return err
			}
			rest = rest[n:]
			continue
		}
		rest = nil
		ended := false
		var failed error
		err := s.raw.Read(func(fd uintptr) (done bool) {
			buf := chunks.Get().(*[chunk]byte)
			defer chunks.Put(buf)
			n, err := ignoreInterrupt(func() (int, error) { return unix.Read(int(fd), buf[:min(s.size, chunk)]) })
			switch {
			case err == unix.EAGAIN:
				return false
			case err != nil:
				failed = err
			case n == 0:
				ended = true
			default:
				var taken int
				taken, failed = write(s.ep, buf[:n])
				rest = slices.Clone(buf[taken:n])
			}
			return true
		})
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		if ended {
			if err := s.ep.Shutdown(tcpip.ShutdownWrite); err != nil {
				return errors.New(err.String())
			}
			return nil
		}
	}
}

// write gives bytes to the stack, as many as it takes.
func write(ep tcpip.Endpoint, p []byte) (int, error) {
	n, err := ep.Write(bytes.NewReader(p), tcpip.WriteOptions{})
	if _, full := err.(*tcpip.ErrWouldBlock); err != nil && !full {
		return int(n), errors.New(err.String())
	}
	return int(n), nil
}

// ignoreInterrupt makes a system call until no signal comes in between.
func ignoreInterrupt(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}
