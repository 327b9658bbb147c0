package lines

import (
	"errors"
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	want := Row{"idle", `read, "cached"`, Spread{1500, 2500, 4 * time.Second}}
	if got, ok := Parse(want.String()); !ok || got != want {
		t.Errorf("%s: got %v, %v", want, got, ok)
	}
	for _, bad := range []string{"", "latency result", `latency result "x" "y" 1 2`, `latency result "x" "y" z 2 3`, Done} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%q is no row", bad)
		}
	}
	if text, ok := ParseFailure(Failure(errors.New("a\nb"))); !ok || text != "a\nb" {
		t.Errorf("got %q, %v", text, ok)
	}
	if _, ok := ParseFailure("latency failed x"); ok {
		t.Error("what is not quoted was read")
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
