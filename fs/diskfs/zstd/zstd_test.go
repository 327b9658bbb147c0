package zstd_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	reference "github.com/klauspost/compress/zstd"

	"github.com/yolkos/yolk/fs/diskfs/internal/samples"
	"github.com/yolkos/yolk/fs/diskfs/zstd"
)

// texts are samples, those on both sides of the limits of blocks, and few symbols that have long codes.
func texts() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	list := samples.Texts(r, 300_000, 60_000, 500_000)
	var skewed []byte
	for range 200_000 {
		skewed = append(skewed, byte(min(r.ExpFloat64()*3, 255)))
	}
	numbers := list["numbers"]
	list["empty"], list["skewed"], list["block"], list["more"] = nil, skewed, numbers[:128<<10], numbers[:128<<10+1]
	return list
}

// TestDecode: what another implementation compresses, at every level, is what it was, whole and as far
// as there is room.
func TestDecode(t *testing.T) {
	for name, want := range texts() {
		for level := reference.SpeedFastest; level <= reference.SpeedBestCompression; level++ {
			for _, sum := range []bool{false, true} {
				w, err := reference.NewWriter(nil, reference.WithEncoderLevel(level), reference.WithEncoderCRC(sum), reference.WithZeroFrames(true))
				if err != nil {
					t.Fatal(err)
				}
				packed := w.EncodeAll(want, nil)
				for _, room := range []int{0, 10, len(want), len(want) / 2, len(want) - 1} {
					got := make([]byte, max(min(room, len(want)), 0))
					n, more, err := zstd.Decode(got, packed)
					if err != nil || n != len(got) || more != (n < len(want)) || !bytes.Equal(got, want[:n]) {
						t.Fatalf("%s, %v, %d bytes: %d, more %v, %v, or other bytes", name, level, room, n, more, err)
					}
				}
				got := make([]byte, len(want)+10)
				if n, more, err := zstd.Decode(got, packed); err != nil || more || n != len(want) {
					t.Errorf("%s, %v, more room: %d, more %v, %v", name, level, n, more, err)
				}
			}
		}
	}
}

// TestFrames: frames may follow each other, with others to be skipped between.
func TestFrames(t *testing.T) {
	w, err := reference.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := w.EncodeAll([]byte("one"), nil)
	packed = append(packed, "\x51\x2a\x4d\x18\x03\x00\x00\x00abc"...)
	packed = w.EncodeAll([]byte("two"), packed)
	got := make([]byte, 6)
	if n, more, err := zstd.Decode(got, packed); err != nil || more || string(got[:n]) != "onetwo" {
		t.Errorf("%q, more %v, %v", got[:n], more, err)
	}
}

// FuzzDecode: whatever is decompressed, the other implementation makes the same of it, or one of
// both refuses it.
func FuzzDecode(f *testing.F) {
	for _, text := range texts() {
		for level := reference.SpeedFastest; level <= reference.SpeedBestCompression; level++ {
			w, err := reference.NewWriter(nil, reference.WithEncoderLevel(level), reference.WithEncoderCRC(false))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(w.EncodeAll(text[:min(len(text), 5000)], nil))
		}
	}
	r, err := reference.NewReader(nil, reference.WithDecoderConcurrency(1), reference.WithDecoderMaxMemory(1<<20), reference.IgnoreChecksum(true))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		got := make([]byte, 1<<20)
		n, more, err := zstd.Decode(got, packed)
		if n < 0 || n > len(got) || more && n < len(got) {
			t.Fatalf("%d of %d bytes, more %v", n, len(got), more)
		}
		if known := (*zstd.Corrupt)(nil); err != nil && !errors.As(err, &known) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if want, other := r.DecodeAll(packed, nil); err == nil && !more && other == nil && !bytes.Equal(got[:n], want) {
			t.Fatalf("%d bytes, want %d, or other ones", n, len(want))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	w, err := reference.NewWriter(nil)
	if err != nil {
		b.Fatal(err)
	}
	text := texts()["words"][:128<<10]
	packed, got := w.EncodeAll(text, nil), make([]byte, len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, _, err := zstd.Decode(got, packed); err != nil {
			b.Fatal(err)
		}
	}
}
