package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// slowest is how many tests the end tells of.
const slowest = 12

// record is what was seen so far.
type record struct {
	w        io.Writer
	packages map[string]*pkg
	running  map[string]time.Duration // tests by package and name: since when
	done     []span
	finished bool
}

// span is a test, or the tests of a package, with the time that it took.
type span struct {
	name string
	took time.Duration
}

// pkg is a package whose tests run.
type pkg struct {
	tests  map[string][]string // what each printed
	failed []string
	own    []string // what was printed outside of tests
}

func newRecord(w io.Writer) *record {
	return &record{w: w, packages: map[string]*pkg{}, running: map[string]time.Duration{}}
}

// print writes a line with the minutes and seconds since the start.
func (r *record) print(at time.Duration, line string) {
	s := int(at.Seconds())
	fmt.Fprintf(r.w, "%2d:%02d %s\n", s/60, s%60, line)
}

// line takes a line of the command's output.
func (r *record) line(at time.Duration, line string) {
	var e gotest.Event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		r.print(at, line)
		return
	}
	if e.Package == "" { // of a build
		if e.Output != "" {
			r.print(at, strings.TrimRight(e.Output, "\n"))
		}
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &pkg{tests: map[string][]string{}}
		r.packages[e.Package] = p
	}
	id := e.Package + " " + e.Test
	switch e.Action {
	case "start", "run":
		r.running[id] = at
	case "output":
		if e.Test == "" {
			p.own = append(p.own, e.Output)
		} else {
			p.tests[e.Test] = append(p.tests[e.Test], e.Output)
		}
	case "pass", "fail", "skip":
		if since, ok := r.running[id]; ok {
			delete(r.running, id)
			r.done = append(r.done, span{id, at - since})
		}
		if e.Action == "fail" && e.Test != "" {
			p.failed = append(p.failed, e.Test)
		}
		if e.Test == "" {
			r.show(at, p, e.Action == "fail")
			delete(r.packages, e.Package)
		}
	}
}

// show prints what go test does without -v: of a package that failed, what its tests printed
// that failed or were running.
func (r *record) show(at time.Duration, p *pkg, failed bool) {
	var out strings.Builder
	if failed {
		for _, name := range slices.Sorted(maps.Keys(p.tests)) {
			printed := p.tests[name]
			if slices.Contains(p.failed, name) || !ended(printed) {
				out.WriteString(strings.Join(printed, ""))
			}
		}
	}
	for _, text := range p.own {
		if failed || !strings.HasPrefix(text, "PASS") {
			out.WriteString(text)
		}
	}
	for line := range strings.Lines(out.String()) {
		r.print(at, strings.TrimRight(line, "\n"))
	}
}

// ended tells whether a test's verdict is in what it printed.
func ended(printed []string) bool {
	return slices.ContainsFunc(printed, func(s string) bool {
		return strings.HasPrefix(strings.TrimLeft(s, " "), "--- ")
	})
}

// finish prints the sum, once: a line is short, since what shows it may keep only an end.
func (r *record) finish(at time.Duration) {
	if r.finished {
		return
	}
	r.finished = true
	for _, id := range slices.Sorted(maps.Keys(r.running)) {
		r.print(at, fmt.Sprintf("still running, for %d s: %s", int((at-r.running[id]).Seconds()), id))
	}
	slices.SortStableFunc(r.done, func(a, b span) int { return int(b.took - a.took) })
	for _, s := range r.done[:min(slowest, len(r.done))] {
		r.print(at, fmt.Sprintf("%4d s %s", int(s.took.Seconds()), s.name))
	}
}
