package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRawResults(t *testing.T) {
	r := sample()
	r.Failures = []string{"yolk-q35: \"no\"\nuse"}
	var b bytes.Buffer
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := readResults(&b)
	if err != nil {
		t.Fatal(err)
	}
	r.Failures[0] = strings.ReplaceAll(r.Failures[0], "\n", " ")
	if got, want := report(again, nil), report(r, nil); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, bad := range []string{"round x", "host", "host bench row nothing 1 2 3 4"} {
		if _, err := readResults(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
