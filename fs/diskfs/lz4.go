package diskfs

import "fmt"

// corruptLZ4 is what is wrong with a block of LZ4, and where in it.
type corruptLZ4 struct {
	at   int
	what string
}

func (c *corruptLZ4) Error() string { return fmt.Sprintf("lz4: byte %d: %s", c.at, c.what) }

// LZ4 fills dst from a block of LZ4 (lz4_Block_format.md of the LZ4 project) up to the end of either. It
// returns how many bytes of dst it made, and how many of src it used for them: libraries want the exact
// size of src, which file systems do not always tell.
func LZ4(dst, src []byte) (n, used int, err error) {
	const least = 4 // bytes of a match
	at := 0
	// length goes on with one that its four bits were too small for.
	length := func(bits byte) (int, bool) {
		sum := int(bits)
		for more := bits == 15; more; at++ {
			if at >= len(src) {
				return 0, false
			}
			sum += int(src[at])
			more = src[at] == 255
		}
		return sum, true
	}
	for n < len(dst) {
		if at >= len(src) {
			return n, at, &corruptLZ4{at, "no sequence of literals at the end"}
		}
		token := src[at]
		at++
		literals, ok := length(token >> 4)
		if !ok || literals > len(src)-at {
			return n, at, &corruptLZ4{at, "literals cross the end"}
		}
		part := copy(dst[n:], src[at:at+literals])
		n, at = n+part, at+part
		if n == len(dst) || at == len(src) {
			break
		}
		if len(src)-at < 2 {
			return n, at, &corruptLZ4{at, "an offset crosses the end"}
		}
		back := int(src[at]) | int(src[at+1])<<8
		if back == 0 || back > n {
			return n, at, &corruptLZ4{at, fmt.Sprintf("offset %d, want 1 to %d", back, n)}
		}
		at += 2
		match, ok := length(token & 15)
		if !ok {
			return n, at, &corruptLZ4{at, "the length of a match crosses the end"}
		}
		// What is copied may be what this match has made.
		for end := min(n+match+least, len(dst)); n < end; {
			n += copy(dst[n:end], dst[n-back:n])
		}
	}
	return n, at, nil
}
