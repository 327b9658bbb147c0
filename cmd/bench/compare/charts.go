package main

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg/draw"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

// charts draws all charts, by file name.
func charts(r *results) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, c := range []struct {
		file, title, unit string
		wants             func(*rows.Row) bool
	}{
		{"time", "Time of an operation", "µs; less is better", func(row *rows.Row) bool { return row.Unit == rows.Micro }},
		{"throughput", "Sequential files", "MB/s; more is better", func(row *rows.Row) bool { return row.Unit == rows.MBps }},
	} {
		for _, m := range r.Machines {
			names, all := absolute(r, m, c.wants)
			if len(names) == 0 {
				continue
			}
			svg, err := chart(c.title+", "+m, c.unit, names, all)
			if err != nil {
				return nil, err
			}
			files[fmt.Sprintf("benchmarks-%s-%s.svg", c.file, m)] = svg
		}
	}
	names, all := ratios(r)
	svg, err := chart("How many times as good as the better Linux guest", "times; 1 is Linux", names, all)
	files["benchmarks-ratio.svg"] = svg
	return files, err
}

// absolute collects the values of a machine's systems for rows of one unit.
func absolute(r *results, machine string, wants func(*rows.Row) bool) (names []string, all []series) {
	systems := []string{"host", "linux-auto-" + machine, "linux-none-" + machine, "yolk-" + machine}
	all = []series{
		{name: "host", color: grey, shape: draw.PlusGlyph{}},
		{name: "Linux, cache=auto", color: orange, shape: draw.SquareGlyph{}},
		{name: "Linux, cache=none", color: red, shape: draw.TriangleGlyph{}},
		{name: "Yolk", color: blue, shape: draw.CircleGlyph{}},
	}
	for i := range rows.Table {
		row := &rows.Table[i]
		if !wants(row) || r.Values[row.Name] == nil {
			continue
		}
		names = append(names, row.Title)
		for k, s := range systems {
			all[k].values = append(all[k].values, r.value(row.Name, s))
		}
	}
	return names, all
}

// ratios collects Yolk's ratios on each machine, and the goals.
func ratios(r *results) (names []string, all []series) {
	all = []series{{name: "goal", color: grey, shape: draw.PlusGlyph{}}}
	colors := []color.Color{blue, sky}
	for i, m := range r.Machines {
		all = append(all, series{name: "Yolk on " + m, color: colors[i%len(colors)], shape: draw.CircleGlyph{}})
	}
	for i := range rows.Table {
		row := &rows.Table[i]
		if r.Values[row.Name] == nil {
			continue
		}
		names = append(names, row.Title)
		all[0].values = append(all[0].values, row.Goal)
		for k, m := range r.Machines {
			v := r.ratio(row, m)
			if math.IsInf(v, 0) {
				v = math.NaN()
			}
			all[k+1].values = append(all[k+1].values, v)
		}
	}
	return names, all
}
