package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
)

// walk reads directories, of which it keeps no more than a few entries.
func walk(p *plan.Plan) error {
	for _, size := range p.Sizes[plan.Walk] {
		before := heap()
		start := time.Now()
		n, most, err := readAll(plan.WalkDir(size))
		if err != nil {
			return err
		}
		if n != size {
			return fmt.Errorf("%s has %d entries, want %d", plan.WalkDir(size), n, size)
		}
		tell(plan.Walk, int64(size), "entry", micros(start, n))
		tell(plan.Walk, int64(size), "peak", most-before)
		tell(plan.Walk, int64(size), "left", heap()-before)
	}
	return nil
}

// readAll reads the directory, and returns the most that the heap held.
func readAll(name string) (n int, most float64, err error) {
	d, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer d.Close()
	for {
		list, err := d.ReadDir(500)
		n += len(list)
		if n%10_000 < 500 || err != nil {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, float64(m.HeapAlloc))
		}
		switch {
		case err == io.EOF:
			return n, most, nil
		case err != nil:
			return n, most, err
		}
	}
}
