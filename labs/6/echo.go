// Command echo is an echo server (RFC 862) on a raw network card: it gets Ethernet
// frames, and makes Ethernet frames. There is no network stack.
package main

import (
	"bytes"
	"encoding/binary"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/labs/internal/netlab"
)

// Types of frames, and the protocol of UDP.
const (
	typeIPv4 = 0x0800
	typeARP  = 0x0806
	udp      = 17
)

// Lengths of headers, in bytes.
const (
	arpLen = 28
	ipLen  = 20 // without options
	udpLen = 8
)

// answer returns the frame to be sent for one that was received; nil: none.
func answer(me netlab.Host, frame []byte) []byte {
	if len(frame) < nic.HeaderLen {
		return nil
	}
	switch body := frame[nic.HeaderLen:]; binary.BigEndian.Uint16(frame[12:]) {
	case typeARP:
		if reply := answerARP(me, body); reply != nil {
			return header(me, frame, reply)
		}
	case typeIPv4:
		if !bytes.Equal(frame[:6], me.MAC[:]) {
			return nil
		}
		if reply := answerIP(me, body); reply != nil {
			return header(me, frame, reply)
		}
	}
	return nil
}

// header puts an Ethernet header before a reply: it goes to where the frame came from.
func header(me netlab.Host, frame, reply []byte) []byte {
	b := append(bytes.Clone(frame[6:12]), me.MAC[:]...)
	return append(append(b, frame[12:14]...), reply...)
}

// answerARP answers who has the machine's address (RFC 826).
//
// TODO 1: if b is long enough, its operation (the word at 6) is 1, a request, and its
// target's IP address (at 24) is me.IP: a copy of it (bytes.Clone), in which the
// operation is 2, the target is who was the sender (MAC and IP, 10 bytes at 8), and the
// sender is me. Else nil.
func answerARP(me netlab.Host, b []byte) []byte {
	return nil
}

// sum is the checksum of the internet (RFC 1071).
//
// TODO 2: add all words of 16 bits, the first byte the high one, a last single byte as
// if a 0 came behind it. While there is something above the lower 16 bits, add it to
// them. Flip all bits.
func sum(b []byte) uint16 {
	return 0
}

// answerIP answers a packet (RFC 791): it takes the headers apart.
//
// TODO 3: nil unless all of this holds. There are ipLen bytes at least; version 4 (the
// upper half of byte 0); the header's length (4 times the lower half) is ipLen at least;
// the total length (the word at 2) is that at least, and not more than there is; the sum
// over the header is 0; it is no fragment (the word at 6, without its two upper bits, is
// 0); the protocol (byte 9) is UDP; the destination (at 16) is me.IP.
//
// What is behind the header, to the total length, goes to answerUDP, and its reply gets
// a header of ipLen bytes: as that of b, but with its own lengths, addresses and sum.
func answerIP(me netlab.Host, b []byte) []byte {
	return nil
}

// answerUDP answers a datagram (RFC 768) from one address to another.
//
// TODO 4: nil unless there are udpLen bytes at least; the length (the word at 4) is that
// at least, and not more than there is; the port that it goes to (the word at 2) is
// netlab.Port; the checksum (the word at 6) is 0, or the sum over the pseudo-header and
// the datagram is 0.
//
// The reply is a copy with the ports exchanged, and a checksum of its own.
func answerUDP(from, to, b []byte) []byte {
	return nil
}

// pseudo is the header that UDP's checksum goes over besides the datagram of n bytes: the
// addresses, 0, the protocol, the length.
func pseudo(from, to []byte, n int) []byte {
	b := append(bytes.Clone(from), to...)
	return binary.BigEndian.AppendUint16(append(b, 0, udp), uint16(n))
}

func main() { netlab.Main(sum, answer) }
