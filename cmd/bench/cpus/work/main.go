// Command work does the same on as many goroutines as there are processors, and counts
// what an operation takes: instructions, as ticks of the time-stamp counter, and locks that
// were waited for. cmd/bench/cpus runs it in Yolk.
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/yolkos/yolk/cmd/bench/cpus/internal/lines"
	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/internal/tsc"
)

func main() {
	debug.SetGCPercent(-1) // a cycle is none of the operations
	guest.Main(run)
}

func run([]string) error {
	if err := os.Chdir("/tmp"); err != nil {
		return err
	}
	takeTurns()
	for _, w := range all() {
		row, err := measure(w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Println(row)
	}
	return nil
}

// work is what is measured.
type work struct {
	name string
	n    int // operations of each goroutine
	// make prepares what the goroutine i does, and returns that and what ends it.
	make func(i int) (op func() error, end func(), err error)
}

// measure counts a work twice: its instructions while nothing is noted of the locks, and
// then its locks.
func measure(w work) (row lines.Row, err error) {
	runtime.GC() // what earlier ones have left is not this one's
	workers := runtime.GOMAXPROCS(0)
	ops := make([]func() error, workers)
	for i := range ops {
		op, end, err := w.make(i)
		if err != nil {
			return row, err
		}
		defer end()
		ops[i] = op
	}
	runtime.SetMutexProfileFraction(0)
	if _, err := together(w.n/10, ops); err != nil { // warms up
		return row, err
	}
	ticks, err := together(w.n, ops)
	if err != nil {
		return row, err
	}
	runtime.SetMutexProfileFraction(1)
	before, err := contended()
	if err != nil {
		return row, err
	}
	if _, err := together(w.n, ops); err != nil {
		return row, err
	}
	runtime.SetMutexProfileFraction(0)
	after, err := contended()
	if err != nil {
		return row, err
	}
	sum, most := int64(0), int64(0)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		n := after[name] - before[name]
		sum += n
		if n > most {
			most, row.Holder = n, name
		}
	}
	total := float64(workers * w.n)
	row.Name, row.Instructions, row.Contended = w.name, float64(ticks)/total, float64(sum)/total
	return row, nil
}

// together has each of ops done n times, all at the same time, and returns the ticks from
// when all are on a processor of their own to the end of the last.
func together(n int, ops []func() error) (ticks uint64, err error) {
	var done sync.WaitGroup
	var ready atomic.Int64
	var start, end atomic.Uint64
	errs := make([]error, len(ops))
	for i, op := range ops {
		done.Go(func() {
			if ready.Add(1) == int64(len(ops)) {
				start.Store(tsc.Read())
				ready.Add(1)
			}
			// Who waits here does not give its processor to one that is to come.
			for ready.Load() <= int64(len(ops)) {
			}
			for range n {
				if errs[i] = op(); errs[i] != nil {
					return
				}
			}
			for now := tsc.Read(); ; {
				if last := end.Load(); now <= last || end.CompareAndSwap(last, now) {
					return
				}
			}
		})
	}
	done.Wait()
	return end.Load() - start.Load(), errors.Join(errs...)
}

// contended are the locks that were waited for, by who held them.
func contended() (map[string]int64, error) {
	records := make([]runtime.BlockProfileRecord, 1000)
	n, ok := runtime.MutexProfile(records)
	if !ok {
		return nil, fmt.Errorf("profile of %d records: at most %d are taken", n, len(records))
	}
	by := map[string]int64{}
	for _, r := range records[:n] {
		by[holder(r.Stack())] += r.Count
	}
	return by, nil
}

// holder is the function that unlocked, with its caller: where the lock is the runtime's, the
// first of both that is exported or not the runtime's.
func holder(stack []uintptr) string {
	frames := runtime.CallersFrames(stack)
	var names []string
	for {
		f, more := frames.Next()
		name := strings.TrimPrefix(f.Function, "github.com/yolkos/yolk/")
		if f.Function != "" && !strings.HasPrefix(name, "sync.") && !strings.HasPrefix(name, "internal/sync.") && !strings.HasPrefix(name, "runtime.unlock") {
			names = append(names, name)
		}
		if !more || len(names) == 2 {
			break
		}
	}
	return strings.Join(names, " < ")
}
