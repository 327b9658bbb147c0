package ops

import (
	"flag"
	"fmt"
	"math"
	"runtime"

	"github.com/yolkos/yolk/cmd/bench/internal/tsc"
)

// Counter counts rows.
type Counter struct {
	Values map[string]float64
	Err    error // the first
	// Only is the name of the one row to count; empty: all.
	Only string
	// Batches is how many are counted.
	Batches int
}

// NewCounter makes a Counter with its flags.
func NewCounter(set *flag.FlagSet) *Counter {
	c := &Counter{Values: map[string]float64{}}
	set.StringVar(&c.Only, "only", "", "the row to count")
	set.IntVar(&c.Batches, "batches", 9, "how many batches are counted")
	return c
}

// warmUp is how many batches are not counted.
const warmUp = 3

// Count counts an operation by batches of n. The least counts: what interrupts it is
// not the operation's. Once there was an error nothing is
// done.
func (c *Counter) Count(name string, n int, op func() error) {
	if c.Err != nil || c.Only != "" && c.Only != name {
		return
	}
	runtime.GC() // what earlier rows have left is not this one's
	least := uint64(math.MaxUint64)
	for b := range warmUp + c.Batches {
		start := tsc.Read()
		for range n {
			if err := op(); err != nil {
				c.Err = fmt.Errorf("%s: %w", name, err)
				return
			}
		}
		if b >= warmUp {
			least = min(least, tsc.Read()-start)
		}
	}
	c.Values[name] = float64(least) / float64(n)
}

// Print tells of the rows.
func (c *Counter) Print() error {
	if c.Err != nil {
		return c.Err
	}
	for name, v := range c.Values {
		fmt.Println(Result(name, v))
	}
	return nil
}
