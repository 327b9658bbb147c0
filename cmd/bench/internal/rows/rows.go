// Package rows names what is measured, and defines the lines in which the
// benchmark program tells its results.
package rows

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Row is one line of the table.
type Row struct {
	Group string // what --only selects
	Name  string
	Title string
	Unit  string
	More  bool    // more is better
	Goal  float64 // how many times as good as Linux
	Once  bool    // the same in every round, so taken once
	// Counted is the operation of docs/instructions.md that comes nearest, if one does.
	Counted string
}

// Units.
const (
	MBps  = "MB/s" // 10^6 bytes a second
	Micro = "µs"
)

// Table has the rows in the order of the report.
var Table = []Row{
	{Group: "boot", Name: "boot", Title: "boot to main, root mounted", Unit: "ms", Goal: 5},
	{Group: "size", Name: "size", Title: "image of a hello program", Unit: "MB", Goal: 2, Once: true},
	{Group: "ram", Name: "ram", Title: "least RAM of a hello program", Unit: "MiB", Goal: 2, Once: true},

	{Group: "read", Name: "read-128m", Title: "sequential read, 128 MiB buffer, cold", Unit: MBps, More: true, Goal: 1},
	{Group: "read", Name: "read-128m-again", Title: "sequential read, 128 MiB buffer, again", Unit: MBps, More: true, Goal: 2},
	{Group: "read", Name: "read-1m", Title: "sequential read, 1 MiB buffer, cold", Unit: MBps, More: true, Goal: 1},
	{Group: "read", Name: "read-1m-again", Title: "sequential read, 1 MiB buffer, again", Unit: MBps, More: true, Goal: 2},
	{Group: "read", Name: "read-64k", Title: "sequential read, 64 KiB buffer, cold", Unit: MBps, More: true, Goal: 1},
	{Group: "read", Name: "read-64k-again", Title: "sequential read, 64 KiB buffer, again", Unit: MBps, More: true, Goal: 2},
	{Group: "write", Name: "write", Title: "sequential write and fsync, 1 MiB buffer", Unit: MBps, More: true, Goal: 2},

	{Group: "random", Name: "pread-1", Title: "random 4 KiB read, 1 goroutine", Unit: Micro, Goal: 2},
	{Group: "random", Name: "pread-16", Title: "random 4 KiB read, 16 goroutines", Unit: Micro, Goal: 2},
	{Group: "random", Name: "pwrite-1", Title: "random 4 KiB write, 1 goroutine", Unit: Micro, Goal: 2},
	{Group: "random", Name: "pwrite-16", Title: "random 4 KiB write, 16 goroutines", Unit: Micro, Goal: 2},

	{Group: "small", Name: "small", Title: "open, read, close a small file, cold", Unit: Micro, Goal: 2},
	{Group: "small", Name: "small-again", Title: "open, read, close a small file, again", Unit: Micro, Goal: 2, Counted: "virtio-fs os.ReadFile 4096"},

	{Group: "stat", Name: "stat-1", Title: "stat at depth 1, cold", Unit: Micro, Goal: 2},
	{Group: "stat", Name: "stat-1-again", Title: "stat at depth 1, again", Unit: Micro, Goal: 2, Counted: "virtio-fs os.Stat 1"},
	{Group: "stat", Name: "stat-4", Title: "stat at depth 4, cold", Unit: Micro, Goal: 2},
	{Group: "stat", Name: "stat-4-again", Title: "stat at depth 4, again", Unit: Micro, Goal: 2, Counted: "virtio-fs os.Stat 4"},
	{Group: "stat", Name: "stat-16", Title: "stat at depth 16, cold", Unit: Micro, Goal: 2},
	{Group: "stat", Name: "stat-16-again", Title: "stat at depth 16, again", Unit: Micro, Goal: 2},

	{Group: "readdir", Name: "readdir-10", Title: "directory of 10 entries, per entry", Unit: Micro, Goal: 2},
	{Group: "readdir", Name: "readdir-1000", Title: "directory of 1,000 entries, per entry", Unit: Micro, Goal: 2},
	{Group: "readdir", Name: "readdir-100000", Title: "directory of 100,000 entries, per entry", Unit: Micro, Goal: 2},
	{Group: "walk", Name: "walk", Title: "tree walk with attributes, per entry, cold", Unit: Micro, Goal: 2},
	{Group: "walk", Name: "walk-again", Title: "tree walk with attributes, per entry, again", Unit: Micro, Goal: 2},

	{Group: "create", Name: "create", Title: "create, write, close, remove", Unit: Micro, Goal: 2, Counted: "virtio-fs os.Create+os.Remove"},
	{Group: "rename", Name: "rename", Title: "rename", Unit: Micro, Goal: 2, Counted: "virtio-fs os.Rename two"},
	{Group: "mixed", Name: "mixed", Title: "16 goroutines, mixed work, per operation", Unit: Micro, Goal: 2},
	{Group: "disk", Name: "disk-read", Title: "disk: sequential read, 1 MiB buffer", Unit: MBps, More: true, Goal: 2},
	{Group: "disk", Name: "disk-write", Title: "disk: sequential write and fsync, 1 MiB buffer", Unit: MBps, More: true, Goal: 2},
	{Group: "disk", Name: "disk-pread-1", Title: "disk: random 4 KiB read, 1 goroutine", Unit: Micro, Goal: 2},
	{Group: "disk", Name: "disk-pread-16", Title: "disk: random 4 KiB read, 16 goroutines", Unit: Micro, Goal: 2},
	{Group: "disk", Name: "disk-pwrite-1", Title: "disk: random 4 KiB write, 1 goroutine, one fsync", Unit: Micro, Goal: 2},
	{Group: "disk", Name: "disk-pwrite-16", Title: "disk: random 4 KiB write, 16 goroutines, one fsync", Unit: Micro, Goal: 2},
	{Group: "idle", Name: "idle", Title: "host CPU of an idle guest", Unit: "%", Goal: 2},
}

