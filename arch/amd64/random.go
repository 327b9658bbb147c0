package amd64

import (
	"encoding/binary"
	"math/bits"
)

// generator makes random numbers from a key that sources are mixed into. It
// erases its key with each request, so that what is known of it later tells
// nothing of the numbers before ("fast key erasure").
//
// The runtime calls it with its own locks held, and before it has started: it
// must not allocate, and its callers have interrupts disabled, so all of it is
// nosplit.
type generator struct {
	key [8]uint32
}

const blockSize = 64 // bytes of a ChaCha20 block

// mix makes the key depend on b as well. Who does not know all of what was mixed
// does not know the key, whatever the rest of it was.
//
//go:nosplit
func (g *generator) mix(b []byte) {
	for len(b) > 0 {
		var part [32]byte
		n := copy(part[:], b)
		b = b[n:]
		for i := range g.key {
			g.key[i] ^= binary.LittleEndian.Uint32(part[4*i:])
		}
		var out [16]uint32
		// The number of bytes tells a short part from one that ends in zeros.
		chacha20(&out, &g.key, uint32(n), ^uint32(0))
		copy(g.key[:], out[:])
	}
}

// fill fills b, of which at most 2^32 blocks, and changes the key.
//
//go:nosplit
func (g *generator) fill(b []byte) {
	var out [16]uint32
	chacha20(&out, &g.key, 0, 0)
	next := [8]uint32(out[:8])
	b = b[put(b, out[8:]):]
	for n := uint32(1); len(b) > 0; n++ {
		chacha20(&out, &g.key, n, 0)
		b = b[put(b, out[:]):]
	}
	g.key = next
}

// put copies words to b, as many as have room, and returns how many bytes that
// were.
//
//go:nosplit
func put(b []byte, words []uint32) (n int) {
	for _, w := range words {
		for range 4 {
			if n == len(b) {
				return n
			}
			b[n] = byte(w)
			w >>= 8
			n++
		}
	}
	return n
}

// chacha20 is the block function of ChaCha20 (RFC 8439, 2.3) with a nonce whose
// first word is given and the others zero.
//
//go:nosplit
func chacha20(out *[16]uint32, key *[8]uint32, counter, nonce uint32) {
	in := [16]uint32{
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, // "expand 32-byte k"
		key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
		counter, nonce,
	}
	x := in
	for range 10 {
		for _, q := range [...][4]uint8{
			{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15},
			{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14},
		} {
			a, b, c, d := &x[q[0]&15], &x[q[1]&15], &x[q[2]&15], &x[q[3]&15]
			*a += *b
			*d = bits.RotateLeft32(*d^*a, 16)
			*c += *d
			*b = bits.RotateLeft32(*b^*c, 12)
			*a += *b
			*d = bits.RotateLeft32(*d^*a, 8)
			*c += *d
			*b = bits.RotateLeft32(*b^*c, 7)
		}
	}
	for i := range out {
		out[i] = x[i] + in[i]
	}
}
