package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/cpus/internal/lines"
	"github.com/yolkos/yolk/cmd/bench/internal/page"
)

// result is a run's, results those of all runs, the first with one processor.
type (
	result struct {
		cpus int
		rows []lines.Row
	}
	results []result
)

// goal is how many times as much as with one processor an operation may take.
const goal = 1.2

// about is the beginning of the section.
const about = page.CPUs + `
Instructions for an operation on 1 to 16 CPUs, each of which does the same at the same time, on a tmpfs in a microvm:
all that all CPUs execute meanwhile, divided by the operations. QEMU counts them (` + "`-icount`" + `), and runs the CPUs by turns,
each for some microseconds of the guest's clock, a few operations at most, as an interval timer ends what QEMU executes in one go. In
parentheses is how many locks were waited for in 1,000 operations, the kernel's, the runtime's and the program's
([lock profile](RUNTIME.md#profiles-of-blocking-and-contention)). Bold is more than 1.2 times as much as with one CPU: then the function that
held the lock which was waited for most often is named, and its caller. What caches and buses make of a line that several CPUs
write is not in these counts.

Looking up, opening, reading and the runtime's primitives do not grow, nor does what changes a directory of its own. Creating and
removing in one directory does: the goroutines wait for its table of names (` + "`fs.Dentry`" + `'s and the file system's). A wait puts a
goroutine to sleep, and waking it costs as much as the operation.

    go run ./cmd/bench/cpus             # these tables on standard output

`

// write writes the section.
func (all results) write(w io.Writer) error {
	var b strings.Builder
	b.WriteString(about + "| operation |")
	for _, r := range all {
		fmt.Fprintf(&b, " %d |", r.cpus)
	}
	b.WriteString(" times | most waited for |\n|---|" + strings.Repeat("--:|", len(all)+1) + "---|\n")
	last := all[len(all)-1]
	for i, one := range all[0].rows {
		fmt.Fprintf(&b, "| %s |", one.Name)
		worst := 0.0
		for _, r := range all {
			if i >= len(r.rows) || r.rows[i].Name != one.Name {
				return fmt.Errorf("%d CPUs: there is no row %q", r.cpus, one.Name)
			}
			v := r.rows[i]
			worst = max(worst, v.Instructions/one.Instructions)
			fmt.Fprintf(&b, " %.0f", v.Instructions)
			if v.Contended > 0 {
				fmt.Fprintf(&b, " (%.3g)", v.Contended*1000)
			}
			b.WriteString(" |")
		}
		text, holder := fmt.Sprintf("%.2f", worst), ""
		if worst > goal {
			text, holder = "**"+text+"**", last.rows[i].Holder
		}
		if holder != "" {
			holder = "`" + holder + "`"
		}
		fmt.Fprintf(&b, " %s | %s |\n", text, holder)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writePage writes the section into the page, at its end.
func (all results) writePage(file string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	before, _ := page.Split(string(old), page.CPUs)
	var b strings.Builder
	if err := all.write(&b); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(strings.TrimRight(before, "\n")+"\n\n"+b.String()), 0o644)
}
