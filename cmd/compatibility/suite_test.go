package main

import (
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// TestMerge: a second run can make a test pass, and never fail.
func TestMerge(t *testing.T) {
	test := func(o gotest.Outcome) gotest.Test { return gotest.Test{Outcome: o} }
	first := &gotest.Result{Verdict: "fail", Tests: map[string]gotest.Test{
		"A": test(gotest.Passed), "B": test(gotest.Failed), "C": test(gotest.Unfinished)}}
	merge(first, nil)
	merge(first, &gotest.Result{Verdict: "fail", Tests: map[string]gotest.Test{
		"A": test(gotest.Failed), "B": test(gotest.Passed), "C": test(gotest.Failed)}})
	want := map[string]gotest.Outcome{"A": gotest.Passed, "B": gotest.Passed, "C": gotest.Unfinished}
	for name, o := range want {
		if first.Tests[name].Outcome != o {
			t.Errorf("%s %v, want %v", name, first.Tests[name].Outcome, o)
		}
	}
	if first.Verdict != "fail" {
		t.Errorf("verdict %s", first.Verdict)
	}
	merge(first, &gotest.Result{Verdict: "pass", Tests: map[string]gotest.Test{"C": test(gotest.Passed)}})
	if first.Verdict != "pass" {
		t.Errorf("verdict %s", first.Verdict)
	}
}

// TestUnexplained: what has a reason is not run again, and does not end the others.
func TestUnexplained(t *testing.T) {
	r := &runner{list: &list{reasons: []*reason{{item: "m.org/m", what: "p.TestExec*", text: "no processes"}}}}
	s := &suite{module: "m.org/m@v1.0.0"}
	outcomes := func(o gotest.Outcome) *gotest.Result {
		res := &gotest.Result{Tests: map[string]gotest.Test{}}
		for _, name := range []string{"TestExecSelf", "TestLater", "TestSub/a"} {
			res.Tests[name] = gotest.Test{Outcome: o}
		}
		return res
	}
	for outcome, want := range map[gotest.Outcome]string{gotest.Passed: "", gotest.Skipped: "", gotest.Failed: "TestLater TestSub", gotest.Unfinished: "TestLater TestSub"} {
		if got := strings.Join(r.unexplained(s, "m.org/m/p", outcomes(gotest.Passed), outcomes(outcome)), " "); got != want {
			t.Errorf("%v: %q, want %q", outcome, got, want)
		}
	}
	if r.list.reasons[0].used {
		t.Error("a reason is used before there is a report")
	}
}

func TestBuildOutput(t *testing.T) {
	events := []byte(`{"ImportPath":"example.com/dep","Action":"build-output","Output":"# example.com/dep\n"}
{"ImportPath":"example.com/dep","Action":"build-output","Output":"a.go:1: no\n"}
{"ImportPath":"example.com/dep","Action":"build-output","Output":"a.go:2: nor this\n"}
{"ImportPath":"other","Action":"build-output","Output":"b.go:1: other\n"}
{"Action":"fail","Package":"example.com/p","FailedBuild":"example.com/dep"}
`)
	if got := buildOutput(events, "example.com/p"); got != "a.go:1: no" {
		t.Errorf("got %q", got)
	}
	if got := buildOutput(events, "example.com/q"); got != "" {
		t.Errorf("got %q", got)
	}
}
