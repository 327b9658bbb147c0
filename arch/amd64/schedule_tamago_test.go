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
