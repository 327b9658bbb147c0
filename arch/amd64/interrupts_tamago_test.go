//go:build tamago

package amd64

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// Devices interrupt the first CPU, wherever their driver runs: the handler of
// their interrupts uses what belongs to that one.
func TestMSIToFirstCPU(t *testing.T) {
	var mu sync.Mutex
	seen := map[uintptr]uint64{} // by CPU
	var all sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		all.Go(func() {
			for end := time.Now().Add(time.Minute); time.Now().Before(end); {
				cli() // stays on the CPU
				cpu, addr := cpuIndex(), msiAddress()
				sti()
				mu.Lock()
				seen[cpu] = addr
				done := len(seen) == runtime.NumCPU()
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	all.Wait()
	if len(seen) != runtime.NumCPU() {
		t.Fatalf("%d CPUs ran goroutines in a minute, want %d", len(seen), runtime.NumCPU())
	}
	for cpu, addr := range seen {
		if addr != seen[0] {
			t.Errorf("a driver on CPU %d has the device write to %#x, one on the first to %#x", cpu, addr, seen[0])
		}
	}
}

// TestLineOwner: the interrupt line of a device is not taken from it.
func TestLineOwner(t *testing.T) {
	const line = 14 // of a disk controller that no machine here has
	irq, err := Line(line)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Line(line); err == nil {
		t.Error("a line was given away twice")
	}
	irq.Close()
	again, err := Line(line)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
