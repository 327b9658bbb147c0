// Package tracetest checks traces for Chrome, for tests.
package tracetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Span is an X of a trace for Chrome, in nanoseconds.
type Span struct {
	Name     string
	From, To int64
}

// Spans checks a trace for Chrome as a whole and returns its spans by thread: on each of them they lie in each
// other or apart, and every b has its e.
func Spans(t testing.TB, text string) map[string][]Span {
	var all struct {
		TraceEvents []struct {
			Name, Ph, ID string
			TS, Dur      json.Number
			PID          int
			TID          uint64 // a goroutine, whatever number a guest gives it
		}
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	ns := func(n json.Number) int64 {
		us, frac, _ := strings.Cut(n.String(), ".")
		ns, err := strconv.ParseInt(us+frac, 10, 64)
		if err != nil || len(frac) != 3 {
			t.Fatalf("%q is no time in µs", n)
		}
		return ns
	}
	threads := map[string][]Span{}
	async := map[string]int{}
	for _, e := range all.TraceEvents {
		k := fmt.Sprint(e.PID, " ", e.TID)
		switch e.Ph {
		case "X":
			threads[k] = append(threads[k], Span{e.Name, ns(e.TS), ns(e.TS) + ns(e.Dur)})
		case "b":
			async[e.Name+e.ID]++
		case "e":
			async[e.Name+e.ID]--
		case "i", "M":
		default:
			t.Errorf("phase %q", e.Ph)
		}
	}
	for k, n := range async {
		if n != 0 {
			t.Errorf("%s: %d more b than e", k, n)
		}
	}
	for k, list := range threads {
		slices.SortStableFunc(list, func(a, b Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(b.To, a.To)) })
		var open []Span
		for _, s := range list {
			for len(open) > 0 && open[len(open)-1].To <= s.From {
				open = open[:len(open)-1]
			}
			if n := len(open); n > 0 && s.To > open[n-1].To {
				t.Errorf("thread %s: %+v overlaps %+v", k, s, open[n-1])
			}
			open = append(open, s)
		}
	}
	return threads
}

// Paths returns for each span called name the names of those that hold it, outermost first, and its own.
func Paths(list []Span, name string) (paths []string) {
	for i, at := range list {
		if at.Name != name {
			continue
		}
		text := ""
		for _, s := range list[:i+1] {
			if s.From <= at.From && s.To >= at.To {
				text += s.Name + ";"
			}
		}
		paths = append(paths, text)
	}
	return paths
}
