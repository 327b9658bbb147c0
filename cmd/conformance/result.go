package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// event is one line of go test -json, as go doc test2json has it.
type event struct {
	Action  string
	Package string
	Test    string `json:",omitempty"`
	Output  string `json:",omitempty"`
}

const (
	timedOut    = "timeout" // also the action of an event of our own, for a package that was ended
	buildFailed = "build failed"
)

// outcome is how a test ended; a later one counts for more when those of
// subtests are put together.
type outcome int

const (
	unknown outcome = iota - 1 // nothing ran there yet
	passed
	skipped    // by the test itself
	notRun     // in the test binary, but never started
	notBuilt   // its file is not for GOOS=tamago
	unfinished // started, but the package ended before it
	failed
)

func (o outcome) String() string {
	return [...]string{"no result", "passed", "skipped", "not run", "not built", "unfinished", "failed"}[o-unknown]
}

// result is what the tests of a package said.
type result struct {
	verdict string          // pass, fail, timeout, or build failed
	empty   bool            // no test files
	tests   map[string]test // by name, subtests as Test/sub
}

type test struct {
	outcome outcome
	message string // of its last log line if it was skipped, its first if it failed
}

// logLine is what testing prints for t.Log, t.Error, t.Skip and the like.
var logLine = regexp.MustCompile(`^\s*\S+\.go:\d+: (.+)`)

// parse reads the output of go test -json for one package.
func parse(r io.Reader) (*result, error) {
	res := &result{verdict: "unfinished", tests: map[string]test{}}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if json.Unmarshal(line, &e) == nil {
			res.add(e)
		}
		if err == io.EOF {
			return res, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (r *result) add(e event) {
	if e.Test == "" {
		switch {
		case e.Action == "build-fail":
			r.verdict = buildFailed
		case r.verdict == buildFailed:
		case e.Action == "pass" || e.Action == "fail" || e.Action == timedOut:
			r.verdict = e.Action
		case e.Action == "skip":
			r.verdict, r.empty = "pass", true
		}
		return
	}
	t, known := r.tests[e.Test]
	if !known {
		t.outcome = unfinished
	}
	switch e.Action {
	case "output":
		if m := logLine.FindStringSubmatch(strings.TrimRight(e.Output, "\n")); m != nil && t.outcome == unfinished {
			// Kept until the outcome tells which one is wanted.
			t.message += m[1] + "\n"
		}
	case "pass":
		t = test{outcome: passed}
	case "skip":
		lines := strings.Split(strings.TrimSpace(t.message), "\n")
		t = test{skipped, lines[len(lines)-1]}
	case "fail":
		first, _, _ := strings.Cut(t.message, "\n")
		t = test{failed, first}
	}
	r.tests[e.Test] = t
}

// count returns how many tests and subtests passed, did not, and were
// skipped.
func (r *result) count() (pass, fail, skip int) {
	for _, t := range r.tests {
		switch t.outcome {
		case passed:
			pass++
		case skipped:
			skip++
		default:
			fail++
		}
	}
	return pass, fail, skip
}

// String is a cell of the table.
func (r *result) String() string {
	if r == nil {
		return "not run"
	}
	if r.empty {
		return "no tests"
	}
	pass, fail, skip := r.count()
	s := fmt.Sprintf("%d / %d / %d", pass, fail, skip)
	if r.verdict != "pass" && (r.verdict != "fail" || fail == 0) {
		s += " (" + r.verdict + ")"
	}
	return s
}
