package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/ops"
	"github.com/yolkos/yolk/cmd/bench/internal/page"
)

// figuresFile holds the recorded figures: what a change is judged by.
const figuresFile = "docs/instructions.txt"

// benchmarksFile has times, and beside them what carries over of these figures.
const benchmarksFile = "docs/benchmarks.md"

// updateBenchmarks brings that up to date.
func updateBenchmarks() error {
	old, err := os.ReadFile(benchmarksFile)
	if err != nil {
		return err
	}
	figures, err := os.ReadFile(figuresFile)
	if err != nil {
		return err
	}
	return os.WriteFile(benchmarksFile, []byte(page.ByInstructions(string(old), string(figures))), 0o644)
}

// cost is what an operation costs.
type cost struct {
	instructions float64
	exits        *exits // nil: they are not counted
}

// costs are those of the rows, by their names.
type costs map[string]cost

// add takes what a run has counted: the least of it and of what was counted before.
func (c costs) add(rows []counted) {
	for _, r := range rows {
		now := cost{instructions: r.Instructions}
		if r.batch != nil {
			e := r.exits.over(r.Batch)
			now.exits = &e
		}
		if was, ok := c[r.Name]; ok {
			now.instructions = min(now.instructions, was.instructions)
			if now.exits == nil || was.exits != nil && was.exits.sum() < now.exits.sum() {
				now.exits = was.exits
			}
		}
		c[r.Name] = now
	}
}

// figures are what the operations cost in both systems.
type figures struct {
	yolk, linux costs
	about       string // version of Linux
}

const (
	// grown is by how much a row may be above its recorded figure.
	grown = 1.02
	// more is how many exits an operation may take above those recorded.
	more = 0.05
)

// readFigures reads what write has written: a line for each row, with Yolk's
// instructions, Linux's or "-", the exits of both, and the name.
func readFigures(file string) (figures, error) {
	f := figures{yolk: costs{}, linux: costs{}}
	data, err := os.ReadFile(file)
	if err != nil {
		return f, err
	}
	lines := bufio.NewScanner(strings.NewReader(string(data)))
	for n := 1; lines.Scan(); n++ {
		if about, ok := strings.CutPrefix(lines.Text(), "# Linux "); ok {
			f.about = about
			continue
		}
		word := strings.SplitN(lines.Text(), " ", 5)
		if len(word) != 5 {
			return f, fmt.Errorf("%s:%d: %q is no row", file, n, lines.Text())
		}
		for i, to := range []costs{f.yolk, f.linux} {
			if word[i] == "-" {
				continue
			}
			var c cost
			if c.instructions, err = strconv.ParseFloat(word[i], 64); err != nil {
				return f, fmt.Errorf("%s:%d: %w", file, n, err)
			}
			if word[2+i] != "-" {
				e, err := parseExits(word[2+i])
				if err != nil {
					return f, fmt.Errorf("%s:%d: %w", file, n, err)
				}
				c.exits = &e
			}
			to[word[4]] = c
		}
	}
	return f, lines.Err()
}

func (f figures) write(file string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "# Linux %s\n", f.about)
	for _, name := range f.names() {
		fmt.Fprintf(&text, "%s %s %s %s %s\n", f.yolk.figure(name), f.linux.figure(name), f.yolk.exits(name), f.linux.exits(name), name)
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}

func (c costs) figure(name string) string {
	if v, ok := c[name]; ok {
		return strconv.FormatFloat(v.instructions, 'f', 0, 64)
	}
	return "-"
}

func (c costs) exits(name string) string {
	if e := c[name].exits; e != nil {
		return e.String()
	}
	return "-"
}

// names are the rows of either, sorted.
func (f figures) names() []string {
	var names []string
	for _, of := range []costs{f.yolk, f.linux} {
		for name := range of {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// ratio is Yolk's figure to Linux's; 0: one of them is missing.
func (f figures) ratio(name string) float64 {
	y, l := f.yolk[name].instructions, f.linux[name].instructions
	if y <= 0 || l <= 0 {
		return 0
	}
	return y / l
}

// held tells of a row that may not grow. With a server it is not the guest alone that
// decides, nor is the firmware the guest's.
func held(name string) bool {
	return !strings.HasPrefix(name, ops.Virtiofs+" ") && name != ops.Firmware
}

// instructions are a row's, those of the whole boot without the firmware's.
func (f figures) instructions(name string) float64 {
	n := f.yolk[name].instructions
	if name == ops.Boot {
		n -= f.yolk[ops.Firmware].instructions
	}
	return n
}

// compare returns an error that tells of each row that has grown, or is gone.
func compare(old, now figures) error {
	var errs []error
	for _, name := range old.names() {
		was, ok := old.yolk[name]
		if !ok || !held(name) {
			continue
		}
		is, ok := now.yolk[name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s: is not counted any more", name))
		case now.instructions(name) > old.instructions(name)*grown+1:
			errs = append(errs, fmt.Errorf("%s: %.0f instructions, recorded are %.0f: find out why, or record it with make count", name, now.instructions(name), old.instructions(name)))
		}
		if ok && is.exits != nil && was.exits != nil && is.exits.sum() > was.exits.sum()*grown+more {
			errs = append(errs, fmt.Errorf("%s: exits of the guest %s, recorded are %s: find out why, or record it with make count", name, is.exits, was.exits))
		}
	}
	return errors.Join(errs...)
}

// report writes the rows for a reader.
func (f figures) report(w io.Writer) error {
	for _, name := range f.names() {
		ratio := ""
		if r := f.ratio(name); r > 0 {
			ratio = fmt.Sprintf("%.2f", r)
		}
		if _, err := fmt.Fprintf(w, "%-36s %10s %10s %6s  %s / %s\n", name, f.yolk.figure(name), f.linux.figure(name), ratio, f.yolk.exits(name), f.linux.exits(name)); err != nil {
			return err
		}
	}
	return nil
}
