// Package netlab is the given part of lab 6: the loop between a network card and the
// student's answers, and frames to try them with.
package netlab

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/yolkos/yolk/drivers/nic"
	"github.com/yolkos/yolk/labs/internal/lab"
	"github.com/yolkos/yolk/labs/internal/report"
)

// Host is who answers: one card with one address.
type Host struct {
	MAC nic.Address
	IP  [4]byte
}

// Port is the port of the echo service (RFC 862).
const Port = 7

// What the student writes.
type (
	// Sum is the checksum of the internet (RFC 1071).
	Sum func(b []byte) uint16
	// Answer returns the frame to be sent for one that was received; nil: none.
	Answer func(me Host, frame []byte) []byte
)

// Ready is how the line begins that says that the machine answers.
const Ready = "echo at "

// Main is the lab's main function.
func Main(sum Sum, answer Answer) {
	serve := func() error {
		card, err := open()
		if err != nil {
			return err
		}
		// The address that usernet gives to the first guest.
		me := Host{MAC: card.Address(), IP: [4]byte{10, 0, 2, 15}}
		if err := Serve(card, me, answer); err != nil {
			return err
		}
		fmt.Printf("%s%d.%d.%d.%d, port %d, on %s\n", Ready, me.IP[0], me.IP[1], me.IP[2], me.IP[3], Port, card.Name())
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
		<-stop
		return nil
	}
	p := lab.Program{
		Hosted: func(r *report.Report) { Check(r, sum, answer) },
		Guest: func(r *report.Report) {
			if err := serve(); err != nil {
				r.Fail(err.Error(), "")
			}
		},
		Show: serve,
	}
	p.Main()
}

// stack is the least that a card needs above it.
type stack struct {
	card   nic.Device
	me     Host
	answer Answer
}

// memory is a buffer that the garbage collector takes back.
type memory []byte

func (m memory) Bytes() []byte { return m }
func (m memory) Release()      {}

func (s *stack) Alloc(size int) nic.Buffer { return make(memory, size) }
func (s *stack) LinkChanged(bool)          {}

// Receive gives each frame to the student's answer, and sends what that returns.
func (s *stack) Receive(queue int, frames []nic.Received) {
	for _, f := range frames {
		frame := make([]byte, 0, f.Len())
		for _, p := range f.Parts {
			frame = append(frame, p.Bytes()...)
		}
		complete(frame, &f.Offload)
		f.Release()
		if f.GSO != nic.GSONone {
			continue // several packets in one
		}
		if reply := s.answer(s.me, frame); reply != nil {
			s.send(queue, reply)
		}
	}
}

// send sends a frame, if there is room for it: a network may lose what it likes.
func (s *stack) send(queue int, frame []byte) {
	_, _ = s.card.Send(queue, []nic.Frame{{Data: [][]byte{frame}}})
}

// Announce tells the network which card has the address: it sends what is called a
// gratuitous ARP (RFC 5227, 3).
func (s *stack) Announce() {
	s.send(0, arp(1, s.me.MAC, nic.Broadcast, s.me, Host{IP: s.me.IP}))
}

// Serve has a card's frames answered.
func Serve(card nic.Device, me Host, answer Answer) error {
	s := &stack{card, me, answer}
	if err := card.Start(s); err != nil {
		return err
	}
	s.Announce()
	return nil
}

// complete fills in a checksum that the sender has left to the card, which is none.
func complete(frame []byte, o *nic.Offload) {
	start, at := int(o.ChecksumStart), int(o.ChecksumStart)+int(o.ChecksumOffset)
	if !o.NeedsChecksum || start > len(frame) || at+2 > len(frame) {
		return
	}
	binary.BigEndian.PutUint16(frame[at:], checksum(frame[start:]))
}

// checksum is the one's complement of the sum of the 16-bit words (RFC 1071).
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// arp makes a frame of RFC 826: op is 1 for a request, 2 for a reply.
func arp(op uint16, from, to nic.Address, sender, target Host) []byte {
	b := append(append(to[:len(to):len(to)], from[:]...), 8, 6, 0, 1, 8, 0, 6, 4)
	b = binary.BigEndian.AppendUint16(b, op)
	b = append(append(b, sender.MAC[:]...), sender.IP[:]...)
	return append(append(b, target.MAC[:]...), target.IP[:]...)
}
