package netstack

import (
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Flush closes all connections, as the end of a program does, and waits until their
// peers have what was sent, for as long as limit. The program's goroutines may run on
// meanwhile, and are not to learn of it: to them, from then on nothing happens at a
// socket.
func (s *Stack) Flush(limit time.Duration) {
	s.ended.Store(true)
	s.mu.Lock()
	var streams []*sock
	for _, k := range s.sockets {
		// A listener has nothing to send, and its program would see an error.
		if k.typ == syscall.SOCK_STREAM && tcp.EndpointState(k.ep.State()) != tcp.StateListen {
			streams = append(streams, k)
		}
	}
	s.mu.Unlock()
	for _, k := range streams {
		k.ep.Close()
	}
	for end := time.Now().Add(limit); s.sending() && time.Now().Before(end); {
		time.Sleep(flushPause)
	}
}

const flushPause = time.Millisecond

// sending reports whether a connection has something that its peer has not confirmed.
func (s *Stack) sending() bool {
	for _, e := range s.RegisteredEndpoints() {
		if ep, ok := e.(*tcp.Endpoint); ok {
			switch ep.EndpointState() {
			case tcp.StateFinWait1, tcp.StateClosing, tcp.StateLastAck:
				return true
			}
		}
	}
	return false
}
