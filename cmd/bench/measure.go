package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/rows"
	"github.com/yolkos/yolk/cmd/bench/internal/tree"
)

// bench is what the groups of rows work with.
type bench struct {
	*tree.Layout
	diskFile string // empty: the guest's disk
	direct   bool   // the disk is read and written past the page cache
}

// group is a set of rows that follow one another: the first ones find files
// that nobody in the guest has looked at, the later ones the same files again.
type group struct {
	name string
	run  func(*bench) error
}

var groups = []group{
	{"read", (*bench).read},
	{"write", (*bench).write},
	{"random", (*bench).random},
	{"small", (*bench).small},
	{"stat", (*bench).stat},
	{"readdir", (*bench).readdir},
	{"walk", (*bench).walk},
	{"create", (*bench).create},
	{"rename", (*bench).rename},
	{"mixed", (*bench).mixed},
	{"compute", (*bench).compute},
	{"disk", (*bench).disk},
	{"idle", (*bench).idle},
}

// Work that can be repeated is, until it has taken enough time for the clock
// and for chance.
const (
	enough  = 200 * time.Millisecond
	maxRuns = 200
)

// once measures work of a number of operations, in µs each.
func once(name string, ops int, work func() error) error {
	return measure(name, 1, work, func(d time.Duration, _ int) (float64, int) { return micros(d, ops), ops })
}

// again is once for work that has the same effect each time.
func again(name string, ops int, work func() error) error {
	return measure(name, maxRuns, work, func(d time.Duration, runs int) (float64, int) { return micros(d, ops*runs), ops * runs })
}

// moved measures the transfer of bytes, in MB/s.
func moved(name string, bytes int64, maxRuns int, work func() error) error {
	return measure(name, maxRuns, work, func(d time.Duration, runs int) (float64, int) {
		return float64(bytes) * float64(runs) / 1e6 / d.Seconds(), int(bytes>>20) * runs
	})
}

func micros(d time.Duration, ops int) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(ops) }

func measure(name string, maxRuns int, work func() error, value func(d time.Duration, runs int) (float64, int)) error {
	runtime.GC() // what earlier rows have left is not this one's
	before := readCounters()
	runs, start := 0, time.Now()
	for {
		if err := work(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		runs++
		if runs >= maxRuns || time.Since(start) >= enough {
			break
		}
	}
	taken := time.Since(start)
	v, ops := value(taken, runs)
	fmt.Println(rows.FormatResult(name, v, readCounters().since(before, ops)))
	return nil
}

// parallel runs work in n goroutines and returns the first error.
func parallel(n int, work func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = work(i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
