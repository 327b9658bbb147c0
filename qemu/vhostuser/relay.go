package vhostuser

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
)

// Relay stands between a front-end and the servers of a device, one after the
// other: the front-end's connection outlives them. It passes messages on and
// keeps what they have set, to tell it to the next server. The rings and the
// guest's memory are between guest and server; no request comes by here.
//
// A ring that ran with a server that has ended is not carried on by another, which
// would know nothing of the session. The front-end has to stop it first, as it
// does when the guest resets the device.
type Relay struct {
	front *net.UnixConn

	mu     sync.Mutex
	back   *net.UnixConn // nil: no server
	next   *net.UnixConn // waits until no ring is stale; nil: none
	joined func(error)   // told what has become of next
	state  []*message    // what is set, in the order in which it was told
	stale  map[uint8]bool
	begun  bool // a ring has been started
}

// NewRelay makes a relay for a front-end, whose first server is at back. Run uses
// both and closes them.
func NewRelay(front, back *net.UnixConn) *Relay {
	return &Relay{front: front, back: back, stale: map[uint8]bool{}}
}

// relayed are the protocol features that may be negotiated: those of whose
// messages a relay knows what they set.
const relayed = protocolMQ | protocolReplyAck

// errNoServer is the end of a relay whose only server ended before the device was
// in use: the front-end then gives up.
var errNoServer = errors.New("the server has ended")

// Run does what the front-end asks for until that closes the connection.
func (r *Relay) Run() error {
	defer r.close()
	for {
		m, err := readMessage(r.front)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.pass(m); err != nil {
			return err
		}
	}
}

// close ends both connections. A server that waits for its turn is turned away.
func (r *Relay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.front.Close()
	r.lose()
	r.refuse(net.ErrClosed)
	for _, m := range r.state {
		m.close()
	}
	r.state, r.front = nil, nil
}

// Join makes the server at back the next one, which takes the place of the one
// there is as soon as no ring is stale; then, or when that fails, joined is called.
// It must not call the Relay.
func (r *Relay) Join(back *net.UnixConn, joined func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse(errors.New("another server has come"))
	r.next, r.joined = back, joined
	if r.front == nil {
		r.refuse(net.ErrClosed)
		return
	}
	r.lose()
	r.admit()
}

// refuse turns away the server that waits, if there is one. r.mu is held.
func (r *Relay) refuse(why error) {
	if r.next == nil {
		return
	}
	back, joined := r.next, r.joined
	r.next, r.joined = nil, nil
	back.Close()
	joined(why)
}

// lose does without the server. r.mu is held.
func (r *Relay) lose() {
	if r.back == nil {
		return
	}
	r.back.Close()
	r.back = nil
	for _, m := range r.state {
		if m.request == setVringKick {
			r.stale[m.ring()] = true
		}
	}
}

// admit tells the server that waits all that is set, if no ring is stale.
// r.mu is held.
func (r *Relay) admit() {
	if r.next == nil || len(r.stale) > 0 {
		return
	}
	if err := r.replay(r.next); err != nil {
		r.refuse(err)
		return
	}
	joined := r.joined
	r.back, r.next, r.joined = r.next, nil, nil
	joined(nil)
}

// replay negotiates with a server as the front-end did with the first one.
func (r *Relay) replay(back *net.UnixConn) error {
	for _, ask := range []uint32{getFeatures, getProtocolFeatures} {
		reply, err := (&message{request: ask, flags: version}).ask(back)
		if err != nil {
			return err
		}
		set := map[uint32]uint32{getFeatures: setFeatures, getProtocolFeatures: setProtocolFeatures}[ask]
		for _, m := range r.state {
			if m.request == set && m.u64(0)&^reply.u64(0) != 0 {
				return fmt.Errorf("vhost-user features %#x are in use, and the server offers %#x", m.u64(0), reply.u64(0))
			}
		}
	}
	for _, m := range r.state {
		reply, err := m.ask(back)
		if err != nil {
			return err
		}
		if reply != nil && reply.u64(0) != 0 {
			return fmt.Errorf("the server refuses vhost-user request %d", m.request)
		}
	}
	return nil
}

