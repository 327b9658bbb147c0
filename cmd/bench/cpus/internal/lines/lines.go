// Package lines has what cmd/bench/cpus and the program that it runs tell each other.
package lines

import (
	"fmt"
	"strings"
)

const result = "cpus result "

// Row is what an operation took, on so many goroutines as there are processors.
type Row struct {
	Name         string
	Instructions float64 // of all processors together, for each operation
	Contended    float64 // locks that were waited for, for each operation
	Holder       string  // who held most of them, as a function; empty: nobody
}

// String is the line of a row.
func (r Row) String() string {
	return fmt.Sprintf("%s%q %.1f %.6f %q", result, r.Name, r.Instructions, r.Contended, r.Holder)
}

// Parse reads the line of a row.
func Parse(line string) (r Row, ok bool) {
	rest, ok := strings.CutPrefix(line, result)
	if !ok {
		return r, false
	}
	n, err := fmt.Sscanf(rest, "%q %g %g %q", &r.Name, &r.Instructions, &r.Contended, &r.Holder)
	return r, n == 4 && err == nil
}
