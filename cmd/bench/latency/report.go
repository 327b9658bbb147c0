package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/yolkos/yolk/cmd/bench/latency/internal/lines"
)

// Goals: how many times its median a read may take at its 99th percentile, and by how much a timer may be
// late there: two slices of the scheduler, which are 10 ms each.
const (
	goal     = 3
	lateGoal = 20 * time.Millisecond
)

// write writes the page.
func (r *results) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `# Latency

How long a small read takes, and how late a timer is, beside nothing else, beside two goroutines that write files, 1 MiB at a
time, and beside two computing goroutines for each CPU: the median, and in parentheses the 99th percentile and the worst,
of %d times in each of %d rounds, of whose figures the median stands here. Before each read is a pause of 1 ms, by the timer
that is measured. The same program runs in Yolk and, as process 1, in a Linux guest, on the same QEMU with virtiofsd, cache=auto.
The times depend on the host and on what else it does; what is compared are those of a row. %s.

Bold are 99th percentiles of Yolk's above the goal: %d times the median for a read, 20 ms for a timer, which is two slices of
the scheduler. Where goroutines compute on every CPU, a timer is noticed at the scheduler's next tick, every 10 ms, and who waited for
it runs next; the server's answer is an interrupt, which ends the slice of who computes. A cached read asks the server once in a second whether the file has changed: so its 99th percentile is that of a read from the server
where reads are seldom.

`+"`make latency`"+` makes this page.

    go run ./cmd/bench/latency          # this page on standard output, in ten minutes
`, r.n, r.rounds, r.about, goal)
	for i, k := range r.rows {
		if i == 0 || r.rows[i-1].machine != k.machine || r.rows[i-1].cpus != k.cpus {
			fmt.Fprintf(&b, "\n## %s, CPUs: %d\n\n| beside | | Linux | Yolk | p99 to median, Linux | Yolk |\n|---|---|--:|--:|--:|--:|\n", k.machine, k.cpus)
		}
		kl := k
		kl.linux = true
		linux, yolk := median(r.values[kl]), median(r.values[k])
		missed := yolk.P99 > goal*yolk.Median
		if strings.HasPrefix(k.what, "timer") {
			missed = yolk.P99 > lateGoal
		}
		p99 := round(yolk.P99)
		if missed {
			p99 = "**" + p99 + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s (%s, %s) | %s (%s, %s) | %s | %s |\n", k.load, k.what, round(linux.Median), round(linux.P99), round(linux.Worst),
			round(yolk.Median), p99, round(yolk.Worst), ratio(linux), ratio(yolk))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// median takes the median of each figure. Of none it is 0.
func median(all []lines.Spread) lines.Spread {
	of := func(get func(lines.Spread) time.Duration) time.Duration {
		if len(all) == 0 {
			return 0
		}
		list := slices.Clone(all)
		slices.SortFunc(list, func(a, b lines.Spread) int { return cmp.Compare(get(a), get(b)) })
		return get(list[len(list)/2])
	}
	return lines.Spread{
		Median: of(func(s lines.Spread) time.Duration { return s.Median }),
		P99:    of(func(s lines.Spread) time.Duration { return s.P99 }),
		Worst:  of(func(s lines.Spread) time.Duration { return s.Worst }),
	}
}

// round is a time in three digits or so.
func round(d time.Duration) string {
	unit := time.Nanosecond
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit).String()
}

func ratio(s lines.Spread) string {
	if s.Median <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(s.P99)/float64(s.Median))
}
