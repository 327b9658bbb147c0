package qemu

import (
	"strings"
	"testing"
)

// TestLogLines finds the lines of the log among others, however they come in.
func TestLogLines(t *testing.T) {
	const in = "\x1eone\nprint\x1etwo\nln\n\x1e\x1ethree\npanic\n\x1eno end"
	for _, show := range []bool{false, true} {
		for size := 1; size <= len(in); size++ {
			var log []string
			l := &logLines{take: func(line []byte) bool { log = append(log, string(line)); return show }}
			rest := ""
			for p := in; p != ""; {
				n := min(size, len(p))
				rest += string(l.split([]byte(p[:n]), nil))
				p = p[n:]
			}
			rest += string(l.end())
			want := "println\npanic\n"
			if show {
				want = "one\nprinttwo\nln\n\x1ethree\npanic\nno end"
			}
			if got := strings.Join(log, "|"); got != "one\n|two\n|\x1ethree\n|no end" || rest != want {
				t.Fatalf("%d bytes at a time: log %q, rest %q, want %q", size, got, rest, want)
			}
		}
	}
}

// TestLogLinesLong: a line without an end takes no more memory than maxLogLine.
func TestLogLinesLong(t *testing.T) {
	lines, bytes := 0, 0
	l := &logLines{take: func(line []byte) bool { lines++; bytes += len(line); return false }}
	if rest := l.split([]byte("\x1e"+strings.Repeat("x", 3*maxLogLine)+"\nrest"), nil); string(rest) != "rest" || bytes != 3*maxLogLine+1 || lines != 4 {
		t.Errorf("%d lines with %d bytes, rest %q", lines, bytes, rest)
	}
}
