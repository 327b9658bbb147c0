package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
)

// walk reads directories, of which it keeps no more than a few entries.
func walk(p *plan.Plan) error {
	for _, size := range p.Sizes[plan.Walk] {
		before := heap()
		fmt.Println(plan.Begin)
		time.Sleep(plan.Pause)
		n, took, most, err := readAll(plan.WalkDir(size))
		if err != nil {
			return err
		}
		if n != size {
			return fmt.Errorf("%s has %d entries, want %d", plan.WalkDir(size), n, size)
		}
		fmt.Println(plan.End(plan.Walk, int64(size), "entry", n))
		time.Sleep(plan.Pause)
		tell(plan.Walk, int64(size), "entry", took)
		tell(plan.Walk, int64(size), "peak", most-before)
		tell(plan.Walk, int64(size), "left", heap()-before)
	}
	return nil
}

// readAll reads the directory. It returns how many entries it has, how many µs
// one takes, and the most that the heap held.
func readAll(name string) (n int, took, most float64, err error) {
	d, err := os.Open(name)
	if err != nil {
		return 0, 0, 0, err
	}
	defer d.Close()
	var parts []float64
	for end := false; !end; {
		start, part := time.Now(), 0
		for part < 10_000 && !end {
			list, err := d.ReadDir(500)
			part += len(list)
			if end = err == io.EOF; err != nil && !end {
				return 0, 0, 0, err
			}
		}
		if part > 0 {
			parts = append(parts, float64(time.Since(start).Nanoseconds())/1e3/float64(part))
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, float64(m.HeapAlloc))
		n += part
	}
	slices.Sort(parts)
	return n, parts[len(parts)/2], most, nil
}
