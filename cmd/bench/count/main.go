// Command count has QEMU count the instructions of single operations, in a Linux
// guest and in Yolk. It is run from the top directory of the module.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
	"github.com/yolkos/yolk/qemu"
)

func main() {
	var o options
	flag.StringVar(&o.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&o.page, "page", "", "the page to write, docs/instructions.md; standard output without it")
	flag.BoolVar(&o.linux, "linux", false, "count in the Linux guest, too; else its figures are those of the page's last time")
	flag.BoolVar(&o.requests, "requests", false, "count what waits for a server in Yolk, too; else those figures are of the page's last time")
	flag.BoolVar(&o.check, "check", false, "write nothing: fail where a row has grown by more than 2 % over the recorded figure, or by 15 % with a trace")
	flag.StringVar(&o.profile, "profile", "", "write nothing: tell which functions execute the instructions of this row, such as \"tmpfs stat 4\"")
	flag.BoolVar(&o.traced, "traced", false, "count what a trace costs, for docs/TRACING.md; fail where an operation is more than 15 % dearer with it")
	flag.BoolVar(&o.verbose, "v", false, "show the commands that are run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(1)
	}
}

type options struct {
	yolk, page, profile   string
	linux, check, verbose bool
	requests, traced      bool
}

// Programs that are run, each with rows of its own.
const (
	files   = "ops"
	network = "netops"
)

var programs = []string{files, network}

// seeds is how many random seeds a row is counted with. The least counts: where
// names come to lie in hash tables is chance.
const seeds = 5

// linuxBoots is how often it is counted in Linux, where the server of its root decides
// what comes in which order.
const linuxBoots = 3

// Systems that programs are run in.
var (
	withShare = lab.System{Machine: qemu.MicroVM, Count: true}
	inLinux   = lab.System{Machine: qemu.MicroVM, Cache: qemu.CacheAuto, Count: true}
)

func bare(seed int) lab.System {
	return lab.System{Machine: qemu.MicroVM, Count: true, Bare: true, Seed: seed}
}

func run(ctx context.Context, o *options) error {
	old, err := readFigures(figuresFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := lab.New("count", o.verbose)
	if err != nil {
		return err
	}
	defer l.Close()
	l.Accel = qemu.TCG
	if o.traced {
		return runTraced(ctx, l, o, old.yolk)
	}
	if o.profile != "" {
		p, err := profileRow(ctx, l, o.yolk, o.profile)
		if err != nil {
			return err
		}
		fmt.Printf("%8.0f         %s\n", p.instructions, p.name)
		return p.write(os.Stdout, len(p.functions))
	}
	now := figures{linux: old.linux, about: old.about}
	if now.yolk, err = countYolk(ctx, l, o, old.yolk); err != nil {
		return err
	}
	if o.linux {
		if err := l.FetchLinux(ctx); err != nil {
			return err
		}
		now.about = l.Linux.Version
		if now.linux, err = countLinux(ctx, l); err != nil {
			return err
		}
	}
	if o.check {
		return errors.Join(compare(old, now), runTraced(ctx, l, o, old.yolk))
	}
	if o.page == "" {
		return now.report(os.Stdout)
	}
	all := map[string]profile{}
	for _, of := range []struct {
		s       lab.System
		program string
	}{{bare(0), files}, {bare(0), network}, {withShare, files}} {
		list, err := profiles(ctx, l, of.s, o.yolk, of.program, "")
		if err != nil {
			return err
		}
		maps.Copy(all, list)
	}
	return errors.Join(now.write(figuresFile), writePage(o.page, now, all), updateBenchmarks())
}

// countYolk counts in Yolk what o asks for. What waits for a server is as in old
// otherwise.
func countYolk(ctx context.Context, l *lab.Lab, o *options, old costs) (costs, error) {
	var jobs []job
	for _, program := range programs {
		if err := l.BuildYolk(ctx, o.yolk, program, "./cmd/bench/"+program, "-s -w"); err != nil {
			return nil, err
		}
		for seed := range seeds {
			jobs = append(jobs, job{bare(seed), program, nil})
		}
	}
	if !o.check {
		j := job{withShare, files, nil}
		if o.requests {
			j.args = []string{"-requests"}
		}
		jobs = append(jobs, j)
	}
	c, err := countAll(ctx, l, jobs)
	for name, was := range old {
		if ops.Waits(name) && !o.requests {
			c[name] = was
		}
	}
	return c, err
}

// job is a program to run in a system.
type job struct {
	s       lab.System
	program string
	args    []string
}

// countAll counts several at once: what is counted is the same whatever else runs.
func countAll(ctx context.Context, l *lab.Lab, jobs []job) (costs, error) {
	c := costs{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	errs := make([]error, len(jobs))
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, j := range jobs {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			rows, err := count(ctx, l, j.s, j.program, j.args, exitsLogged)
			if err != nil {
				errs[i] = fmt.Errorf("%s in %s: %w", j.program, j.s.Name(), err)
			}
			mu.Lock()
			c.add(rows)
			mu.Unlock()
		})
	}
	wg.Wait()
	return c, errors.Join(errs...)
}

// countLinux counts in a Linux guest.
func countLinux(ctx context.Context, l *lab.Lab) (costs, error) {
	var jobs []job
	for _, program := range programs {
		if err := l.BuildLinux(ctx, program, "./cmd/bench/"+program); err != nil {
			return nil, err
		}
		for range linuxBoots {
			jobs = append(jobs, job{inLinux, program, []string{"-all", "-requests"}})
		}
	}
	c, err := countAll(ctx, l, jobs)
	delete(c, ops.Boot) // most of it is waiting, with a clock that goes on to the next timer
	return c, err
}
