package stages

import "testing"

func TestLine(t *testing.T) {
	if got, want := line(1<<40, "runtime: heap"), "yolk stage 1099511627776 runtime: heap\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
