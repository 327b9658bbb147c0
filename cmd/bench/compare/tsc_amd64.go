package main

import "time"

func readTSC() uint64

// tscKHz measures the rate of the host's time-stamp counter, which is a
// guest's too under TCG.
func tscKHz() uint64 {
	start, first := time.Now(), readTSC()
	time.Sleep(200 * time.Millisecond)
	taken, ticks := time.Since(start), readTSC()-first
	return uint64(float64(ticks) / taken.Seconds() / 1e3)
}
