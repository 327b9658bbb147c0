package zstd

import "math/bits"

// backward reads bits from the end of bytes on, as Huffman's codes and sequences are read (§4.1). The last byte
// has a bit that says where they begin. Where there are none left it reads zeroes, and left is negative.
type backward struct {
	b    []byte
	left int // bits
}

func newBackward(b []byte) (backward, error) {
	if len(b) == 0 || b[len(b)-1] == 0 {
		return backward{}, corrupt("a bit stream of %d bytes without its last bit", len(b))
	}
	return backward{b, len(b)*8 - 1 - bits.LeadingZeros8(b[len(b)-1])}, nil
}

// peek returns the next n bits, 56 at most.
func (r *backward) peek(n uint) uint64 {
	at := r.left - int(n)
	if at < 0 {
		if r.left <= 0 {
			return 0
		}
		return r.load(0) & (1<<r.left - 1) << -at
	}
	return r.load(at/8) >> (at % 8) & (1<<n - 1)
}

// load returns up to eight bytes.
func (r *backward) load(at int) (v uint64) {
	if at+8 <= len(r.b) {
		return le.Uint64(r.b[at:])
	}
	for i, b := range r.b[at:] {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (r *backward) read(n uint) uint64 {
	v := r.peek(n)
	r.left -= int(n)
	return v
}

// forward reads bits from the beginning on. Behind the end there are zeroes.
type forward struct {
	b  []byte
	at uint // in bits
}

// peek returns the next n bits, 16 at most.
func (r *forward) peek(n uint) uint {
	var v uint
	for i := range uint(3) {
		if at := r.at/8 + i; at < uint(len(r.b)) {
			v |= uint(r.b[at]) << (8 * i)
		}
	}
	return v >> (r.at % 8) & (1<<n - 1)
}

func (r *forward) read(n uint) uint {
	v := r.peek(n)
	r.at += n
	return v
}

// rest is what is behind the byte with the last bit.
func (r *forward) rest() ([]byte, error) {
	n := (r.at + 7) / 8
	if n > uint(len(r.b)) {
		return nil, corrupt("a table of probabilities crosses the end")
	}
	return r.b[n:], nil
}
