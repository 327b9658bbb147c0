//go:build tamago

package amd64

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestTickInPark: a tick that falls into the moment in which a goroutine that has computed begins
// to wait does not change for what it waits. The bubbles of testing/synctest count by that.
func TestTickInPark(t *testing.T) {
	var tries atomic.Int32
	done := make(chan bool)
	go func() {
		defer close(done)
		for end := nanotime() + 3e9; nanotime() < end; tries.Add(1) {
			synctest.Test(t, func(*testing.T) {
				c := make(chan int)
				go func() {
					// The tick after the next one ends a slice of this goroutine.
					n := &interruptCounts[timerVector]
					for first := atomic.LoadUint64(n); atomic.LoadUint64(n) == first; {
					}
					soon := rand.Uint64N(timerHz / 20_000) // within 50 µs
					for second := atomic.LoadUint64(n); timerLeft() > soon && atomic.LoadUint64(n) == second; {
					}
					<-c
				}()
				synctest.Wait()
				close(c)
			})
		}
	}()
	for last := int32(-1); ; last = tries.Load() {
		select {
		case <-done:
			return
		case <-time.After(2 * time.Minute):
		}
		if tries.Load() == last {
			t.Fatalf("after %d times nobody wakes who waits for all others to wait", last)
		}
	}
}
