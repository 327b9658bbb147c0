//go:build tamago

package amd64

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "unsafe" // for go:linkname
)

// TestWokenIsStolen: who is to run next where somebody computes who has woken it is taken by another CPU. The
// first one has its interrupts off meanwhile, so that no tick ends the slice there.
func TestWokenIsStolen(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("no other CPU")
	}
	const tries = 20
	for range tries {
		c := make(chan struct{})
		var waits, ran atomic.Bool
		go func() {
			waits.Store(true)
			<-c
			ran.Store(true)
		}()
		for !waits.Load() {
			runtime.Gosched()
		}
		c <- struct{}{}
		cli()
		start := nanotime()
		for !ran.Load() && nanotime()-start < int64(30*time.Second) {
		}
		sti()
		if !ran.Load() {
			t.Fatal("nobody has taken the woken goroutine in 30 s")
		}
	}
}

// drivers starts a goroutine for each of n interrupts that calls f with its number each time that the interrupt
// fires, and returns their vectors when all wait.
func drivers(t *testing.T, n int, f func(i int)) []uint8 {
	t.Helper()
	var vectors []uint8
	var all sync.WaitGroup
	var list []*Interrupt
	for i := range n {
		irq, err := newInterrupt("test")
		if err != nil {
			t.Fatal(err)
		}
		list, vectors = append(list, irq), append(vectors, irq.vector)
		all.Go(func() {
			for irq.Wait() {
				f(i)
			}
		})
	}
	t.Cleanup(func() {
		for _, irq := range list {
			irq.Close()
		}
		all.Wait()
	})
	for _, irq := range list {
		for !waited(irq.vector) {
			runtime.Gosched()
		}
	}
	return vectors
}

// interruptMask has a bit for each vector that a goroutine waits for.
//
//go:linkname interruptMask runtime.interruptMask
var interruptMask [4]uint64

func waited(v uint8) bool { return atomic.LoadUint64(&interruptMask[v/64])>>(v%64)&1 != 0 }

// TestInterruptComesFirst: who waits for an interrupt runs before those that could run already, but there are
// not two of them in a row. A tick may change the order, but not each time.
func TestInterruptComesFirst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const others = 3
	order := ""
	v := drivers(t, 2, func(i int) { order += string(rune('A' + i)) })
	for range 100 {
		order = ""
		for !waited(v[0]) || !waited(v[1]) {
			runtime.Gosched()
		}
		var all sync.WaitGroup
		for i := range others {
			all.Go(func() { order += string(rune('1' + i)) })
		}
		raise(v[0])
		raise(v[1])
		all.Wait()
		for len(order) < others+len(v) {
			runtime.Gosched()
		}
		// The one of the goroutines that was started last is the next one.
		if order == "A3B12" {
			return
		}
	}
	t.Errorf("two interrupts, A and B, came when %d goroutines could run: the order was %s, never A3B12", others, order)
}

// computing has goroutines compute on all CPUs until the test is over. Each calls raise again and again, with
// interrupts off, on the first CPU only, to which devices send theirs, as soon as all CPUs compute.
func computing(t *testing.T, raise func()) {
	var stop atomic.Bool
	var all sync.WaitGroup
	var seen [maxCPUs]atomic.Bool
	var begun atomic.Bool
	for range 2 * runtime.NumCPU() {
		all.Go(func() {
			for !stop.Load() {
				cli()
				cpu := cpuIndex()
				if cpu == 0 && begun.Load() {
					raise()
				}
				sti()
				seen[cpu].Store(true)
				step()
			}
		})
	}
	for i := range runtime.NumCPU() {
		for !seen[i].Load() {
			time.Sleep(time.Millisecond)
		}
	}
	begun.Store(true)
	t.Cleanup(func() {
		stop.Store(true)
		all.Wait()
	})
}

// step is a point at which its caller may be preempted.
//
//go:noinline
func step() { steps.Add(1) }

var steps atomic.Int64

// TestInterruptPreempts: where all CPUs compute, who waits for an interrupt does not wait for a tick of the timer.
func TestInterruptPreempts(t *testing.T) {
	const tries = 100
	var ready atomic.Bool // for the next interrupt
	var since, ticks, done, quick atomic.Int64
	timer := func() int64 { return int64(atomic.LoadUint64(&interruptCounts[timerVector])) }
	v := drivers(t, 1, func(int) {
		if timer() == ticks.Load() {
			quick.Add(1)
		}
		done.Add(1)
		since.Store(nanotime())
		ready.Store(true)
	})
	ready.Store(true)
	computing(t, func() {
		// Whoever has just begun goes on for a while.
		if nanotime()-since.Load() > slice/5 && waited(v[0]) && ready.CompareAndSwap(true, false) {
			ticks.Store(timer())
			sendIPI(apicIDs[0], icrAssert|uint32(v[0]))
		}
	})
	for done.Load() < tries {
		time.Sleep(time.Millisecond)
	}
	// Ticks of other CPUs may come in between, of some more where the host is busy.
	if n := quick.Load(); n < tries/4 {
		t.Errorf("beside %d computing goroutines %d interrupts in %d were heeded before the next tick", 2*runtime.NumCPU(), n, tries)
	}
}

// TestInterruptStorm: interrupts that come all the time leave those who compute some time between any two that are
// heeded, and do not wait for the slice's end.
func TestInterruptStorm(t *testing.T) {
	if runtime.NumCPU() > 1 {
		t.Skip("it counts the slices of one CPU: another one that idles may heed all that come")
	}
	const (
		tries     = 500
		undivided = 500_000 // ns, runtime.interruptSlice
	)
	var done, last, soon atomic.Int64
	v := drivers(t, 1, func(int) {
		now := nanotime()
		if now-last.Swap(now) < slice/2 {
			soon.Add(1)
		}
		done.Add(1)
	})
	computing(t, func() {
		if waited(v[0]) {
			sendIPI(apicIDs[0], icrAssert|uint32(v[0]))
		}
	})
	start, before := nanotime(), done.Load()
	for done.Load() < before+tries {
		time.Sleep(time.Millisecond)
	}
	took, n := nanotime()-start, done.Load()-before
	if limit := 2*took/undivided + 10; n > limit {
		t.Errorf("%d interrupts were heeded in %v, more than %d", n, time.Duration(took), limit)
	}
	// Where the host is busy most of them may take longer.
	if n := soon.Load(); n < tries/10 {
		t.Errorf("%d interrupts of %d were heeded within half a slice of the one before", n, tries)
	}
}
