package main

import (
	"bytes"
	"strings"
	"testing"
)

// stream makes the output of go test -json from lines "action test text".
func stream(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		f := strings.SplitN(line, " ", 3)
		b.WriteString(`{"Action":"` + f[0] + `","Package":"p"`)
		if len(f) > 1 && f[1] != "" {
			b.WriteString(`,"Test":"` + f[1] + `"`)
		}
		if len(f) > 2 {
			b.WriteString(`,"Output":"` + f[2] + `\n"`)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func parsed(t *testing.T, lines ...string) *result {
	t.Helper()
	r, err := parse(strings.NewReader("no JSON\n" + stream(lines...)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParse(t *testing.T) {
	r := parsed(t, "start",
		"run TestA", "run TestA/x", "pass TestA/x", "pass TestA",
		"run TestB", "output TestB === RUN", "output TestB     b_test.go:1: log", "output TestB     b_test.go:2: no such thing here", "skip TestB",
		"run TestC", "output TestC     c_test.go:1: first", "output TestC     c_test.go:2: second", "fail TestC",
		"run TestD", "output  FAIL p", "fail")
	want := map[string]test{
		"TestA": {}, "TestA/x": {},
		"TestB": {skipped, "no such thing here"},
		"TestC": {failed, "first"},
		"TestD": {outcome: unfinished},
	}
	if len(r.tests) != len(want) {
		t.Errorf("got %v", r.tests)
	}
	for name, w := range want {
		if r.tests[name] != w {
			t.Errorf("%s: got %v, want %v", name, r.tests[name], w)
		}
	}
	if got := r.String(); got != "2 / 2 / 1" {
		t.Errorf("cell: %q", got)
	}
}

func TestCells(t *testing.T) {
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"no tests", []string{"start", "skip"}},
		{"0 / 0 / 0", []string{"start", "pass"}},
		{"1 / 0 / 0 (fail)", []string{"run T", "pass T", "fail"}},
		{"0 / 1 / 0 (timeout)", []string{"run T", "timeout"}},
		{"0 / 0 / 0 (build failed)", []string{"start", "build-fail", "fail"}},
		{"0 / 0 / 0 (unfinished)", []string{"start"}},
	} {
		if got := parsed(t, c.lines...).String(); got != c.want {
			t.Errorf("%v: got %q, want %q", c.lines, got, c.want)
		}
	}
	if got := (*result)(nil).String(); got != "not run" {
		t.Errorf("nil: %q", got)
	}
}

func TestExceptions(t *testing.T) {
	linux := parsed(t, "pass A", "pass B", "pass B/1", "pass B/2", "pass C", "pass C/1", "fail D", "skip E", "pass F", "pass")
	one := parsed(t, "pass A", "pass B", "output B/1 b_test.go:1: why", "skip B/1", "pass B/2",
		"skip C/1", "fail C", "skip D", "fail E", "pass F", "fail")
	two := parsed(t, "pass A", "pass B", "pass B/1", "pass C", "pass C/1", "pass D", "pass E", "pass")

	got := exceptions("p", linux, one, two)
	want := []exception{
		{"p", "B", [2]lapse{{skipped, 1, "why"}, {notRun, 1, ""}}},
		{"p", "C", [2]lapse{{failed, 0, ""}, {}}},
		{"p", "F", [2]lapse{{}, {notRun, 0, ""}}},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
	if got := exceptions("p", linux, nil, two); len(got) != 2 || got[0].guests[0].outcome != unknown {
		t.Errorf("one guest did not run: %v", got)
	}
	if got := exceptions("p", linux, nil, nil); got != nil {
		t.Errorf("no guest ran: %v", got)
	}
	if got := exceptions("p", nil, one, two); got != nil {
		t.Errorf("no run on Linux: %v", got)
	}
}

func TestComplaints(t *testing.T) {
	defer func(old map[string]string) { reasons = old }(reasons)
	reasons = map[string]string{"p.A": "a reason", "p.Gone": "no longer", "q.Gone": "did not run"}

	linux := parsed(t, "pass A", "pass B", "pass Gone", "pass")
	guest := parsed(t, "skip A", "output B x_test.go:1: a|b", "skip B", "pass Gone", "pass")
	r := &report{packages: []pkg{
		{"p", [3]*result{linux, guest, guest}},
		{"q", [3]*result{linux, guest, nil}},
	}}
	found := exceptions("p", linux, guest, guest)
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
