package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

// Instructions is the heading of the last column of docs/benchmarks.md's tables of files: how
// many times as many instructions Linux executes. What cmd/bench/count has recorded is there.
const Instructions = "by instructions"

// ByInstructions fills that column in a page by the figures of docs/instructions.txt, whose
// lines begin with what Yolk and Linux execute, and end, behind two words, with the name.
func ByInstructions(page, figures string) string {
	cells := map[string]string{}
	ratios := ratios(figures)
	for i := range rows.Table {
		if r := &rows.Table[i]; ratios[r.Counted] > 0 {
			cells[r.Title] = fmt.Sprintf("%.2f", ratios[r.Counted])
		}
	}
	lines := strings.Split(page, "\n")
	within := false
	for i, line := range lines {
		heading := strings.HasSuffix(line, "| "+Instructions+" |")
		within = heading || within && strings.HasPrefix(line, "|")
		if end := strings.LastIndex(strings.TrimSuffix(line, " |"), " | "); within && !heading && !strings.HasPrefix(line, "|--") && end > 0 {
			title, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
			cell, ok := cells[title]
			if !ok {
				cell = "–"
			}
			lines[i] = line[:end] + " | " + cell + " |"
		}
	}
	return strings.Join(lines, "\n")
}

// ratios are how many times as many instructions as Yolk Linux executes, of the operations of
// which both are counted.
func ratios(figures string) map[string]float64 {
	all := map[string]float64{}
	for line := range strings.Lines(figures) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 5)
		if len(f) != 5 {
			continue
		}
		yolk, err := strconv.ParseFloat(f[0], 64)
		linux, err2 := strconv.ParseFloat(f[1], 64)
		if err == nil && err2 == nil && yolk > 0 {
			all[f[4]] = linux / yolk
		}
	}
	return all
}
