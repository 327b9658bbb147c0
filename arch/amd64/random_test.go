package amd64

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// RFC 8439, appendix A.1, test vectors 1, 2, 3 and 4: keys of zeros but for one
// bit or byte, and a nonce of zeros.
func TestChaCha20(t *testing.T) {
	for _, tt := range []struct {
		keyAt   int
		keyByte byte
		counter uint32
		want    string
	}{
		{0, 0, 0, "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
		{0, 0, 1, "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
		{31, 1, 1, "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
		{1, 0xff, 2, "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"},
	} {
		var key [32]byte
		key[tt.keyAt] = tt.keyByte
		var g generator
		for i := range g.key {
			g.key[i] = binary.LittleEndian.Uint32(key[4*i:])
		}
		g.block(tt.counter, 0)
		var got []byte
		for _, w := range g.out {
			got = binary.LittleEndian.AppendUint32(got, w)
		}
		if hex.EncodeToString(got) != tt.want {
			t.Errorf("key byte %d %#x, counter %d: %x", tt.keyAt, tt.keyByte, tt.counter, got)
		}
	}
}

// Requests of all lengths fill all of their buffer and nothing else, and no part
// of one comes again in another.
func TestGeneratorFill(t *testing.T) {
	var g generator
	g.mix([]byte("seed"))
	seen := map[string]int{}
	for n := range 400 {
		b := make([]byte, n+8)
		g.fill(b[:n])
		if !bytes.Equal(b[n:], make([]byte, 8)) {
			t.Fatalf("%d bytes: more were written", n)
		}
		for i := 0; i+16 <= n; i += 16 {
			part := string(b[i : i+16])
			if at, ok := seen[part]; ok {
				t.Fatalf("%d bytes at %d: as in %d bytes before", n, i, at)
			}
			seen[part] = n
		}
	}
	// All values come, about equally often.
	var counts [256]int
	b := make([]byte, 256*1000)
	g.fill(b)
	for _, v := range b {
		counts[v]++
	}
	for v, n := range counts {
		if n < 800 || n > 1200 {
			t.Errorf("byte %#x comes %d times in 256000", v, n)
		}
	}
}

// Every byte of every source, its length and the order change the key, and the
// same sources make the same numbers.
func TestGeneratorMix(t *testing.T) {
	first := func(parts ...[]byte) string {
		var g generator
		for _, p := range parts {
			g.mix(p)
		}
		b := make([]byte, 32)
		g.fill(b)
		return string(b)
	}
	source := bytes.Repeat([]byte{7}, 70)
	seen := map[string]string{first(source): "it all"}
	add := func(what string, parts ...[]byte) {
		t.Helper()
		k := first(parts...)
		if other := seen[k]; other != "" {
			t.Errorf("%s makes the same numbers as %s", what, other)
		}
		seen[k] = what
	}
	for i := range source {
		changed := bytes.Clone(source)
		changed[i] ^= 0x80
		add("another byte", changed)
		add("a shorter one", source[:i])
	}
	add("zeros behind it", source, make([]byte, 1))
	add("the other order", source[:10], []byte{1}, source[10:])
	if first(source) != first(source) {
		t.Error("the same source makes other numbers")
	}
}

// A key that is found later tells nothing of the numbers before it.
func TestGeneratorErasesKey(t *testing.T) {
	var g generator
	g.mix([]byte("seed"))
	before := g.key
	b := make([]byte, 8)
	g.fill(b)
	if g.key == before {
		t.Error("the key stays")
	}
	for _, w := range g.key {
		if bytes.Contains(b, binary.LittleEndian.AppendUint32(nil, w)) {
			t.Error("part of the key was given out")
		}
	}
}
