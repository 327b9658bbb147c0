package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/internal/gotest"
)

// report is what docs/conformance.md is made of.
type report struct {
	version  string // of Go
	sources  *sources
	packages []pkg
}

// pkg is a row of the table.
type pkg struct {
	name    string
	results [len(platforms)]*gotest.Result // nil: not run
}

const head = `# The standard library's own tests

This file is written by ` + "`make conformance`" + ` (cmd/conformance): do not edit it.

The tests of %s run on Linux with the stock Go, and in guests of both machine types with ` + "`yolk test`" + `, each
package's directory on virtio-fs; all with ` + "`-short`" + `. A cell has the numbers of tests and subtests that
passed / failed / were skipped.

`

// write prints the report and returns what is wrong with it: exceptions
// without a reason, and reasons without an exception.
func (r *report) write(w io.Writer) (complaints []error, err error) {
	fmt.Fprintf(w, head, r.version)
	fmt.Fprintf(w, "| package | Linux | Yolk, %s | Yolk, %s |\n|---|---|---|---|\n", platforms[1], platforms[2])
	var total [len(platforms)]gotest.Result
	var found []gotest.Exception
	var edited []string
	for _, p := range r.packages {
		fmt.Fprintf(w, "| %s | %v | %v | %v |\n", p.name, p.results[0], p.results[1], p.results[2])
		found = append(found, gotest.Exceptions(p.name, p.results[0], p.results[1:]...)...)
		files, err := r.sources.edited(p.name)
		if err != nil {
			return nil, err
		}
		edited = append(edited, files...)
		for i, res := range p.results {
			total[i].Include(p.name, res)
		}
	}
	fmt.Fprintf(w, "| all | %v | %v | %v |\n", &total[0], &total[1], &total[2])

	if err := r.explainNotRun(found); err != nil {
		return nil, err
	}
	complaints = r.writeExceptions(w, found)

	fmt.Fprint(w, "\n## Edited tests\n\nThe port runs Go's own test files. A word is changed in these, to say that this system has what Linux has\n"+
		"(the table `toolchain/edits_tests.go` has each edit with its reason):\n\n")
	for _, name := range edited {
		fmt.Fprintf(w, "- %s\n", name)
	}
	return complaints, nil
}

// explainNotRun tells the tests that the port leaves out from those that it
// has and did not reach.
func (r *report) explainNotRun(found []gotest.Exception) error {
	for i := range found {
		e := &found[i]
		for j := range e.Guests {
			l := &e.Guests[j]
			if l.Outcome != gotest.NotRun || l.Subs > 0 {
				continue
			}
			file, built, err := r.sources.testFile(e.Package, e.Test)
			if err != nil {
				return err
			}
			if !built {
				l.Outcome, l.Message = gotest.NotBuilt, file+" is not for this GOOS"
			}
		}
	}
	return nil
}

// writeExceptions prints the exceptions, each with its reason.
func (r *report) writeExceptions(w io.Writer, found []gotest.Exception) (complaints []error) {
	fmt.Fprintf(w, "\n## Exceptions\n\nTests that pass on Linux and not in the guest (%d), each with what it says there and with the reason.\n"+
		"A number of subtests stands where the test itself passes.\n", len(found))
	for i, e := range found {
		if i == 0 || found[i-1].Package != e.Package {
			fmt.Fprintf(w, "\n### %s\n\n| test | %s | %s | what it says | reason |\n|---|---|---|---|---|\n", e.Package, platforms[1], platforms[2])
		}
		key := e.Package + "." + e.Test
		reason := reasons[key]
		if reason == "" {
			reason = "**none known**"
			complaints = append(complaints, fmt.Errorf("%s %v, %v (%s): no reason in reasons.go", key, e.Guests[0], e.Guests[1], e.Message()))
		}
		fmt.Fprintf(w, "| %s | %v | %v | %s | %s |\n", e.Test, e.Guests[0], e.Guests[1], gotest.Cell(strings.TrimPrefix(e.Message(), "skipping test: ")), reason)
	}
	return append(complaints, r.stale(found)...)
}

// stale returns a complaint for each reason that no exception needs, of the
// packages that ran everywhere.
func (r *report) stale(found []gotest.Exception) (complaints []error) {
	for _, p := range r.packages {
		if slices.Contains(p.results[:], nil) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(reasons)) {
			test, ok := strings.CutPrefix(key, p.name+".")
			same := func(e gotest.Exception) bool { return e.Package == p.name && e.Test == test }
			if ok && !slices.ContainsFunc(found, same) {
				complaints = append(complaints, fmt.Errorf("%s: passes; take its reason out of reasons.go", key))
			}
		}
	}
	return complaints
}
