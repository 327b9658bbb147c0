package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
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
	results [len(platforms)]*result // nil: not run
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
	var total [len(platforms)]result
	var found []exception
	var edited []string
	for _, p := range r.packages {
		fmt.Fprintf(w, "| %s | %v | %v | %v |\n", p.name, p.results[0], p.results[1], p.results[2])
		found = append(found, exceptions(p.name, p.results[0], p.results[1:]...)...)
		files, err := r.sources.edited(p.name)
		if err != nil {
			return nil, err
		}
		edited = append(edited, files...)
		for i, res := range p.results {
			total[i].include(p.name, res)
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

// include adds the tests of a package to a sum.
func (r *result) include(pkg string, other *result) {
	if r.tests == nil {
		r.verdict, r.tests = "pass", map[string]test{}
	}
	if other == nil {
		r.verdict = "not all"
		return
	}
	for name, t := range other.tests {
		r.tests[pkg+"."+name] = t
	}
}

// explainNotRun tells the tests that the port leaves out from those that it
// has and did not reach.
func (r *report) explainNotRun(found []exception) error {
	for i := range found {
		e := &found[i]
		for j := range e.guests {
			l := &e.guests[j]
			if l.outcome != notRun || l.subs > 0 {
				continue
			}
			file, built, err := r.sources.testFile(e.pkg, e.test)
			if err != nil {
				return err
			}
			if !built {
				l.outcome, l.message = notBuilt, file+" is not for this GOOS"
			}
		}
	}
	return nil
}

// writeExceptions prints the exceptions, each with its reason.
func (r *report) writeExceptions(w io.Writer, found []exception) (complaints []error) {
	fmt.Fprintf(w, "\n## Exceptions\n\nTests that pass on Linux and not in the guest (%d), each with what it says there and with the reason.\n"+
		"A number of subtests stands where the test itself passes.\n", len(found))
	for i, e := range found {
		if i == 0 || found[i-1].pkg != e.pkg {
			fmt.Fprintf(w, "\n### %s\n\n| test | %s | %s | what it says | reason |\n|---|---|---|---|---|\n", e.pkg, platforms[1], platforms[2])
		}
		key := e.pkg + "." + e.test
		reason := reasons[key]
		if reason == "" {
			reason = "**none known**"
			complaints = append(complaints, fmt.Errorf("%s %v, %v (%s): no reason in reasons.go", key, e.guests[0], e.guests[1], e.message()))
		}
		fmt.Fprintf(w, "| %s | %v | %v | %s | %s |\n", e.test, e.guests[0], e.guests[1], cell(e.message()), reason)
	}
	return append(complaints, r.stale(found)...)
}

// stale returns a complaint for each reason that no exception needs, of the
// packages that ran everywhere.
func (r *report) stale(found []exception) (complaints []error) {
	for _, p := range r.packages {
		if slices.Contains(p.results[:], nil) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(reasons)) {
			test, ok := strings.CutPrefix(key, p.name+".")
			same := func(e exception) bool { return e.pkg == p.name && e.test == test }
			if ok && !slices.ContainsFunc(found, same) {
				complaints = append(complaints, fmt.Errorf("%s: passes; take its reason out of reasons.go", key))
			}
		}
	}
	return complaints
}

func (l lapse) String() string {
	if l.subs > 0 {
		return fmt.Sprintf("%d subtests %v", l.subs, l.outcome)
	}
	return l.outcome.String()
}

// cell makes text fit for a cell of a table.
func cell(s string) string {
	const most = 100                             // characters
	s = strings.TrimPrefix(s, "skipping test: ") // testenv's
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}
