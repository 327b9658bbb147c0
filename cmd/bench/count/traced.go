package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

// traceShare is by how much an operation may be dearer while it is traced.
const traceShare = 0.15

// traceNoise is by how much the least that an operation takes is another one from boot to boot: in which order goroutines run, and
// where names come to lie in hash tables, is chance.
const traceNoise = 1.01

// traceRuns is how often is counted, at most, until no row is too much dearer in each of them: whether a timer is pending while
// others sleep, for example, is another chance in each boot, and no matter of the trace.
const traceRuns = 3

// untraceable tells of a row of which no share is taken: a boot waits for the launcher, whom it tells what a trace needs.
func untraceable(name string) bool { return strings.HasPrefix(name, ops.Boot) || ops.Waits(name) }

// traced is what an operation costs, and what it does while it is traced.
type traced struct{ without, with float64 }

func (t traced) share() float64 {
	if math.IsInf(t.without, 1) {
		return math.Inf(1)
	}
	return t.with/t.without - 1
}

// better keeps in all, of each row, the round in which it is less dear.
func better(all, round map[string]traced) {
	for name, t := range round {
		if was, ok := all[name]; !ok || t.share() < was.share() {
			all[name] = t
		}
	}
}

// countTraced counts in machines of yolk run's, without a trace and with one. What the least of few boots takes without a trace
// may be less than it takes as a rule, by chance: it is taken to be what is recorded, at least.
func countTraced(ctx context.Context, l *lab.Lab, yolk string, recorded costs) (map[string]traced, error) {
	root := filepath.Join(l.Dir, "traced")
	if err := os.Mkdir(root, 0o755); err != nil {
		return nil, err
	}
	all := map[string]traced{}
	for range traceRuns {
		round := map[string]traced{}
		if err := countTracedOnce(ctx, l, yolk, root, round); err != nil {
			return nil, err
		}
		for name, t := range round {
			if was, ok := recorded[name]; ok {
				t.without = max(t.without, was.instructions)
				round[name] = t
			}
		}
		better(all, round)
		if checkTraced(all, 1) == nil {
			break
		}
	}
	return all, nil
}

// countTracedOnce counts in a machine without a trace and in one with it.
func countTracedOnce(ctx context.Context, l *lab.Lab, yolk, root string, all map[string]traced) error {
	for _, trace := range []bool{false, true} {
		args := []string{"run", "-q", "--accel", "tcg", "--machine", "microvm", "--timeout", guestTime.String(),
			"--qemu-arg=-icount", "--qemu-arg=shift=0,sleep=off", "--mount", root + ":/host"}
		if trace {
			args = append(args, "--trace", filepath.Join(l.Dir, "trace.txt"))
		}
		out, err := lab.Output(ctx, "", yolk, append(args, "./cmd/bench/"+files, "-root", "/host", "-all")...)
		if err != nil {
			return err
		}
		for line := range strings.Lines(out) {
			r, ok := ops.Parse(strings.TrimSpace(line))
			if !ok || untraceable(r.Name) {
				continue
			}
			t, ok := all[r.Name]
			if !ok {
				t = traced{math.Inf(1), math.Inf(1)}
			}
			if trace {
				t.with = r.Instructions
			} else {
				t.without = r.Instructions
			}
			all[r.Name] = t
		}
		if err := os.RemoveAll(filepath.Join(root, "ops")); err != nil {
			return err
		}
	}
	return nil
}

// checkTraced returns an error that tells of each row that is too much dearer while it is traced, by more than chance: a factor.
func checkTraced(all map[string]traced, noise float64) error {
	var errs []error
	if len(all) < 30 {
		errs = append(errs, fmt.Errorf("%d rows were counted with a trace and without, of some 50", len(all)))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t := all[name]
		switch {
		case math.IsInf(t.without, 1) || math.IsInf(t.with, 1):
			errs = append(errs, fmt.Errorf("%s: was counted with a trace or without, not both: %.0f and %.0f", name, t.with, t.without))
		case t.with > t.without*(1+traceShare)*noise:
			errs = append(errs, fmt.Errorf("%s: %.0f instructions, and %.0f with --trace: %.1f %% more, at most %.0f", name, t.without, t.with, 100*t.share(), 100*traceShare))
		}
	}
	return errors.Join(errs...)
}

// tracePage is the page with the table of what traces cost.
const tracePage = "docs/TRACING.md"

// traceRows are the rows that the page shows.
var traceRows = []string{"tmpfs stat 1", "tmpfs stat 4", "tmpfs pread 64", "tmpfs pread 4096", "tmpfs fstat", "tmpfs open+close", "tmpfs mkdir+rmdir",
	"getcwd", "virtio-fs stat 4", "virtio-fs pread 64", "pipe byte", "channel there and back", "goroutine", "sleep 1 µs", "time.Now"}

const (
	traceTable = "| operation | without | with | |\n|---|--:|--:|--:|\n"
	traceEnd   = "\n\n" // a table has no empty line
)

// writeTraced puts the table into the page's text.
func writeTraced(page string, all map[string]traced) (string, error) {
	before, rest, ok := strings.Cut(page, traceTable)
	_, after, ended := strings.Cut(rest, traceEnd)
	if !ok || !ended {
		return "", fmt.Errorf("%s has no table of what traces cost", tracePage)
	}
	var table strings.Builder
	for _, name := range traceRows {
		t, ok := all[name]
		if !ok {
			return "", fmt.Errorf("%s was not counted", name)
		}
		fmt.Fprintf(&table, "| %s | %.0f | %.0f | %.0f %% |\n", name, t.without, t.with, 100*t.share())
	}
	return before + traceTable + strings.TrimSuffix(table.String(), "\n") + traceEnd + after, nil
}

// runTraced counts what traces cost, and writes it to the page, or checks it.
func runTraced(ctx context.Context, l *lab.Lab, o *options, recorded costs) error {
	all, err := countTraced(ctx, l, o.yolk, recorded)
	if err != nil {
		return err
	}
	if o.check || o.page == "" {
		return checkTraced(all, traceNoise)
	}
	text, err := os.ReadFile(o.page)
	if err != nil {
		return err
	}
	page, err := writeTraced(string(text), all)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(o.page, []byte(page), 0o644), checkTraced(all, traceNoise))
}
