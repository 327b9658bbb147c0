package netstack

import (
	"encoding/binary"
	"math/rand/v2"
	"syscall"
)

// filter is a program of SO_ATTACH_FILTER, in the language of BSD's packet filter
// (Documentation/networking/filter.rst of Linux): for each packet it says how many
// of its bytes are wanted, 0: none.
type filter []filterStep

// filterStep is struct sock_filter.
type filterStep struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

const (
	sizeFilterStep = 8
	filterMax      = 4096 // BPF_MAXINSNS
	filterMemory   = 16   // BPF_MEMWORDS
)

// Instructions (linux/bpf_common.h): the class, and what it is of each.
const (
	bpfLD, bpfLDX, bpfST, bpfSTX, bpfALU, bpfJMP, bpfRET, bpfMISC = 0, 1, 2, 3, 4, 5, 6, 7

	bpfW, bpfH, bpfB                       = 0x00, 0x08, 0x10
	bpfIMM, bpfABS, bpfIND, bpfMEM, bpfLEN = 0x00, 0x20, 0x40, 0x60, 0x80
	bpfMSH                                 = 0xa0
	bpfX, bpfA                             = 0x08, 0x10

	bpfADD, bpfSUB, bpfMUL, bpfDIV, bpfOR, bpfAND, bpfLSH, bpfRSH, bpfNEG, bpfMOD, bpfXOR = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0

	bpfJA, bpfJEQ, bpfJGT, bpfJGE, bpfJSET = 0x00, 0x10, 0x20, 0x30, 0x40

	bpfTAX, bpfTXA = 0x00, 0x80
)

// parseFilter reads a program, and checks it as Linux does (bpf_check_classic): EINVAL.
func parseFilter(b []byte) (filter, error) {
	n := len(b) / sizeFilterStep
	if n == 0 || n > filterMax || len(b)%sizeFilterStep != 0 {
		return nil, syscall.EINVAL
	}
	f := make(filter, n)
	for i := range f {
		s := b[i*sizeFilterStep:]
		f[i] = filterStep{binary.NativeEndian.Uint16(s), s[2], s[3], binary.NativeEndian.Uint32(s[4:])}
	}
	for i, s := range f {
		if !s.valid(n - i - 1) {
			return nil, syscall.EINVAL
		}
	}
	if f[n-1].code&7 != bpfRET {
		return nil, syscall.EINVAL
	}
	return f, nil
}

// valid reports whether there is such an instruction, in front of left others.
func (s filterStep) valid(left int) bool {
	switch s.code & 7 {
	case bpfLD:
		switch s.code {
		case bpfLD | bpfW | bpfMEM:
			return s.k < filterMemory
		case bpfLD | bpfW | bpfIMM, bpfLD | bpfW | bpfLEN,
			bpfLD | bpfW | bpfABS, bpfLD | bpfH | bpfABS, bpfLD | bpfB | bpfABS,
			bpfLD | bpfW | bpfIND, bpfLD | bpfH | bpfIND, bpfLD | bpfB | bpfIND:
			return true
		}
	case bpfLDX:
		switch s.code {
		case bpfLDX | bpfW | bpfMEM:
			return s.k < filterMemory
		case bpfLDX | bpfW | bpfIMM, bpfLDX | bpfW | bpfLEN, bpfLDX | bpfB | bpfMSH:
			return true
		}
	case bpfST, bpfSTX:
		return s.code <= bpfSTX && s.k < filterMemory
	case bpfALU:
		op, byX := s.code&0xf0, s.code&bpfX != 0
		switch {
		case s.code > 0xff || op > bpfXOR || op == bpfNEG && byX:
			return false
		case byX:
			return true
		case op == bpfDIV || op == bpfMOD:
			return s.k != 0
		case op == bpfLSH || op == bpfRSH:
			return s.k < 32
		}
		return true
	case bpfJMP:
		op := s.code & 0xf0
		switch {
		case s.code == bpfJMP|bpfJA:
			return s.k < uint32(left)
		case s.code > 0xff || op == bpfJA || op > bpfJSET:
			return false
		}
		return int(s.jt) < left && int(s.jf) < left
	case bpfRET:
		return s.code == bpfRET || s.code == bpfRET|bpfA
	case bpfMISC:
		return s.code == bpfMISC|bpfTAX || s.code == bpfMISC|bpfTXA
	}
	return false
}

// What is loaded from behind these offsets is no byte of the packet (linux/filter.h).
const (
	skfAncillary = 0xfffff000 // SKF_AD_OFF
	skfNetwork   = 0xfff00000 // SKF_NET_OFF: from the header of the network on
	skfLink      = 0xffe00000 // SKF_LL_OFF: from that of the link on
)

