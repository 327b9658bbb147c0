// Package tty has terminals: what Linux's n_tty line discipline does between a
// program and the one who types (POSIX.1-2017 chapter 11, termios(3)), the control
// operations of ioctl_tty(2), and pseudo terminals, pty(7).
//
// Names of flags, control characters and requests are those of Linux's headers
// asm-generic/termbits.h and ioctls.h.
package tty

import "encoding/binary"

// Input modes.
const (
	IGNBRK = 0x1
	BRKINT = 0x2
	PARMRK = 0x8
	ISTRIP = 0x20
	INLCR  = 0x40
	IGNCR  = 0x80
	ICRNL  = 0x100
	IUCLC  = 0x200
	IXON   = 0x400
	IXANY  = 0x800
	IXOFF  = 0x1000
	IUTF8  = 0x4000
)

// Output modes.
const (
	OPOST  = 0x1
	OLCUC  = 0x2
	ONLCR  = 0x4
	OCRNL  = 0x8
	ONOCR  = 0x10
	ONLRET = 0x20
	TABDLY = 0x1800
	XTABS  = 0x1800
)

// Control modes.
const (
	CBAUD  = 0x100f
	B38400 = 0xf
	BOTHER = 0x1000
	CSIZE  = 0x30
	CS8    = 0x30
	CREAD  = 0x80
	PARENB = 0x100
	HUPCL  = 0x400
	CIBAUD = CBAUD << ibShift

	ibShift = 16
)

// Local modes.
const (
	ISIG    = 0x1
	ICANON  = 0x2
	ECHO    = 0x8
	ECHOE   = 0x10
	ECHOK   = 0x20
	ECHONL  = 0x40
	NOFLSH  = 0x80
	ECHOCTL = 0x200
	ECHOPRT = 0x400
	ECHOKE  = 0x800
	IEXTEN  = 0x8000
	EXTPROC = 0x10000
)

// Control characters.
const (
	VINTR    = 0
	VQUIT    = 1
	VERASE   = 2
	VKILL    = 3
	VEOF     = 4
	VTIME    = 5
	VMIN     = 6
	VSTART   = 8
	VSTOP    = 9
	VSUSP    = 10
	VEOL     = 11
	VREPRINT = 12
	VDISCARD = 13
	VWERASE  = 14
	VLNEXT   = 15
	VEOL2    = 16

	nccs = 19
)

// disabled is a control character that there is none of (_POSIX_VDISABLE).
const disabled = 0

// Termios are the settings of a terminal, struct termios2 of Linux. Speeds are in
// bits a second; they change nothing.
type Termios struct {
	Iflag, Oflag, Cflag, Lflag uint32
	Line                       uint8
	Cc                         [nccs]uint8
	Ispeed, Ospeed             uint32
}

// Default are the settings of a terminal that nobody has changed.
func Default() Termios {
	return Termios{
		Iflag: ICRNL | IXON, Oflag: OPOST | ONLCR, Cflag: B38400 | CS8 | CREAD,
		Lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		Cc: [nccs]uint8{VINTR: ctrl('C'), VQUIT: ctrl('\\'), VERASE: 0x7f, VKILL: ctrl('U'), VEOF: ctrl('D'), VMIN: 1,
			VSTART: ctrl('Q'), VSTOP: ctrl('S'), VSUSP: ctrl('Z'), VREPRINT: ctrl('R'), VDISCARD: ctrl('O'),
			VWERASE: ctrl('W'), VLNEXT: ctrl('V')},
		Ispeed: 38400, Ospeed: 38400,
	}
}

// ctrl is the control character of a key.
func ctrl(key byte) byte { return key ^ 0x40 }

func (t *Termios) i(flags uint32) bool { return t.Iflag&flags != 0 }
func (t *Termios) o(flags uint32) bool { return t.Oflag&flags != 0 }
func (t *Termios) l(flags uint32) bool { return t.Lflag&flags != 0 }

