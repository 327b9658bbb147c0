package image

import (
	_ "embed"
	"slices"
)

// An edit replaces a piece of a file of those modules, which stands there once, or the module
// is not made: another version of it is to be looked at anew.
type thirdPartyEdit struct {
	file     string // its path in the kernel's module
	old, new string
}

// addedFiles are added to those modules, by their paths there.
var addedFiles = map[string][]byte{
	tcpPath + "zz_yolk_delayedack.go":                   delayedAck,
	"gvisor.dev/gvisor/pkg/buffer/zz_yolk_headslice.go": headSlice,
}

var (
	//go:embed _thirdparty/delayedack.go
	delayedAck []byte
	//go:embed _thirdparty/headslice.go
	headSlice []byte
)

const (
	tcpipPath = "gvisor.dev/gvisor/pkg/tcpip/"
	tcpPath   = tcpipPath + "transport/tcp/"
)

// thirdPartyEdits are all edits.
var thirdPartyEdits = slices.Concat(clockEdits, headerEdits, addressEdits, delayedAckEdits)

// clockEdits: each segment of TCP compares times a dozen times, which package time does in
// several hundred instructions. The sums are as they were, to the last one that fits.
var clockEdits = []thirdPartyEdit{
	{tcpipPath + "tcpip.go",
		"	return MonotonicTime{\n		nanoseconds: time.Unix(0, mt.nanoseconds).Add(d).Sub(time.Unix(0, 0)).Nanoseconds(),\n	}\n",
		`	sum := mt.nanoseconds + int64(d)
	switch {
	case d > 0 && sum < mt.nanoseconds:
		sum = math.MaxInt64
	case d < 0 && sum > mt.nanoseconds:
		sum = math.MinInt64
	}
	return MonotonicTime{nanoseconds: sum}
`},
	{tcpipPath + "tcpip.go",
		"	return time.Unix(0, mt.nanoseconds).Sub(time.Unix(0, u.nanoseconds))\n",
		`	d := mt.nanoseconds - u.nanoseconds
	switch {
	case u.nanoseconds < 0 && d < mt.nanoseconds:
		d = math.MaxInt64
	case u.nanoseconds > 0 && d > mt.nanoseconds:
		d = math.MinInt64
	}
	return time.Duration(d)
`},
}

// headerEdits: a header is looked up a dozen times on the way of a packet, each time by a
// walk over its views.
var headerEdits = []thirdPartyEdit{
	{tcpipPath + "stack/packet_buffer.go",
		"	view := h.pk.headerView(h.typ)\n	return view.AsSlice()\n",
		`	at := &h.pk.headers[h.typ]
	if b := h.pk.buf.HeadSlice(h.pk.headerOffsetOf(h.typ), at.length); b != nil || at.length == 0 {
		return b
	}
	view := h.pk.headerView(h.typ)
	return view.AsSlice()
`},
	{tcpipPath + "stack/packet_buffer.go",
		"	h.offset = -pk.pushed\n	h.length = size\n",
		`	h.offset = -pk.pushed
	h.length = size
	if b := pk.buf.HeadSlice(pk.headerOffsetOf(typ), size); b != nil {
		return b
	}
`},
	{tcpipPath + "stack/packet_buffer.go",
		"	h.offset = pk.consumed\n	h.length = size\n	pk.consumed += size\n",
		`	h.offset = pk.consumed
	h.length = size
	pk.consumed += size
	if b := pk.buf.HeadSlice(pk.headerOffsetOf(typ), size); b != nil {
		return b, true
	}
`},
}

// addressEdits: whose header a packet has is asked three times on its way, and whether an
// address is a network's broadcast four times.
var addressEdits = []thirdPartyEdit{
	{tcpipPath + "stack/packet_buffer.go",
		"	headers [numHeaderType]headerInfo\n",
		"	headers [numHeaderType]headerInfo\n\n	// network4 is what Network leads to.\n	network4 header.IPv4 `state:\"nosave\"`\n"},
	{tcpipPath + "stack/packet_buffer.go",
		"		return header.IPv4(pk.NetworkHeader().Slice())\n",
		"		pk.network4 = pk.NetworkHeader().Slice()\n		return &pk.network4\n"},
	{tcpipPath + "tcpip.go",
		"	return s.Prefix() <= 30 && s.Broadcast() == address\n",
		`	if s.address.length != ipv4AddressSize || address.length != ipv4AddressSize {
		return false
	}
	for i, b := range address.addr[:ipv4AddressSize] {
		if s.address.addr[i]|^s.mask.mask[i] != b {
			return false
		}
	}
	return s.Prefix() <= 30
`},
}

// delayedAckEdits let acknowledgements wait for data to go with, by delayedack.go.
var delayedAckEdits = []thirdPartyEdit{
	{tcpPath + "snd.go",
		"	corkTimer timer `state:\"nosave\"`\n",
		"	corkTimer timer `state:\"nosave\"`\n\n	delayedAck delayedAck `state:\"nosave\"`\n"},
	{tcpPath + "snd.go",
		"	ep.snd.corkTimer.init(ep.snd.ep.stack.Clock(), timerHandler(ep.snd.ep, ep.snd.corkTimerExpired))\n",
		"	ep.snd.corkTimer.init(ep.snd.ep.stack.Clock(), timerHandler(ep.snd.ep, ep.snd.corkTimerExpired))\n" +
			"	ep.snd.delayedAck.init(ep.snd.ep.stack.Clock(), timerHandler(ep.snd.ep, ep.snd.delayedAckTimerExpired))\n"},
	{tcpPath + "snd.go",
		"	s.MaxSentAck = rcvNxt\n\n	// We need to clone",
		"	s.delayedAck.sent(s.MaxSentAck, rcvNxt)\n	s.MaxSentAck = rcvNxt\n\n	// We need to clone"},
	{tcpPath + "endpoint.go",
		"		e.snd.corkTimer.cleanup()\n",
		"		e.snd.corkTimer.cleanup()\n		e.snd.delayedAck.timer.cleanup()\n"},
	{tcpPath + "connect.go",
		"	sndUna := e.snd.SndUna\n	for i := 0; i < maxSegmentsPerWake; i++ {\n",
		"	sndUna := e.snd.SndUna\n	segments := 0\n	for ; segments < maxSegmentsPerWake; segments++ {\n"},
	{tcpPath + "connect.go",
		"	if e.rcv.RcvNxt != e.snd.MaxSentAck {\n		e.snd.sendAck()\n",
		"	if e.rcv.RcvNxt != e.snd.MaxSentAck && !e.snd.delayAck(segments) {\n		e.snd.sendAck()\n"},
}

// editedMark says at the end of a file that it is not the original, as its licence wants
// it (Apache 2.0, 4b).
const editedMark = "\n// This file has been changed by " + modulePath + ": see cmd/yolk/internal/image/thirdparty_edits.go there.\n"
