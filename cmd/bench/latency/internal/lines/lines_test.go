package lines

import (
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
)

func TestLines(t *testing.T) {
	want := Row{"idle", `read, "cached"`, Spread{1500, 2500, 4 * time.Second}}
	if got, ok := Parse(want.String()); !ok || got != want {
		t.Errorf("%s: got %v, %v", want, got, ok)
	}
	for _, bad := range []string{"", "latency result", `latency result "x" "y" 1 2`, `latency result "x" "y" z 2 3`, guest.Done} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%q is no row", bad)
		}
	}
}

func TestSpread(t *testing.T) {
	times := make([]time.Duration, 200)
	for i := range times {
		times[len(times)-1-i] = time.Duration(i)
	}
	if got, want := SpreadOf(times), (Spread{100, 198, 199}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := SpreadOf([]time.Duration{7}), (Spread{7, 7, 7}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
