package netstack

import (
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/yolkos/yolk/fs"
)

const (
	// somaxconn is the longest backlog (net.core.somaxconn), and backlogShare the part of
	// the memory that the connections in one may take: those that nobody has accepted,
	// and as many that are being made.
	somaxconn    = 4096
	backlogShare = 8
	backlogMin   = 16

	// endpointBytes is what the stack has of a connection without buffers.
	endpointBytes = 7 << 10

	// openShare is the part of the memory that is enough for connections that are
	// accepted in any case, of openBytes each, for a program that itself takes nearly
	// all memory is not to be without a network.
	openShare = 8
	openBytes = 32 << 10
)

// backlogLimit is the longest backlog in a machine with so much memory.
func backlogLimit(memory uint64) int {
	if memory == 0 {
		return somaxconn
	}
	return int(min(max(memory/backlogShare/endpointBytes, backlogMin), somaxconn))
}

// Listen implements socket.Socket.
func (k *sock) Listen(backlog int) error {
	if !k.stream() {
		return syscall.EOPNOTSUPP
	}
	limit := backlogLimit(k.s.memory.total)
	if backlog < 0 || backlog > limit {
		backlog = limit
	}
	l := &k.s.listeners
	l.Lock()
	defer l.Unlock()
	if at, err := k.ep.GetLocalAddress(); err == nil && at.Port != 0 && !k.begun() && l.taken(k, at.Port) {
		return syscall.EADDRINUSE
	}
	// Linux lets one more wait than it was told.
	err := k.ep.Listen(backlog + 1)
	if err == nil {
		k.deaf.Store(false)
		l.add(k)
		k.room.CompareAndSwap(nil, new(waitingRoom))
		w := k.room.Load()
		w.mu.Lock()
		w.backlog = backlog + 1
		w.mu.Unlock()
	}
	if _, ok := err.(*tcpip.ErrInvalidEndpointState); ok {
		return syscall.EINVAL
	}
	return errno(err)
}

// grown is told that the program has used the socket, or closed it.
func (k *sock) grown() {
	if k.young.Load() && k.young.Swap(false) {
		k.s.memory.young.Add(-1)
	}
}

// hold reports whether there is no memory for another connection. The listener k is
// told then when there is.
func (s *Stack) hold(k *sock) bool {
	if s.fewOpen() || s.memory.now() == memoryFree {
		return false
	}
	s.mu.Lock()
	s.held[k] = struct{}{}
	s.mu.Unlock()
	k.held.Store(true)
	s.memory.now() // it may have changed before k was there to be told
	return k.held.Load()
}

// fewOpen reports whether there are so few sockets that one more is accepted however
// scarce memory is.
func (s *Stack) fewOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.sockets)) < s.memory.total/openShare/openBytes
}

// letGo has listeners accept again.
func (s *Stack) letGo() {
	s.mu.Lock()
	held := s.held
	if len(held) > 0 {
		s.held = map[*sock]struct{}{}
	}
	s.mu.Unlock()
	for k := range held {
		k.held.Store(false)
		k.queue.Wake(fs.PollIn | fs.PollRdNorm)
	}
}
