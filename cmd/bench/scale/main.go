// Command scale measures what operations cost in Yolk where there is much of
// something, on both machine types, and writes a page about it. It is run from
// the top directory of the module.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/load"
	"github.com/yolkos/yolk/cmd/bench/internal/page"
	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
	"github.com/yolkos/yolk/qemu"
)

type options struct {
	machines []qemu.Machine
	accel    qemu.Accel
	yolk     string // program that builds images
	page     string // file to write; empty: standard output
	dir      string // where the shared directories are made
	only     string // part of the names of the runs; empty: all
	part     int    // divides all sizes
	trace    io.Writer
}

func main() {
	var o options
	var machines, accel string
	var verbose bool
	flag.StringVar(&machines, "machines", "microvm,q35", "machine types, separated by commas")
	flag.StringVar(&accel, "accel", string(qemu.Auto), "acceleration: auto, kvm or tcg")
	flag.StringVar(&o.yolk, "yolk", "bin/yolk", "the yolk command")
	flag.StringVar(&o.page, "page", "", "file for the page; standard output without it")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "where to make the directory that is shared")
	flag.StringVar(&o.only, "only", "", "fill only this table")
	flag.IntVar(&o.part, "part", 1, "divide all sizes by this, for development")
	flag.BoolVar(&verbose, "v", false, "show the commands that are run")
	flag.Parse()
	for m := range strings.SplitSeq(machines, ",") {
		o.machines = append(o.machines, qemu.Machine(m))
	}
	o.accel = qemu.Accel(accel)
	if verbose {
		o.trace = os.Stderr
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := measure(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func note(format string, args ...any) { fmt.Fprintf(os.Stderr, "scale: "+format+"\n", args...) }

// run is one boot.
type run struct {
	tables []string
	memory uint64 // bytes
}

var runs = []run{
	{[]string{plan.Open, plan.Sparse}, 512 << 20},
	{[]string{plan.Files, plan.Names}, 4 << 30},
	{[]string{plan.Walk, plan.Evict}, 256 << 20},
}

// runTime is the limit of a run.
const runTime = 10 * time.Minute

func measure(ctx context.Context, o *options) error {
	var err error
	if o.accel, _, err = qemu.ChooseAccel(ctx, o.accel, o.machines[0], o.trace); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(o.dir, "yolk-scale-")
	if err != nil {
		return err
	}
	defer func() {
		note("remove the files")
		os.RemoveAll(temp)
	}()
	image, root := filepath.Join(temp, "image"), filepath.Join(temp, "root")
	out, err := exec.CommandContext(ctx, o.yolk, "build", "--ldflags=-s -w", "-o", image, "./cmd/bench/scale/work").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	p := plan.New(o.part)
	note("make %d files and %d names for them", p.Largest(plan.Files), p.Largest(plan.Walk))
	if err := makeFiles(ctx, root, p); err != nil {
		return err
	}
	r := &results{accel: string(o.accel), machines: o.machines, plan: p, values: map[key]float64{}}
	var failed error // the page of the others is of use all the same
	for _, m := range o.machines {
		for _, x := range runs {
			var tables []string
			for _, t := range x.tables {
				if o.only == "" || o.only == t {
					tables = append(tables, t)
				}
			}
			if len(tables) == 0 {
				continue
			}
			start := time.Now()
			if err := boot(ctx, o, m, x.memory, tables, image, root, r); err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s, %s: %w", m, strings.Join(tables, " and "), err))
			}
			if ctx.Err() != nil {
				return failed
			}
			note("%s, %s: %.0f s", m, strings.Join(tables, " and "), time.Since(start).Seconds())
		}
	}
	if o.page == "" {
		return errors.Join(failed, r.write(os.Stdout))
	}
	old, err := os.ReadFile(o.page)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(failed, err)
	}
	f, err := os.Create(o.page)
	if err != nil {
		return errors.Join(failed, err)
	}
	err = r.write(f)
	if _, cpus := page.Split(string(old), page.CPUs); cpus != "" && err == nil {
		_, err = io.WriteString(f, "\n"+cpus)
	}
	return errors.Join(failed, err, f.Close())
}

// boot runs the program in a guest, and takes what it tells into r.
func boot(ctx context.Context, o *options, m qemu.Machine, memory uint64, tables []string, image, root string, r *results) error {
	kernel, err := os.Open(image)
	if err != nil {
		return err
	}
	shares := []qemu.Share{{Tag: "root", Dir: root}}
	for i := range plan.Shares {
		shares = append(shares, qemu.Share{Tag: plan.Tag(i), Dir: filepath.Join(root, plan.FilesDir(i)), Path: filepath.Clean(plan.OpenDir(i))})
	}
	last, done, row := "nothing", false, ""
	var cpu time.Duration
	out := &lineWriter{see: func(line string) {
		if line == plan.Begin {
			cpu = load.Children()
		} else if table, size, column, ops, ok := plan.ParseEnd(line); ok {
			r.values[key{m, table, size, plan.CPU(column)}] = float64((load.Children() - cpu).Nanoseconds()) / 1e3 / ops
		} else if table, size, column, value, ok := plan.Parse(line); ok {
			r.values[key{m, table, size, column}] = value
			if now := fmt.Sprintf("%s, %s: %s", m, table, grouped(size)); now != row {
				note("%s", now)
				row = now
			}
		}
		last, done = line, line == plan.Done
	}}
	status, err := qemu.Run(ctx, &qemu.Options{
		Kernel: kernel, Args: []string{"work", "-part", fmt.Sprint(o.part), "-tables", strings.Join(tables, ",")}, Dir: "/", Quiet: true,
		Machine: m, Accel: o.accel, Memory: memory, Timeout: runTime, Shares: shares, Daemon: qemu.Virtiofsd,
		Stdout: out, Stderr: os.Stderr, Console: os.Stderr, Notes: os.Stderr, Trace: o.trace,
	})
	if err == nil && (status != 0 || !done) {
		err = fmt.Errorf("status %d, last words: %s", status, last)
	}
	return err
}

// lineWriter passes lines on, without their ends.
type lineWriter struct {
	see  func(line string)
	rest string
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest += string(p)
	for {
		line, rest, found := strings.Cut(w.rest, "\n")
		if !found {
			return len(p), nil
		}
		w.see(strings.TrimRight(line, "\r"))
		w.rest = rest
	}
}
