package amd64

import (
	"encoding/binary"
	"testing"

	"github.com/yolkos/yolk/arch/amd64/embedded"
)

// header makes the first page of an image with a load segment and, unless size is 0,
// one with parts.
func header(start, size uint64) []byte {
	h := make([]byte, pageSize)
	copy(h, "\x7fELF")
	binary.LittleEndian.PutUint64(h[elfPhoff:], 64)
	binary.LittleEndian.PutUint16(h[elfPhentsize:], phdrSize)
	put := func(i int, kind uint32, addr, size uint64) {
		p := h[64+i*phdrSize:]
		binary.LittleEndian.PutUint32(p, kind)
		binary.LittleEndian.PutUint64(p[phdrVaddr:], addr)
		binary.LittleEndian.PutUint64(p[phdrMemsz:], size)
		binary.LittleEndian.PutUint16(h[elfPhnum:], uint16(i+1))
	}
	put(0, 1, 0x200000, 0x1000)
	if size != 0 {
		put(1, 1, start, size)
		put(2, embedded.Segment, start, size)
	}
	return h
}

func TestFindSegment(t *testing.T) {
	const end = 0x5b9e80
	for _, c := range []struct {
		start, size uint64
		ok          bool
	}{
		{0, 0, true},
		{0x5ba000, 1, true},
		{0x5ba000, 0x10000000, true},
		{0x5ba000, 1<<32 - 0x5ba000, true},
		{0x5ba000, 1<<32 - 0x5ba000 + 1, false}, // not below 4 GiB
		{0x5ba000, ^uint64(0) - 0x5ba000, false},
		{0xfffffffffffff000, 0x2000, false}, // around
		{0x5ba010, 0x1000, false},           // not at a page
		{0x5b9000, 0x1000, false},           // in the program
	} {
		r, ok := findSegment(header(c.start, c.size), end)
		want := Range{}
		if c.ok && c.size != 0 {
			want = Range{c.start, c.start + c.size}
		}
		if ok != c.ok || r != want {
			t.Errorf("%#x, %#x bytes: %#x-%#x, %v", c.start, c.size, r.Start, r.End, ok)
		}
	}
}

// FuzzFindSegment: a header of any contents is read without going beyond it.
func FuzzFindSegment(f *testing.F) {
	f.Add(header(0x5ba000, 1)[:512])
	f.Fuzz(func(t *testing.T, b []byte) {
		h := make([]byte, pageSize)
		copy(h, b)
		if r, ok := findSegment(h, 0x400000); r != (Range{}) && (!ok || r.Start < 0x400000 || r.End > 1<<32) {
			t.Errorf("%#x-%#x, %v", r.Start, r.End, ok)
		}
	})
}
