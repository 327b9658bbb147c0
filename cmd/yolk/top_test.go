package main

import "testing"

// TestDrawable: yolk top prints once where it could not move the cursor.
func TestDrawable(t *testing.T) {
	for term, want := range map[string]bool{"xterm": true, "screen-256color": true, "linux": true, "dumb": false, "": false, "nonsense-1": false} {
		t.Setenv("TERM", term)
		if got := drawable(); got != want {
			t.Errorf("TERM=%q: %v", term, got)
		}
	}
}
