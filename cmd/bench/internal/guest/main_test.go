package guest

import (
	"errors"
	"testing"
)

func TestFailure(t *testing.T) {
	if text, ok := ParseFailure(Failure(errors.New("a\nb"))); !ok || text != "a\nb" {
		t.Errorf("got %q, %v", text, ok)
	}
	for _, bad := range []string{"", Done, failure, failure + "x", "cpus failed x"} {
		if text, ok := ParseFailure(bad); ok {
			t.Errorf("%q was read as %q", bad, text)
		}
	}
}
