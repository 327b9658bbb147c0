package syscalls

import (
	"strings"
	"testing"
	"unsafe"
)

func TestPeekText(t *testing.T) {
	text := []byte(strings.Repeat("0123456789", 1000) + "\x00behind")
	addr := func(i int) uintptr { return uintptr(unsafe.Pointer(&text[i])) }
	for _, tt := range []struct{ from, room int }{{0, 20_000}, {0, 10_000}, {0, 10_001}, {0, 100}, {9_995, 100}, {10_000, 100}, {5, 0}} {
		b := []byte(strings.Repeat("-", tt.room))
		n := PeekText(b, addr(tt.from))
		want := string(text[tt.from:10_000])
		want = want[:min(len(want), tt.room)]
		if string(b[:n]) != want || strings.Trim(string(b[n:]), "-") != "" {
			t.Errorf("from %d into %d bytes: %d bytes", tt.from, tt.room, n)
		}
	}
	for _, bad := range []uintptr{0, 1, lowest - 1, taskSize, ^uintptr(0)} {
		if n := PeekText(make([]byte, 10), bad); n != 0 {
			t.Errorf("%d bytes at %#x", n, bad)
		}
	}
	b := make([]byte, 200)
	if n := testing.AllocsPerRun(100, func() { PeekText(b, addr(0)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
