//go:build tamago

package guest

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// These tests hold for any number of CPUs; make test runs them with one and with
// two.

func TestProcessors(t *testing.T) {
	n := runtime.NumCPU()
	var listed int
	// CPUs come while the program runs already.
	for end := time.Now().Add(time.Minute); listed != n && time.Now().Before(end); time.Sleep(time.Millisecond) {
		listed = strings.Count(read(t, "/proc/cpuinfo"), "processor\t")
	}
	if listed != n {
		t.Errorf("/proc/cpuinfo lists %d processors of %d", listed, n)
	}
	if lines := strings.Count(read(t, "/proc/stat"), "\ncpu"); lines != n {
		t.Errorf("/proc/stat has %d lines for %d processors", lines, n)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// exchange has two goroutines that never yield hand a number to each other n
// times.
func exchange(n int64) time.Duration {
	var turn atomic.Int64
	start := time.Now()
	var wg sync.WaitGroup
	for who := range int64(2) {
		wg.Go(func() {
			for i := who; i < n; i += 2 {
				for turn.Load() != i {
				}
				turn.Store(i + 1)
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// TestParallel tells goroutines that run at the same time, which exchange in
// less than a microsecond, from those of one CPU, which wait for the tick, 10 ms.
func TestParallel(t *testing.T) {
	if runtime.NumCPU() == 1 {
		if d := exchange(10); d < 10*time.Millisecond {
			t.Errorf("10 exchanges took %v with one CPU", d)
		}
		return
	}
	// The host may have other things to do for one CPU or the other.
	const limit = 100 * time.Millisecond
	best := time.Hour
	for start := time.Now(); best > limit && time.Since(start) < time.Minute; {
		best = min(best, exchange(100))
	}
	if best > limit {
		t.Errorf("100 exchanges took %v with %d CPUs", best, runtime.NumCPU())
	}
}

// TestBusy keeps all CPUs in loops that call nothing, with more goroutines than
// CPUs: timers, files, the collector and other goroutines go on.
func TestBusy(t *testing.T) {
	var stop atomic.Bool
	var spinning sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		spinning.Go(func() {
			for x := uint64(1); !stop.Load(); x++ {
			}
		})
	}
	defer spinning.Wait()
	defer stop.Store(true)
	const limit = time.Minute
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"a timer", func() { <-time.After(10 * time.Millisecond) }},
		{"a collection", runtime.GC},
		{"a file", func() { os.ReadFile("cpus_test.go") }},
		{"another goroutine", func() {
			done := make(chan bool)
			go close(done)
			<-done
		}},
		{"a locked thread", func() {
			done := make(chan bool)
			go func() {
				runtime.LockOSThread() // and ends the thread
				close(done)
			}()
			<-done
		}},
	} {
		start := time.Now()
		tt.f()
		if d := time.Since(start); d > limit {
			t.Errorf("%s took %v beside busy loops", tt.name, d)
		}
	}
}

// TestCollectInParallel has the collector run while goroutines on all CPUs change
// what points where, and checks that nothing in use is lost.
func TestCollectInParallel(t *testing.T) {
	type node struct {
		next *node
		sum  uint64
		_    [6]uint64
	}
	var wg sync.WaitGroup
	for g := range uint64(4) {
		wg.Go(func() {
			var lists [64]*node
			for i := range uint64(100_000) {
				l := &lists[i*2654435761%64]
				*l = &node{next: *l, sum: i ^ g}
				if i%16 == 0 {
					*l = (*l).next
				}
				if i%20_000 == 0 {
					runtime.GC()
				}
			}
			n := 0
			for i := range lists {
				for p := lists[i]; p != nil; p = p.next {
					if p.sum^g >= 100_000 {
						t.Errorf("goroutine %d: a node has %#x", g, p.sum)
						return
					}
					n++
				}
			}
			if n != 100_000-100_000/16 {
				t.Errorf("goroutine %d: %d nodes are left", g, n)
			}
		})
	}
	wg.Wait()
	runtime.GC() // its sweep would give way to other tests' loops at every span
}

// TestThreads starts and ends threads, whose stacks are freed while others run.
func TestThreads(t *testing.T) {
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			runtime.LockOSThread()
			time.Sleep(time.Millisecond)
		})
	}
	wg.Wait()
}

// TestLookingWakesNoCPU: while one goroutine asks the host for one thing after the
// other, and looks whether the reply is there, the other CPUs halt.
func TestLookingWakesNoCPU(t *testing.T) {
	const n = 1000
	wakes, devices := interrupts(t, "wake"), deviceInterrupts(t)
	for i := range n {
		if _, err := os.Stat("/no such name " + strconv.Itoa(i)); !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	wakes, devices = interrupts(t, "wake")-wakes, deviceInterrupts(t)-devices
	t.Logf("%d requests woke CPUs %d times, beside %d interrupts of devices", n, wakes, devices)
	// A reply that takes too long to be looked out for comes with an interrupt, and
	// that may well wake a CPU or two.
	if wakes > n/2+2*devices {
		t.Error("too many")
	}
}
