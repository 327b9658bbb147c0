package logline

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAppend(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	l := Line{Time: at, Uptime: 1500 * time.Microsecond, Level: Info, Component: "clock", Message: "a \"b\" \\ \x1b\n ä"}
	const want = `{"time":"2026-01-02T02:04:05.000000006Z","uptime":0.001500,"level":"info","component":"clock","message":"a \"b\" \\ \u001b\u000a ä"}` + "\n"
	if got := string(l.Append(nil)); got != want {
		t.Errorf("got %s want %s", got, want)
	}
	l.Uptime = -1
	if got := string(l.Append(nil)); strings.Contains(got, "uptime") {
		t.Errorf("got %s, want no uptime", got)
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][2]string{
		"clock: late": {"clock", "late"}, "a b: c": {"kernel", "a b: c"}, "virtiofs root (mmio 1): up": {"virtiofs", "virtiofs root (mmio 1): up"}, "x": {"kernel", "x"}, ": x": {"kernel", ": x"}, "/dev/random: none: x": {"/dev/random", "none: x"},
	} {
		if c, m := Split(line, "kernel"); c != want[0] || m != want[1] {
			t.Errorf("%q: %q, %q, want %q", line, c, m, want)
		}
	}
}

// FuzzAppend: whatever a line has in it, it is one line, and comes back.
func FuzzAppend(f *testing.F) {
	f.Add("kernel", "a\x00\xff\u2028\"", int64(1))
	f.Fuzz(func(t *testing.T, component, message string, at int64) {
		l := Line{Time: time.Unix(0, at), Uptime: time.Duration(max(at, 0)), Level: Error, Component: component, Message: message}
		b := l.Append(nil)
		if i := bytes.IndexByte(b, '\n'); i != len(b)-1 {
			t.Fatalf("%q: a line ends at byte %d of %d", b, i, len(b))
		}
		var got struct {
			Time                      time.Time
			Uptime                    float64
			Level, Component, Message string
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		valid := func(s string) string { return string([]rune(s)) }
		if !got.Time.Equal(l.Time) || got.Level != Error || got.Component != valid(component) || got.Message != valid(message) {
			t.Fatalf("%q became %+v", b, got)
		}
	})
}
