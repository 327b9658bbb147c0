// Command work measures, in Yolk, what operations cost where there is much of
// something: open files, names, directory entries, bytes. cmd/bench/scale runs
// it.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
)

func main() {
	only := flag.String("tables", "", "tables to fill, separated by commas")
	part := flag.Int("part", 1, "divide all sizes by this")
	flag.Parse()
	p := plan.New(*part)
	for name := range strings.SplitSeq(*only, ",") {
		if err := fill[name](p); err != nil {
			fmt.Println("failed:", name, err)
			os.Exit(1)
		}
	}
	fmt.Println(plan.Done)
}

// fill has what each table is filled by.
var fill = map[string]func(*plan.Plan) error{
	plan.Open: open, plan.Names: names, plan.Evict: evict, plan.Files: files, plan.Walk: walk, plan.Sparse: sparse,
}

// tell prints a value of a table, in the row of a size.
func tell(table string, size int64, column string, value float64) {
	fmt.Println(plan.Format(table, size, column, value))
}

// chunks is into how many parts a row's operations are divided.
const chunks = 20

// measure does the operations from ... to-1, in parts one after the other, and
// tells how many µs one takes: the median of the parts, so that what else the
// host does now and then is not in it.
func measure(table string, size int, column string, from, to int, do func(from, to int) error) error {
	var took []float64
	fmt.Println(plan.Begin)
	time.Sleep(plan.Pause)
	for i := range chunks {
		a, b := from+(to-from)*i/chunks, from+(to-from)*(i+1)/chunks
		if a == b {
			continue
		}
		start := time.Now()
		if err := do(a, b); err != nil {
			return err
		}
		took = append(took, float64(time.Since(start).Nanoseconds())/1e3/float64(b-a))
	}
	fmt.Println(plan.End(table, int64(size), column, to-from))
	time.Sleep(plan.Pause)
	slices.Sort(took)
	tell(table, int64(size), column, took[len(took)/2])
	return nil
}

// each is for measure: it does one operation after the other.
func each(do func(i int) error) func(from, to int) error {
	return func(from, to int) error {
		for i := from; i < to; i++ {
			if err := do(i); err != nil {
				return err
			}
		}
		return nil
	}
}

// heap is what is in use after a collection, in bytes.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// workers is how many goroutines share the operations of a table.
const workers = 16

// spread does from ... to-1 in several goroutines and returns the first error.
func spread(from, to int, do func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			for i := from + w; i < to && errs[w] == nil; i += workers {
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// counters are those of /proc/yolk/fuse: of the device whose line has its tag,
// or "names". The first name of a section is its key.
func counters(section string) (map[string]float64, error) {
	data, err := os.ReadFile("/proc/yolk/fuse")
	if err != nil {
		return nil, err
	}
	list := map[string]float64{}
	inside := false
	for line := range strings.Lines(string(data)) {
		if line[0] != ' ' {
			inside = strings.HasPrefix(strings.TrimPrefix(line, "virtiofs ")+" ", section)
			continue
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(value, 64); inside && err == nil {
			list[name] = n
		}
	}
	return list, nil
}
