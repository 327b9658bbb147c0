package lines

import (
	"testing"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
)

func TestLines(t *testing.T) {
	want := Row{"stat, one \"file\"", 1500.5, 0.25, "a/b.(*C).d[...]"}
	if got, ok := Parse(want.String()); !ok || got != want {
		t.Errorf("%s: got %v, %v", want, got, ok)
	}
	for _, bad := range []string{"", "cpus result", `cpus result "x" 1 2`, `cpus result "x" y 2 ""`, guest.Done} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%q is no row", bad)
		}
	}
}
