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
	"path/filepath"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
	"github.com/yolkos/yolk/qemu"
)

func main() {
	var o options
	flag.StringVar(&o.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&o.page, "page", "", "the page to write, docs/instructions.md; standard output without it")
	flag.BoolVar(&o.linux, "linux", false, "count in the Linux guest, too; else its figures are those of the page's last time")
	flag.BoolVar(&o.check, "check", false, "write nothing: fail where a row has grown by more than 2 % over the recorded figure")
	flag.StringVar(&o.profile, "profile", "", "write nothing: tell which functions execute the instructions of this row, such as \"tmpfs stat 4\"")
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
}

// Programs that are run, each with rows of its own.
const (
	files   = "ops"
	network = "netops"
)

var programs = []string{files, network}

const (
	// seeds is how many random seeds a row is counted with. The least counts: where
	// names come to lie in hash tables is chance.
	seeds       = 5
	guestMemory = 1 << 30 // bytes
	guestTime   = 20 * time.Minute
)

func run(ctx context.Context, o *options) error {
	old, err := readFigures(figuresFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "yolk", "bench")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	l := &lab.Lab{Accel: qemu.TCG}
	if o.verbose {
		l.Trace = os.Stderr
	}
	if l.Dir, err = os.MkdirTemp(cache, "count-"); err != nil {
		return err
	}
	defer os.RemoveAll(l.Dir)
	if o.profile != "" {
		return profile(ctx, l, o.yolk, o.profile)
	}
	for _, program := range programs {
		if err := l.Build(ctx, o.yolk, program, "./cmd/bench/"+program); err != nil {
			return err
		}
	}
	now := figures{yolk: map[string]float64{}, linux: maps.Clone(old.linux), about: old.about}
	type job struct {
		program string
		system  *lab.System
	}
	var jobs []job
	for seed := range seeds {
		for _, program := range programs {
			jobs = append(jobs, job{program, &lab.System{Machine: qemu.MicroVM, Count: true, Bare: true, Seed: seed}})
		}
	}
	if !o.check {
		jobs = append(jobs, job{files, &lab.System{Machine: qemu.MicroVM, Count: true}})
	}
	for _, j := range jobs {
		if err := count(ctx, l, j.system, j.program, nil, now.yolk); err != nil {
			return fmt.Errorf("%s in Yolk: %w", j.program, err)
		}
	}
	if o.linux {
		if l.Linux, err = lab.FetchLinux(ctx, cache); err != nil {
			return err
		}
		now.linux, now.about = map[string]float64{}, l.Linux.Version
		for _, program := range programs {
			args := []string{"-all"}
			if err := count(ctx, l, &lab.System{Machine: qemu.MicroVM, Cache: qemu.CacheAuto, Count: true}, program, args, now.linux); err != nil {
				return fmt.Errorf("%s in Linux: %w", program, err)
			}
		}
		delete(now.linux, ops.Boot) // most of it is waiting, with a clock that goes on to the next timer
	}
	if o.check {
		return compare(old, now)
	}
	if o.page == "" {
		return now.report(os.Stdout)
	}
	return errors.Join(now.write(figuresFile), writePage(o.page, now))
}

// count runs a program in a system and notes the rows.
func count(ctx context.Context, l *lab.Lab, s *lab.System, program string, args []string, values map[string]float64) (err error) {
	if l.Root, err = os.MkdirTemp("", "yolk-count-"); err != nil {
		return err
	}
	defer os.RemoveAll(l.Root)
	var failure error
	done, last := false, ""
	err = l.Run(ctx, s, program, guestMemory, guestTime, args, func(line string) {
		if name, v, ok := ops.Parse(line); ok {
			if was, ok := values[name]; !ok || v < was {
				values[name] = v
			}
		} else if text, ok := ops.ParseFailure(line); ok {
			failure = errors.New(text)
		} else if line == ops.Done {
			done = true
		} else if line != "" {
			last = line
		}
	})
	switch {
	case err != nil || failure != nil:
		return errors.Join(failure, err)
	case !done:
		return fmt.Errorf("ended early, after %q", last)
	}
	return nil
}
