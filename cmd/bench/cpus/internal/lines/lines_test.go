package lines

import (
	"errors"
	"testing"
)

func TestLines(t *testing.T) {
	want := Row{"stat, one \"file\"", 1500.5, 0.25, "a/b.(*C).d[...]"}
	if got, ok := Parse(want.String()); !ok || got != want {
		t.Errorf("%s: got %v, %v", want, got, ok)
	}
	for _, bad := range []string{"", "cpus result", `cpus result "x" 1 2`, `cpus result "x" y 2 ""`, "cpus done"} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%q is no row", bad)
		}
	}
	if text, ok := ParseFailure(Failure(errors.New("a\nb"))); !ok || text != "a\nb" {
		t.Errorf("got %q, %v", text, ok)
	}
	if _, ok := ParseFailure("cpus failed x"); ok {
		t.Error("what is not quoted was read")
	}
}
