package amd64

import (
	"slices"
	"strings"
	"testing"
)

func TestUnquote(t *testing.T) {
	for _, tt := range []struct {
		line      string
		own, args []string
	}{
		{"", nil, nil},
		{" \t\n", nil, nil},
		{"quiet a=b", []string{"quiet", "a=b"}, nil},
		{"quiet -- -v  x -- y", []string{"quiet"}, []string{"-v", "x", "--", "y"}},
		{"--", nil, nil},
		{"-- ", nil, nil},
		{"--x - -- a", []string{"--x", "-"}, []string{"a"}},
		{`"--" '--' \-- -- a`, []string{"--", "--", "--"}, []string{"a"}},
		{`yolk.cwd="/a b" -- 'c d' e" f"g`, []string{"yolk.cwd=/a b"}, []string{"c d", "e fg"}},
		{`-- '' "" x`, nil, []string{"", "", "x"}},
		{`-- "a\"b\\c\d" 'a\b"' a\ b\'c`, nil, []string{`a"b\c\d`, `a\b"`, "a b'c"}},
		{`-- "open to the end`, nil, []string{"open to the end"}},
		{`-- 'open to' "the end`, nil, []string{"open to", "the end"}},
		{`-- a\`, nil, []string{`a\`}},
		{"-- a\x00b", nil, []string{"a"}},
		{"-- ü\u3000x", nil, []string{"ü\u3000x"}},
	} {
		own, args, open := unquote(make([]byte, len(tt.line)+1), []byte(tt.line))
		if o, a := splitWords(own), splitWords(args); !slices.Equal(o, tt.own) || !slices.Equal(a, tt.args) {
			t.Errorf("%q: %q and %q, want %q and %q", tt.line, o, a, tt.own, tt.args)
		}
		if want := strings.Contains(tt.line, "open to"); (open != 0) != want {
			t.Errorf("%q: open is %q", tt.line, open)
		}
	}
}

func TestAppendValues(t *testing.T) {
	got := appendValues(nil, []byte("quiet\x00yolk.env=A=b\x00yolk.env=\x00yolk.envy=1\x00yolk.env=C=d e\x00"), "yolk.env=")
	if string(got) != "A=b\x00\x00C=d e\x00" {
		t.Errorf("%q", got)
	}
}

// There is no heap yet.
func TestUnquoteDoesNotAllocate(t *testing.T) {
	line, dst, env := []byte(`yolk.env=A=b -- "c d"`), make([]byte, 64), make([]byte, 64)
	if n := testing.AllocsPerRun(10, func() {
		own, _, _ := unquote(dst, line)
		appendValues(env[:0], own, "yolk.env=")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzUnquote(f *testing.F) {
	f.Add(`yolk.cwd="/a b" -- 'c d' e" f"g \`)
	f.Fuzz(func(t *testing.T, line string) {
		own, args, _ := unquote(make([]byte, len(line)+1), []byte(line))
		for _, w := range append(splitWords(own), splitWords(args)...) {
			if strings.Contains(w, "\x00") {
				t.Errorf("%q: the word %q", line, w)
			}
		}
		// What is quoted comes out as it was.
		before, _, _ := strings.Cut(line, "\x00")
		quoted := "-- '" + strings.ReplaceAll(before, "'", `'\''`) + "' end"
		_, args, _ = unquote(make([]byte, len(quoted)+1), []byte(quoted))
		if got := splitWords(args); !slices.Equal(got, []string{before, "end"}) {
			t.Errorf("%q: %q", quoted, got)
		}
	})
}
