package amd64

import (
	"math/bits"
	"testing"
)

// TestAwaitTransfer: a device that is done, later, refuses, or never is.
func TestAwaitTransfer(t *testing.T) {
	for _, c := range []struct {
		name  string
		after int    // looks; -1: never
		left  uint32 // of the command
		done  bool
		most  int
	}{
		{"at once", 0, 0, true, 0}, {"later", 3, 0, true, 3}, {"refuses", 2, fwReads | fwFailed, false, 2}, {"refuses, and forgets the command", 0, fwFailed, false, 0},
		{"never", -1, fwReads, false, fwLooks},
	} {
		control, looks := bits.ReverseBytes32(fwReads), 0
		answer := func() {
			if looks == c.after {
				control = bits.ReverseBytes32(c.left)
			}
		}
		answer()
		if done := awaitTransfer(&control, func() { looks++; answer() }); done != c.done || looks != c.most {
			t.Errorf("%s: %v after %d looks, want %v after %d", c.name, done, looks, c.done, c.most)
		}
	}
}
