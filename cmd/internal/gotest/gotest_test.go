package gotest

import (
	"reflect"
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

func parsed(t *testing.T, lines ...string) *Result {
	t.Helper()
	r, err := Parse(strings.NewReader("no JSON\n" + stream(lines...)))
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
	want := map[string]Test{
		"TestA": {}, "TestA/x": {},
		"TestB": {Skipped, "no such thing here"},
		"TestC": {Failed, "first"},
		"TestD": {Outcome: Unfinished},
	}
	if len(r.Tests) != len(want) {
		t.Errorf("got %v", r.Tests)
	}
	for name, w := range want {
		if r.Tests[name] != w {
			t.Errorf("%s: got %v, want %v", name, r.Tests[name], w)
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
	if got := (*Result)(nil).String(); got != "not run" {
		t.Errorf("nil: %q", got)
	}
}

// TestParseAll: packages are told apart, and one that does not build is known
// by the event that ends it.
func TestParseAll(t *testing.T) {
	all, err := ParseAll(strings.NewReader(`{"Action":"pass","Package":"a","Test":"T"}
{"Action":"pass","Package":"a"}
{"ImportPath":"b [b.test]","Action":"build-output","Output":"b.go:1: no\\n"}
{"ImportPath":"b [b.test]","Action":"build-fail"}
{"Action":"fail","Package":"b","FailedBuild":"b [b.test]"}
{"Action":"skip","Package":"c"}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "1 / 0 / 0", "b": "0 / 0 / 0 (build failed)", "c": "no tests"} {
		if got := all[name].String(); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if len(all) != 3 {
		t.Errorf("got %v", all)
	}
}

func TestExceptions(t *testing.T) {
	linux := parsed(t, "pass A", "pass B", "pass B/1", "pass B/2", "pass C", "pass C/1", "fail D", "skip E", "pass F", "pass")
	one := parsed(t, "pass A", "pass B", "output B/1 b_test.go:1: why", "skip B/1", "pass B/2",
		"skip C/1", "fail C", "skip D", "fail E", "pass F", "fail")
	two := parsed(t, "pass A", "pass B", "pass B/1", "pass C", "pass C/1", "pass D", "pass E", "pass")

	got := Exceptions("p", linux, one, two)
	want := []Exception{
		{"p", "B", []Lapse{{Skipped, 1, "why"}, {NotRun, 1, ""}}},
		{"p", "C", []Lapse{{Failed, 0, ""}, {}}},
		{"p", "F", []Lapse{{}, {NotRun, 0, ""}}},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
	if got := Exceptions("p", linux, nil, two); len(got) != 2 || got[0].Guests[0].Outcome != Unknown {
		t.Errorf("one guest did not run: %v", got)
	}
	if got := Exceptions("p", linux, nil, nil); got != nil {
		t.Errorf("no guest ran: %v", got)
	}
	if got := Exceptions("p", nil, one, two); got != nil {
		t.Errorf("no run on Linux: %v", got)
	}
}

// TestCellFromHome: no directory of the machine is in a table.
func TestCellFromHome(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	if got, want := Cell("fork/exec /home/me/.cache/x.test, /home/men: no"), "fork/exec ~/.cache/x.test, /home/men: no"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
