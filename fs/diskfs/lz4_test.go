package diskfs_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yolkos/yolk/fs/diskfs"
)

// TestLZ4: blocks are made to what the format says, up to the end of either side, and what is wrong
// is told with its place.
func TestLZ4(t *testing.T) {
	long := "\xf0\xff\x01" + strings.Repeat("x", 15+255+1) // 15, and 255 and 1 more
	for _, c := range []struct {
		name, src string
		room      int
		want      string
		used      int
		err       string
	}{
		{"literals", "\x30abc", 3, "abc", 4, ""},
		{"room behind", "\x30abc", 10, "abc", 4, ""},
		{"no room", "\x30abc", 2, "ab", 3, ""},
		{"long literals", long, 1000, strings.Repeat("x", 271), len(long), ""},
		{"match", "\x31abc\x03\x00\x10d", 100, "abcabcabd"[:3] + "abcab" + "d", 8, ""},
		{"match of one byte", "\x1fa\x01\x00\x05\x10b", 100, strings.Repeat("a", 25) + "b", 7, ""},
		{"end within a match", "\x1fa\x01\x00\x05\x10b", 7, "aaaaaaa", 5, ""},
		{"zeroes behind", "\x30abc\x00\x00", 3, "abc", 4, ""},
		{"empty", "", 5, "", 0, "byte 0: no sequence"},
		{"nothing behind a match", "\x10a\x01\x00", 100, "aaaaa", 4, "byte 4: no sequence"},
		{"few literals", "\x50abc", 100, "", 1, "byte 1: literals cross the end"},
		{"length cut", "\xf0\xff", 100, "", 2, "byte 2: literals cross the end"},
		{"offset cut", "\x10a\x01", 100, "a", 2, "byte 2: an offset crosses the end"},
		{"offset 0", "\x10a\x00\x00", 100, "a", 2, "byte 2: offset 0, want 1 to 1"},
		{"offset before the start", "\x10a\x02\x00", 100, "a", 2, "byte 2: offset 2, want 1 to 1"},
		{"match cut", "\x1fa\x01\x00", 100, "a", 4, "byte 4: the length of a match crosses the end"},
	} {
		dst := make([]byte, c.room)
		n, used, err := diskfs.LZ4(dst, []byte(c.src))
		if got := ""; err != nil {
			got = err.Error()
			if c.err == "" || !strings.Contains(got, c.err) {
				t.Errorf("%s: %v, want %q", c.name, err, c.err)
			}
		} else if c.err != "" {
			t.Errorf("%s: no error, want %q", c.name, c.err)
		}
		if string(dst[:n]) != c.want || used != c.used {
			t.Errorf("%s: %q of %d, want %q of %d", c.name, dst[:n], used, c.want, c.used)
		}
	}
}

// FuzzLZ4: no block has more made or used than there is, and none reads what it did not make.
func FuzzLZ4(f *testing.F) {
	f.Add([]byte("\x31abc\x03\x00\x10d"), uint16(100))
	f.Add([]byte("\x1fa\x01\x00\xff\xff\x05\x10b"), uint16(1000))
	f.Fuzz(func(t *testing.T, src []byte, room uint16) {
		zeroes, ones := make([]byte, room), bytes.Repeat([]byte{0xff}, int(room))
		n, used, err := diskfs.LZ4(zeroes, src)
		m, used2, err2 := diskfs.LZ4(ones, src)
		if n < 0 || n > int(room) || used < 0 || used > len(src) || err == nil && n < int(room) && used < len(src) {
			t.Errorf("%d of %d, used %d of %d: %v", n, room, used, len(src), err)
		}
		if n != m || used != used2 || (err == nil) != (err2 == nil) || !bytes.Equal(zeroes[:n], ones[:m]) {
			t.Error("it depends on what was there before")
		}
	})
}
