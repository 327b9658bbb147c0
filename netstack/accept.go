package netstack

import (
	"sync"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/yolkos/yolk/fs/socket"
)

// A connection has the options that the listening socket had when it was made, not
// when it is accepted, and the stack does not keep those: before one of them is
// changed, the connections that wait are taken from the stack.
type waitingRoom struct {
	mu      sync.Mutex
	backlog int
	list    []*sock
}

// Accept implements socket.Socket.
func (k *sock) Accept() (socket.Socket, error) {
	if !k.stream() {
		return nil, syscall.EOPNOTSUPP
	}
	if k.s.ended.Load() || tcp.EndpointState(k.ep.State()) == tcp.StateListen && k.s.hold(k) {
		return nil, syscall.EAGAIN
	}
	n, err := k.acceptNext()
	if err != nil {
		return nil, err
	}
	n.young.Store(true)
	k.s.memory.young.Add(1)
	return n, nil
}

// acceptNext takes a connection of those that wait, else from the stack.
func (k *sock) acceptNext() (*sock, error) {
	if w := k.room.Load(); w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.list) > 0 {
			n := w.list[0]
			w.list = w.list[1:]
			return n, nil
		}
	}
	return k.acceptOne()
}

// acceptOne takes a connection from the stack.
func (k *sock) acceptOne() (*sock, error) {
	ep, q, err := k.ep.Accept(nil)
	if err != nil {
		return nil, errno(err)
	}
	n := k.s.newSock(ep, q, k.family, k.typ, k.protocol)
	n.inherit(k)
	n.noteLoop()
	if ep.Readiness(waiter.ReadableEvents) != 0 {
		n.heard.Store(true) // before there was somebody to be told
	}
	return n, nil
}

// settle takes those that wait, before an option is set: as many as the backlog, and
// the rest have the new one.
func (k *sock) settle() {
	w := k.room.Load()
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.list) < w.backlog {
		n, err := k.acceptOne()
		if err != nil {
			return
		}
		w.list = append(w.list, n)
	}
}

// occupied reports whether a connection waits there.
func (k *sock) occupied() bool {
	w := k.room.Load()
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.list) > 0
}

// vacate ends the connections that nobody has accepted.
func (k *sock) vacate() {
	w := k.room.Load()
	if w == nil {
		return
	}
	w.mu.Lock()
	list := w.list
	w.list = nil
	w.mu.Unlock()
	for _, n := range list {
		n.ep.Abort() // as the stack does with its own
		n.Release()
	}
}
