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
)

// figuresFile holds the recorded figures: what a change is judged by.
const figuresFile = "docs/instructions.txt"

// figures are instructions for each operation, by the names of the rows.
type figures struct {
	yolk, linux map[string]float64
	about       string // version of Linux
}

// grown is by how much a row may be above its recorded figure.
const grown = 1.02

// readFigures reads what write has written: a line for each row, with Yolk's
// figure, Linux's or "-", and the name.
func readFigures(file string) (figures, error) {
	f := figures{yolk: map[string]float64{}, linux: map[string]float64{}}
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
		word := strings.SplitN(lines.Text(), " ", 3)
		if len(word) != 3 {
			return f, fmt.Errorf("%s:%d: %q is no row", file, n, lines.Text())
		}
		for i, to := range []map[string]float64{f.yolk, f.linux} {
			if word[i] == "-" {
				continue
			}
			v, err := strconv.ParseFloat(word[i], 64)
			if err != nil {
				return f, fmt.Errorf("%s:%d: %w", file, n, err)
			}
			to[word[2]] = v
		}
	}
	return f, lines.Err()
}

func (f figures) write(file string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "# Linux %s\n", f.about)
	for _, name := range f.names() {
		fmt.Fprintf(&text, "%s %s %s\n", figure(f.yolk, name), figure(f.linux, name), name)
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}

func figure(of map[string]float64, name string) string {
	if v, ok := of[name]; ok {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return "-"
}

// names are the rows of either, sorted.
func (f figures) names() []string {
	var names []string
	for _, of := range []map[string]float64{f.yolk, f.linux} {
		for name := range of {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// compare returns an error that tells of each row that has grown, or is gone.
func compare(old, now figures) error {
	var errs []error
	for _, name := range old.names() {
		was, ok := old.yolk[name]
		if !ok || strings.HasPrefix(name, ops.Virtiofs) { // the server's answers come when they come
			continue
		}
		if is, ok := now.yolk[name]; !ok {
			errs = append(errs, fmt.Errorf("%s: is not counted any more", name))
		} else if is > was*grown+1 {
			errs = append(errs, fmt.Errorf("%s: %.0f instructions, recorded are %.0f: find out why, or record it with make count", name, is, was))
		}
	}
	return errors.Join(errs...)
}

// waits tells of a row whose operation goes to the server of virtio-fs and waits:
// for how long, and with what in between, is not the guest's, and differs.
func waits(name string) bool {
	of, ok := strings.CutPrefix(name, ops.Virtiofs+" ")
	return ok && slices.Contains([]string{"open+close", "getdents 101", "stat missing", "os.ReadDir 101", "os.ReadFile 4096", "os.Stat missing"}, of)
}

// report writes the rows for a reader.
func (f figures) report(w io.Writer) error {
	for _, name := range f.names() {
		ratio := ""
		if y, l := f.yolk[name], f.linux[name]; y > 0 && l > 0 {
			ratio = fmt.Sprintf("%.2f", y/l)
		}
		if _, err := fmt.Fprintf(w, "%-32s %10s %10s %6s\n", name, figure(f.yolk, name), figure(f.linux, name), ratio); err != nil {
			return err
		}
	}
	return nil
}
