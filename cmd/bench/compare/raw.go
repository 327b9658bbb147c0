package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

// The raw results are lines, each with a system and a result as the benchmark
// program tells it, or one of these and a text.
const (
	rawAbout   = "about "
	rawRound   = "round "
	rawMachine = "machine "
	rawFailure = "failure "
)

// write writes all values, so that the page can be made once more.
func (r *results) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s%s\n%s%d\n", rawAbout, r.About, rawRound, r.Rounds)
	for _, m := range r.Machines {
		fmt.Fprintf(out, "%s%s\n", rawMachine, m)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(out, "%s%s\n", rawFailure, strings.ReplaceAll(f, "\n", " "))
	}
	for row, systems := range r.Values {
		for system, values := range systems {
			for i, v := range values {
				fmt.Fprintf(out, "%s %s\n", system, rows.FormatResult(row, v, r.Costs[row][system][i]))
			}
		}
	}
	return out.Flush()
}

// readResults reads what write has written.
func readResults(in io.Reader) (*results, error) {
	r := newResults()
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, rawAbout); ok {
			r.About = text
		} else if text, ok := strings.CutPrefix(line, rawRound); ok {
			if _, err := fmt.Sscan(text, &r.Rounds); err != nil {
				return nil, fmt.Errorf("line %d: rounds %q: %w", n, text, err)
			}
		} else if text, ok := strings.CutPrefix(line, rawMachine); ok {
			r.Machines = append(r.Machines, text)
		} else if text, ok := strings.CutPrefix(line, rawFailure); ok {
			r.Failures = append(r.Failures, text)
		} else {
			system, result, _ := strings.Cut(line, " ")
			name, v, cost, ok := rows.ParseResult(result)
			if !ok {
				return nil, fmt.Errorf("line %d: %q is no result", n, line)
			}
			r.add(name, system, v, cost)
		}
	}
	return r, lines.Err()
}
