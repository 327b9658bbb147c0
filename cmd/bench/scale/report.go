package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
	"github.com/yolkos/yolk/qemu"
)

type key struct {
	machine qemu.Machine
	table   string
	size    int64
	column  string
}

// results are the values that the guests have told.
type results struct {
	accel    string
	machines []qemu.Machine
	plan     *plan.Plan
	values   map[key]float64
}

// column is one of a table. Its value is divided by unit.
type column struct {
	name, title string
	unit        float64
}

// table says how one is shown.
type table struct {
	name, title, rows string
	about             string
	columns           []column
}

var tables = []table{
	{
		plan.Open, "Open files", "open files",
		`512 MiB of RAM. The time for each further file up to the number of the row, for a read of 4 KiB of any of them,
and for closing those of the row in any order. The host limits the descriptors of virtiofsd, of which a file takes
one and each open of it another: the files lie in several shares, and where the limit asks for it each is opened
several times.`,
		[]column{
			{"different", "different files", 1}, {"open", "open, µs", 1}, {"pread", "pread, µs", 1}, {"close", "close, µs", 1},
			{"bytes", "bytes for each", 1},
		},
	},
	{
		plan.Files, "Files", "files looked at",
		`4 GiB of RAM: the names all fit. The files do if the host lets virtiofsd have a descriptor for each; else the
guest has it forget those that it did not use for the longest time. Stat by several goroutines, for each further file
up to the number of the row, and again, by one, for names that are known.`,
		statColumns,
	},
	{
		plan.Names, "Names", "names looked at",
		`The same for names of which each file has 100, so that the server's descriptors do not matter.`,
		statColumns,
	},
	{
		plan.Evict, "Names, in a machine with little RAM", "names looked at",
		`The same names with 256 MiB of RAM: no more than the bound are held, and virtiofsd is told to forget the files
whose names have all gone.`,
		statColumns,
	},
	{
		plan.Walk, "Directories", "entries",
		`256 MiB of RAM. os.File.ReadDir with 500 entries at a time. The heap counts all that is not collected yet, in
the most that it reached while reading, and what is left when the directory is closed.`,
		[]column{{"entry", "entry, µs", 1}, {"peak", "heap at most, MB more", 1e6}, {"left", "left, MB more", 1e6}},
	},
	{
		plan.Sparse, "A file of 100 GiB", "offset, MiB",
		`512 MiB of RAM. 100 pages of 4 KiB, one every 64 KiB from the offset on, the rest of the file is a hole. Seek is
two calls: to the hole behind a page and to the data behind that. Truncate cuts the file from its end down to the offset.`,
		[]column{
			{"pwrite", "pwrite, µs", 1}, {"pread", "pread, µs", 1}, {"hole", "pread of a hole, µs", 1}, {"seek", "seek, µs", 1},
			{"truncate", "truncate, µs", 1},
		},
	},
}

var statColumns = []column{
	{"first", "first stat, µs", 1}, {"again", "known, µs", 1}, {"held", "names held", 1}, {"limit", "bound", 1},
	{"nodes", "files at the server", 1}, {"forgot", "files forgotten", 1}, {"messages", "FORGET messages", 1},
	{"heap", "heap, MB more", 1e6},
}

const head = `# Scale

What an operation costs where there is much of something: it should be the same in all rows of a table. Times are
the median of the parts, about 20, into which the operations of a row are divided. Behind them, in parentheses, is the
CPU time of the host that an operation takes, QEMU's and virtiofsd's together, which depends less on what else the
host does.
Acceleration: %s. One CPU, virtiofsd with cache=auto. ` + "`make scale`" + ` makes this page.

The memory that names take is bounded by one name for each 4 KiB of RAM, with some 640 bytes for a name and its
file, which is a sixth of the RAM at most. [FILESYSTEM.md](FILESYSTEM.md) says what goes when there is more.
`

// write writes the page.
func (r *results) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, head, r.accel)
	files := key{r.machines[0], plan.Files, int64(r.plan.Largest(plan.Files)), "server"}
	if limit := r.values[files]; limit > 0 {
		fmt.Fprintf(&b, "\nThe host lets each virtiofsd have %s descriptors for the guest.\n", grouped(int64(limit)))
	}
	for _, t := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", t.title, t.about)
		for _, m := range r.machines {
			r.writeTable(&b, &t, m)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *results) writeTable(b *strings.Builder, t *table, m qemu.Machine) {
	fmt.Fprintf(b, "\n| %s, %s |", m, t.rows)
	for _, c := range t.columns {
		fmt.Fprintf(b, " %s |", c.title)
	}
	b.WriteString("\n|" + strings.Repeat("--:|", len(t.columns)+1) + "\n")
	for _, size := range r.plan.Sizes[t.name] {
		shown := int64(size)
		if t.name == plan.Sparse {
			shown >>= 20
		}
		fmt.Fprintf(b, "| %s |", grouped(shown))
		for _, c := range t.columns {
			text := "–"
			if v, ok := r.values[key{m, t.name, int64(size), c.name}]; ok {
				text = number(v / c.unit)
			}
			if v, ok := r.values[key{m, t.name, int64(size), plan.CPU(c.name)}]; ok {
				text += " (" + number(v) + ")"
			}
			fmt.Fprintf(b, " %s |", text)
		}
		b.WriteString("\n")
	}
}

// number writes v with three digits, or all that are before its point.
func number(v float64) string {
	switch {
	case v >= 1000 || v == float64(int64(v)):
		return grouped(int64(v + 0.5))
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// grouped writes n with a comma before every three digits.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
