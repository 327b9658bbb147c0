// Package samples makes what the tests of decoders have compressed.
package samples

import (
	"fmt"
	"math/rand/v2"
)

// Texts returns texts by name. They have literals and matches of many kinds and lengths: "noise" of so many random bytes, so many
// "numbers" that are like each other, and "words", so many bytes of pieces of both, among others.
func Texts(r *rand.Rand, noise, numbers, words int) map[string][]byte {
	random := make([]byte, noise)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	var squares, pieces []byte
	for i := range numbers {
		squares = fmt.Append(squares, i*i, "|")
	}
	for len(pieces) < words {
		at := r.IntN(len(squares) - 3000)
		pieces = append(pieces, squares[at:at+r.IntN(3000)]...)
		pieces = append(pieces, random[:r.IntN(20)]...)
	}
	return map[string][]byte{
		"byte": {1}, "short": []byte("a short text, a short text"), "zeroes": make([]byte, 400_000),
		"noise": random, "numbers": squares, "words": pieces,
	}
}
