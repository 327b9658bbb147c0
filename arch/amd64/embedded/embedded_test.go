package embedded

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func segment(t testing.TB, texts map[string]string, names ...string) []byte {
	t.Helper()
	var parts []Part
	for _, name := range names {
		parts = append(parts, Part{name, uint64(len(texts[name]))})
	}
	head, offsets, size, err := Layout(parts)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	copy(b, head)
	for i, name := range names {
		copy(b[offsets[i]:], texts[name])
	}
	return b
}

func TestParts(t *testing.T) {
	texts := map[string]string{Args: "a\x00b\x00", Root: strings.Repeat("r", 5000), "a": "", "sixteen-bytes-is": "x"}
	b := segment(t, texts, Args, "a", Root, "sixteen-bytes-is")
	for name, want := range texts {
		if got, ok := Find(b, name); !ok || string(got) != want || cap(got) != len(got) {
			t.Errorf("%s: %d bytes, %v", name, len(got), ok)
		}
		s, err := Section(bytes.NewReader(b), uint64(len(b)), name)
		if err != nil || s == nil {
			t.Fatalf("%s: %v, %v", name, s, err)
		}
		if got, err := io.ReadAll(s); err != nil || string(got) != want {
			t.Errorf("%s in a file: %d bytes, %v", name, len(got), err)
		}
	}
	for _, name := range []string{"", "arg", "argss", "sixteen-bytes-is-not", "\x00"} {
		if got, ok := Find(b, name); ok {
			t.Errorf("%q: found %q", name, got)
		}
	}
	if n := testing.AllocsPerRun(10, func() { Find(b, Root) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLayoutErrors(t *testing.T) {
	for _, parts := range [][]Part{{{Name: ""}}, {{Name: "seventeen-bytes-x"}}, make([]Part, 65)} {
		if _, _, _, err := Layout(parts); err == nil {
			t.Errorf("%d parts, the first %q: no error", len(parts), parts[0].Name)
		}
	}
}

// FuzzFind: whatever the bytes, what is found lies in them.
func FuzzFind(f *testing.F) {
	f.Add(segment(f, map[string]string{Args: "a\x00", Root: "r"}, Args, Root), Root)
	f.Add([]byte(magic+"\xff\xff\xff\xff\xff\xff\xff\xff"), Args)
	f.Add(append([]byte(magic+"\x01\x00\x00\x00\x00\x00\x00\x00args"), bytes.Repeat([]byte{0xff}, 28)...), Args)
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		part, ok := Find(b, name)
		if ok && len(part) > len(b) {
			t.Errorf("a part of %d bytes in %d", len(part), len(b))
		}
		s, err := Section(bytes.NewReader(b), uint64(len(b)), name)
		if err != nil || (s != nil) != ok || ok && s.Size() != int64(len(part)) {
			t.Errorf("in a file: %v, %v; in memory %v", s, err, ok)
		}
	})
}
