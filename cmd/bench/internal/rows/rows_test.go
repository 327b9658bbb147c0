package rows

import (
	"errors"
	"math"
	"testing"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Table {
		if seen[r.Name] || r.Group == "" || r.Title == "" || r.Unit == "" || r.Goal < 1 {
			t.Errorf("%+v", r)
		}
		seen[r.Name] = true
	}
}

func TestRatio(t *testing.T) {
	more, less := Row{More: true}, Row{}
	for _, tt := range []struct {
		row               Row
		value, peer, want float64
	}{
		{more, 200, 100, 2}, {less, 100, 200, 2}, {less, 200, 100, 0.5}, {more, 50, 100, 0.5},
	} {
		if got := tt.row.Ratio(tt.value, tt.peer); got != tt.want {
			t.Errorf("more=%v: %g against %g: got %g, want %g", tt.row.More, tt.value, tt.peer, got, tt.want)
		}
	}
	for _, v := range []float64{0, math.NaN()} {
		if got := less.Ratio(v, 1); !math.IsNaN(got) {
			t.Errorf("%g against 1: got %g", v, got)
		}
	}
}

func TestLines(t *testing.T) {
	line := FormatResult("boot", 1.5, Cost{2, 3, math.NaN()})
	name, value, c, ok := ParseResult(line)
	if !ok || name != "boot" || value != 1.5 || c.Requests != 2 || c.Notifications != 3 || !math.IsNaN(c.Interrupts) {
		t.Errorf("%q: got %q %g %v %v", line, name, value, c, ok)
	}
	for _, bad := range []string{"", "bench row", "bench row nothing 1 2 3 4", "bench row boot 1 2 3", "bench row boot x 2 3 4"} {
		if _, _, _, ok := ParseResult(bad); ok {
			t.Errorf("%q was taken for a result", bad)
		}
	}
	if text, ok := ParseFailure(FormatFailure("boot", errors.New("no\nuse"))); !ok || text != `boot "no\nuse"` {
		t.Errorf("got %q, %v", text, ok)
	}
}