// pass does one request of the front-end. Its error says that the connection is of
// no use any more.
func (r *Relay) pass(m *message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := m.check(); err != nil {
		m.close()
		return err
	}
	reply, err := r.forward(m)
	r.keep(m) // also if there is no server: it is for the next one
	if err != nil {
		return err
	}
	if reply != nil {
		if m.request == getProtocolFeatures {
			reply.setU64(0, reply.u64(0)&relayed)
		}
		if err := reply.send(r.front); err != nil {
			return err
		}
	}
	r.admit()
	return nil
}

// forward has the server answer m. Without a server it answers itself: what is set
// is set, and a ring that is stopped begins anew, for the guest has to reset a
// device whose server has ended. r.mu is held.
func (r *Relay) forward(m *message) (*message, error) {
	if r.back != nil {
		reply, err := m.ask(r.back)
		if err == nil {
			return reply, nil
		}
		r.lose()
	}
	if !r.begun {
		return nil, errNoServer
	}
	switch {
	case m.request == getVringBase:
		return m.answer(uint64(m.ring())), nil
	case !m.wantsReply():
		return nil, nil
	case m.isQuestion():
		return nil, errNoServer
	}
	return m.answer(0), nil
}

// keep remembers what m sets, instead of what was set before. r.mu is held.
func (r *Relay) keep(m *message) {
	forget := func(what func(o *message) bool) {
		r.state = slices.DeleteFunc(r.state, func(o *message) bool {
			gone := what(o)
			if gone {
				o.close()
			}
			return gone
		})
	}
	switch {
	case m.request == getVringBase:
		ring := m.ring()
		forget(func(o *message) bool { return o.starts() && o.ring() == ring })
		delete(r.stale, ring)
	case m.request == resetOwner:
		forget(func(o *message) bool { return o.request != setProtocolFeatures })
		clear(r.stale)
	case !m.isQuestion():
		r.begun = r.begun || m.request == setVringKick
		forget(func(o *message) bool {
			return o.request == m.request && (!o.ofRing() || o.ring() == m.ring())
		})
		r.state = append(r.state, m)
		return
	}
	m.close()
}

// isQuestion reports whether m sets nothing and is answered in any case.
func (m *message) isQuestion() bool {
	switch m.request {
	case getFeatures, getProtocolFeatures, getQueueNum, getVringBase:
		return true
	}
	return false
}

func (m *message) wantsReply() bool { return m.isQuestion() || m.flags&flagNeedReply != 0 }

// starts reports whether m is forgotten when its ring is stopped.
func (m *message) starts() bool {
	switch m.request {
	case setVringNum, setVringAddr, setVringBase, setVringKick, setVringEnable:
		return true
	}
	return false
}

// ofRing reports whether m is about one ring.
func (m *message) ofRing() bool {
	return m.starts() || m.request == setVringCall || m.request == setVringErr || m.request == getVringBase
}

// ring is the number of the ring that m is about.
func (m *message) ring() uint8 { return uint8(m.u32(0)) }

// ask sends m to a server and returns the reply, if there is to be one.
func (m *message) ask(back *net.UnixConn) (*message, error) {
	if err := m.send(back); err != nil {
		return nil, err
	}
	if !m.wantsReply() {
		return nil, nil
	}
	reply, err := readMessage(back)
	if err != nil {
		return nil, err
	}
	reply.close() // no answer has descriptors
	if reply.request != m.request || reply.flags&flagReply == 0 || len(reply.payload) != 8 {
		return nil, fmt.Errorf("vhost-user request %d is answered by %d with flags %#x and %d bytes", m.request, reply.request, reply.flags, len(reply.payload))
	}
	return reply, nil
}
