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
// optimisations: what it works with lies in the generator, and none is inlined.
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
//go:noinline
func (g *generator) mix(b []byte) {
	for len(b) > 0 {
		n := g.absorb(b)
		b = b[n:]
		// The number of bytes tells a short part from one that ends in zeros.
		g.block(uint32(n), ^uint32(0))
		copy(g.key[:], g.out[:])
	}
	g.erase()
}

// absorb adds the first bytes of b to the key, and returns how many that were.
//
//go:nosplit
//go:noinline
func (g *generator) absorb(b []byte) int {
	clear(g.part[:])
	n := copy(g.part[:], b)
	for i := range g.key {
		g.key[i] ^= binary.LittleEndian.Uint32(g.part[4*i:])
	}
	return n
}

// fill fills b, of which at most 2^32 blocks, and changes the key: to the first
// half of the first block.
//
//go:nosplit
//go:noinline
func (g *generator) fill(b []byte) {
	g.block(0, 0)
	b = b[g.put(b, 8):]
	for n := uint32(1); len(b) > 0; n++ {
		g.block(n, 0)
		b = b[g.put(b, 0):]
	}
	g.block(0, 0)
	copy(g.key[:], g.out[:])
	g.erase()
}

// erase leaves nothing but the key.
//
//go:nosplit
//go:noinline
func (g *generator) erase() {
	clear(g.in[:])
	clear(g.x[:])
	clear(g.out[:])
	clear(g.part[:])
}

// put copies the words of out to b, from one on and as many as have room, and
// returns how many bytes that were.
//
//go:nosplit
//go:noinline
func (g *generator) put(b []byte, from int) (n int) {
	for i := from; i < len(g.out); i++ {
		w := g.out[i]
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
//go:noinline
func (g *generator) block(counter, nonce uint32) {
	in, x := &g.in, &g.x
	in[0] = 0x61707865 // "expand 32-byte k"
	in[1] = 0x3320646e
	in[2] = 0x79622d32
	in[3] = 0x6b206574
	copy(in[4:], g.key[:])
	in[12] = counter
	in[13] = nonce
	in[14] = 0
	in[15] = 0
	*x = *in
	for range 10 {
		for i := range quarters {
			q := &quarters[i]
			a := &x[q[0]&15]
			b := &x[q[1]&15]
			c := &x[q[2]&15]
			d := &x[q[3]&15]
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
