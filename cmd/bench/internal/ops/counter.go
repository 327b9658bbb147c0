package ops

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/internal/tsc"
)

// Counter counts rows.
type Counter struct {
	Rows []Row
	Err  error // the first
	// Only is the name of the one row to count; empty: all.
	Only string
	// Batches is how many are counted.
	Batches int
	// Short counts one batch, a tenth of the others: for what takes long to log.
	Short bool
	// Requests has those that wait for a server be counted, too.
	Requests bool
}

// NewCounter makes a Counter with its flags.
func NewCounter(set *flag.FlagSet) *Counter {
	c := &Counter{}
	set.StringVar(&c.Only, "only", "", "the row to count")
	set.IntVar(&c.Batches, "batches", 9, "how many batches are counted")
	set.BoolVar(&c.Requests, "requests", false, "count what waits for a server, too")
	set.BoolVar(&c.Short, "short", false, "count one small batch")
	return c
}

// Settle waits until what a guest does in its first seconds, as to set its clock, is
// over.
func (c *Counter) Settle() {
	if !c.Short {
		time.Sleep(4 * time.Second)
	}
}

// warmUp is how many batches are not counted.
const warmUp = 3

// requests is how many operations are counted one by one.
const requests = 60

// Booted notes the row of the boot, which ended when the counter was at, and those of
// its stages, if it knows them.
func (c *Counter) Booted(at uint64, stages []guest.Stage) {
	c.Rows = append(c.Rows, Row{Name: Boot, Instructions: float64(at), Batch: 1})
	if len(stages) > 0 {
		stages = append([]guest.Stage{{Name: strings.TrimPrefix(Firmware, Boot+" 00 ")}}, stages...)
	}
	for i, s := range stages {
		end := at
		if i+1 < len(stages) {
			end = stages[i+1].At
		}
		c.Rows = append(c.Rows, Row{Name: fmt.Sprintf("%s %02d %s", Boot, i, s.Name), Instructions: float64(end - s.At), Number: Unmarked, Batch: 1})
	}
}

// Count counts an operation by batches of n. The least counts: what interrupts it is
// not the operation's. Once there was an error nothing is done.
func (c *Counter) Count(name string, n int, op func() error) {
	if c.Short {
		n = max(n/10, 1)
	}
	c.count(Row{Name: name, Batch: n}, c.Batches, noWaits, func() error {
		for range n {
			if err := op(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Request counts an operation that waits for a server, each by itself and less the time
// in which nothing was done but to wait: what the least of many executes is the
// operation's alone.
func (c *Counter) Request(name string, op func() error) {
	if c.Requests {
		c.count(Row{Name: name, Batch: 1}, max(c.Batches, requests), guest.Waits, op)
	}
}

// Load counts n operations that are done at once and wait for a server. Their
// instructions, with what they wait, are no measure.
func (c *Counter) Load(name string, n int, all func() error) {
	if !c.Requests {
		return
	}
	c.count(Row{Name: name, Batch: n}, c.Batches, func() (guest.Waiting, error) {
		w, err := guest.Waits()
		w.Nanoseconds = 0 // of many, at the same time
		return w, err
	}, all)
}

// noWaits is for what waits for nobody.
func noWaits() (w guest.Waiting, err error) { return w, nil }

// count counts by batches, of which it does one.
func (c *Counter) count(r Row, batches int, waits func() (guest.Waiting, error), batch func() error) {
	if c.Err != nil || c.Only != "" && c.Only != r.Name {
		return
	}
	for _, other := range c.Rows {
		r.Number = max(r.Number, other.Number)
	}
	r.Number++
	r.Instructions, r.Notifications = math.Inf(1), math.Inf(1)
	runtime.GC() // what earlier rows have left is not this one's
	warm := warmUp
	if c.Short {
		warm, batches = 1, 1
	}
	for b := range warm + batches {
		if err := r.measure(b >= warm, waits, batch); err != nil {
			c.Err = fmt.Errorf("%s: %w", r.Name, err)
			return
		}
	}
	c.Rows = append(c.Rows, r)
}

// measure does a batch, and takes it if it is to be counted and the least.
func (r *Row) measure(counted bool, waits func() (guest.Waiting, error), batch func() error) error {
	if r.Number > math.MaxUint8 {
		return fmt.Errorf("there are no marks for so many rows: %d", r.Number)
	}
	before, err := waits()
	if err != nil {
		return err
	}
	if counted {
		guest.Mark(uint8(r.Number))
	}
	start := tsc.Read()
	if err := batch(); err != nil {
		return err
	}
	took := tsc.Read() - start
	if !counted {
		return nil
	}
	guest.Mark(MarkEnd)
	after, err := waits()
	if err != nil {
		return err
	}
	n := float64(r.Batch)
	r.Instructions = min(r.Instructions, (float64(took)-float64(after.Nanoseconds-before.Nanoseconds))/n)
	r.Notifications = min(r.Notifications, float64(after.Notifications-before.Notifications)/n)
	return nil
}

// Print tells of the rows.
func (c *Counter) Print() error {
	if c.Err != nil {
		return c.Err
	}
	for _, r := range c.Rows {
		fmt.Println(r)
	}
	return nil
}
