package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/cmd/bench/internal/rows"
	"github.com/yolkos/yolk/cmd/bench/internal/tree"
	"github.com/yolkos/yolk/qemu"
)

// comparison is one in progress.
type comparison struct {
	*options
	lab     *lab.Lab
	layout  *tree.Layout
	results *results
	chosen  []*system
	disk    string // the file of diskGroup
}

// diskGroup has the rows for which the machines have a disk, in a boot of their own: the others are without.
const diskGroup = "disk"

var noCost = rows.Cost{Requests: math.NaN(), Notifications: math.NaN(), Interrupts: math.NaN()}

func (c *comparison) wants(group string) bool {
	return c.only == "" || strings.Contains(","+c.only+",", ","+group+",")
}

// groups returns the groups of rows that are to be measured in a system, those of each boot.
func (c *comparison) groups(s *system) (boots []string) {
	all := s.only
	if all == "" {
		all = strings.Join(slices.DeleteFunc(groupNames(), func(g string) bool { return g == rows.Compute.Group }), ",")
	}
	var list []string
	for g := range strings.SplitSeq(all, ",") {
		switch {
		case !c.wants(g):
		case g == diskGroup:
			boots = append(boots, g)
		default:
			list = append(list, g)
		}
	}
	if len(list) > 0 {
		boots = append(boots, strings.Join(list, ","))
	}
	return boots
}

// turns lists the systems of a round in their order.
func (c *comparison) turns() []*system {
	var list, parallel []*system
	for _, s := range c.chosen {
		if s.only == "" {
			list = append(list, s)
		} else {
			parallel = append(parallel, s)
		}
	}
	return append(list, slices.Repeat(parallel, parallelTurns)...)
}

// round gives each system its turns, one after the other.
func (c *comparison) round(ctx context.Context, i int) error {
	for _, s := range c.turns() {
		for _, groups := range c.groups(s) {
			if err := tree.Renew(c.lab.Root, c.layout); err != nil {
				return err
			}
			start := time.Now()
			err := c.measure(ctx, s, groups)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			took := time.Since(start).Seconds()
			if err != nil {
				c.fail(s, err.Error())
			}
			note("round %d of %d: %-22s %5.1f s", i+1, c.rounds, s.name, took)
		}
	}
	return nil
}

func (c *comparison) fail(s *system, text string) {
	note("%s: %s", s.name, text)
	c.results.Failures = append(c.results.Failures, s.name+": "+text)
}

// measure runs the benchmark program in a system, for some groups of rows.
func (c *comparison) measure(ctx context.Context, s *system, groups string) error {
	args := []string{"-only", groups}
	where := s.System
	if groups == diskGroup {
		where.Disk = c.disk
		switch {
		case s.IsHost():
			args = append(args, "-disk", c.disk)
		case s.Cache == qemu.CacheNone:
			args = append(args, "-direct")
		}
	}
	if c.quick {
		args = append(args, "-quick")
	}
	var idle idleMeter
	last, done := "nothing", false
	start := time.Now()
	err := c.lab.Run(ctx, &where, benchProgram, guestMemory, guestTime, args, func(line string) {
		if strings.TrimSpace(line) != "" {
			last = line
			done = done || line == rows.LineDone
		}
		if strings.Contains(line, rows.LineMain) && s.only == "" && slices.Contains(strings.Split(groups, ","), "boot") {
			c.add(s, "boot", time.Since(start).Seconds()*1e3, noCost)
		}
		switch {
		case line == rows.LineIdleBegin && !s.IsHost():
			idle.start()
		case line == rows.LineIdleEnd && !s.IsHost():
			c.add(s, "idle", idle.percent(), noCost)
		}
		if name, value, cost, ok := rows.ParseResult(line); ok {
			c.add(s, name, value, cost)
		} else if text, ok := rows.ParseFailure(line); ok {
			c.fail(s, text)
		}
	})
	if err == nil && !done {
		err = fmt.Errorf("ended early, after %q", last)
	}
	return err
}

func (c *comparison) add(s *system, row string, v float64, cost rows.Cost) {
	if c.verbose {
		note("%-20s %-18s %10.4g %s  %.2f requests, %.2f notifications, %.2f interrupts", s.name, row, v, rows.Find(row).Unit,
			cost.Requests, cost.Notifications, cost.Interrupts)
	}
	c.results.add(row, s.name, v, cost)
}

// once takes the rows that are the same in each round.
func (c *comparison) once(ctx context.Context) error {
	for _, s := range c.chosen {
		if s.only != "" {
			continue
		}
		if c.wants("size") {
			size, err := c.imageSize(ctx, s)
			if err != nil {
				return err
			}
			c.add(s, "size", float64(size)/1e6, noCost)
		}
		if c.wants("ram") && !s.IsHost() {
			mib, err := c.leastMemory(ctx, s)
			if err != nil {
				return err
			}
			c.add(s, "ram", float64(mib), noCost)
			note("least memory in MiB: %-22s %d", s.name, mib)
		}
	}
	return nil
}

// imageSize is the number of bytes that a hello program takes with all that
// it needs to boot.
func (c *comparison) imageSize(ctx context.Context, s *system) (int64, error) {
	hello := filepath.Join(c.lab.Dir, helloProgram)
	files := []string{hello}
	switch {
	case s.IsLinux():
		initrd := filepath.Join(c.lab.Dir, "initrd")
		if err := c.lab.Linux.WriteInitrd(ctx, initrd, &s.System, hello, nil); err != nil {
			return 0, err
		}
		files = []string{c.lab.Linux.Kernel, initrd}
	case !s.IsHost():
		files = []string{hello + ".yolk"}
	}
	sum := int64(0)
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}

// leastMemory finds how many MiB a hello program needs to boot and run.
func (c *comparison) leastMemory(ctx context.Context, s *system) (int, error) {
	const step, limit = 2, 512 // MiB
	return search(limit/step, step, func(mib int) (bool, error) {
		done := false
		// An error is the expected end of a guest that has too little.
		_ = c.lab.Run(ctx, &s.System, helloProgram, uint64(mib)<<20, 20*time.Second, nil, func(line string) {
			done = done || line == rows.LineDone
		})
		return done, ctx.Err()
	})
}

// search returns the least multiple of step, of n, that is enough.
func search(n, step int, enough func(int) (bool, error)) (int, error) {
	low, high := 0, n // low is not enough, high is
	for high-low > 1 {
		mid := (low + high) / 2
		ok, err := enough(mid * step)
		if err != nil {
			return 0, err
		}
		if ok {
			high = mid
		} else {
			low = mid
		}
	}
	return high * step, nil
}
