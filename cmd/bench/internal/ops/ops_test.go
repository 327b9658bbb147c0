package ops

import (
	"testing"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
)

func TestRow(t *testing.T) {
	want := Row{Name: "sleep 1 µs", Instructions: 2388.5, Notifications: 0.25, Number: 7, Batch: 200}
	if got, ok := Parse(want.String()); !ok || got != want {
		t.Errorf("%+v, %v; want %+v", got, ok, want)
	}
	for _, line := range []string{"", guest.Done, result, result + "1 2 3 x", result + "1 2 3 0 x", result + "1 2 3 4 ", result + "1 2 x 4 y"} {
		if got, ok := Parse(line); ok {
			t.Errorf("%q is %+v", line, got)
		}
	}
}
