package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestGuestMemory: what lives in some RAM under Linux with GOMEMLIMIT a little
// below it lives in a machine with that RAM, and the runtime takes no more than the
// limit and 3 %.
func TestGuestMemory(t *testing.T) {
	needGuest(t)
	dir := program(t, "memory")
	for _, tt := range []struct {
		mem, kind, live string // MiB that are in use at the same time
	}{
		{"256M", "blocks", "150"},
		{"256M", "small", "130"},
		{"256M", "odd", "150"},
		{"256M", "mixed", "150"},
		{"256M", "map", "64"},
		{"256M", "append", "110"}, // and half as much while a slice grows
		{"256M", "buffer", "60"},
		{"256M", "holes", "180"},
		{"256M", "files", "190"},
		{"256M", "stacks", "100"},
		{"256M", "deep", "100"},
		{"256M", "pair", "150"},
		{"64M", "blocks", "28"},
		{"64M", "mixed", "28"},
		{"64M", "append", "20"},
		{"64M", "holes", "32"},
		{"64M", "deep", "20"},
		{"4G", "holes", "400"},
	} {
		for _, cpus := range []string{"1", "2"} {
			t.Run(fmt.Sprintf("%s-%s-%s", tt.kind, tt.mem, cpus), func(t *testing.T) {
				r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--mem", tt.mem, "--cpus", cpus, "--timeout", "15m", "--root", t.TempDir(), ".", "--", tt.kind, tt.live))
				var system, limit, collections int
				if _, err := fmt.Sscanf(r.stdout, "system %d limit %d collections %d", &system, &limit, &collections); r.status != 0 || err != nil {
					t.Fatalf("status %d, stdout %q, stderr:\n%s", r.status, r.stdout, r.stderr)
				}
				if system > limit+limit*3/100 {
					t.Errorf("%d bytes from the system, %.1f%% of the limit", system, 100*float64(system)/float64(limit))
				}
				t.Logf("%s", strings.TrimSpace(r.stdout))
			})
		}
	}
}

// TestGuestStackOverflow: recursion without end is reported as such, however little
// or much RAM there is, and beside a heap that is in use.
func TestGuestStackOverflow(t *testing.T) {
	needGuest(t)
	dir := program(t, "memory")
	for _, mem := range []string{"64M", "256M", "1G", "4G"} {
		for _, kind := range []string{"endless", "crowded", "many"} {
			for _, cpus := range []string{"1", "2"} {
				t.Run(kind+"-"+mem+"-"+cpus, func(t *testing.T) {
					r := runCommand(t, yolkCommand(t, dir, "run", "-q", "--mem", mem, "--cpus", cpus, "--timeout", "15m", ".", "--", kind, "30"))
					if r.status != 2 || !strings.Contains(r.stderr, "goroutine stack exceeds ") || !strings.Contains(r.stderr, "-byte limit\n") || !strings.Contains(r.stderr, "fatal error: stack overflow") {
						t.Errorf("status %d, stderr:\n%.2000s", r.status, r.stderr)
					}
				})
			}
		}
	}
}
