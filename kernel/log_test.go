package kernel

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMessages(t *testing.T) {
	var console bytes.Buffer
	now := 1500 * time.Microsecond
	m := &messages{console: &console, now: func() time.Duration { return now }}
	m.Print("first")
	now = 12*time.Second + 345678*time.Microsecond
	m.Print("tag \x1b[31m\n")
	want := "[     0.001500] first\n[    12.345678] tag ?[31m?\n"
	if got := string(m.Append(nil)); got != want || console.String() != want {
		t.Errorf("kept %q, printed %q, want %q", got, &console, want)
	}
}

// TestMessagesMarked: a launcher that wants to can tell the lines from what else goes to
// the console; in the log they are as they were.
func TestMessagesMarked(t *testing.T) {
	var console bytes.Buffer
	m := &messages{console: &console, marked: true, now: func() time.Duration { return 0 }}
	m.Print("a\x1eb")
	const want = "[     0.000000] a?b\n"
	if got := string(m.Append(nil)); got != want || console.String() != "\x1e"+want {
		t.Errorf("kept %q, printed %q", got, &console)
	}
}

// TestMessagesJSON: the console gets JSON, the log stays text.
func TestMessagesJSON(t *testing.T) {
	var console bytes.Buffer
	m := &messages{console: &console, json: true, now: func() time.Duration { return 2 * time.Second }}
	m.Print("clock: \xff\n")
	m.Error("it failed: badly")
	if got, want := string(m.Append(nil)), "[     2.000000] clock: \xff?\n[     2.000000] it failed: badly\n"; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	for _, want := range []struct{ level, component, message string }{{"info", "clock", "\ufffd\n"}, {"error", "kernel", "it failed: badly"}} {
		line, err := console.ReadBytes('\n')
		var got struct {
			Time                      time.Time
			Uptime                    float64
			Level, Component, Message string
		}
		if err := errors.Join(err, json.Unmarshal(line, &got)); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got.Level != want.level || got.Component != want.component || got.Message != want.message || got.Uptime != 2 || time.Since(got.Time) > time.Hour {
			t.Errorf("%s, want %+v", line, want)
		}
	}
}

func TestMessagesKeepWholeLines(t *testing.T) {
	m := &messages{now: func() time.Duration { return 0 }}
	line := strings.Repeat("x", 100)
	for range 2 * logSize / len(line) {
		m.Print(line)
	}
	kept := string(m.Append(nil))
	if len(kept) > logSize || len(kept) < logSize-200 {
		t.Errorf("%d bytes kept, want nearly %d", len(kept), logSize)
	}
	for _, l := range strings.Split(strings.TrimSuffix(kept, "\n"), "\n") {
		if l != "[     0.000000] "+line {
			t.Fatalf("broken line %q", l)
		}
	}
}
