package zstd

import "math/bits"

// cell is a state of a table of finite state entropy (§4.1): its symbol, and the next state, which is
// base and as many bits as it says.
type cell struct {
	base   uint16
	bits   uint8
	symbol uint8
}

// counts are how many states each symbol has; -1 is one at the table's end (a probability of "less than 1").
type counts struct {
	of  [256]int16
	n   int  // symbols
	log uint // of the number of states
}

// readCounts reads a distribution (§4.1.1), and returns what is behind it.
func (c *counts) readCounts(src []byte, maxLog uint, maxSymbol int) ([]byte, error) {
	r := forward{b: src}
	if c.log = r.read(4) + 5; c.log > maxLog {
		return nil, corrupt("Accuracy_Log is %d, want at most %d", c.log, maxLog)
	}
	c.n = 0
	for left := 1 << c.log; left > 0; {
		if c.n > maxSymbol {
			return nil, corrupt("probabilities of more than %d symbols", maxSymbol+1)
		}
		// A value is 0 to left+1. Small ones, of which there are as many as the largest number of this
		// length has room for, take a bit less.
		size := uint(bits.Len(uint(left + 1)))
		short := 1<<size - 1 - (left + 1)
		v := int(r.peek(size))
		if low := v & (1<<(size-1) - 1); low < short {
			v = low
			r.at += size - 1
		} else {
			if v >= 1<<(size-1) {
				v -= short
			}
			r.at += size
		}
		count := v - 1
		c.of[c.n] = int16(count)
		c.n++
		if left -= max(count, -count); left < 0 {
			return nil, corrupt("probabilities of more than all states")
		}
		for more := count == 0; more; {
			zeroes := int(r.read(2))
			if c.n+zeroes > maxSymbol+1 {
				return nil, corrupt("probabilities of more than %d symbols", maxSymbol+1)
			}
			for range zeroes {
				c.of[c.n] = 0
				c.n++
			}
			more = zeroes == 3
		}
	}
	return r.rest()
}

// build makes the table, of 1<<c.log cells.
func (c *counts) build(t []cell) {
	size := 1 << c.log
	var next [256]uint16
	end := size // of the cells for symbols that have several
	for s, n := range c.of[:c.n] {
		next[s] = uint16(max(n, -n))
		if n < 0 {
			end--
			t[end].symbol = uint8(s)
		}
	}
	at := 0
	for s, n := range c.of[:c.n] {
		for range n { // none if it is negative
			t[at].symbol = uint8(s)
			for at = (at + size>>1 + size>>3 + 3) & (size - 1); at >= end && end > 0; {
				at = (at + size>>1 + size>>3 + 3) & (size - 1)
			}
		}
	}
	for i := range t[:size] {
		x := next[t[i].symbol]
		next[t[i].symbol]++
		n := c.log + 1 - uint(bits.Len16(x))
		t[i].bits, t[i].base = uint8(n), uint16(uint(x)<<n-uint(size))
	}
}
