package coherence

import (
	"strings"
	"testing"
)

// TestCuts: what the checker of truncations lets pass, and what not. The file has 16
// bytes of value 7 at first; 8 is written to its first eight.
func TestCuts(t *testing.T) {
	wrote := func(start, end, off, n int64, value uint64) touch {
		return touch{access{interval{start, end}, value, "write"}, off, off + n, nil, false}
	}
	read := func(start, end, off int64, values ...uint64) touch {
		var b []byte
		for _, v := range values {
			b = append(b, stamp(v, 8)...)
		}
		return touch{access{interval{start, end}, 0, "read"}, off, off + int64(len(b)), b, false}
	}
	size := func(start, end, size int64) sized {
		return sized{interval: interval{start, end}, size: size, by: "size"}
	}
	old := wrote(1, 2, 0, 16, 7)
	for _, c := range []struct {
		name string
		cut  sized
		list []touch
		seen []sized
		want string
	}{
		{"cut, then written", size(3, 9, 0), []touch{wrote(6, 7, 0, 8, 8), read(4, 5, 0, 7), read(10, 11, 0, 8)}, nil, ""},
		{"old bytes after the new ones", size(3, 9, 0), []touch{wrote(4, 5, 0, 8, 8), read(6, 7, 8, 7), read(10, 11, 0, 8)}, nil, "came before write [4,5]"},
		{"the same with the size", size(3, 9, 0), []touch{wrote(4, 5, 0, 8, 8), read(10, 11, 0, 8)}, []sized{size(6, 7, 16)}, "came before write [4,5]"},
		{"written and cut", size(3, 9, 0), []touch{wrote(4, 5, 0, 8, 8), read(6, 7, 8, 7), read(10, 11, 0, 0)}, nil, ""},
		{"before the cut's end", size(3, 9, 8), []touch{wrote(4, 5, 0, 8, 8), read(6, 7, 8, 7), read(10, 11, 0, 8)}, nil, ""},
		{"grown again", size(3, 9, 0), []touch{wrote(4, 5, 0, 8, 8), wrote(4, 5, 8, 8, 9), read(10, 11, 0, 8, 9)}, []sized{size(6, 7, 16)}, ""},
	} {
		x := &extent{of: "size", cut: []sized{c.cut}, seen: c.seen}
		list := append([]touch{old}, c.list...)
		for _, a := range list {
			if a.read == nil {
				x.grown = append(x.grown, sized{interval: a.interval, size: a.end, by: a.by})
			}
		}
		if err := checkCuts(x, list, []int64{0, 8}); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
