package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 100}, 3},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("%v: got %g, want %g", tt.values, got, tt.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("a median of nothing")
	}
}

// sample has a row where more is better and one where less is.
func sample() *results {
	r := newResults()
	r.Rounds, r.Machines, r.About = 2, []string{"microvm"}, "In a test"
	for system, v := range map[string]float64{"host": 1000, "linux-auto-microvm": 100, "linux-none-microvm": 300, "yolk-microvm": 450} {
		r.add("read-1m", system, v, rows.Cost{Requests: 1, Notifications: 0.5, Interrupts: 0.25})
	}
	for system, v := range map[string]float64{"host": 1, "linux-auto-microvm": 30, "linux-none-microvm": 90, "yolk-microvm": 20} {
		r.add("stat-1", system, v, noCost)
	}
	return r
}

func TestRatioToBetterLinux(t *testing.T) {
	r := sample()
	for name, want := range map[string]float64{"read-1m": 1.5, "stat-1": 1.5} {
		if got := r.ratio(rows.Find(name), "microvm"); got != want {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	if !math.IsNaN(r.ratio(rows.Find("walk"), "microvm")) {
		t.Error("a ratio of nothing")
	}
	delete(r.Values["stat-1"], "linux-auto-microvm")
	if got := r.ratio(rows.Find("stat-1"), "microvm"); got != 4.5 {
		t.Errorf("without one mode: got %g, want 4.5", got)
	}
}

func TestReport(t *testing.T) {
	r := sample()
	r.add("compute", "yolk-microvm-cpus1", 900, noCost)
	r.add("compute", "yolk-microvm-cpus2", 500, noCost)
	text := report(r, []string{"benchmarks-time-microvm.svg"})
	for _, want := range []string{
		"| 4 goroutines that compute, per million steps | microvm | µs | – | – | **–** | – | – | **–** | 900 | 500 | **1.80** |",
		"| sequential read, 1 MiB buffer, cold | MB/s | 1000 | 100 | 300 | 450 | **1.50** | 1.00 |",
		"| stat at depth 1, cold | µs | 1.00 | 30.0 | 90.0 | 20.0 | 1.50 | 2.00 |",
		"| sequential read, 1 MiB buffer, cold | 1.00 | 0.500 | 0.250 | 0.250 | 0.250 |",
		"- stat at depth 1, cold: 1.50 on microvm",
		"(benchmarks-time-microvm.svg)",
		"median of 2 rounds",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestCharts(t *testing.T) {
	files, err := charts(sample())
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for name, data := range files {
		d := xml.NewDecoder(strings.NewReader(string(data)))
		for err = nil; err == nil; {
			_, err = d.Token()
		}
		if err != io.EOF || !strings.Contains(string(data), "Yolk") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.01234: "0.0123", 1.5: "1.50", 12.34: "12.3", 999.6: "1000", 12345: "12345", math.Inf(1): "–"} {
		if got := number(v); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
}

func TestSearch(t *testing.T) {
	for _, least := range []int{2, 20, 74, 512} {
		got, err := search(256, 2, func(v int) (bool, error) { return v >= least, nil })
		if err != nil || got != least {
			t.Errorf("got %d, want %d (%v)", got, least, err)
		}
	}
	stop := errors.New("stop")
	if _, err := search(256, 2, func(int) (bool, error) { return false, stop }); err != stop {
		t.Errorf("got %v", err)
	}
}
