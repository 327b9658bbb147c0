package netstack

import (
	"encoding/binary"
	"slices"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/yolkos/yolk/drivers/nic"
)

// ethernetHeader is the length of a link's header, in bytes.
const ethernetHeader = nic.HeaderLen

// Kinds of packets of struct sockaddr_ll (packet(7)).
const (
	packetHost      = 0
	packetBroadcast = 1
	packetMulticast = 2
	packetOtherHost = 3
	packetOutgoing  = 4
)

// passing is a frame on its way over an interface, for sockets of AF_PACKET.
type passing struct {
	nic      tcpip.NICID
	kind     byte
	hardware uint16   // ARPHRD_
	parts    [][]byte // the frame
	proto    uint16   // of what is behind its header; pass fills it in
	time     time.Time
	// unsummed: the checksum of the transport is left to somebody else; summed: it
	// is known to be right.
	unsummed, summed bool
}

// tapped reports whether somebody looks at frames.
func (s *Stack) tapped() bool {
	t := s.taps.Load()
	return t != nil && len(*t) > 0
}

// pass shows a frame to those who look, but for who has sent it, if it is from here.
func (s *Stack) pass(p *passing, sender *packetSocket) {
	frame := slices.Concat(p.parts...)
	if len(frame) < ethernetHeader {
		return
	}
	p.time, p.proto = time.Now(), protocolOf(frame, p.kind)
	for _, k := range *s.taps.Load() {
		if k != sender {
			k.take(p, frame)
		}
	}
}

// Protocols of frames that have a length in place of a type (linux/if_ether.h).
const (
	ethernetTypes = 0x600 // ETH_P_802_3_MIN: what is less is a length
	ethernet8023  = 1
	ethernet8022  = 4
)

// protocolOf is the protocol of a frame; of one that has come it is made up where the
// frame has none (eth_type_trans of Linux).
func protocolOf(frame []byte, kind byte) uint16 {
	proto := binary.BigEndian.Uint16(frame[ethernetHeader-2:])
	switch {
	case kind == packetOutgoing || proto >= ethernetTypes:
		return proto
	case len(frame) >= ethernetHeader+2 && frame[ethernetHeader] == 0xff && frame[ethernetHeader+1] == 0xff:
		return ethernet8023
	}
	return ethernet8022
}

// kindFor is for whom a frame is that comes to an interface of address own.
func kindFor(frame []byte, own []byte) byte {
	switch dst := header.Ethernet(frame).DestinationAddress(); {
	case dst == header.EthernetBroadcastAddress:
		return packetBroadcast
	case header.IsMulticastEthernetAddress(dst):
		return packetMulticast
	case string(dst) == string(own):
		return packetHost
	}
	return packetOtherHost
}

// addTap and dropTap begin and end that a socket looks.
func (s *Stack) addTap(k *packetSocket) { s.changeTaps(k, true) }

func (s *Stack) dropTap(k *packetSocket) { s.changeTaps(k, false) }

func (s *Stack) changeTaps(k *packetSocket, add bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*packetSocket
	if t := s.taps.Load(); t != nil {
		list = slices.DeleteFunc(slices.Clone(*t), func(o *packetSocket) bool { return o == k })
	}
	if add {
		list = append(list, k)
	}
	s.taps.Store(&list)
}

// passIn shows a frame that has come.
func (l *link) passIn(f *nic.Received) {
	p := passing{nic: l.id, kind: l.kindOf(f.Parts[0].Bytes()), hardware: syscall.ARPHRD_ETHER, unsummed: f.NeedsChecksum, summed: f.ChecksumValid}
	for _, part := range f.Parts {
		p.parts = append(p.parts, part.Bytes())
	}
	l.s.pass(&p, nil)
}

// kindOf is for whom a frame is.
func (l *link) kindOf(frame []byte) byte {
	own := l.dev.Address()
	return kindFor(frame, own[:])
}

// passOut shows a frame that is about to be sent.
func (l *link) passOut(f *nic.Frame, sender *packetSocket) {
	l.s.pass(&passing{nic: l.id, kind: packetOutgoing, hardware: syscall.ARPHRD_ETHER, parts: f.Data, unsummed: f.NeedsChecksum}, sender)
}
