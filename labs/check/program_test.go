package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/yolkos/yolk/labs/internal/report"
)

// TestExplain: a program that ended in some other way than by a verdict is told of.
func TestExplain(t *testing.T) {
	exit := func(status string) error { return exec.Command("sh", "-c", status).Run() }
	for _, c := range []struct {
		out  string
		err  error
		says string // "": there is a verdict
	}{
		{"  ok    a\n" + report.Done + "\n", nil, ""},
		{"  WRONG a\n" + report.Done + "\n", exit("exit 1"), ""},
		{"  ok    a\n", nil, "ended before its check did"},
		{"  ok    a\n", exit("exit 1"), "could not be run"},
		{report.OverTime + "\ngoroutine 1 [running]:\n", exit("exit 2"), "does not come to an end"},
		{"  ok    a\n", exit("kill -9 $$"), "does not come to an end"},
		{"runtime: goroutine stack exceeds 1000-byte limit\nfatal error: stack overflow\n", exit("exit 2"), "calls itself"},
		{"fatal error: all goroutines are asleep - deadlock!\n", exit("exit 2"), "never comes"},
		{"panic: oh\n\ngoroutine 1\n", exit("exit 2"), "crashed"},
		{"yolk: ended after 5m0s, the time limit\n", exit("124"), "did not come to an end"},
		{"", errors.New("no such file"), "could not be run: no such file"},
	} {
		var b strings.Builder
		r := report.New(&b)
		r.Adopt(c.out)
		if told := explain(r, c.out, c.err); told != (c.says != "") || !strings.Contains(b.String(), c.says) {
			t.Errorf("%q, %v: %v, want %q in:\n%s", c.out, c.err, told, c.says, &b)
		}
	}
}
