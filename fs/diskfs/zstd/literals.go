package zstd

import "math/bits"

// Types of literals (§3.1.1.3.1.1).
const (
	literalsRaw = iota
	literalsRLE
	literalsCompressed
	literalsTreeless
)

// readLiterals reads the section of literals, and returns what is behind it.
func (d *decoder) readLiterals(src []byte) ([]byte, error) {
	if len(src) == 0 {
		return nil, corrupt("a block without literals")
	}
	kind, form := src[0]&3, src[0]>>2&3
	var head uint64
	for i, b := range src[:min(5, len(src))] {
		head |= uint64(b) << (8 * i)
	}
	if kind == literalsRaw || kind == literalsRLE {
		bytes, shift := 1, uint(3)
		if form&1 != 0 {
			bytes, shift = 2+int(form>>1), 4
		}
		size := int(head & (1<<(8*bytes) - 1) >> shift)
		stored := size
		if kind == literalsRLE {
			stored = 1
		}
		if size > maxBlock || bytes+stored > len(src) {
			return nil, corrupt("%d literals, want at most %d", size, min(maxBlock, len(src)))
		}
		if d.literals = src[bytes:][:stored]; kind == literalsRLE {
			for i := range d.space[:size] {
				d.space[i] = src[bytes]
			}
			d.literals = d.space[:size]
		}
		return src[bytes+stored:], nil
	}
	bytes, width := 3, uint(10)
	if form >= 2 {
		bytes, width = 2+int(form), 6+4*uint(form)
	}
	size, packed := int(head>>4&(1<<width-1)), int(head>>(4+width)&(1<<width-1))
	if size > maxBlock || bytes+packed > len(src) {
		return nil, corrupt("%d literals of %d bytes, want at most %d of %d", size, packed, maxBlock, len(src))
	}
	b, rest := src[bytes:][:packed], src[bytes+packed:]
	if kind == literalsCompressed {
		var err error
		if b, err = d.huffman.readTree(b); err != nil {
			return nil, err
		}
	} else if d.huffman.bits == 0 {
		return nil, corrupt("literals by the tree of the block before, which has none")
	}
	d.literals = d.space[:size]
	if form == 0 {
		return rest, d.huffman.decode(d.literals, b)
	}
	// Four streams, of which the sizes of three are told.
	const table, streams = 6, 4
	if len(b) < table {
		return nil, corrupt("Jump_Table crosses the end")
	}
	part := (size + streams - 1) / streams
	if part*(streams-1) > size {
		return nil, corrupt("%d literals in four streams", size)
	}
	out, in := d.literals, b[table:]
	for i := range streams {
		n, m := len(in), len(out)
		if i < streams-1 {
			n, m = int(le.Uint16(b[2*i:])), part
		}
		if n > len(in) {
			return nil, corrupt("stream %d of literals has %d bytes, want at most %d", i+1, n, len(in))
		}
		if err := d.huffman.decode(out[:m], in[:n]); err != nil {
			return nil, err
		}
		out, in = out[m:], in[n:]
	}
	return rest, nil
}

// maxHuffman is how many bits a code has at most (§4.2.1).
const maxHuffman = 11

// huffman is a table of the symbols that bits begin with.
type huffman struct {
	bits  uint // of an index; 0: there is none
	table [1 << maxHuffman]struct{ symbol, bits uint8 }

	counts counts
	states [1 << 6]cell
}

// readTree reads the weights of symbols (§4.2.1), and returns what is behind them.
func (h *huffman) readTree(src []byte) ([]byte, error) {
	h.bits = 0
	if len(src) == 0 {
		return nil, corrupt("Huffman_Tree_Description crosses the end")
	}
	var weights [256]uint8
	n, head := 0, int(src[0])
	src = src[1:]
	if head >= 128 { // four bits each
		n = head - 127
		if (n+1)/2 > len(src) {
			return nil, corrupt("%d weights cross the end", n)
		}
		for i := range n {
			weights[i] = src[i/2] >> (4 * (1 - i%2)) & 15
		}
		src = src[(n+1)/2:]
	} else {
		if head > len(src) {
			return nil, corrupt("weights of %d bytes cross the end", head)
		}
		var err error
		if n, err = h.readWeights(&weights, src[:head]); err != nil {
			return nil, err
		}
		src = src[head:]
	}
	// The last weight is what is left to a power of two.
	sum := uint(0)
	for _, w := range weights[:n] {
		if w > maxHuffman {
			return nil, corrupt("a weight of %d, want at most %d", w, maxHuffman)
		}
		sum += 1 << w >> 1
	}
	width := uint(bits.Len(sum))
	left := uint(1)<<width - sum
	if sum == 0 || width > maxHuffman || left&(left-1) != 0 {
		return nil, corrupt("weights whose sum is %d", sum)
	}
	weights[n] = uint8(bits.Len(left))
	n++
	at := 0
	for w := uint8(1); uint(w) <= width; w++ {
		for s, weight := range weights[:n] {
			if weight != w {
				continue
			}
			for range 1 << (w - 1) {
				h.table[at].symbol, h.table[at].bits = uint8(s), uint8(width)+1-w
				at++
			}
		}
	}
	h.bits = width
	return src, nil
}

// readWeights reads those that are compressed, by two states in turns (§4.2.1.2).
func (h *huffman) readWeights(weights *[256]uint8, src []byte) (n int, err error) {
	const maxLog, maxWeights = 6, 255
	if src, err = h.counts.readCounts(src, maxLog, maxHuffman); err != nil {
		return 0, err
	}
	h.counts.build(h.states[:])
	r, err := newBackward(src)
	if err != nil {
		return 0, err
	}
	states := [2]uint64{r.read(h.counts.log), r.read(h.counts.log)}
	if r.left < 0 {
		return 0, corrupt("weights without their states")
	}
	for turn := 0; ; turn ^= 1 {
		c := h.states[states[turn]]
		weights[n] = c.symbol
		n++
		if n == maxWeights {
			return 0, corrupt("more than %d weights", maxWeights)
		}
		if int(c.bits) > r.left {
			weights[n] = h.states[states[turn^1]].symbol
			return n + 1, nil
		}
		states[turn] = uint64(c.base) + r.read(uint(c.bits))
	}
}

// decode fills out with the symbols of a stream, which has as many.
func (h *huffman) decode(out, src []byte) error {
	r, err := newBackward(src)
	if err != nil {
		return err
	}
	for i := range out {
		e := &h.table[r.peek(h.bits)]
		out[i] = e.symbol
		r.left -= int(e.bits)
	}
	if r.left != 0 {
		return corrupt("a stream of %d literals has %d bits too many", len(out), r.left)
	}
	return nil
}
