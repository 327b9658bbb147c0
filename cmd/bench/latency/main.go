// Command latency measures how long small reads take, and how late timers are, in a Linux
// guest and in Yolk, beside nothing, writers and computing goroutines. It is run from the top
// directory of the module.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/latency/internal/lines"
	"github.com/yolkos/yolk/qemu"
)

type options struct {
	yolk, page string
	n, rounds  int
	verbose    bool
}

const (
	guestMemory = 512 << 20 // bytes
	guestTime   = 10 * time.Minute
	program     = "latency"
)

// counts are the numbers of processors of the guests.
var counts = []int{1, 2}

func main() {
	var o options
	flag.StringVar(&o.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&o.page, "page", "", "the page to write, docs/latency.md; standard output without it")
	flag.IntVar(&o.n, "n", 500, "times that each thing is done in a round")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds, of whose figures the median is taken")
	flag.BoolVar(&o.verbose, "v", false, "show the commands that are run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	if o.n < 1 || o.rounds < 1 {
		return fmt.Errorf("-n %d, -rounds %d: want at least 1", o.n, o.rounds)
	}
	l, err := lab.New(program, o.verbose)
	if err != nil {
		return err
	}
	defer l.Close()
	machines := []qemu.Machine{qemu.MicroVM, qemu.Q35}
	if l.Accel, _, err = qemu.ChooseAccel(ctx, qemu.Auto, machines[0], l.Trace); err != nil {
		return err
	}
	if err := l.FetchLinux(ctx); err != nil {
		return err
	}
	if err := l.Build(ctx, o.yolk, program, "./cmd/bench/latency/work"); err != nil {
		return err
	}
	r := &results{about: fmt.Sprintf("QEMU's acceleration was %s, and Linux %s", l.Accel, l.Linux.Version), n: o.n, rounds: o.rounds, values: map[key][]lines.Spread{}}
	for round := range o.rounds {
		for _, m := range machines {
			for _, n := range counts {
				for _, s := range []*lab.System{{Machine: m, CPUs: n, Cache: qemu.CacheAuto}, {Machine: m, CPUs: n}} {
					fmt.Fprintf(os.Stderr, "latency: round %d, %s on %s, CPUs: %d\n", round+1, s.Name(), m, n)
					if err := measure(ctx, l, s, o.n, r); err != nil {
						return fmt.Errorf("%s on %s, CPUs: %d: %w", s.Name(), m, n, err)
					}
				}
			}
		}
	}
	if o.page == "" {
		return r.write(os.Stdout)
	}
	f, err := os.Create(o.page)
	if err != nil {
		return err
	}
	return errors.Join(r.write(f), f.Close())
}

// measure runs the program in a system and adds its rows to r.
func measure(ctx context.Context, l *lab.Lab, s *lab.System, n int, r *results) error {
	return l.Collect(ctx, s, program, guestMemory, guestTime, []string{"-n", fmt.Sprint(n)}, func(line string) bool {
		row, ok := lines.Parse(line)
		if ok {
			r.add(s, row)
		}
		return ok
	})
}

// key is a row of a table: a thing beside a load, in a machine.
type key struct {
	machine    qemu.Machine
	cpus       int
	load, what string
	linux      bool
}

// results are the figures of all rounds.
type results struct {
	about     string
	n, rounds int
	rows      []key // of Yolk, in their order
	values    map[key][]lines.Spread
}

func (r *results) add(s *lab.System, row lines.Row) {
	k := key{s.Machine, s.CPUs, row.Load, row.What, s.IsLinux()}
	if !k.linux && !slices.Contains(r.rows, k) {
		r.rows = append(r.rows, k)
	}
	r.values[k] = append(r.values[k], row.Spread)
}
