// Package ops is what cmd/bench/count and the programs that it runs, cmd/bench/ops and
// cmd/bench/netops, know of each other: the rows, and the lines in which the programs
// tell of them; and how they count.
package ops

import (
	"fmt"
	"strconv"
	"strings"
)

// File systems, the first word of a row that is about one.
const (
	Tmpfs    = "tmpfs"
	Virtiofs = "virtio-fs" // with everything in the guest's caches
)

// Boot is the row that is no operation: from the reset to main.
const Boot = "boot"

// Loopback is the first word of rows of the network within the guest, which netops has.
const Loopback = "loopback"

// Done is the program's last line.
const Done = "ops done"

const (
	result  = "ops result "
	failure = "ops failed "
)

// Result is the line of a row's value.
func Result(name string, v float64) string { return fmt.Sprintf("%s%.2f %s", result, v, name) }

// Failure is the line of an error.
func Failure(err error) string { return failure + err.Error() }

// Parse reads the line of a row.
func Parse(line string) (name string, v float64, ok bool) {
	rest, ok := strings.CutPrefix(line, result)
	if !ok {
		return "", 0, false
	}
	value, name, ok := strings.Cut(rest, " ")
	v, err := strconv.ParseFloat(value, 64)
	return name, v, ok && err == nil && name != ""
}

// ParseFailure reads the line of an error.
func ParseFailure(line string) (text string, ok bool) { return strings.CutPrefix(line, failure) }
