//go:build tamago

package guest

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// oneProc has the goroutines of a test share one processor of the scheduler.
func oneProc(t *testing.T) {
	was := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(was) })
}

// TestWokenRunsNext: who is woken comes before those that could run already. A tick of the timer may come in
// between, but not each time.
func TestWokenRunsNext(t *testing.T) {
	oneProc(t)
	const woken, others = 0, 5
	var order []int
	for range 100 {
		order = order[:0]
		var all sync.WaitGroup
		c := make(chan struct{})
		waits := false
		all.Go(func() {
			waits = true
			<-c
			order = append(order, woken)
		})
		for !waits {
			runtime.Gosched()
		}
		for i := range others {
			all.Go(func() { order = append(order, 1+i) })
		}
		c <- struct{}{}
		all.Wait()
		if order[0] == woken && slices.IsSorted(order) {
			return
		}
	}
	t.Errorf("%d goroutines ran in the order of %v, and then 0 was woken: 0 was never the first", others, order)
}

// offer sends to c unless it is full.
func offer(c chan bool) {
	select {
	case c <- true:
	default:
	}
}

// TestPairs: goroutines that hand over to each other share one slice, that a tick of the timer ends: another
// one has its turns, whether the tick finds one of them woken or not.
func TestPairs(t *testing.T) {
	oneProc(t)
	for _, pair := range []struct {
		name string
		work int
	}{{"at once", 0}, {"after some work", 2000}} {
		t.Run(pair.name, func(t *testing.T) {
			there, back := make(chan bool, 1), make(chan bool, 1)
			var stop atomic.Bool
			var all sync.WaitGroup
			player := func(from, to chan bool) {
				for !stop.Load() {
					to <- true // the other one is to run next
					for range pair.work {
						sink.Add(1)
					}
					<-from
				}
				offer(to)
			}
			all.Go(func() { player(there, back) })
			all.Go(func() { player(back, there) })
			const want = 50
			ticks := interrupts(t, "timer")
			for turns := 0; turns < want; turns++ {
				runtime.Gosched()
			}
			ticks = interrupts(t, "timer") - ticks
			stop.Store(true)
			all.Wait()
			// A slice takes a tick to be seen, and one to be ended.
			if limit := 3 * want * runtime.NumCPU(); ticks > limit {
				t.Errorf("%d turns took %d ticks, more than %d", want, ticks, limit)
			}
		})
	}
}

// TestRing: of many goroutines of which each wakes the next one, and computes until its slice is over, each
// tick finds one that is woken: another goroutine has its turn after a slice or two, not after all of theirs.
func TestRing(t *testing.T) {
	oneProc(t)
	const n = 40
	links := make([]chan bool, n)
	for i := range links {
		links[i] = make(chan bool, 1)
	}
	var stop atomic.Bool
	var all sync.WaitGroup
	for i := range links {
		all.Go(func() {
			for range links[i] {
				if i == n-1 || stop.Load() {
					return
				}
				links[i+1] <- true
				for end := time.Now().Add(25 * time.Millisecond); time.Now().Before(end) && !stop.Load(); {
				}
			}
		})
	}
	for range n {
		runtime.Gosched() // until all wait
	}
	ticks := interrupts(t, "timer")
	links[0] <- true
	const want = 4
	for range want {
		runtime.Gosched()
	}
	ticks = interrupts(t, "timer") - ticks
	stop.Store(true)
	for i := range links {
		offer(links[i])
	}
	all.Wait()
	if limit := 6 * want * runtime.NumCPU(); ticks > limit {
		t.Errorf("%d turns took %d ticks, more than %d", want, ticks, limit)
	}
}
