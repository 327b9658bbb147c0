// Package report is how a check talks to a student: what is right, in a line each,
// and what is wrong, with a hint.
package report

import (
	"fmt"
	"io"
	"strings"
)

// What lines begin with.
const (
	ok   = "  ok    "
	bad  = "  WRONG "
	more = "        "
)

// Done is the last line of a program that has checked itself to the end.
const Done = "-- checked"

// OverTime is what a program says, before the traces of its goroutines, that has used up its processor time.
const OverTime = "the processor time is used up"

// Report writes verdicts.
type Report struct {
	w      io.Writer
	passed int
	failed int
}

// New returns a report that goes to w.
func New(w io.Writer) *Report { return &Report{w: w} }

// OK tells of something that is right.
func (r *Report) OK(format string, args ...any) {
	r.passed++
	r.print(ok, fmt.Sprintf(format, args...))
}

// Fail tells of something that is wrong. The hint says where to look, not what to
// write.
func (r *Report) Fail(what, hint string) {
	r.failed++
	r.print(bad, what)
	if hint != "" {
		r.print(more+"Hint: ", hint)
	}
}

// Show adds what belongs to the last verdict, such as the output of a program.
func (r *Report) Show(text string) { r.print(more+"| ", text) }

// Adopt takes over the verdicts in what another program's report has written.
// What else is in the text is left out.
func (r *Report) Adopt(text string) {
	adopted := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, ok):
			r.passed++
			adopted = true
		case strings.HasPrefix(line, bad):
			r.failed++
			adopted = true
		case !strings.HasPrefix(line, more):
			adopted = false
		}
		if adopted {
			io.WriteString(r.w, line)
		}
	}
}

// Failed reports whether anything was wrong.
func (r *Report) Failed() bool { return r.failed > 0 }

// End writes the last line.
func (r *Report) End() {
	switch {
	case r.failed == 0 && r.passed > 0:
		fmt.Fprintf(r.w, "PASS: all %d checks are right.\n", r.passed)
	default:
		fmt.Fprintf(r.w, "NOT YET: %d checks right, %d wrong. What comes after the first wrong one may follow from it.\n", r.passed, r.failed)
	}
}

// print writes text whose lines all begin behind first.
func (r *Report) print(first, text string) {
	text = strings.TrimRight(text, "\n")
	other := strings.Repeat(" ", len(first))
	if strings.HasSuffix(first, "| ") {
		other = first
	}
	for i, line := range strings.Split(text, "\n") {
		if i == 0 {
			fmt.Fprintf(r.w, "%s%s\n", first, line)
			continue
		}
		fmt.Fprintf(r.w, "%s%s\n", other, line)
	}
}
