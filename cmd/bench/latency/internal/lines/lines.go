// Package lines has what cmd/bench/latency and the program that it runs tell each other.
package lines

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Done is the last line of a run that went well.
const Done = "latency done"

const result = "latency result "

// Row is how long an operation took beside others.
type Row struct {
	Operation, Beside string
	Median, P99, Most time.Duration
}

// String is the line of a row.
func (r Row) String() string {
	return fmt.Sprintf("%s%q %q %d %d %d", result, r.Operation, r.Beside, r.Median, r.P99, r.Most)
}

// Parse reads the line of a row.
func Parse(line string) (r Row, ok bool) {
	rest, ok := strings.CutPrefix(line, result)
	if !ok {
		return r, false
	}
	n, err := fmt.Sscanf(rest, "%q %q %d %d %d", &r.Operation, &r.Beside, &r.Median, &r.P99, &r.Most)
	return r, n == 5 && err == nil
}

// Failure is the line of an error, and ParseFailure reads it.
func Failure(err error) string { return "latency failed " + strconv.Quote(err.Error()) }

// ParseFailure reads the line of an error.
func ParseFailure(line string) (text string, ok bool) {
	quoted, ok := strings.CutPrefix(line, "latency failed ")
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(quoted)
	return text, err == nil
}
