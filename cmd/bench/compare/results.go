package main

import (
	"math"
	"slices"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

// results are all values of a comparison, by row and system.
type results struct {
	About    string // where and how they were taken
	Rounds   int
	Machines []string
	Values   map[string]map[string][]float64
	Costs    map[string]map[string][]rows.Cost
	Failures []string
}

func newResults() *results {
	return &results{Values: map[string]map[string][]float64{}, Costs: map[string]map[string][]rows.Cost{}}
}

func (r *results) add(row, system string, v float64, c rows.Cost) {
	if r.Values[row] == nil {
		r.Values[row], r.Costs[row] = map[string][]float64{}, map[string][]rows.Cost{}
	}
	r.Values[row][system] = append(r.Values[row][system], v)
	r.Costs[row][system] = append(r.Costs[row][system], c)
}

// value is the median for a row and system; NaN without any.
func (r *results) value(row, system string) float64 { return median(r.Values[row][system]) }

// cost is the median of each count.
func (r *results) cost(row, system string) rows.Cost {
	pick := func(field func(rows.Cost) float64) float64 {
		var list []float64
		for _, c := range r.Costs[row][system] {
			list = append(list, field(c))
		}
		return median(list)
	}
	return rows.Cost{
		Requests:      pick(func(c rows.Cost) float64 { return c.Requests }),
		Notifications: pick(func(c rows.Cost) float64 { return c.Notifications }),
		Interrupts:    pick(func(c rows.Cost) float64 { return c.Interrupts }),
	}
}

// median is the middle of the values, or the mean of the two in the middle;
// NaN without any.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// better is the better of Linux's two cache modes on a machine.
func (r *results) better(row *rows.Row, machine string) float64 {
	auto, none := r.value(row.Name, "linux-auto-"+machine), r.value(row.Name, "linux-none-"+machine)
	if math.IsNaN(auto) || row.Ratio(none, auto) > 1 {
		return none
	}
	return auto
}

// ratio says how many times as good as the better Linux Yolk is.
func (r *results) ratio(row *rows.Row, machine string) float64 {
	return row.Ratio(r.value(row.Name, "yolk-"+machine), r.better(row, machine))
}
