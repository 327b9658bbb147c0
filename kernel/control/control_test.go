package control

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		m    Message
		line string
	}{
		{Message{Verb: "x"}, "x\n"},
		{Message{"stream-failed", []string{"stdout", "28"}}, "stream-failed stdout 28\n"},
		{Message{"share-ended", []string{"", "a b", "\n\x00\"\xff", `\`}}, `share-ended "" "a b" "\n\x00\"\xff" \` + "\n"},
		{Message{"v", []string{"ü", "a\"b"}}, `v "\u00fc" "a\"b"` + "\n"},
	} {
		line := string(tt.m.Append(nil))
		if line != tt.line {
			t.Errorf("%v makes %q, want %q", tt.m, line, tt.line)
		}
		if m, err := Parse(strings.TrimSuffix(line, "\n")); err != nil || !reflect.DeepEqual(m, tt.m) {
			t.Errorf("%q reads as %q, %v", line, m, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, line := range []string{
		"", " ", "a ", "a  b", "a b ", `a "b`, `a "b"c`, `a "b" `, "\x00", "a\tb", `"a" b`, `a b"c`, "é", "a" + strings.Repeat(" b", maxArgs+1),
	} {
		if m, err := Parse(line); err == nil {
			t.Errorf("%q reads as %q", line, m)
		}
	}
}

func TestCount(t *testing.T) {
	m := Message{Args: []string{"0", "9223372036854775807", "9223372036854775808", "-1", "+1", "x", ""}}
	for i, want := range []bool{true, true, false, false, false, false, false, false} {
		if _, ok := m.Count(i); ok != want {
			t.Errorf("argument %d, %q: %t", i, m.Arg(i), ok)
		}
	}
}

// TestReader has what is malformed or too long skipped, and nothing of it taken
// for a message.
func TestReader(t *testing.T) {
	long := strings.Repeat("x ", MaxLine)
	in := "a 1\n\n\x00\x01\n" + long + "b 2\nc 3\n" + strings.Repeat("y", MaxLine-1) + "\nd 4\nunfinished"
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(in), "bytes": iotest.OneByteReader(strings.NewReader(in))} {
		got := ""
		for reader := NewReader(r); ; {
			m, err := reader.Next()
			if err != nil {
				if err != io.EOF {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if len(m.Verb) < 10 {
				got += string(m.Append(nil))
			} else {
				got += "long\n"
			}
		}
		if got != "a 1\nc 3\nlong\nd 4\n" {
			t.Errorf("%s: read %q", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("share-ended root \"signal: killed\"")
	f.Add(`stream-failed stdout 28`)
	f.Add(`a "\x00" b`)
	f.Fuzz(func(t *testing.T, line string) {
		m, err := Parse(line)
		if err != nil {
			return
		}
		text := string(m.Append(nil))
		if strings.Count(text, "\n") != 1 {
			t.Fatalf("%q: the message %q is more than a line: %q", line, m, text)
		}
		if again, err := Parse(strings.TrimSuffix(text, "\n")); err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%q: %q became %q, %v", line, m, again, err)
		}
		for i := range len(m.Args) + 1 {
			m.Count(i)
		}
	})
}
