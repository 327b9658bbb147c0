package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

func TestComplaints(t *testing.T) {
	defer func(old map[string]string) { reasons = old }(reasons)
	reasons = map[string]string{"p.A": "a reason", "p.Gone": "no longer", "q.Gone": "did not run"}

	passed, skipped := gotest.Test{}, gotest.Test{Outcome: gotest.Skipped}
	linux := &gotest.Result{Verdict: "pass", Tests: map[string]gotest.Test{"A": passed, "B": passed, "Gone": passed}}
	guest := &gotest.Result{Verdict: "pass", Tests: map[string]gotest.Test{
		"A": skipped, "B": {Outcome: gotest.Skipped, Message: "a|b"}, "Gone": passed}}
	r := &report{packages: []pkg{
		{"p", [3]*gotest.Result{linux, guest, guest}},
		{"q", [3]*gotest.Result{linux, guest, nil}},
	}}
	found := gotest.Exceptions("p", linux, guest, guest)
	var text bytes.Buffer
	var got []string
	for _, err := range r.writeExceptions(&text, found) {
		got = append(got, err.Error())
	}
	want := []string{
		"p.B skipped, skipped (a|b): no reason in reasons.go",
		"p.Gone: passes; take its reason out of reasons.go",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
	if row := `| B | skipped | skipped | a\|b | **none known** |`; !strings.Contains(text.String(), row) {
		t.Errorf("no row %s in:\n%s", row, &text)
	}
}
