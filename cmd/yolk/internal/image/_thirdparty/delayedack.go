package tcp

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/seqnum"
)

// delayedAck is of the acknowledgements that are put off to go with data (RFC 1122,
// 4.2.3.2; RFC 9293, 3.8.6.3): of a connection whose program answers what it receives, so
// that a request and its answer are two segments in place of four.
type delayedAck struct {
	timer timer

	// putOff: an acknowledgement was, when the highest one sent was putOffAt.
	putOff   bool
	putOffAt seqnum.Value

	// answered is what had been received when data was last sent, answers how often
	// data was sent with more of it in a row, which has to be wanted times before
	// anything is put off.
	answered seqnum.Value
	answers  uint
	wanted   uint
}

const (
	// ackDelay is for how long at most. It is Linux's least (TCP_DELACK_MIN).
	ackDelay = 40 * time.Millisecond

	// What is put off in vain doubles how many answers it takes the next time: a peer
	// that waits for it (Nagle's algorithm, between two writes) does so ever more seldom.
	// What was not takes one off.
	firstAnswers = 2
	mostAnswers  = 1 << 12
)

func (d *delayedAck) init(clock tcpip.Clock, expired func()) {
	*d = delayedAck{wanted: firstAnswers}
	d.timer.init(clock, expired)
}

// sent notes that data goes out, with an acknowledgement of all before rcvNxt, when the
// highest one sent so far was max.
func (d *delayedAck) sent(max, rcvNxt seqnum.Value) {
	if d.putOff && d.putOffAt == max {
		d.putOff = false
		if d.wanted > firstAnswers {
			d.wanted--
		}
	}
	if rcvNxt == d.answered {
		return
	}
	d.answered = rcvNxt
	d.answers++
}

// delayAck reports whether the acknowledgement of what has just come in so many segments
// is to wait. Every second segment has one at once, and one that is half full.
//
// +checklocks:s.ep.mu
func (s *sender) delayAck(segments int) bool {
	d := &s.delayedAck
	again := d.putOff && d.putOffAt == s.MaxSentAck
	d.putOff = false
	if segments > 1 || again || d.answers < d.wanted || s.ep.EndpointState() != StateEstablished {
		return false
	}
	if 2*int(s.MaxSentAck.Size(s.ep.rcv.RcvNxt)) >= s.MaxPayloadSize {
		return false
	}
	d.putOff, d.putOffAt = true, s.MaxSentAck
	d.timer.enable(ackDelay)
	return true
}

// delayedAckTimerExpired sends what was put off, if no data has taken it along.
//
// +checklocks:s.ep.mu
func (s *sender) delayedAckTimerExpired() tcpip.Error {
	d := &s.delayedAck
	if d.timer.isUninitialized() || !d.timer.checkExpiration() || !d.putOff || d.putOffAt != s.MaxSentAck {
		return nil
	}
	d.putOff, d.answers = false, 0
	d.wanted = min(2*d.wanted, mostAnswers)
	if s.ep.EndpointState().connected() {
		s.sendAck()
	}
	return nil
}
