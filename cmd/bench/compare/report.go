package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/page"
	"github.com/yolkos/yolk/cmd/bench/internal/rows"
	"github.com/yolkos/yolk/qemu"
)

// publish writes the report and its charts to a directory, or the tables to
// standard output.
func publish(r *results, docs string) error {
	if docs == "" {
		for _, m := range r.Machines {
			fmt.Printf("%s\n\n%s\n%s\n", m, table(r, m), costs(r, m))
		}
		fmt.Print(secondCPU(r))
		return nil
	}
	files, err := charts(r)
	if err != nil {
		return err
	}
	figures, err := os.ReadFile(filepath.Join(docs, "instructions.txt"))
	if err != nil {
		return err
	}
	text := page.ByInstructions(report(r, slices.Sorted(maps.Keys(files))), string(figures))
	old, err := os.ReadFile(filepath.Join(docs, "benchmarks.md"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, network := page.Split(string(old), page.Network); network != "" {
		text += "\n" + network
	}
	files["benchmarks.md"] = []byte(text)
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(docs, name), data, 0o644); err != nil {
			return err
		}
	}
	note("written: %s", filepath.Join(docs, "benchmarks.md"))
	return nil
}

// report is the page about a comparison.
func report(r *results, charts []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

One Go program, `+"`cmd/bench`"+`, does the same work on the host without a virtual machine, in a Linux guest whose
process 1 it is, and in Yolk. Both guests run in the same QEMU with one CPU and %d MiB, and the same virtiofsd
serves the same directory, for Linux with cache=auto and with cache=none, for Yolk with cache=auto. All
take turns; each value is the median of %d rounds, each of them a fresh boot.

%s.

What carries over to other machines: sizes, RAM, the tables of what an operation costs, and "by instructions", which is how many times as many
of them Linux executes in the operation of [the page of instructions](instructions.md) that comes nearest, where one does. What does not,
where QEMU emulates the processor (tcg): times, rates and "times Linux". An emulated processor takes long for what a guest's system call and its walk over page
tables need, which Yolk has not, and is as quick as ever at all else. Under KVM expect of a row that asks no server what its instructions say, and of one that does
the fewer requests, notifications and interrupts.

Cold means that the guest has not looked at the file before; the host has it in memory. "Times Linux" is against
the better of the two cache modes, more than 1 is better, bold reaches the goal. `+"`make bench`"+` makes this page.

The disk is a virtio one, a raw file of the host with QEMU's defaults, opened as /dev/vda, in a boot of its own; each byte is read or
written once. Under cache=auto Linux has its page cache before it, and under cache=none it is opened with O_DIRECT; Yolk has no
cache there.

![Ratios](benchmarks-ratio.svg)

`, guestMemory>>20, r.Rounds, r.About)
	for _, m := range r.Machines {
		fmt.Fprintf(&b, "## %s\n\n%s\n", m, table(r, m))
		for _, c := range charts {
			if strings.HasSuffix(c, "-"+m+".svg") {
				fmt.Fprintf(&b, "![%s](%s)\n\n", strings.TrimSuffix(c, ".svg"), c)
			}
		}
		fmt.Fprintf(&b, "### What an operation costs, %s\n\nRequests to the device, notifications to it and interrupts from it, "+
			"for each operation; for sequential rows\nfor each MiB. Linux tells its interrupts only.\n\n%s\n", m, costs(r, m))
	}
	if text := secondCPU(r); text != "" {
		fmt.Fprintf(&b, "## A second CPU\n\nThe same machines with one CPU and with two, Linux with cache=auto, and the host with GOMAXPROCS. The host has %d CPUs,\n"+
			"which the virtio-fs server shares with the guest; what the host gains is the most that a guest can. Each value is the\n"+
			"median of %d boots. In mixed work the server takes a third of the time that a guest's CPU does, and has to find it on\n"+
			"the same host. Computing gained 1.8 to 2.0 within most boots of either machine, and nothing in phases in which a loop of\n"+
			"additions on the host gains 1.05, for its two virtual CPUs share a core then; the host's own row, each of whose steps\n"+
			"waits for a multiplication, does not show that.\n\n%s\n", runtime.NumCPU(), len(r.Values[rows.Compute.Name][parallelName("host", "", 1)]), text)
	}
	if text := below(r); text != "" {
		fmt.Fprintf(&b, "## Below the goal\n\n%s\n", text)
	}
	if len(r.Failures) > 0 {
		fmt.Fprintf(&b, "## Failed\n\n- %s\n", strings.Join(r.Failures, "\n- "))
	}
	return b.String()
}

// table has a line for each row that was measured on a machine.
func table(r *results, machine string) string {
	var b strings.Builder
	b.WriteString("| | unit | host | Linux, cache=auto | Linux, cache=none | Yolk | times Linux | goal | " + page.Instructions + " |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for i := range rows.Table {
		row := &rows.Table[i]
		if r.Values[row.Name] == nil {
			continue
		}
		cells := []string{row.Title, row.Unit}
		for _, s := range []string{"host", "linux-auto-" + machine, "linux-none-" + machine, "yolk-" + machine} {
			cells = append(cells, number(r.value(row.Name, s)))
		}
		ratio := r.ratio(row, machine)
		mark := number(ratio)
		if ratio >= row.Goal {
			mark = "**" + mark + "**"
		}
		b.WriteString("| " + strings.Join(append(cells, mark, number(row.Goal), "–"), " | ") + " |\n")
	}
	return b.String()
}

// costs has a line for each row for which a guest counted.
func costs(r *results, machine string) string {
	var b strings.Builder
	b.WriteString("| | Yolk: requests | notifications | interrupts | Linux, cache=auto: interrupts | cache=none |\n|---|--:|--:|--:|--:|--:|\n")
	for i := range rows.Table {
		row := &rows.Table[i]
		y := r.cost(row.Name, "yolk-"+machine)
		if math.IsNaN(y.Requests) {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", row.Title, number(y.Requests), number(y.Notifications), number(y.Interrupts),
			number(r.cost(row.Name, "linux-auto-"+machine).Interrupts), number(r.cost(row.Name, "linux-none-"+machine).Interrupts))
	}
	return b.String()
}

// secondCPU has a line for each machine and row for which one CPU was compared
// with two.
func secondCPU(r *results) string {
	var b strings.Builder
	for _, m := range r.Machines {
		for _, row := range []*rows.Row{&rows.Compute, rows.Find("mixed")} {
			cells := []string{row.Title, m, row.Unit}
			for _, what := range []string{"host", "linux", "yolk"} {
				one := r.value(row.Name, parallelName(what, qemu.Machine(m), 1))
				two := r.value(row.Name, parallelName(what, qemu.Machine(m), 2))
				cells = append(cells, number(one), number(two), "**"+number(row.Ratio(two, one))+"**")
			}
			if strings.ContainsAny(strings.Join(cells[3:], ""), "0123456789") {
				b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
			}
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| | machine | unit | host, 1 CPU | 2 CPUs | gain | Linux, 1 CPU | 2 CPUs | gain | Yolk, 1 CPU | 2 CPUs | gain |\n" +
		"|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n" + b.String()
}

// below lists the rows that miss their goal, with the reason where known.
func below(r *results) string {
	var b strings.Builder
	for i := range rows.Table {
		row := &rows.Table[i]
		var missed []string
		for _, m := range r.Machines {
			if ratio := r.ratio(row, m); ratio < row.Goal {
				missed = append(missed, number(ratio)+" on "+m)
			}
		}
		if len(missed) == 0 {
			continue
		}
		fmt.Fprintf(&b, "- %s: %s", row.Title, strings.Join(missed, ", "))
		if why := reasons[row.Name]; why != "" {
			fmt.Fprintf(&b, ". %s", why)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// reasons says, by row, why it misses its goal, as profiles have shown.
var reasons = map[string]string{
	"write": "The guest waits: a profile (`yolk run --profile`) finds it at work for a tenth of the time. The rest is the " +
		"server's,\n  which writes one buffer after the other, and nearly half of all is fsync on the host, the same for every system",
	"disk-write": "Half of the time is the host's, for all systems: it takes the data and syncs the file",
	"disk-pwrite-1": "Linux keeps what is written in its page cache until the fsync, and writes neighbours together; in Yolk each write is\n  " +
		"a request, as under O_DIRECT, which is the column cache=none",
	"readdir-100000": "By profile more than half of it is the sorting in os.ReadDir, which every system does, and a twelfth is\n  the file system",
}

// about says what the machine is like.
func about(l *lab.Lab) string {
	return fmt.Sprintf("QEMU's acceleration was %s, and Linux %s of Debian's package %s", l.Accel, l.Linux.Version, lab.KernelPackage)
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v == 0:
		return "0"
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	return fmt.Sprintf("%.*f", digits, v)
}
