package main

import (
	"strings"
	"testing"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/latency/internal/lines"
	"github.com/yolkos/yolk/qemu"
)

// TestPage: figures are the medians of the rounds, in a table for each machine, and those above their goals stand out.
func TestPage(t *testing.T) {
	r := &results{about: "made up", n: 7, rounds: 3, values: map[key][]lines.Spread{}}
	us := func(median, p99, worst time.Duration) lines.Spread {
		return lines.Spread{Median: median * time.Microsecond, P99: p99 * time.Microsecond, Worst: worst * time.Microsecond}
	}
	for _, m := range []qemu.Machine{qemu.MicroVM, qemu.Q35} {
		for i := range time.Duration(3) {
			for _, s := range []*lab.System{{Machine: m, CPUs: 1, Cache: qemu.CacheAuto}, {Machine: m, CPUs: 1}} {
				n := i + 1
				if s.IsLinux() {
					n *= 10
				}
				r.add(s, lines.Row{Load: "x", What: "read a", Spread: us(n, 3*n, 7777*n)})
				r.add(s, lines.Row{Load: "x", What: "read b", Spread: us(n, 4*n, 5*n)})
				r.add(s, lines.Row{Load: "x", What: "timer a", Spread: us(n, 10000*n, 20000*n)})
				r.add(s, lines.Row{Load: "x", What: "timer b", Spread: us(n, 10001*n, 20000*n)})
			}
		}
	}
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n## microvm, CPUs: 1\n", "\n## q35, CPUs: 1\n", "of 7 times in each of 3 rounds", "made up",
		"| x | read a | 20µs (60µs, 156ms) | 2µs (6µs, 15.6ms) | 3.0 | 3.0 |\n",
		"| x | read b | 20µs (80µs, 100µs) | 2µs (**8µs**, 10µs) | 4.0 | 4.0 |\n",
		"| x | timer a | 20µs (200ms, 400ms) | 2µs (20ms, 40ms) |",
		"| x | timer b | 20µs (200ms, 400ms) | 2µs (**20ms**, 40ms) |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if got := ratio(median(nil)); got != "" {
		t.Errorf("the ratio of nothing is %q", got)
	}
}
