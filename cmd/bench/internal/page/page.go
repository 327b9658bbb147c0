// Package page is about pages of which two commands write a part each.
package page

import "strings"

// Network begins the last section of docs/benchmarks.md, which is cmd/bench/net's. What
// is before it is cmd/bench/compare's.
const Network = "## Network\n"

// Split cuts a page in front of that section.
func Split(text string) (before, network string) {
	before, network, found := strings.Cut(text, "\n"+Network)
	if !found {
		return text, ""
	}
	return before + "\n", Network + network
}
