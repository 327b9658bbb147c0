// Package tsc reads the processor's time-stamp counter.
package tsc

import "time"

// Read returns the counter. Where QEMU counts instructions, they are what it
// counts.
func Read() uint64

// KHz measures the rate of the host's counter, which is a guest's too under TCG.
func KHz() uint64 {
	start, first := time.Now(), Read()
	time.Sleep(200 * time.Millisecond)
	taken, ticks := time.Since(start), Read()-first
	return uint64(float64(ticks) / taken.Seconds() / 1e3)
}
