package main

import (
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
