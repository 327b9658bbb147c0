// Package page is about pages of which two commands write a part each.
package page

import "strings"

// Network begins the last section of docs/benchmarks.md, which is cmd/bench/net's. What
// is before it is cmd/bench/compare's.
const Network = "## Network\n"

// CPUs begins the last section of docs/scale.md, which is cmd/bench/cpus's. What is before
// it is cmd/bench/scale's.
const CPUs = "## CPUs\n"

// Split cuts a page in front of a section.
func Split(text, section string) (before, rest string) {
	before, rest, found := strings.Cut(text, "\n"+section)
	if !found {
		return text, ""
	}
	return before + "\n", section + rest
}
