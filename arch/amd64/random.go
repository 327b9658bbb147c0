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
//
// A nosplit function has little stack, least without the compiler's
// optimisations: what it works with lies in the generator.
type generator struct {
	key [8]uint32

	in, x, out [16]uint32 // of a block; zero between requests
	part       [32]byte   // of what is mixed in
}

const blockSize = 64 // bytes of a ChaCha20 block

// mix makes the key depend on b as well. Who does not know all of what was mixed
// does not know the key, whatever the rest of it was.
//
//go:nosplit
func (g *generator) mix(b []byte) {
	for len(b) > 0 {
		clear(g.part[:])
		n := copy(g.part[:], b)
		b = b[n:]
		for i := range g.key {
			g.key[i] ^= binary.LittleEndian.Uint32(g.part[4*i:])
		}
		// The number of bytes tells a short part from one that ends in zeros.
		g.block(uint32(n), ^uint32(0))
		copy(g.key[:], g.out[:])
	}
	g.erase()
}

// fill fills b, of which at most 2^32 blocks, and changes the key: to the first
// half of the first block.
//
//go:nosplit
func (g *generator) fill(b []byte) {
	g.block(0, 0)
	b = b[put(b, g.out[8:]):]
	for n := uint32(1); len(b) > 0; n++ {
		g.block(n, 0)
		b = b[put(b, g.out[:]):]
	}
	g.block(0, 0)
	copy(g.key[:], g.out[:])
	g.erase()
}

// erase leaves nothing but the key.
//
//go:nosplit
func (g *generator) erase() {
	clear(g.in[:])
	clear(g.x[:])
	clear(g.out[:])
	clear(g.part[:])
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

// quarters are the words of each quarter round of a double round (RFC 8439, 2.3).
var quarters = [8][4]uint8{
	{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15},
	{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14},
}

// block sets out to the block of ChaCha20 (RFC 8439, 2.3) with the key and a nonce
// whose first word is given and the others zero.
//
//go:nosplit
func (g *generator) block(counter, nonce uint32) {
	in, x := &g.in, &g.x
	in[0], in[1], in[2], in[3] = 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 // "expand 32-byte k"
	copy(in[4:], g.key[:])
	in[12], in[13], in[14], in[15] = counter, nonce, 0, 0
	*x = *in
	for range 10 {
		for i := range quarters {
			q := &quarters[i]
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
	for i := range x {
		g.out[i] = x[i] + in[i]
	}
}
