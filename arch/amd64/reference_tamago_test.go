//go:build tamago

package amd64

import (
	"testing"
	"time"
)

// Every counter that the machine has agrees with the clock: one of many measurements
// tells, as the host may be busy.
func TestReferences(t *testing.T) {
	for _, r := range references(nil) {
		best := uint64(0)
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			if hz := r.measure(); max(hz, tscHz)-min(hz, tscHz) < max(best, tscHz)-min(best, tscHz) {
				best = hz
			}
			if max(best, tscHz)-min(best, tscHz) < tscHz/50 {
				break
			}
		}
		if max(best, tscHz)-min(best, tscHz) >= tscHz/50 {
			t.Errorf("by %s the time-stamp counter has %d Hz, by the clock %d", r.name, best, tscHz)
		}
		t.Logf("%s: %d Hz", r.name, best)
	}
}
