package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/yolk/internal/exit"
)

// TestGuestLogJSON: with --log json all that kernel and yolk have to say is JSON, an
// object a line, in the order of time.
func TestGuestLogJSON(t *testing.T) {
	needGuest(t)
	dir := program(t, "crash")
	image := filepath.Join(dir, "crash.elf")
	if r := runCommand(t, yolkCommand(t, dir, "build", "-o", image, ".")); r.status != 0 {
		t.Fatal(r.stderr)
	}
	report := filepath.Join(t.TempDir(), "report")
	r := runCommand(t, yolkCommand(t, dir, "run", "--log", "json", "--root", t.TempDir(), "--crash", report, "--timeout", "300s", image, "silent"))
	if r.status != exit.Failed {
		t.Errorf("status %d, want %d", r.status, exit.Failed)
	}
	components := map[string]int{}
	levels := map[string]int{}
	up := 0.0
	for line := range strings.Lines(r.stderr) {
		var got struct {
			Time                      time.Time
			Uptime                    *float64
			Level, Component, Message string
		}
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil || got.Time.IsZero() || got.Message == "" {
			t.Fatalf("%q: %v, %+v", line, err, got)
		}
		if (got.Uptime == nil) != (got.Component == "yolk") || got.Uptime != nil && *got.Uptime < up {
			t.Errorf("%q: after %f", line, up)
		}
		if got.Uptime != nil {
			up = *got.Uptime
		}
		components[got.Component]++
		levels[got.Level]++
	}
	// What yolk says last is an error, what it says of the report is none.
	if len(components) < 3 || components["kernel"] == 0 || components["yolk"] < 2 || levels["error"] != 1 {
		t.Errorf("components %v, levels %v\n%s", components, levels, r.stderr)
	}
}