// canonical: input comes in lines.
func (t *Termios) canonical() bool { return t.Lflag&(ICANON|EXTPROC) == ICANON }

// is reports whether c is one of the control characters that are named.
func (t *Termios) is(c byte, names ...int) bool {
	for _, n := range names {
		if c == t.Cc[n] && c != disabled {
			return true
		}
	}
	return false
}

// SizeTermios2 is the size of a struct termios2 in bytes; the others are those of
// the other structures of ioctl_tty(2).
const (
	SizeTermios2 = 44

	sizeTermio  = 18
	sizeTermios = 36
)

// Decode sets t to what b, at least 36 bytes long, holds: a struct termios, or a
// struct termios2 if b has room for one.
func (t *Termios) Decode(b []byte) {
	for i, p := range []*uint32{&t.Iflag, &t.Oflag, &t.Cflag, &t.Lflag} {
		*p = binary.NativeEndian.Uint32(b[4*i:])
	}
	t.Line = b[16]
	copy(t.Cc[:], b[17:sizeTermios])
	if len(b) >= SizeTermios2 {
		t.Ispeed, t.Ospeed = binary.NativeEndian.Uint32(b[36:]), binary.NativeEndian.Uint32(b[40:])
	}
}

// Encode is the reverse of Decode.
func (t *Termios) Encode(b []byte) {
	for i, v := range []uint32{t.Iflag, t.Oflag, t.Cflag, t.Lflag} {
		binary.NativeEndian.PutUint32(b[4*i:], v)
	}
	b[16] = t.Line
	copy(b[17:sizeTermios], t.Cc[:])
	if len(b) >= SizeTermios2 {
		binary.NativeEndian.PutUint32(b[36:], t.Ispeed)
		binary.NativeEndian.PutUint32(b[40:], t.Ospeed)
	}
}

// termioCc is how many control characters a struct termio has.
const termioCc = 8

// decodeOld changes what a struct termio of System V holds: the lower halves of
// the flags.
func (t *Termios) decodeOld(b []byte) {
	for i, p := range []*uint32{&t.Iflag, &t.Oflag, &t.Cflag, &t.Lflag} {
		*p = *p&^0xffff | uint32(binary.NativeEndian.Uint16(b[2*i:]))
	}
	t.Line = b[8]
	copy(t.Cc[:termioCc], b[9:])
}

func (t *Termios) encodeOld(b []byte) {
	for i, v := range []uint32{t.Iflag, t.Oflag, t.Cflag, t.Lflag} {
		binary.NativeEndian.PutUint16(b[2*i:], uint16(v))
	}
	b[8] = t.Line
	copy(b[9:9+termioCc], t.Cc[:])
	b[17] = 0
}

// rates are the speeds of the B constants, in bits a second.
var rates = [...]uint32{0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400}
var highRates = [...]uint32{57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000}

// rate is the speed that the CBAUD bits of b stand for; BOTHER: other.
func rate(b, other uint32) uint32 {
	switch n := b & 0xf; {
	case b&BOTHER == 0:
		return rates[n]
	case n == 0 || int(n) > len(highRates):
		return other
	default:
		return highRates[n-1]
	}
}

// settle derives the speeds from the control modes, and lets a pseudo terminal
// have eight bits and no parity, as that is what it has.
func (t *Termios) settle() {
	t.Cflag = t.Cflag&^(CSIZE|PARENB) | CS8 | CREAD
	t.Ospeed = rate(t.Cflag&CBAUD, t.Ospeed)
	if in := t.Cflag >> ibShift & CBAUD; in != 0 {
		t.Ispeed = rate(in, t.Ispeed)
	} else {
		t.Ispeed = t.Ospeed
	}
}

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) add(b byte)      { s[b/64] |= 1 << (b % 64) }
func (s *byteSet) remove(b byte)   { s[b/64] &^= 1 << (b % 64) }
func (s *byteSet) has(b byte) bool { return s[b/64]>>(b%64)&1 != 0 }
