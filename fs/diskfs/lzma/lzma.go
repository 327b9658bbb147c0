// Package lzma decompresses LZMA, in the forms that file systems have it in, into a slice, which is also the
// dictionary: "LZMA specification" (lzma-specification.txt of the LZMA SDK) and "The .xz File
// Format", version 1.2.1. Libraries have variables that are initialised when the program's are, and
// disks are mounted before that.
package lzma

import (
	"encoding/binary"
	"fmt"
	"sync"
)

var le = binary.LittleEndian

// Corrupt is what is wrong with compressed bytes, or is not supported.
type Corrupt struct{ What string }

func (c *Corrupt) Error() string {
	return fmt.Sprintf("bytes are not what xz or lzma makes: %s", c.What)
}

func corrupt(what string, args ...any) error { return &Corrupt{fmt.Sprintf(what, args...)} }

const (
	states       = 12
	literalState = 7 // states below come behind a literal
	maxPosStates = 16
	literalProbs = 0x300
	maxLCLP      = 4 // lc + lp, as in LZMA2
	endMarker    = 0xffffffff
)

// lengths decodes the lengths of matches.
type lengths struct {
	choice, choice2 uint16
	low, mid        [maxPosStates][8]uint16
	high            [256]uint16
}

// probs are the probabilities of bits.
type probs struct {
	match, repLong         [states][maxPosStates]uint16
	rep, rep0, rep1, rep2  [states]uint16
	slot                   [4][64]uint16
	special                [115]uint16
	align                  [16]uint16
	matchLength, repLength lengths
	literal                [literalProbs << maxLCLP]uint16
}

// decoder is what bytes are decompressed with.
type decoder struct {
	dst   []byte
	n     int // bytes there
	start int // of the dictionary

	coder
	lc, lp, pb uint
	state      int
	reps       [4]uint32
	probs      probs
}

var decoders sync.Pool // of *decoder

func newDecoder(dst []byte) *decoder {
	d, _ := decoders.Get().(*decoder)
	if d == nil {
		d = new(decoder)
	}
	d.dst, d.n, d.start = dst, 0, 0
	return d
}

func (d *decoder) free() {
	d.dst, d.src = nil, nil
	decoders.Put(d)
}

// setProps takes lc, lp and pb, which are in one byte.
func (d *decoder) setProps(b byte) error {
	if b >= 9*5*5 {
		return corrupt("properties are %#x, want at most %#x", b, 9*5*5-1)
	}
	d.lc, d.lp, d.pb = uint(b)%9, uint(b)/9%5, uint(b)/45
	if d.lc+d.lp > maxLCLP {
		return corrupt("properties are %#x: lc and lp are %d together, want at most %d", b, d.lc+d.lp, maxLCLP)
	}
	return nil
}

// reset begins a new state.
func (d *decoder) reset() {
	const half = 1 << 10
	p := &d.probs
	d.state, d.reps = 0, [4]uint32{}
	for i := range p.match {
		fill(p.match[i][:], half)
		fill(p.repLong[i][:], half)
	}
	for _, list := range [...][]uint16{p.rep[:], p.rep0[:], p.rep1[:], p.rep2[:], p.special[:], p.align[:], p.literal[:literalProbs<<(d.lc+d.lp)]} {
		fill(list, half)
	}
	for i := range p.slot {
		fill(p.slot[i][:], half)
	}
	for _, l := range [...]*lengths{&p.matchLength, &p.repLength} {
		l.choice, l.choice2 = half, half
		fill(l.high[:], half)
		for i := range l.low {
			fill(l.low[i][:], half)
			fill(l.mid[i][:], half)
		}
	}
}

func fill(list []uint16, v uint16) {
	for i := range list {
		list[i] = v
	}
}

// length decodes the length of a match, less two.
func (d *decoder) length(l *lengths, pos int) int {
	switch {
	case d.bit(&l.choice) == 0:
		return int(d.tree(l.low[pos][:], 3))
	case d.bit(&l.choice2) == 0:
		return 8 + int(d.tree(l.mid[pos][:], 3))
	}
	return 16 + int(d.tree(l.high[:], 8))
}

// distance decodes the distance of a match, less one, of a length.
func (d *decoder) distance(length int) uint32 {
	p := &d.probs
	slot := d.tree(p.slot[min(length, 3)][:], 6)
	if slot < 4 {
		return slot
	}
	n := slot>>1 - 1
	base := (2 | slot&1) << n
	if slot < 14 {
		return base + d.reverse(p.special[base-slot:], n)
	}
	return base + d.direct(n-4)<<4 + d.reverse(p.align[:], 4)
}

// run decompresses until there are end bytes, or a marker ends it.
func (d *decoder) run(end int) (marked bool, err error) {
	p := &d.probs
	for d.n < end {
		if d.short {
			return false, corrupt("the bytes end behind %d of %d", d.n, end)
		}
		pos := (d.n - d.start) & (1<<d.pb - 1)
		if d.bit(&p.match[d.state][pos]) == 0 {
			d.literal()
			continue
		}
		size := 0
		switch {
		case d.bit(&p.rep[d.state]) == 0:
			size = d.length(&p.matchLength, pos)
			d.reps = [4]uint32{d.distance(size), d.reps[0], d.reps[1], d.reps[2]}
			if d.reps[0] == endMarker {
				return true, nil
			}
			d.behind(7, 10)
		case d.bit(&p.rep0[d.state]) != 0:
			d.older()
			size = d.length(&p.repLength, pos)
			d.behind(8, 11)
		case d.bit(&p.repLong[d.state][pos]) != 0:
			size = d.length(&p.repLength, pos)
			d.behind(8, 11)
		default:
			size = -1 // one byte
			d.behind(9, 11)
		}
		back := int(d.reps[0]) + 1
		if back > d.n-d.start {
			return false, corrupt("a distance of %d, want at most %d", back, d.n-d.start)
		}
		// What is copied may be what this match has made.
		from := d.n - back
		for to := min(d.n+size+2, end); d.n < to; {
			d.n += copy(d.dst[d.n:to], d.dst[from:d.n])
		}
	}
	if d.short {
		return false, corrupt("the bytes end before %d are made", end)
	}
	return false, nil
}

// behind is the state that follows, by what was before.
func (d *decoder) behind(literal, match int) {
	if d.state < literalState {
		d.state = literal
	} else {
		d.state = match
	}
}

// older takes one of the distances before the last one.
func (d *decoder) older() {
	p, r := &d.probs, &d.reps
	switch {
	case d.bit(&p.rep1[d.state]) == 0:
		*r = [4]uint32{r[1], r[0], r[2], r[3]}
	case d.bit(&p.rep2[d.state]) == 0:
		*r = [4]uint32{r[2], r[0], r[1], r[3]}
	default:
		*r = [4]uint32{r[3], r[0], r[1], r[2]}
	}
}
