//go:build tamago

package guest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// fault runs f, which is to touch memory that it must not, and returns the error
// that comes of it.
func fault(f func()) (err runtime.Error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err, _ = r.(runtime.Error)
		}
	}()
	f()
	return nil
}

var sink atomic.Uint64

func TestNilPointer(t *testing.T) {
	var p *struct {
		pad [100]byte
		x   int
	}
	err := fault(func() { sink.Store(uint64(p.x)) })
	if err == nil || !strings.Contains(err.Error(), "nil pointer dereference") {
		t.Errorf("%v", err)
	}
	var fn func()
	if err := fault(func() { fn() }); err == nil {
		t.Error("a call of a nil function returned")
	}
}

// Far beyond page 0 but in no RAM: the first byte that is not mapped.
func TestUnmapped(t *testing.T) {
	err := fault(func() { sink.Store(*(*uint64)(pointer(1 << 45))) })
	var addr interface{ Addr() uintptr }
	if err == nil || !errors.As(err, &addr) || addr.Addr() != 1<<45 {
		t.Errorf("%v", err)
	}
	if err := fault(func() { sink.Store(*(*uint64)(pointer(1 << 63))) }); err == nil {
		t.Error("a non-canonical address was read")
	}
}

func pointer(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

func TestPagePermissions(t *testing.T) {
	code := **(**uintptr)(pointer(uintptr(unsafe.Pointer(&codeOf))))
	if err := fault(func() { *(*byte)(pointer(code)) = 0xc3 }); err == nil {
		t.Error("code can be written")
	}
	constant := unsafe.Pointer(unsafe.StringData("a constant of the program"))
	if err := fault(func() { *(*byte)(constant) = 'A' }); err == nil {
		t.Error("constants can be written")
	}
	// A function whose code is RET, in memory for data.
	data := new([16]byte)
	data[0] = 0xc3
	entry := unsafe.Pointer(data)
	fn := *(*func())(unsafe.Pointer(&[]unsafe.Pointer{unsafe.Pointer(&entry)}[0]))
	if err := fault(fn); err == nil {
		t.Error("data can be executed")
	}
}

var codeOf = TestNilPointer

// A loop without calls must not keep other goroutines, timers and the collector
// from running.
func TestPreemption(t *testing.T) {
	runtime.GC() // the sweep of a large heap would give way to the loops often
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := uint64(0); ; i++ {
				if i&(1<<20-1) == 0 && stop.Load() {
					return
				}
			}
		}()
	}
	start := time.Now()
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	stop.Store(true)
	if d := time.Since(start); d > time.Minute {
		t.Errorf("a sleep of 20 ms and a collection took %v beside three loops", d)
	}
	wg.Wait()
}

// TestSlices: of goroutines that compute on one CPU each has it for a tick of the timer, not for two.
func TestSlices(t *testing.T) {
	if runtime.NumCPU() > 1 {
		t.Skip("it counts the ticks of one CPU")
	}
	runtime.GC()
	var stop atomic.Bool
	var wg sync.WaitGroup
	running, switches := -1, 0 // by one goroutine at a time
	for i := range 3 {
		wg.Go(func() {
			for !stop.Load() {
				if running != i {
					running = i
					switches++
				}
			}
		})
	}
	ticks := interrupts(t, "timer")
	time.Sleep(time.Second)
	ticks = interrupts(t, "timer") - ticks
	stop.Store(true)
	wg.Wait()
	if ticks < 10 || switches < ticks*3/4 {
		t.Errorf("three loops were switched %d times in %d ticks", switches, ticks)
	}
}

func TestLockOSThread(t *testing.T) {
	const n = 8
	turn := make(chan int)
	done := make(chan struct{})
	for range n {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for i := range turn {
				time.Sleep(time.Duration(i%3) * 100 * time.Microsecond)
				done <- struct{}{}
			}
		}()
	}
	go func() {
		for i := range 20 * n {
			turn <- i
		}
		close(turn)
	}()
	for range 20 * n {
		<-done
	}
	// A goroutine that ends while locked takes its thread with it.
	for range 20 {
		end := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(end)
		}()
		<-end
	}
}

func TestManyProcs(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var mu sync.Mutex
	total := 0
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 200 {
				b := make([]byte, 1<<(i%16))
				b[len(b)-1] = byte(g)
				mu.Lock()
				total += int(b[len(b)-1])
				mu.Unlock()
				if i%50 == 0 {
					runtime.Gosched()
				}
			}
		}()
	}
	wg.Wait()
	if want := 200 * 15 * 16 / 2; total != want {
		t.Errorf("total %d, want %d", total, want)
	}
}

func TestTimers(t *testing.T) {
	for _, d := range []time.Duration{100 * time.Microsecond, time.Millisecond, 15 * time.Millisecond, 120 * time.Millisecond} {
		lasts(t, fmt.Sprint("a sleep of ", d), d, d+200*time.Millisecond, func() { time.Sleep(d) })
	}
	lasts(t, "20 ticks of 5 ms", 95*time.Millisecond, 500*time.Millisecond, func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range 20 {
			<-tick.C
		}
	})
}

// lasts reports what never takes least or more. A host that is busy may let it
// take more than most, but not each time.
func lasts(t *testing.T, what string, least, most time.Duration, f func()) {
	t.Helper()
	for begin := time.Now(); ; {
		start := time.Now()
		f()
		took := time.Since(start)
		if took < least || took > most && time.Since(begin) > time.Minute {
			t.Errorf("%s took %v", what, took)
		} else if took > most {
			continue
		}
		return
	}
}

// The heap grows to most of the RAM, and memory that the collector frees is used
// again.
func TestMemory(t *testing.T) {
	var total uint64
	for range 50 {
		b := make([]byte, 4<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		total += uint64(len(b))
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > total {
		t.Errorf("%d MiB taken for 4 MiB at a time", m.Sys>>20)
	}
}

// interrupts sums up the interrupts of some kinds in /proc/interrupts.
func interrupts(t *testing.T, kinds ...string) int {
	t.Helper()
	sum := 0
	for _, line := range strings.Split(read(t, "/proc/interrupts"), "\n")[1:] {
		if f := strings.Fields(line); len(f) > 2 && slices.Contains(kinds, f[2]) {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			sum += n
		}
	}
	return sum
}

// deviceInterrupts are those of devices: messages and lines.
func deviceInterrupts(t *testing.T) int { return interrupts(t, "MSI", "line") }

// Quick replies need no interrupt; among many some are slow.
func TestInterruptsWakeReaders(t *testing.T) {
	before := deviceInterrupts(t)
	for end := time.Now().Add(time.Minute); deviceInterrupts(t) == before; {
		if time.Now().After(end) {
			t.Fatal("no interrupt was counted in a minute of requests to the host")
		}
		for i := range 50 {
			if _, err := os.Stat("/a name that is not there " + strconv.Itoa(i)); !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
}

func TestFloatingPointSurvivesInterrupts(t *testing.T) {
	// Vector registers across many preemptions.
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			x, y := float64(g+1), 0.0
			end := time.Now().Add(100 * time.Millisecond)
			for time.Now().Before(end) {
				y = 0
				for range 20000 {
					y += x
				}
				if y != 20000*x {
					t.Errorf("%v additions of %v: %v", 20000, x, y)
					return
				}
			}
		}()
	}
	wg.Wait()
}
