package fusetest

import (
	"bytes"
	"math/rand/v2"
	"sync"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
)

// Schedule is a fuse.Transport to a Server on which nothing happens by itself:
// each Step handles one of the requests that wait, or delivers one of the
// replies. It has what the driver of a device has (fuse.Starter).
type Schedule struct {
	server *Server

	mu      sync.Mutex
	waiting []*message // sent, not handled
	handled []*message // whose reply has not arrived
	later   []*message // deferred
}

type message struct {
	in, out [][]byte
	reply   []byte // what is not in out yet
	n       int
	done    chan struct{} // nil: there is no reply
}

// NewSchedule makes a transport to s.
func NewSchedule(s *Server) *Schedule { return &Schedule{server: s} }

// Name implements fuse.Transport, as RoundTrip and Send do.
func (s *Schedule) Name() string { return "schedule" }

func (s *Schedule) RoundTrip(in, out [][]byte) (int, error) {
	m, _ := s.Start(in, out)
	return m.Wait()
}

func (s *Schedule) Send(in [][]byte) error {
	s.add(&message{in: in})
	return nil
}

// Start implements fuse.Starter, as Defer, Flush and Depth do.
func (s *Schedule) Start(in, out [][]byte) (fuse.Pending, error) {
	m := &message{in: in, out: out, done: make(chan struct{})}
	s.add(m)
	return m, nil
}

func (s *Schedule) Defer(in, out [][]byte) (fuse.Pending, error) {
	m := &message{in: in, out: out, done: make(chan struct{})}
	s.mu.Lock()
	s.later = append(s.later, m)
	s.mu.Unlock()
	return m, nil
}

func (s *Schedule) Flush() {
	s.mu.Lock()
	s.waiting, s.later = append(s.waiting, s.later...), nil
	s.mu.Unlock()
}

func (s *Schedule) Depth() int { return 64 }

func (s *Schedule) add(m *message) {
	s.Flush()
	s.mu.Lock()
	s.waiting = append(s.waiting, m)
	s.mu.Unlock()
}

// Wait implements fuse.Pending, as Done does.
func (m *message) Wait() (int, error) {
	<-m.done
	return m.n, nil
}

func (m *message) Done() <-chan struct{} { return m.done }

// Pending is how many requests and replies are under way, among them those
// that were deferred if there are no others.
func (s *Schedule) Pending() int {
	s.mu.Lock()
	n := len(s.waiting) + len(s.handled)
	s.mu.Unlock()
	if n > 0 {
		return n
	}
	s.Flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

// Step takes one request or reply, whichever r says, a step further.
func (s *Schedule) Step(r *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := r.IntN(len(s.waiting) + len(s.handled))
	if i < len(s.waiting) {
		m := s.waiting[i]
		s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
		m.reply = s.server.Handle(bytes.Join(m.in, nil))
		if m.done == nil {
			return
		}
		m.n = len(m.reply)
		if r.IntN(2) == 0 {
			m.fill()
		}
		s.handled = append(s.handled, m)
		return
	}
	i -= len(s.waiting)
	m := s.handled[i]
	s.handled = append(s.handled[:i], s.handled[i+1:]...)
	m.fill()
	close(m.done)
}

// fill puts the reply where it belongs: a server may do so at any time before
// it says that it has.
func (m *message) fill() {
	for _, p := range m.out {
		m.reply = m.reply[copy(p, m.reply):]
	}
	m.reply = nil
}
