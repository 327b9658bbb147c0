// Command cpus has QEMU count what operations cost in Yolk with one processor and with
// several that do the same, and which locks are waited for. It is run from the top directory
// of the module.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/bench/cpus/internal/lines"
	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/qemu"
)

type options struct {
	yolk, page string
	most       int
	verbose    bool
}

// counts are the numbers of processors, in the order of the page. All are compared with
// the first.
var counts = []int{1, 2, 4, 8, 16}

const (
	guestMemory = 1 << 30 // bytes
	guestTime   = 10 * time.Minute
	program     = "cpus"
)

func main() {
	var o options
	flag.StringVar(&o.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&o.page, "page", "", "the page whose section is written, docs/scale.md; standard output without it")
	flag.IntVar(&o.most, "most", counts[len(counts)-1], "at most so many processors")
	flag.BoolVar(&o.verbose, "v", false, "show the commands that are run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "cpus:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	dir, err := os.MkdirTemp("", "yolk-cpus-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l := &lab.Lab{Dir: dir, Accel: qemu.TCG}
	if o.verbose {
		l.Trace = os.Stderr
	}
	if err := l.BuildYolk(ctx, o.yolk, program, "./cmd/bench/cpus/work", "-s -w"); err != nil {
		return err
	}
	var all results
	for _, n := range counts {
		if n > o.most {
			break
		}
		rows, err := count(ctx, l, n)
		if err != nil {
			return fmt.Errorf("%d CPUs: %w", n, err)
		}
		all = append(all, result{n, rows})
	}
	if o.page == "" {
		return all.write(os.Stdout)
	}
	return all.writePage(o.page)
}

// count runs the program with n processors.
func count(ctx context.Context, l *lab.Lab, n int) (rows []lines.Row, err error) {
	s := &lab.System{Machine: qemu.MicroVM, CPUs: n, Count: true, Bare: true}
	err = l.Collect(ctx, s, program, guestMemory, guestTime, nil, func(line string) bool {
		r, ok := lines.Parse(line)
		if ok {
			rows = append(rows, r)
		}
		return ok
	})
	return rows, err
}
