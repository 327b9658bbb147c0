package main

import (
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

// publish writes the report.
func publish(r *results, docs string) error {
	if docs == "" {
		for _, m := range r.Machines {
			fmt.Println(table(r, m))
		}
		return nil
	}
	return nil
}

func about(l *lab) string {
	return fmt.Sprintf("QEMU with %s; Linux %s", l.accel, l.linux.version)
}

// table is the Markdown table of a machine.
func table(r *results, machine string) string {
	var b strings.Builder
	b.WriteString("| | unit | host | Linux, cache=auto | Linux, cache=none | Yolk | times Linux | goal |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
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
		cells = append(cells, mark, number(row.Goal))
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return b.String()
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v == 0:
		return "0"
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	return fmt.Sprintf("%.*f", digits, v)
}

var _ = os.Stderr