// Compute is measured only to compare one CPU with two.
var Compute = Row{Group: "compute", Name: "compute", Title: "4 goroutines that compute, per million steps", Unit: Micro}

// Find returns the row of a name, or nil.
func Find(name string) *Row {
	for i := range Table {
		if Table[i].Name == name {
			return &Table[i]
		}
	}
	if name == Compute.Name {
		return &Compute
	}
	return nil
}

// Ratio says how many times as good as peer a value is; NaN where that
// cannot be told.
func (r *Row) Ratio(value, peer float64) float64 {
	if r.More {
		value, peer = peer, value
	}
	if !(value > 0 && peer > 0) { // NaN too
		return math.NaN()
	}
	return peer / value
}

// Cost is what one operation asked of the device; for the sequential rows, what
// one MiB asked. NaN stands for what the system does not tell.
type Cost struct {
	Requests, Notifications, Interrupts float64
}

// Lines of the benchmark program that are not results.
const (
	LineMain      = "bench main" // the first
	LineIdleBegin = "bench idle begin"
	LineIdleEnd   = "bench idle end"
	LineDone      = "bench done" // the last
)

// FormatResult writes the line of a result.
func FormatResult(name string, value float64, c Cost) string {
	return fmt.Sprintf("bench row %s %g %g %g %g", name, value, c.Requests, c.Notifications, c.Interrupts)
}

// ParseResult reads the line of a result.
func ParseResult(line string) (name string, value float64, c Cost, ok bool) {
	rest, ok := strings.CutPrefix(line, "bench row ")
	f := strings.Fields(rest)
	if !ok || len(f) != 5 || Find(f[0]) == nil {
		return "", 0, c, false
	}
	for i, p := range []*float64{&value, &c.Requests, &c.Notifications, &c.Interrupts} {
		var err error
		if *p, err = strconv.ParseFloat(f[i+1], 64); err != nil {
			return "", 0, c, false
		}
	}
	return f[0], value, c, true
}

// FormatFailure writes the line of a row that could not be measured.
func FormatFailure(group string, err error) string {
	return fmt.Sprintf("bench failed %s %q", group, err)
}

// ParseFailure reads the line of a failure.
func ParseFailure(line string) (text string, ok bool) {
	return strings.CutPrefix(line, "bench failed ")
}
