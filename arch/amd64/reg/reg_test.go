package reg

import (
	"testing"
	"unsafe"
)

func window(b []byte) MMIO {
	return MMIO{uintptr(unsafe.Pointer(unsafe.SliceData(b))), len(b)}
}

// Each accessor touches exactly its own bytes, in little-endian order.
func TestAccessors(t *testing.T) {
	mem := make([]uint64, 4) // aligned
	b := unsafe.Slice((*byte)(unsafe.Pointer(&mem[0])), 32)
	at := uintptr(unsafe.Pointer(&mem[0])) + 8
	tests := []struct {
		width int
		write func()
		read  func() uint64
	}{
		{1, func() { Write8(at, 0x81) }, func() uint64 { return uint64(Read8(at)) }},
		{2, func() { Write16(at, 0x8281) }, func() uint64 { return uint64(Read16(at)) }},
		{4, func() { Write32(at, 0x84838281) }, func() uint64 { return uint64(Read32(at)) }},
		{8, func() { Write64(at, 0x8887868584838281) }, func() uint64 { return Read64(at) }},
	}
	for _, tt := range tests {
		for i := range b {
			b[i] = 0x55
		}
		tt.write()
		want := uint64(0)
		for i := range b {
			w := byte(0x55)
			if i >= 8 && i < 8+tt.width {
				w = byte(0x81 + i - 8)
				want |= uint64(w) << (8 * (i - 8))
			}
			if b[i] != w {
				t.Errorf("width %d: byte %d is %#x, want %#x", tt.width, i, b[i], w)
			}
		}
		if got := tt.read(); got != want {
			t.Errorf("width %d: read %#x, want %#x", tt.width, got, want)
		}
	}
}

func TestMMIO(t *testing.T) {
	b := make([]byte, 16)
	m := window(b[:8])
	m.Write8(1, 0x11)
	m.Write16(2, 0x3322)
	m.Write32(4, 0x77665544)
	for i, want := range []byte{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77} {
		if b[i] != want {
			t.Errorf("byte %d is %#x, want %#x", i, b[i], want)
		}
	}
	if m.Read8(1) != 0x11 || m.Read16(2) != 0x3322 || m.Read32(4) != 0x77665544 || m.Size() != 8 {
		t.Error("read back something else")
	}
	for _, off := range []int{-1, -4, 5, 7, 8, 1 << 62} {
		if off != 5 && off != 7 {
			m.Write8(off, 1)
			if m.Read8(off) != 0xff {
				t.Errorf("Read8(%d) is not all ones", off)
			}
		}
		if off != 5 {
			m.Write16(off, 1)
			if m.Read16(off) != 0xffff {
				t.Errorf("Read16(%d) is not all ones", off)
			}
		}
		m.Write32(off, 1)
		if m.Read32(off) != 0xffffffff {
			t.Errorf("Read32(%d) is not all ones", off)
		}
	}
	for i, v := range b[8:] {
		if v != 0 {
			t.Errorf("byte %d beyond the window was written", 8+i)
		}
	}
}
