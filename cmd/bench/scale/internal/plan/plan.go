// Package plan says what the measurements at scale consist of: where the files
// are, how many, and in which lines the results come.
package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The tables.
const (
	Open   = "open"   // more and more open files
	Names  = "names"  // names in a machine with room for them
	Evict  = "evict"  // the same where there is no room
	Files  = "files"  // files with one name each
	Walk   = "walk"   // directories
	Sparse = "sparse" // offsets in a file
)

// Plan has the sizes of the rows of each table. Those of Sparse are offsets in
// bytes.
type Plan struct {
	Sizes map[string][]int
}

// New returns the plan with all numbers, but not the offsets, divided by part.
func New(part int) *Plan {
	p := &Plan{Sizes: map[string][]int{
		Open:   {1_000, 10_000, 100_000},
		Names:  {10_000, 100_000, 1_000_000},
		Evict:  {10_000, 100_000, 1_000_000},
		Files:  {1_000, 10_000, 100_000},
		Walk:   {1_000, 100_000, 1_000_000},
		Sparse: {1 << 20, 1 << 30, 100 << 30},
	}}
	for table, sizes := range p.Sizes {
		for i := range sizes {
			if table != Sparse {
				sizes[i] /= part
			}
		}
	}
	return p
}

// Largest is the size of the last row of a table.
func (p *Plan) Largest(table string) int { return p.Sizes[table][len(p.Sizes[table])-1] }

const (
	// Shares is how many directories the files lie in, each of which is a share
	// of its own as well: the host limits the descriptors of a server.
	Shares = 6
	// Links is how many names each file in the directories has.
	Links = 100
	// FileSize is the size of all files, in bytes; they are holes.
	FileSize = 4096
	// SparseFile is where the large file is made.
	SparseFile = "/sparse"
	// Done is the last line of a run that went well.
	Done = "scale done"
)

// Tag and OpenDir are the name of a share and where it is mounted; FilesDir is
// where its files are in the root's share.
func Tag(share int) string      { return fmt.Sprint("open", share) }
func OpenDir(share int) string  { return "/" + Tag(share) + "/" }
func FilesDir(share int) string { return fmt.Sprintf("/files%d/", share) }

// File is the name of the ith file in the directory of a share.
func File(i int) string { return fmt.Sprintf("file%06d", i) }

// WalkDir is a directory with so many entries.
func WalkDir(entries int) string { return fmt.Sprint("/walk", entries) }

// Entry is the ith name in a WalkDir.
func Entry(i int) string { return fmt.Sprintf("name%07d", i) }

const prefix = "scale: "

// Begin and End are the lines around the operations of a column, with pauses
// in which the host's clocks of CPU time are read.
const Begin = prefix + "begin"

// Pause is how long they are.
const Pause = 100 * time.Millisecond

// CPU is the column with the CPU time that the host takes for an operation.
func CPU(column string) string { return column + "-cpu" }

// End is the line behind ops operations.
func End(table string, size int64, column string, ops int) string {
	return Format(table, size, "end-"+column, float64(ops))
}

// ParseEnd reads a line that End has made.
func ParseEnd(line string) (table string, size int64, column string, ops float64, ok bool) {
	table, size, column, ops, ok = Parse(line)
	column, end := strings.CutPrefix(column, "end-")
	return table, size, column, ops, ok && end
}

// Format makes the line that tells a value.
func Format(table string, size int64, column string, value float64) string {
	return fmt.Sprintf("%s%s %d %s %.6g", prefix, table, size, column, value)
}

// Parse reads a line that Format has made.
func Parse(line string) (table string, size int64, column string, value float64, ok bool) {
	f := strings.Fields(strings.TrimPrefix(line, prefix))
	if !strings.HasPrefix(line, prefix) || len(f) != 4 {
		return "", 0, "", 0, false
	}
	size, err := strconv.ParseInt(f[1], 10, 64)
	value, err2 := strconv.ParseFloat(f[3], 64)
	return f[0], size, f[2], value, err == nil && err2 == nil
}
