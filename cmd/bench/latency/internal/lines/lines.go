// Package lines has what cmd/bench/latency and the program that it runs tell each other.
package lines

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const result = "latency result "

// Spread is how long something took, many times.
type Spread struct {
	Median, P99, Worst time.Duration
}

// SpreadOf sorts times and returns their spread. There is at least one.
func SpreadOf(times []time.Duration) Spread {
	slices.Sort(times)
	return Spread{times[len(times)/2], times[len(times)*99/100], times[len(times)-1]}
}

// Row is what was measured beside a load.
type Row struct {
	Load, What string
	Spread
}

// String is the line of a row.
func (r Row) String() string {
	return fmt.Sprintf("%s%q %q %d %d %d", result, r.Load, r.What, r.Median, r.P99, r.Worst)
}

// Parse reads the line of a row.
func Parse(line string) (r Row, ok bool) {
	rest, ok := strings.CutPrefix(line, result)
	if !ok {
		return r, false
	}
	n, err := fmt.Sscanf(rest, "%q %q %d %d %d", &r.Load, &r.What, &r.Median, &r.P99, &r.Worst)
	return r, n == 5 && err == nil
}