// seenPacket is a packet as a filter sees it.
type seenPacket struct {
	data     []byte // what the program's offsets count in
	frame    []byte // the whole, with the header of the link
	protocol uint16
	kind     byte
	index    uint32
	hardware uint16
}

// ancillary is what a filter may ask of a packet besides its bytes.
func (p *seenPacket) ancillary(which uint32) (uint32, bool) {
	switch which {
	case 0: // SKF_AD_PROTOCOL
		return uint32(p.protocol), true
	case 4: // SKF_AD_PKTTYPE
		return uint32(p.kind), true
	case 8: // SKF_AD_IFINDEX
		return p.index, true
	case 28: // SKF_AD_HATYPE
		return uint32(p.hardware), true
	case 20, 24, 32, 36, 44, 48, 60: // mark, queue, hash, CPU, and tags of VLANs: none
		return 0, true
	case 56: // SKF_AD_RANDOM
		return rand.Uint32(), true
	}
	return 0, false
}

// load takes size bytes at an offset.
func (p *seenPacket) load(at uint32, size int) (uint32, bool) {
	b := p.data
	switch {
	case at >= skfAncillary:
		return p.ancillary(at - skfAncillary)
	case at >= skfNetwork:
		b, at = p.frame[min(ethernetHeader, len(p.frame)):], at-skfNetwork
	case at >= skfLink:
		b, at = p.frame, at-skfLink
	}
	if uint64(at)+uint64(size) > uint64(len(b)) {
		return 0, false
	}
	switch b = b[at:]; size {
	case 1:
		return uint32(b[0]), true
	case 2:
		return uint32(binary.BigEndian.Uint16(b)), true
	}
	return binary.BigEndian.Uint32(b), true
}

// run is how many bytes of a packet are wanted. A load from where nothing is ends it
// with none.
func (f filter) run(p *seenPacket) uint32 {
	var a, x uint32
	var mem [filterMemory]uint32
	for at := 0; at < len(f); at++ {
		s := &f[at]
		switch s.code & 7 {
		case bpfLD, bpfLDX:
			v, ok := s.value(p, x, &mem)
			if !ok {
				return 0
			}
			if s.code&7 == bpfLD {
				a = v
			} else {
				x = v
			}
		case bpfST:
			mem[s.k] = a
		case bpfSTX:
			mem[s.k] = x
		case bpfALU:
			v, ok := s.calculate(a, x)
			if !ok {
				return 0
			}
			a = v
		case bpfJMP:
			switch {
			case s.code == bpfJMP|bpfJA:
				at += int(s.k)
			case s.holds(a, x):
				at += int(s.jt)
			default:
				at += int(s.jf)
			}
		case bpfRET:
			if s.code&bpfA != 0 {
				return a
			}
			return s.k
		case bpfMISC:
			if s.code == bpfMISC|bpfTAX {
				x = a
			} else {
				a = x
			}
		}
	}
	return 0
}

// value is what a load loads.
func (s *filterStep) value(p *seenPacket, x uint32, mem *[filterMemory]uint32) (uint32, bool) {
	size := 4
	switch s.code & 0x18 {
	case bpfH:
		size = 2
	case bpfB:
		size = 1
	}
	switch s.code & 0xe0 {
	case bpfIMM:
		return s.k, true
	case bpfABS:
		return p.load(s.k, size)
	case bpfIND:
		return p.load(s.k+x, size)
	case bpfMEM:
		return mem[s.k], true
	case bpfLEN:
		return uint32(len(p.data)), true
	}
	v, ok := p.load(s.k, 1) // BPF_MSH: the length of a header of IPv4
	return v & 0xf * 4, ok
}

// calculate is an instruction of arithmetic. False: a division by zero.
func (s *filterStep) calculate(a, x uint32) (uint32, bool) {
	v := s.k
	if s.code&bpfX != 0 {
		v = x
	}
	switch s.code & 0xf0 {
	case bpfADD:
		return a + v, true
	case bpfSUB:
		return a - v, true
	case bpfMUL:
		return a * v, true
	case bpfDIV:
		if v == 0 {
			return 0, false
		}
		return a / v, true
	case bpfMOD:
		if v == 0 {
			return 0, false
		}
		return a % v, true
	case bpfOR:
		return a | v, true
	case bpfAND:
		return a & v, true
	case bpfXOR:
		return a ^ v, true
	case bpfLSH:
		return a << (v & 31), true
	case bpfRSH:
		return a >> (v & 31), true
	}
	return -a, true
}

// holds reports whether a conditional jump is taken by jt.
func (s *filterStep) holds(a, x uint32) bool {
	v := s.k
	if s.code&bpfX != 0 {
		v = x
	}
	switch s.code & 0xf0 {
	case bpfJEQ:
		return a == v
	case bpfJGT:
		return a > v
	case bpfJGE:
		return a >= v
	}
	return a&v != 0
}
