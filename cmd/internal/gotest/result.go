// Package gotest reads what go test -json prints, and compares the results of
// the same tests in several places.
package gotest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Event is one line of go test -json, as go doc test2json has it.
type Event struct {
	Action      string
	Package     string
	Test        string `json:",omitempty"`
	Output      string `json:",omitempty"`
	FailedBuild string `json:",omitempty"`
}

const (
	TimedOut    = "timeout" // also the action of an event of our own, for a package that was ended
	BuildFailed = "build failed"
)

// Outcome is how a test ended; a later one counts for more when those of
// subtests are put together.
type Outcome int

const (
	Unknown Outcome = iota - 1 // nothing ran there yet
	Passed
	Skipped    // by the test itself
	NotRun     // in the test binary, but never started
	NotBuilt   // its file is not for the target
	Unfinished // started, but the package ended before it
	Failed
)

func (o Outcome) String() string {
	return [...]string{"no result", "passed", "skipped", "not run", "not built", "unfinished", "failed"}[o-Unknown]
}

// Result is what the tests of a package said.
type Result struct {
	Verdict string          // pass, fail, timeout, or build failed
	Empty   bool            // no test files
	Tests   map[string]Test // by name, subtests as Test/sub
}

type Test struct {
	Outcome Outcome
	Message string // of its last log line if it was skipped, its first if it failed
}

// logLine is what testing prints for t.Log, t.Error, t.Skip and the like.
var logLine = regexp.MustCompile(`^\s*\S+\.go:\d+: (.+)`)

// Parse reads the output of go test -json for one package.
func Parse(r io.Reader) (*Result, error) {
	res := newResult()
	err := events(r, res.add)
	return res, err
}

// ParseAll reads the output of go test -json for several packages, and returns
// the result of each by its import path.
func ParseAll(r io.Reader) (map[string]*Result, error) {
	all := map[string]*Result{}
	err := events(r, func(e Event) {
		if e.Package == "" { // of a build, which ends with an event of the package
			return
		}
		res := all[e.Package]
		if res == nil {
			res = newResult()
			all[e.Package] = res
		}
		res.add(e)
	})
	return all, err
}

func newResult() *Result { return &Result{Verdict: "unfinished", Tests: map[string]Test{}} }

func events(r io.Reader, add func(Event)) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		var e Event
		if json.Unmarshal(line, &e) == nil {
			add(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *Result) add(e Event) {
	if e.Test == "" {
		switch {
		case e.Action == "build-fail" || e.FailedBuild != "":
			r.Verdict = BuildFailed
		case r.Verdict == BuildFailed:
		case e.Action == "pass" || e.Action == "fail" || e.Action == TimedOut:
			r.Verdict = e.Action
		case e.Action == "skip":
			r.Verdict, r.Empty = "pass", true
		}
		return
	}
	t, known := r.Tests[e.Test]
	if !known {
		t.Outcome = Unfinished
	}
	switch e.Action {
	case "output":
		if m := logLine.FindStringSubmatch(strings.TrimRight(e.Output, "\n")); m != nil && t.Outcome == Unfinished {
			// Kept until the outcome tells which one is wanted.
			t.Message += m[1] + "\n"
		}
	case "pass":
		t = Test{Outcome: Passed}
	case "skip":
		lines := strings.Split(strings.TrimSpace(t.Message), "\n")
		t = Test{Skipped, lines[len(lines)-1]}
	case "fail":
		first, _, _ := strings.Cut(t.Message, "\n")
		t = Test{Failed, first}
	}
	r.Tests[e.Test] = t
}

// Count returns how many tests and subtests passed, did not, and were
// skipped.
func (r *Result) Count() (pass, fail, skip int) {
	for _, t := range r.Tests {
		switch t.Outcome {
		case Passed:
			pass++
		case Skipped:
			skip++
		default:
			fail++
		}
	}
	return pass, fail, skip
}

// Include adds the tests of a package to a sum.
func (r *Result) Include(pkg string, other *Result) {
	if r.Tests == nil {
		r.Verdict, r.Tests = "pass", map[string]Test{}
	}
	if other == nil {
		r.Verdict = "not all"
		return
	}
	for name, t := range other.Tests {
		r.Tests[pkg+"."+name] = t
	}
}

// String is a cell of a table.
func (r *Result) String() string {
	if r == nil {
		return "not run"
	}
	if r.Empty {
		return "no tests"
	}
	pass, fail, skip := r.Count()
	s := fmt.Sprintf("%d / %d / %d", pass, fail, skip)
	if r.Verdict != "pass" && (r.Verdict != "fail" || fail == 0) {
		s += " (" + r.Verdict + ")"
	}
	return s
}
