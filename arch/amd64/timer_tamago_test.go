//go:build tamago

package amd64

import (
	"testing"
	"time"
)

// An idle CPU wakes on time although the rate of its timer is wrong, as it is
// after a boot on a busy host. One of many sleeps tells: the host may be busy
// now, too.
func TestSleepWithWrongTimerRate(t *testing.T) {
	hz, accuracy := timerHz, timerAccuracy
	defer func() { timerHz, timerAccuracy = hz, accuracy }()
	// The boot's own rate may be wrong, too.
	both := max(20*accuracy/(20+accuracy), 2)
	for _, percent := range []uint64{100, 96, 104} {
		timerHz, timerAccuracy = hz*percent/100, both
		const wait = 300 * time.Millisecond
		best := time.Hour
		for end := time.Now().Add(time.Minute); time.Now().Before(end) && best > wait/2000+time.Millisecond; {
			start := time.Now()
			time.Sleep(wait)
			late := time.Since(start) - wait
			if late < 0 {
				t.Fatalf("timer rate at %d %%: woke %v early", percent, -late)
			}
			best = min(best, late)
		}
		if best > wait/2000+time.Millisecond {
			t.Errorf("timer rate at %d %%: each sleep of %v in a minute was %v late or more", percent, wait, best)
		}
	}
}

// The monotonic clock does not go back, and hardly jumps, while its rate is
// changed again and again.
func TestClockRateChanges(t *testing.T) {
	defer SetClockRate(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range int64(300) {
			SetClockRate((i%3 - 1) * 400_000)
			time.Sleep(time.Millisecond)
		}
	}()
	last := nanotime()
	for {
		select {
		case <-done:
			return
		default:
		}
		for range 1000 {
			now := nanotime()
			if now < last {
				t.Fatalf("the clock went back by %d ns", last-now)
			}
			last = now
		}
	}
}
