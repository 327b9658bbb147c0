// Command compare runs the benchmark program on the host, in a Linux guest and
// in Yolk, in turns, and writes the comparison. It is run from the top directory
// of the module.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/rows"
	"github.com/yolkos/yolk/cmd/bench/internal/tree"
	"github.com/yolkos/yolk/qemu"
)

type options struct {
	rounds   int
	quick    bool
	only     string // groups of rows, separated by commas; empty: all
	machines []qemu.Machine
	systems  string // part of the names of the systems to measure
	accel    qemu.Accel
	yolk     string // program that builds images
	docs     string // directory to write to; empty: standard output
	dir      string // where the shared directory is made
	from     string // file with the values of an earlier comparison
	verbose  bool
}

func main() {
	var o options
	var machines, accel string
	flag.IntVar(&o.rounds, "rounds", 5, "how often everything is measured")
	flag.BoolVar(&o.quick, "quick", false, "small files, for development")
	flag.StringVar(&o.only, "only", "", "groups of rows to measure, separated by commas: "+strings.Join(groupNames(), ", "))
	flag.StringVar(&machines, "machines", "microvm,q35", "machine types, separated by commas")
	flag.StringVar(&o.systems, "systems", "", "measure only the systems that have this in their names, such as yolk-q35")
	flag.StringVar(&accel, "accel", string(qemu.Auto), "acceleration: auto, kvm or tcg")
	flag.StringVar(&o.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&o.docs, "docs", "", "directory for benchmarks.md and its charts; standard output without it")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "where to make the directory that is shared")
	flag.StringVar(&o.from, "from", "", "measure nothing: write the page of an earlier comparison, whose values are in this file")
	flag.BoolVar(&o.verbose, "v", false, "show the commands that are run, and each result")
	flag.Parse()
	for m := range strings.SplitSeq(machines, ",") {
		o.machines = append(o.machines, qemu.Machine(m))
	}
	o.accel = qemu.Accel(accel)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := compare
	if o.from != "" {
		run = rewrite
	}
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// rewrite publishes the results of an earlier comparison.
func rewrite(_ context.Context, o *options) error {
	f, err := os.Open(o.from)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := readResults(f)
	if err != nil {
		return fmt.Errorf("%s: %w", o.from, err)
	}
	return publish(r, o.docs)
}

func groupNames() (names []string) {
	for _, r := range rows.Table {
		if len(names) == 0 || names[len(names)-1] != r.Group {
			names = append(names, r.Group)
		}
	}
	return append(names, rows.Compute.Group)
}

func compare(ctx context.Context, o *options) error {
	l, err := lab.New("run", o.verbose)
	if err != nil {
		return err
	}
	defer l.Close()
	if l.Root, err = os.MkdirTemp(o.dir, "yolk-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(l.Root)
	if l.Accel, _, err = qemu.ChooseAccel(ctx, o.accel, o.machines[0], l.Trace); err != nil {
		return err
	}
	note("get the Linux kernel, build the programs, lay the files out")
	if err := l.FetchLinux(ctx); err != nil {
		return err
	}
	for name, pkg := range map[string]string{benchProgram: "./cmd/bench", helloProgram: "./cmd/bench/hello"} {
		if err := l.Build(ctx, o.yolk, name, pkg); err != nil {
			return err
		}
	}
	layout := &tree.Full
	if o.quick {
		layout = &tree.Quick
	}
	if err := tree.Make(l.Root, layout); err != nil {
		return err
	}
	r := newResults()
	r.About = about(l)
	for _, m := range o.machines {
		r.Machines = append(r.Machines, string(m))
	}
	c := &comparison{options: o, lab: l, layout: layout, results: r}
	if c.wants(diskGroup) {
		c.disk = l.Root + ".disk"
		defer os.Remove(c.disk)
		if err := tree.MakeDisk(c.disk, layout); err != nil {
			return err
		}
	}
	for _, s := range systems(o.machines) {
		if strings.Contains(s.name, o.systems) {
			c.chosen = append(c.chosen, s)
		}
	}
	if err := c.once(ctx); err != nil {
		return err
	}
	for i := range o.rounds {
		if err := c.round(ctx, i); err != nil {
			return err
		}
		// The page of the rounds so far is of use when the rest fails.
		r.Rounds = i + 1
		if err := keep(r, filepath.Join(l.Cache, "last.txt")); err != nil {
			return err
		}
		if o.docs != "" {
			if err := publish(r, o.docs); err != nil {
				return err
			}
		}
	}
	if o.docs == "" {
		return publish(r, "")
	}
	return nil
}

// keep writes the values to a file.
func keep(r *results, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := r.write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func note(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
