package lzma

// coder is the range decoder. Behind the end of src it reads zeroes.
type coder struct {
	src   []byte
	at    int
	width uint32 // of the range
	code  uint32
	short bool // src is at its end, and more was asked for
}

// begin reads the first bytes, of which one is no more than a zero, and was read.
func (c *coder) begin(src []byte) {
	*c = coder{src: src, width: 1<<32 - 1}
	for range 4 {
		c.code = c.code<<8 | uint32(c.next())
	}
}

func (c *coder) next() byte {
	if c.at >= len(c.src) {
		c.short = true
		return 0
	}
	c.at++
	return c.src[c.at-1]
}

func (c *coder) normalize() {
	if c.width < 1<<24 {
		c.width, c.code = c.width<<8, c.code<<8|uint32(c.next())
	}
}

// bit decodes a bit with its probability of being 0, of 2048.
func (c *coder) bit(p *uint16) uint32 {
	const whole, rate = 1 << 11, 5
	c.normalize()
	bound := c.width >> 11 * uint32(*p)
	if c.code < bound {
		c.width = bound
		*p += (whole - *p) >> rate
		return 0
	}
	c.width, c.code = c.width-bound, c.code-bound
	*p -= *p >> rate
	return 1
}

// direct decodes n bits that are 0 as often as 1.
func (c *coder) direct(n uint32) (v uint32) {
	for range n {
		c.normalize()
		c.width >>= 1
		v <<= 1
		if c.code >= c.width {
			c.code -= c.width
			v |= 1
		}
	}
	return v
}

// tree decodes n bits, each with a probability by those before it.
func (c *coder) tree(p []uint16, n uint) uint32 {
	v := uint32(1)
	for range n {
		v = v<<1 | c.bit(&p[v])
	}
	return v - 1<<n
}

// reverse is tree with the lowest bit first.
func (c *coder) reverse(p []uint16, n uint32) (v uint32) {
	at := uint32(1)
	for i := range n {
		b := c.bit(&p[at])
		at = at<<1 | b
		v |= b << i
	}
	return v
}

// literal decodes a byte.
func (d *decoder) literal() {
	var before byte
	if d.n > d.start {
		before = d.dst[d.n-1]
	}
	which := (d.n-d.start)&(1<<d.lp-1)<<d.lc + int(before>>(8-d.lc))
	p := d.probs.literal[literalProbs*which:][:literalProbs]
	v := uint32(1)
	if d.state >= literalState {
		// Behind a match the byte where that would go on tells how probable the bits are, as long as
		// they are the same.
		other := uint32(d.dst[d.n-int(d.reps[0])-1])
		for same := true; same && v < 0x100; {
			other <<= 1
			expected := other >> 8 & 1
			b := d.bit(&p[0x100+expected<<8+v])
			v = v<<1 | b
			same = b == expected
		}
	}
	for v < 0x100 {
		v = v<<1 | d.bit(&p[v])
	}
	d.dst[d.n] = byte(v)
	d.n++
	switch {
	case d.state < 4:
		d.state = 0
	case d.state < 10:
		d.state -= 3
	default:
		d.state -= 6
	}
}
